"""The command line, as a process: what it prints, where, and with which status it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok import cli, registry
from minitok.colours import coloured
from tests.interrupting import interrupt

TEXT = "the cat sat on the mat, the cat ate the rat; other words stood there, quickly forgotten\n" * 20


def run(*arguments: Any, data: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "minitok", *map(str, arguments)]
    return subprocess.run(
        command, input=data, capture_output=True, timeout=120, env={**os.environ, **environment}, check=False
    )


def good(*arguments: Any, data: bytes = b"") -> bytes:
    done = run(*arguments, data=data)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout


def bad(status: int, *arguments: Any, data: bytes = b"") -> str:
    done = run(*arguments, data=data)
    message = done.stderr.decode()
    assert done.returncode == status, done
    assert message.startswith("minitok"), message
    assert message.count("\n") == 1, message
    assert "Traceback" not in message
    return message


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    minitok.train([TEXT], vocab_size=280, special_tokens=["<|end|>"], name="small").save(path)
    return path


def test_train(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    shown = good("train", corpus, "-o", out, "--vocab-size", 280, "--special", "<|end|>", "--pattern", "gpt2")
    assert b"280 ids" in shown
    loaded = minitok.load(out)
    same = minitok.train([TEXT], vocab_size=280, pattern="gpt2", special_tokens=["<|end|>"])
    assert loaded.tokens == same.tokens
    figures = json.loads(good("train", "-o", out, "--vocab-size", 270, "--json", data=TEXT.encode()))
    assert figures["ids"] == 270
    good("train", str(tmp_path / "*.txt"), "-o", tmp_path / "ranks", "--vocab-size", 270, "--format", "tiktoken")
    assert minitok.load(tmp_path / "ranks", pattern="o200k").n_vocab == 270
    good("train", corpus, "-", "-o", out, "--initial", out, "--vocab-size", 275, "--min-frequency", 3, data=b"x")
    assert minitok.load(out).n_vocab == 275


def test_encode_and_decode(vocabulary: Path, corpus: Path, tmp_path: Path) -> None:
    encoding = minitok.load(vocabulary)
    ids = encoding.encode(TEXT)
    assert good("encode", "-e", vocabulary, corpus).split() == [str(i).encode() for i in ids]
    assert json.loads(good("encode", "-e", vocabulary, "--json", data=TEXT.encode())) == ids
    assert good("decode", "-e", vocabulary, data=" ".join(map(str, ids)).encode()) == TEXT.encode()
    assert good("decode", "-e", vocabulary, data=json.dumps(ids).encode()) == TEXT.encode()
    assert good("encode", "-e", vocabulary, corpus, "-o", tmp_path / "ids") == b""
    assert good("decode", "-e", vocabulary, tmp_path / "ids", "-o", tmp_path / "back") == b""
    assert (tmp_path / "back").read_text(encoding="utf-8") == TEXT
    assert len(good("encode", "-e", vocabulary, corpus, "-", corpus, data=b"a").splitlines()) == 3


def test_any_bytes(vocabulary: Path) -> None:
    data = bytes(range(256)) + "é字\r\n".encode()
    assert good("decode", "-e", vocabulary, data=good("encode", "-e", vocabulary, data=data)) == data


def test_special_tokens(vocabulary: Path) -> None:
    assert good("encode", "-e", vocabulary, "--allow-special", "<|end|>", data=b"<|end|>") == b"279\n"
    assert good("encode", "-e", vocabulary, "--allow-special", "all", data=b"<|end|>") == b"279\n"
    assert len(good("encode", "-e", vocabulary, data=b"<|end|>").split()) > 1
    assert "<|no|>" in bad(2, "encode", "-e", vocabulary, "--allow-special", "<|no|>")


def test_count(vocabulary: Path, corpus: Path) -> None:
    n = len(minitok.load(vocabulary).encode(TEXT))
    assert good("count", "-e", vocabulary, corpus) == f"{n} {corpus}\n".encode()
    assert good("count", "-e", vocabulary, data=TEXT.encode()) == f"{n}\n".encode()
    assert good("count", "-e", vocabulary, corpus, corpus).splitlines()[-1] == f"{2 * n} total".encode()
    shown = json.loads(good("count", "-e", vocabulary, "--json", corpus))
    assert shown == {"encoding": "small", "files": [{"file": str(corpus), "tokens": n}], "total": n}


def test_info(vocabulary: Path, tmp_path: Path) -> None:
    facts = json.loads(good("info", "-e", vocabulary, "--json"))
    assert (facts["name"], facts["ids"], facts["pattern"]) == ("small", 280, "o200k")
    assert facts["special_tokens"] == {"<|end|>": 279}
    assert facts["backend"] == minitok.BACKEND
    assert b"pattern: o200k" in good("info")
    good("info", "-o", tmp_path / "info")
    assert b"minitok_32k" in (tmp_path / "info").read_bytes()
    minitok.load(vocabulary).save(tmp_path / "x.tiktoken", format="tiktoken")
    assert b"gaps" not in good("info", "-e", tmp_path / "x.tiktoken", "--pattern", "r50k")


def test_version_and_help() -> None:
    assert good("--version") == f"minitok {minitok.__version__} ({minitok.BACKEND} backend)\n".encode()
    for command in ("train", "encode", "decode", "count", "info", "demo"):
        assert command.encode() in good("--help")
        assert b"usage: minitok" in good(command, "--help")


def test_bad_use(vocabulary: Path, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for arguments in (
        (),
        ("nonsense",),
        ("train", corpus),
        ("train", corpus, "-o", out, "--vocab-size", "many"),
        ("train", corpus, "-o", out, "--vocab-size", 5),
        ("train", corpus, "-o", out, "--min-frequency", 0),
        ("train", corpus, "-o", out, "--max-token-length", 0),
        ("train", corpus, "-o", out, "--special", ""),
        ("train", corpus, "-o", tmp_path / "no folder" / "x"),
        ("train", tmp_path, "-o", out),
        ("train", tmp_path / "missing", "-o", out),
        ("train", str(tmp_path / "*.md"), "-o", out),
        ("encode", "-e", "no such encoding"),
        ("encode", "-e", "cl100k_base", "--pattern", "x"),
        ("encode", tmp_path / "missing"),
        ("count", tmp_path),
        ("encode", corpus, "-o", tmp_path),
        ("demo", "--corpus", tmp_path / "missing"),
        ("demo", "--color", "maybe"),
    ):
        bad(2, *arguments)
    assert not out.exists()
    assert "'minitok train --help'" in bad(2, "train", corpus)


def test_bad_data(vocabulary: Path, corpus: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.json"
    damaged.write_bytes(vocabulary.read_bytes()[:-100])
    out = tmp_path / "out.json"
    (tmp_path / "latin.txt").write_bytes("été".encode("latin-1"))
    assert "damaged.json" in bad(1, "encode", "-e", damaged)
    assert "holds no pattern" in bad(1, "info", "-e", _ranks(vocabulary))
    assert "latin.txt" in bad(1, "train", tmp_path / "latin.txt", "-o", out)
    assert "does not compile" in bad(1, "train", corpus, "-o", out, "--pattern", "(")
    assert "999" in bad(1, "decode", "-e", vocabulary, data=b"1 999")
    assert "not an id" in bad(1, "decode", "-e", vocabulary, data=b"1 two")
    assert "not an id" in bad(1, "decode", "-e", vocabulary, data=b"-1")
    bad(1, "decode", "-e", vocabulary, data=b"99999999999999999999999999")
    good("train", tmp_path / "latin.txt", "-o", out, "--errors", "replace")


def _ranks(vocabulary: Path) -> Path:
    path = vocabulary.with_suffix(".tiktoken")
    minitok.load(vocabulary).save(path, format="tiktoken")
    return path


def test_a_failure_leaves_no_file(vocabulary: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    bad(1, "decode", "-e", vocabulary, "-o", folder / "x", data=b"1 two")
    assert not list(folder.iterdir())


def test_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "minitok", "info"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"minitok: error: No space left")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_has_enough(vocabulary: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_text(TEXT * 2000, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "minitok", "encode", "-e", vocabulary, large],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_control_c(tmp_path: Path) -> None:
    second = time.monotonic() + 1
    interrupt("train", "-o", tmp_path / "out.json", given=TEXT.encode(), begun=lambda: time.monotonic() > second)
    assert not list(tmp_path.iterdir())


def test_bars_only_on_a_terminal(vocabulary: Path, corpus: Path, tmp_path: Path) -> None:
    for arguments, shown in (
        (("train", corpus, "-o", tmp_path / "out.json", "--vocab-size", 270), b"learning merges"),
        (("count", "-e", vocabulary, corpus, corpus), b"2/2"),
        (("encode", "-e", vocabulary, "--to", tmp_path / "ids.npy", "--append", "", corpus), b"encoding: 100%"),
    ):
        terminal, other_end = pty.openpty()
        termios.tcsetwinsize(other_end, (24, 80))
        command = [sys.executable, "-m", "minitok", *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=other_end, check=True)
        os.close(other_end)
        assert shown in os.read(terminal, 1 << 16)
        os.close(terminal)
        assert b"merges" not in done.stdout.replace(b"out.json", b"")


def test_demo(corpus: Path) -> None:
    shown = good("demo", "--corpus", corpus)
    assert b"the same bytes" in shown
    assert b"\x1b[" not in shown
    assert b"the| cat" in shown
    assert b"\x1b[48;5;" in good("demo", "--corpus", corpus, "--color", "always")
    assert json.loads(good("demo", "--corpus", corpus, "--json"))["round_trip"] is True


def test_demo_on_the_standard_library() -> None:
    figures = json.loads(good("demo", "--json"))
    assert figures["vocab_size"] == 4096
    assert figures["files"] > 200
    assert figures["round_trip"] is True


def test_in_this_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["info"]) == 0
    assert "minitok_32k" in capsys.readouterr().out
    assert cli.main(["nonsense"]) == 2
    assert "invalid choice" in capsys.readouterr().err

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "find_encoding", interrupted)
    assert cli.main(["info"]) == 130
    assert not capsys.readouterr().err


def test_warnings_go_to_standard_error(tmp_path: Path) -> None:
    (tmp_path / "cl100k_base.tiktoken").write_bytes(b"something else")
    done = run("info", "-e", "cl100k_base", MINITOK_CACHE_DIR=str(tmp_path), MINITOK_OFFLINE="1", HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"minitok: warning: ")


def test_colours() -> None:
    assert coloured([b"a\nb", b"\x1b[31m", b"\xff"], colour=False) == "a\nb|\\x1b[31m|\\xff"
    shown = coloured([b"a\nb", b"c"])
    assert shown.count("\x1b[0m") == 3
    assert all(line.endswith("\x1b[0m") for line in shown.split("\n"))


# -- Training --------------------------------------------------------------------------------------------------------


def test_train_with_everything(corpus: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text(json.dumps({"body": TEXT}) + "\n")
    figures = json.loads(
        good(
            *(
                "train",
                lines,
                "--field",
                "body",
                "--vocab-size",
                "260,270",
                "-o",
                tmp_path / "v-{size}.json",
                "--json",
            ),
            *("--like", "rustbpe", "--pattern", "gpt2", "--allowed", "characters", "--threads", 1),
            *("--memory-limit", "64MiB", "--checkpoint", tmp_path / "kept", "--report", tmp_path / "report.json"),
        )
    )
    same = minitok.train([TEXT], vocab_size=[260, 270], like="rustbpe", pattern="gpt2", allowed="characters")
    assert [one["ids"] for one in figures] == [260, 270]
    for one, expected in zip(figures, same, strict=True):
        assert minitok.load(one["output"]).tokens == expected.tokens
    assert json.loads((tmp_path / "report.json").read_text())["vocabularies"][1]["ids"] == 270
    assert (tmp_path / "kept" / "training.json").exists()


def test_counts_on_the_way(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for name in ("a", "b"):
        good("count-pieces", corpus, "-o", tmp_path / f"{name}.pieces")
    good("train", "--counts", str(tmp_path / "?.pieces"), "-o", out, "--vocab-size", 270)
    assert minitok.load(out).tokens == minitok.train([TEXT, TEXT], vocab_size=270).tokens
    good("train", "--weight", f"{corpus}=2", "-o", out, "--vocab-size", 270)
    assert minitok.load(out).tokens == minitok.train([TEXT, TEXT], vocab_size=270).tokens


def test_bad_use_of_training(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for arguments, words in (
        (("--vocab-size", "300,400"), "put {size} in its name"),
        (("--vocab-size", "300,"), "no number of ids"),
        (("--threads", 0), "--threads is 0"),
        (("--memory-limit", "1kB"), "at least 32MiB"),
        (("--memory-limit", "much"), "no size"),
        (("--counts", "--weight", f"{corpus}=2"), "--counts takes files"),
        (("--weight", f"{corpus}=2"), "given twice"),
        (("--allowed", "words"), "invalid choice"),
        (("--like", "mine"), "invalid choice"),
    ):
        assert words in bad(2, "train", corpus, "-o", out, *arguments)
    assert "no.pieces" in bad(2, "train", "--counts", tmp_path / "no.pieces", "-o", out)
    assert "out.txt" in bad(1, "train", corpus, "-o", out, "--report", tmp_path / "out.txt")
    assert not out.exists()
