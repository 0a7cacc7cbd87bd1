"""A small server of WebHDFS: the calls of Hadoop's REST interface that fsspec's `webhdfs://` makes, on a folder.

It answers as Hadoop's documentation of WebHDFS says (https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html):
a name node sends who reads or writes on to a data node (307), which here is the same server; what is wrong is a
`RemoteException` in JSON; a file cannot be renamed to one that is there, and then the answer is false, which is no
error. It knows no users, permissions, blocks or leases.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.clusters import serving

_ROOT = "/webhdfs/v1"


class _Node(BaseHTTPRequestHandler):
    """A name node, and the only data node.

    Args:
        folder: where files are.
    """

    protocol_version = "HTTP/1.1"  # connections stay open
    wbufsize = -1  # an answer is sent at once, not its head and then, when that has been acknowledged, its body

    def __init__(self, folder: Path, *arguments: Any) -> None:
        self._folder = folder
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        self._given = {name.lower(): values[0] for name, values in parse_qs(url.query).items()}
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = unquote(url.path).removeprefix(_ROOT)
        call = getattr(self, f"_{self.command}_{self._given['op'].upper()}".lower(), None)
        try:
            if call is None:
                self._refuse(400, "UnsupportedOperationException", f"no {self.command} of {self._given['op']} here")
            else:
                call(self._place(name))
        except FileNotFoundError:
            self._refuse(404, "FileNotFoundException", f"File does not exist: {name}")

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 (as the standard library calls them)

    def _place(self, name: str) -> Path:
        assert ".." not in name.split("/")
        return self._folder / name.lstrip("/")

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_json(self, answer: Any, status: int = 200) -> None:
        self._send(status, json.dumps(answer).encode())

    def _refuse(self, status: int, exception: str, message: str) -> None:
        self._send_json({"RemoteException": {"exception": exception, "message": message}}, status)

    def _is_sent_on(self) -> bool:
        """Whether this asked the name node, which names a data node."""
        if "datanode" in self._given:
            return False
        self._send(307, Location=f"http://{self.headers['Host']}{self.path}&datanode=true")
        return True

    @staticmethod
    def _status(path: Path, suffix: str) -> dict[str, Any]:
        found = path.stat()
        kind = {"type": "DIRECTORY", "length": 0} if path.is_dir() else {"type": "FILE", "length": found.st_size}
        return {**kind, "pathSuffix": suffix, "modificationTime": found.st_mtime_ns // 1_000_000}

    def _get_getfilestatus(self, path: Path) -> None:
        self._send_json({"FileStatus": self._status(path, "")})

    def _get_liststatus(self, path: Path) -> None:
        found = [self._status(one, one.name) for one in path.iterdir()] if path.is_dir() else [self._status(path, "")]
        self._send_json({"FileStatuses": {"FileStatus": found}})

    def _get_open(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError
        if not self._is_sent_on():
            with path.open("rb") as file:
                file.seek(int(self._given.get("offset", 0)))
                self._send(200, file.read(int(self._given.get("length", -1))))

    def _put_create(self, path: Path) -> None:
        if self._is_sent_on():
            return
        if path.exists() and self._given.get("overwrite") != "true":
            self._refuse(403, "FileAlreadyExistsException", f"{path.name} already exists")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._body)
        self._send(201)

    def _post_append(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError
        if not self._is_sent_on():
            with path.open("ab") as file:
                file.write(self._body)
            self._send(200)

    def _put_mkdirs(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._send_json({"boolean": True})

    def _put_rename(self, path: Path) -> None:
        target = self._place(self._given["destination"])
        is_possible = path.exists() and not target.exists() and target.parent.is_dir()
        if is_possible:
            path.rename(target)
        self._send_json({"boolean": is_possible})

    def _delete_delete(self, path: Path) -> None:
        is_there = path.exists()
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        self._send_json({"boolean": is_there})


@contextmanager
def webhdfs_server(folder: Path) -> Iterator[str]:
    """A server of a folder; gives its URL."""
    with serving(partial(_Node, folder)) as address:
        yield f"webhdfs://{address}"
