"""The viewer: how merges make tokens, the data of a page, the server's manners, the command."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

import minitok
from minitok import cli
from minitok.viewer.server import MAX_BYTES, ViewServer

pytestmark = pytest.mark.once

NASTY = "</script><img src=x onerror=alert(1)> & \" ' \u202e \x00 字🦖 \ud800 العربية\r\n"


def test_steps_come_to_what_merges_come_to() -> None:
    styles: tuple[Literal["minitok", "huggingface"], ...] = ("minitok", "huggingface")
    corpus = [NASTY * 3 + "the cat sat on the mat " * 20]
    for like in styles:
        trained = minitok.train(corpus, vocab_size=290, errors="replace", like=like)
        for i, token in enumerate(trained.tokens):
            assert token is not None
            history = trained.explain(i)
            merged = [trained.token_bytes(k) for k in trained._encoder.merge_piece(token)]
            assert list(history.parts) == merged
            if len(merged) == 1 and len(token) > 1:
                assert history.steps[-1].made == token
                assert history.steps[-1].id == i


def test_a_token_that_only_a_whole_piece_is() -> None:
    ranks = {bytes([b]): b for b in range(256)} | {b"abc": 256}
    enc = minitok.Encoding("x", pat_str=None, mergeable_ranks=ranks, special_tokens={"<end>": 257})
    assert enc.explain(256).parts == (b"a", b"b", b"c")
    assert enc.explain(257).kind == "special"
    with pytest.raises(KeyError):
        enc.explain(300)


def test_no_markup_gets_out() -> None:
    enc = minitok.Encoding(
        "</script><b>",
        pat_str=None,
        mergeable_ranks={bytes([b]): b for b in range(256)},
        special_tokens={"<!--<script>": 256},
    )
    view = enc.view(NASTY + "<!--<script>", allowed_special="all", title="<i>&@@data@@")
    page = view.html()
    assert page.count("<script") == 2
    assert page.count("</script") == 2
    assert "<i>" not in page
    assert len(enc.view("").html()) < 200_000
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page, re.S)[0])
    assert data["encodings"][0]["count"] == len(view.ids[0])
    frame = view._repr_html_()
    assert re.findall(r"</?\w+", frame) == ["<iframe", "</iframe", "<pre", "</pre", "<style", "</style"]
    assert 'sandbox="allow-scripts"' in frame


def test_names_that_are_no_text(tmp_path: Path) -> None:
    enc = minitok.Encoding(
        "\x1b[31m\ud800", pat_str=None, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={}
    )
    view = enc.view("ab", title="\udcff.txt")
    view.save(tmp_path / "out.html")
    assert "<h1>\\udcff.txt</h1>" in (tmp_path / "out.html").read_text(encoding="utf-8")
    assert view.terminal(colour=False).startswith("\\x1b[31m\\xed\\xa0\\x80: 2 tokens")


def test_without_scripts_the_beginning_is_shown() -> None:
    page = minitok.get_encoding("minitok_32k").view("one two" * 2_000).html()
    plain = re.findall(r"<noscript>.*<pre[^>]*>(.*?)</pre></noscript>", page, re.S)[0]
    assert plain.splitlines()[0].startswith("minitok_32k: ")
    assert plain.count("|") == 1_999
    assert re.fullmatch(r"\.\.\. and [\d,]+ tokens more", plain.splitlines()[-1])


@pytest.fixture
def server() -> Iterator[ViewServer]:
    with ViewServer([minitok.get_encoding("minitok_32k")]) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server: ViewServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, names)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_the_server(server: ViewServer) -> None:
    kind = {"Content_Type": "application/octet-stream"}
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "GET", "/")[0] == 200
    status, body = ask(server, "POST", "/tokens", b"hello world\xff", **kind)
    assert status == 200
    assert json.loads(body)["bytes"] == 12
    assert ask(server, "GET", "/other")[0] == 404
    assert ask(server, "GET", "/", Host="evil.example")[0] == 403
    assert ask(server, "POST", "/tokens", b"x", Origin="http://evil.example", **kind)[0] == 403
    assert ask(server, "POST", "/tokens", b"x", Content_Type="text/plain")[0] == 404
    assert ask(server, "POST", "/tokens", None, Content_Length=str(MAX_BYTES + 1), **kind)[0] == 413
    with pytest.raises(OSError, match="give another with --port"):
        ViewServer(server.encodings, server.server_port)
    with pytest.raises(ValueError, match="1,000,001 bytes"):
        ViewServer(server.encodings, 0, bytes(MAX_BYTES + 1))


def test_who_goes_before_the_answer_is_no_trouble(server: ViewServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
    assert ask(server, "GET", "/")[0] == 200
    assert capfd.readouterr().err == ""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "a.txt"
    text.write_bytes(b"hello world\xff\x07")
    assert cli.main(["view", str(text)]) == 0
    assert "hello| world|\\xff|\\x07" in capsys.readouterr().out
    assert cli.main(["view", str(text), "--html", str(tmp_path / "out.html")]) == 0
    assert "a.txt" in (tmp_path / "out.html").read_text(encoding="utf-8")
    assert cli.main(["view", str(text), "--html", "x", "--serve"]) == 2
    assert cli.main(["view", str(text), "--allow-special", "<no>"]) == 2
    assert cli.main(["view", str(tmp_path / "none")]) == 2
    long = tmp_path / "long.txt"
    long.write_bytes(bytes(MAX_BYTES + 1))
    assert cli.main(["view", str(long), "--serve", "--port", "0"]) == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        capsys.readouterr()
        assert cli.main(["view", "--serve", "--port", port]) == 2
    assert f"something else listens on port {port}" in capsys.readouterr().err
