"""What `encode_file` leaves when it fails: nothing new. And `minitok encode --to`, its errors too."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import minitok
from minitok.id_files import IdWriter
from minitok.patterns import PATTERNS
from tests.id_files import END, TEXT, encoding, files_in, naive, with_largest_id
from tests.interrupting import interrupt
from tests.test_cli import bad, good

# -- All or nothing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_leaves_nothing(
    tmp_path: Path, out: Path, small_blocks: None, error: BaseException, threads: int
) -> None:
    (tmp_path / "text").write_text((TEXT + END) * 50, encoding="utf-8")
    for older in (False, True):
        if older:
            encoding().encode_file(io.BytesIO(b"older"), out)
        before = files_in(out.parent)
        running = threading.active_count()
        with (
            mock.patch.object(IdWriter, "write", autospec=True, side_effect=[*[None] * 3, error]) as failing,
            pytest.raises(type(error)),
        ):
            encoding().encode_file(tmp_path / "text", out, num_threads=threads)
        assert failing.call_count == 4
        assert files_in(out.parent) == before
        assert threading.active_count() == running


@pytest.mark.parametrize("threads", [1, 2])
def test_an_encoder_that_fails_midway(tmp_path: Path, out: Path, small_blocks: None, threads: int) -> None:
    ranks = {bytes([b]): b for b in range(255)}
    enc = minitok.Encoding("short", pat_str=PATTERNS["r50k"].regex, mergeable_ranks=ranks, special_tokens={END: 300})
    (tmp_path / "text").write_bytes(b"words " * 5000 + b"\xff" + b"words " * 5000)
    running = threading.active_count()
    with pytest.raises(ValueError, match="no token for the byte 0xff"):
        enc.encode_file(tmp_path / "text", out, num_threads=threads)
    assert not files_in(out.parent)
    assert threading.active_count() == running


def test_a_full_disk(tmp_path: Path, out: Path) -> None:
    """A limit on the size of files stands for it."""
    (tmp_path / "text").write_text(TEXT * 1000, encoding="utf-8")
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); from minitok import cli; "
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "encode", "--to", out, tmp_path / "text"], stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (2, b"minitok: error: File too large\n")
    assert not files_in(out.parent)


def test_control_c(out: Path) -> None:
    interrupt("encode", "--to", out, given=TEXT.encode(), begun=lambda: bool(files_in(out.parent)))
    assert not files_in(out.parent)


# -- Bad use -------------------------------------------------------------------------------------------------------


def test_bad_use(tmp_path: Path, out: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"a")
    enc = encoding()
    bad_values: list[tuple[dict[str, Any], str]] = [
        ({"dtype": "int32"}, "dtype is 'int32'; expected 'auto', 'uint16' or 'uint32'"),
        ({"dtype": "nonsense"}, "dtype is 'nonsense'"),
        ({"dtype": None}, "dtype is None"),
        ({"dtype": ">u2"}, "dtype is '>u2'"),
        ({"append": "<|no|>"}, r"'<\|no\|>', which is not a special token of small; those are: .*append=None"),
        ({"separator": ""}, "separator is empty; pass None"),
        ({"separator": "\ud800"}, "surrogate"),
        ({"num_threads": 0}, "num_threads is 0"),
    ]
    for options, message in bad_values:
        with pytest.raises(ValueError, match=message):
            enc.encode_file(text, out, **options)
    with pytest.raises(
        ValueError, match="uint16', in which no id above 65535 fits, but those of wide go up to 65536"
    ):
        with_largest_id(65536).encode_file(text, out, dtype="uint16")
    for name in ("ids.txt", "ids", "ids.npz", "ids.npy.gz"):
        with pytest.raises(ValueError, match=r"ends neither in .npy .* nor in .bin"):
            enc.encode_file(text, out.with_name(name))
    sources: list[Any] = [5, b"text", [b"text"], [5], None]
    for source in sources:
        with pytest.raises(TypeError, match=r"encode (are|is a)"):
            enc.encode_file(source, out)
    separators: list[Any] = [b"x", 5]
    for separator in separators:
        with pytest.raises(TypeError, match="separator is a str or None"):
            enc.encode_file(text, out, separator=separator)
    with pytest.raises(TypeError, match="open it in binary mode"):
        enc.encode_file(io.StringIO("text"), out)
    sources = [tmp_path / "missing", str(tmp_path / "*.md"), tmp_path, [text, tmp_path / "missing"]]
    for source in sources:
        with pytest.raises(OSError, match=r"there is no file|no file matches|is a directory"):
            enc.encode_file(source, out)
    with pytest.raises(FileNotFoundError, match="no folder"):
        enc.encode_file(text, tmp_path / "no" / "ids.npy")
    assert not files_in(out.parent)


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    for name in ("ids.bin", "ids.offsets.npy"):
        (tmp_path / name).write_bytes(b"text")
        with pytest.raises(ValueError, match=f"{name} would be overwritten with its own ids"):
            encoding().encode_file(tmp_path / name, tmp_path / "ids.bin")
        assert files_in(tmp_path) == {name: b"text"}
        (tmp_path / name).unlink()


# -- The command line ----------------------------------------------------------------------------------------------


def test_command_line(tmp_path: Path, out: Path) -> None:
    vocabulary = tmp_path / "small.json"
    encoding().save(vocabulary)
    text, lines = tmp_path / "a.txt", tmp_path / "b.jsonl"
    text.write_text(f"one{END}two", encoding="utf-8")
    lines.write_text('{"text": "three", "body": "four"}\n', encoding="utf-8")
    offsets = out.with_name("ids.offsets.npy")

    def result() -> tuple[list[int], list[int]]:
        return np.load(out).tolist(), np.load(offsets).tolist()

    use = ("encode", "-e", vocabulary, "--to", out)
    expected = naive(encoding(), ["one", "two", "three"])
    shown = good(*use, text, lines).decode()
    assert shown == f"{out}: {len(expected[0])} ids (uint16) of 3 documents, 53 bytes; offsets in {offsets}\n"
    assert result() == expected
    figures = json.loads(good(*use, "--json", str(tmp_path / "*.txt"), "-", data=b"three"))
    assert result() == expected
    assert figures == {
        "output": str(out),
        "offsets": str(offsets),
        "documents": 3,
        "ids": len(expected[0]),
        "bytes": 24,
        "dtype": "uint16",
    }
    good(*use, data=b"one")
    assert result() == naive(encoding(), ["one"])
    good(*use, "--field", "body", "--append", "<|x|>", lines)
    assert result() == naive(encoding(), ["four"], 401)
    good(*use, "--separator", "n", "--append", "", "--dtype", "uint32", text)
    assert result() == naive(encoding(), text.read_bytes().split(b"n"), None)
    assert np.load(out).dtype == np.uint32
    good(*use, "--separator", "", text)
    assert result() == naive(encoding(), [text.read_bytes()])


def test_command_line_errors(tmp_path: Path, out: Path) -> None:
    text, lines = tmp_path / "a.txt", tmp_path / "b.jsonl"
    text.write_bytes(b"a")
    lines.write_bytes(b"a")
    assert "--dtype is for --to" in bad(2, "encode", "--dtype", "uint16", text)
    assert "--separator is for --to" in bad(2, "encode", "--separator", "", text)
    assert "not both" in bad(2, "encode", "--to", out, "-o", out, text)
    assert "--allow-special is not for --to" in bad(2, "encode", "--to", out, "--allow-special", "all", text)
    assert "invalid choice" in bad(2, "encode", "--to", out, "--dtype", "int8", text)
    assert "no folder" in bad(2, "encode", "--to", tmp_path / "no" / "ids.npy", text)
    assert "no file" in bad(2, "encode", "--to", out, tmp_path / "missing")
    assert "(--append '')" in bad(1, "encode", "--to", out, "--append", "<|no|>", text)
    assert "b.jsonl, line 1: not JSON" in bad(1, "encode", "--to", out, lines)
    assert "ends neither in .npy" in bad(1, "encode", "--to", tmp_path / "ids", text)
    assert not files_in(out.parent)
