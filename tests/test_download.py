"""Vocabulary files: found where they may be, checked, downloaded only if need be and never half."""

from __future__ import annotations

import hashlib
import threading
import time
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from minitok import vocabulary_files
from minitok.vocabulary_files import PUBLISHED, PublishedFile, find_or_download

CONTENT = b"".join(b"%d\n" % i for i in range(3000))
VARIABLES = ("MINITOK_CACHE_DIR", "TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")


#: Where an answer may be slow without a byte of its body: kind to what comes at once, and what then drips.
DRIPPING = {
    "dripping-status": (b"", b"H"),
    "dripping-header": (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "dripping-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by the name in the path."""

    requests: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Handler.requests.append(self.path)
        kind = self.path.strip("/")
        if kind == "missing":
            self.send_error(404)
            return
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/x")
            self.end_headers()
            return
        if kind == "nonsense":
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        if kind in DRIPPING:
            self.drip(*DRIPPING[kind])
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if kind == "good":
            self.wfile.write(CONTENT)
        elif kind == "truncated":
            self.wfile.write(CONTENT[:1000])
        elif kind == "wrong":
            self.wfile.write(CONTENT[:-1] + b"!")
        elif kind == "hanging":
            time.sleep(3)
        elif kind == "dripping":
            for byte in CONTENT[:300]:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.02)

    def drip(self, start: bytes, dripped: bytes) -> None:
        """A raw answer whose end never comes, and which is never silent for long."""
        self.wfile.write(start)
        for _ in range(200):
            self.wfile.write(dripped)
            time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    # With a shorter queue the kernel drops some of many connections at once, and they come again after a second.
    request_queue_size = 64


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = Server(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up are what we test
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, apart from the real one; no other folder is named."""
    for variable in (*VARIABLES, "MINITOK_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(vocabulary_files, "_user_folder", lambda: tmp_path / "user" / "minitok")
    monkeypatch.setattr(vocabulary_files, "SILENCE", 0.5)
    Handler.requests.clear()
    return tmp_path / "user" / "minitok"


def file_at(address: str, content: bytes = CONTENT) -> PublishedFile:
    return PublishedFile("x.tiktoken", address, hashlib.sha256(content).hexdigest())


def get(address: str) -> bytes:
    return find_or_download(file_at(address), schemes=("http",))


def test_published_files_are_tiktokens() -> None:
    import inspect

    from tiktoken_ext import openai_public

    source = inspect.getsource(openai_public)
    for name, file in PUBLISHED.items():
        assert file.name == f"{name}.tiktoken"
        assert file.url in source
        assert file.sha256 in source
    assert PUBLISHED["cl100k_base"].cache_name == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    assert PUBLISHED["o200k_base"].cache_name == "fb374d419588a4632f3f557e76b4b70aebbca790"


def test_good(server: str, user_folder: Path) -> None:
    assert get(f"{server}/good") == CONTENT
    assert [path.name for path in user_folder.iterdir()] == ["x.tiktoken"]
    assert get(f"{server}/good") == CONTENT
    assert Handler.requests == ["/good"]  # the second came from the folder
    assert user_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("truncated", "SHA-256|IncompleteRead|incomplete"),
        ("wrong", "SHA-256"),
        ("missing", "404"),
        ("hanging", "timed out"),
        ("dripping", "longer than"),
        *((kind, "longer than") for kind in DRIPPING),
        ("nonsense", "BadStatusLine|no HTTP"),
        ("moved", "does not begin with http"),
    ],
)
def test_bad(server: str, user_folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, words: str) -> None:
    monkeypatch.setattr(vocabulary_files, "WHOLE", 0.8)
    with pytest.raises(FileNotFoundError, match=words) as caught:
        get(f"{server}/{kind}")
    message = str(caught.value)
    assert str(user_folder / "x.tiktoken") in message
    assert str(user_folder / file_at(f"{server}/{kind}").cache_name) in message
    assert f"{server}/{kind}" in message
    assert not user_folder.exists() or not list(user_folder.iterdir())


def test_too_large(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_files, "MOST_BYTES", 1000)
    with pytest.raises(FileNotFoundError, match="larger than"):
        get(f"{server}/good")


def test_no_server() -> None:
    with pytest.raises(FileNotFoundError, match="refused"):
        get("http://127.0.0.1:1/x")


def test_only_https(server: str) -> None:
    with pytest.raises(FileNotFoundError, match="does not begin with https"):
        find_or_download(file_at(f"{server}/good"))
    assert not Handler.requests


def test_offline(server: str, monkeypatch: pytest.MonkeyPatch, user_folder: Path) -> None:
    monkeypatch.setenv("MINITOK_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="MINITOK_OFFLINE forbids"):
        get(f"{server}/good")
    assert not Handler.requests
    user_folder.mkdir(parents=True)
    (user_folder / "x.tiktoken").write_bytes(CONTENT)
    assert get(f"{server}/good") == CONTENT
    monkeypatch.setenv("MINITOK_OFFLINE", "0")
    (user_folder / "x.tiktoken").unlink()
    assert get(f"{server}/good") == CONTENT


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("plain", [True, False])
def test_named_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, plain: bool) -> None:
    file = file_at("http://127.0.0.1:1/x")
    (tmp_path / (file.name if plain else file.cache_name)).write_bytes(CONTENT)
    monkeypatch.setenv(variable, str(tmp_path))
    assert get(file.url) == CONTENT


def test_folders_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    for number, variable in enumerate(reversed(VARIABLES)):
        monkeypatch.setenv(variable, str(tmp_path / str(number)))
    assert get(f"{server}/good") == CONTENT
    assert [path.parent.name for path in tmp_path.rglob("x.tiktoken")] == ["2"]
    monkeypatch.setenv("MINITOK_CACHE_DIR", "")
    assert get(f"{server}/good") == CONTENT
    assert sorted(path.parent.name for path in tmp_path.rglob("x.tiktoken")) == ["1", "2"]


def test_a_wrong_file_is_passed_over_with_a_warning(user_folder: Path, server: str) -> None:
    user_folder.mkdir(parents=True)
    (user_folder / "x.tiktoken").write_bytes(b"something else")
    with pytest.warns(RuntimeWarning, match=r"x\.tiktoken is not x\.tiktoken as it is published"):
        assert get(f"{server}/good") == CONTENT
    assert (user_folder / "x.tiktoken").read_bytes() == CONTENT


def test_a_huge_file_is_not_read(user_folder: Path, server: str) -> None:
    user_folder.mkdir(parents=True)
    with (user_folder / "x.tiktoken").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.warns(RuntimeWarning, match="passed over"):
        assert get(f"{server}/good") == CONTENT


def test_a_folder_open_to_all_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(folder))
    with pytest.warns(RuntimeWarning, match="every user may write"):
        assert get(f"{server}/good") == CONTENT
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(tmp_path / "file" / "folder"))
    with pytest.warns(RuntimeWarning, match="is not kept"):
        assert get(f"{server}/good") == CONTENT


def test_many_at_once(user_folder: Path, server: str) -> None:
    results: list[bytes] = []
    with warnings.catch_warnings():
        threads = [threading.Thread(target=lambda: results.append(get(f"{server}/good"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [CONTENT] * 8
    assert [path.name for path in user_folder.iterdir()] == ["x.tiktoken"]


def test_a_file_that_cannot_be_written_whole_leaves_nothing(
    user_folder: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.warns(RuntimeWarning, match=r"is not kept: no space left"):
        assert get(f"{server}/good") == CONTENT
    assert not list(user_folder.iterdir())


@pytest.mark.parametrize(
    ("mode", "system", "expected"),
    [(0o40777, "posix", True), (0o41777, "posix", True), (0o40755, "posix", False), (0o40777, "nt", False)],
)
def test_open_to_all(mode: int, system: str, expected: bool) -> None:
    assert vocabulary_files._open_to_all(mode, system) is expected
