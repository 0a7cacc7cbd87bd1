"""A Dask cluster of real processes on this machine, and servers of files, for tests."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
#: gcsfs would ask what kind of bucket it is in a protocol that the emulator does not have.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Cluster:
    """A scheduler, and workers that come and go.

    Args:
        folder: for what they write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.workers: list[subprocess.Popen[bytes]] = []
        port = self.address.rpartition(":")[2]
        self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self._folder / "log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )

    def add_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker of one thread, which nobody starts again."""
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder)]
        worker = self._start("worker", self.address, *options, **environment)
        self.workers.append(worker)
        return worker

    def add_worker_with(self, program: str) -> None:
        """Start a worker that runs a program first."""
        arguments = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        main = (
            f"import sys; sys.argv[:] = {['dask', *arguments]!r}; {program}; from dask.__main__ import main; main()"
        )
        self.workers.append(
            subprocess.Popen(
                [sys.executable, "-c", main],
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )

    def wait(self, client: Any, number: int) -> None:
        """Return when there are so many workers and no others."""
        end = time.monotonic() + 60
        while len(client.scheduler_info()["workers"]) != number:
            assert time.monotonic() < end, (self._folder / "log").read_text()
            time.sleep(0.05)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """As if its machine were gone."""
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)

    def close(self) -> None:
        for process in [*self.workers, self._scheduler]:
            process.kill()
            process.wait()


@contextmanager
def s3_server() -> Iterator[dict[str, Any]]:
    """A real S3 endpoint; gives fsspec's options for it."""
    port = free_port()
    program = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with _server(["-c", program], f"http://127.0.0.1:{port}/moto-api/") as url:
        yield {
            "key": "key",
            "secret": "secret",
            "client_kwargs": {"endpoint_url": url, "region_name": "eu-central-1"},
        }


@contextmanager
def gcs_server() -> Iterator[dict[str, Any]]:
    """An emulator of Google Cloud Storage; gives fsspec's options for it."""
    port = free_port()
    arguments = ["-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory"]
    with _server(arguments, f"http://127.0.0.1:{port}/storage/v1/b") as url:
        yield {"endpoint_url": url, "token": "anon", "project": "test"}


@contextmanager
def _server(arguments: list[str], probe: str) -> Iterator[str]:
    """A program of Python's that serves; gives its URL when it answers."""
    server = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urlopen(probe).close()
                break
            except (URLError, OSError):
                assert time.monotonic() < end
                time.sleep(0.1)
        yield "/".join(probe.split("/")[:3])
    finally:
        server.kill()
        server.wait()


class _Ranges(SimpleHTTPRequestHandler):
    """The files of a folder, and stretches of them."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if wanted is None or not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        start, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last + 1 - start))
        self.end_headers()
        self.wfile.write(data[start : last + 1])


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on this machine, in threads; gives its address and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """A server of the files in a folder; gives its URL."""
    with serving(partial(_Ranges, directory=str(folder))) as address:
        yield f"http://{address}"
