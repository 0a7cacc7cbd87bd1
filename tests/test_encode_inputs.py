"""What `encode_file` reads: several files, pipes, JSON Lines, compressed files."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok import encode_file, input_files
from tests.id_files import END, TEXT, encoding, files_in, naive, split, written
from tests.strategies import any_text, class_text, surrogate_text


def zstd() -> Any:
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


# -- Several files -------------------------------------------------------------------------------------------------


def test_several_files(tmp_path: Path, out: Path) -> None:
    """The end of a file ends a document, and their kinds may differ."""
    (tmp_path / "a.txt").write_text(f"one{END}two", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"three")
    (tmp_path / "c.jsonl").write_text('{"text": "four"}', encoding="utf-8")
    expected = naive(encoding(), ["one", "two", "three", "four"])
    enc = encoding()
    assert written(enc.encode_file([str(tmp_path / "*.txt"), tmp_path / "c.jsonl"], out)) == expected
    with (tmp_path / "b.txt").open("rb") as opened:
        assert written(enc.encode_file((tmp_path / "a.txt", opened, tmp_path / "c.jsonl"), out)) == expected
    assert written(enc.encode_file(str(tmp_path / "?.txt"), out)) == naive(enc, ["one", "two", "three"])
    assert written(enc.encode_file(io.BytesIO(b"one"), out)) == naive(enc, ["one"])
    assert written(enc.encode_file([], out)) == ([], [0])


def test_a_pipe(tmp_path: Path, out: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"one<|endoftext|>two",))
    writer.start()
    assert written(encoding().encode_file(pipe, out)) == naive(encoding(), ["one", "two"])
    writer.join()


def test_a_file_that_shrinks(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"x" * 100_000)
    blocks = input_files.read_blocks(input_files.InputFile(tmp_path / "text", None), 1000, input_files.ReadSoFar())
    next(blocks)
    os.truncate(tmp_path / "text", 50_000)
    with pytest.raises(ValueError, match="text has become shorter while it was read"):
        list(blocks)


def test_an_error_while_reading_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"x")
    error = OSError(errno.EIO, "Input/output error")
    with (
        mock.patch.object(
            Path, "open", return_value=mock.MagicMock(**{"__enter__.return_value.read.side_effect": error})
        ),
        mock.patch("os.fstat", return_value=tmp_path.stat()),
        pytest.raises(OSError, match="Input/output error") as raised,
    ):
        list(input_files.read_blocks(input_files.InputFile(tmp_path / "text", None), 9, input_files.ReadSoFar()))
    assert raised.value.filename == str(tmp_path / "text")


# -- JSON Lines ----------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.one_of(
            st.one_of(class_text, any_text, surrogate_text).map(lambda t: json.dumps({"a": 1, "text": t})),
            any_text.map(lambda t: json.dumps({"text": t}, ensure_ascii=False)),
            st.sampled_from(["", " \t\r", '  {"text": "x"} \r']),
        ),
        max_size=8,
    ),
    st.integers(1, 60),
    st.booleans(),
)
@example(['{"text": "\\ud83d\\udc4d \\ud83d"}', '{"text": ""}'], 3, True)
def test_json_lines(scratch: Path, lines: list[str], block: int, ends: bool) -> None:
    path = scratch / "texts.jsonl"
    path.write_text("\n".join(lines) + "\n" * ends, encoding="utf-8", newline="")
    with mock.patch.object(encode_file, "BLOCK", block):
        result = encoding().encode_file(path, scratch / "ids.npy")
    texts = [json.loads(line)["text"] for line in lines if line.strip()]
    assert written(result) == naive(encoding(), texts)


def test_json_lines_are_known_by_name_or_by_field(tmp_path: Path, out: Path) -> None:
    line = json.dumps({"text": "one", "content": f"two{END}"})
    enc = encoding()
    for name in ("a.jsonl", "a.ndjson", "A.JSONL", "a.jsonl.gz", "a.jsonl.zst"):
        compress = {"gz": gzip.compress, "st": zstd().compress}.get(name[-2:], bytes)
        (tmp_path / name).write_bytes(compress(line.encode()))
        assert written(enc.encode_file(tmp_path / name, out)) == naive(enc, ["one"])
        assert written(enc.encode_file(tmp_path / name, out, field="content")) == naive(enc, [f"two{END}"])
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + line.encode())
    assert written(enc.encode_file(tmp_path / "a.txt", out, field="text")) == naive(enc, ["one"])
    assert written(enc.encode_file(io.BytesIO(line.encode()), out, field="text")) == naive(enc, ["one"])
    assert written(enc.encode_file(io.BytesIO(line.encode()), out)) == naive(enc, split(line.encode()))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', "line 3: not JSON"),
        (b'{"text": "a"} {"text": "b"}', "line 3: not JSON .*Extra data"),
        (b'{"text": "\xff"}', "line 3: not JSON .*'utf-8' codec"),
        (b'{"text": "\xed\xa0\x80"}', "line 3: not JSON .*'utf-8' codec"),
        (b'\xef\xbb\xbf{"text": "a"}', "line 3: not JSON"),
        (b"[" * 200_000, "line 3: not JSON"),
        (b"nothing", r"line 3: not JSON .*one JSON object with a text in the field 'text'"),
        (b'{"body": "a", "id": 1}', r"line 3: there is no field 'text'; the fields are 'body', 'id': name the one"),
        (b"{}", "the fields are none"),
        (b'{"text": 5}', "line 3: the field 'text' is a number, not a string"),
        (b'{"text": null}', "the field 'text' is null"),
        (b'{"text": ["a"]}', "the field 'text' is a list"),
        (b'{"text": {}}', "the field 'text' is an object"),
        (b'"text"', "line 3: a string, not an object"),
        (b"[]", "line 3: a list, not an object"),
        (b"true", "line 3: true, not an object"),
    ],
)
def test_bad_json_lines(tmp_path: Path, out: Path, line: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n' + line + b'\n{"text": "b"}\n')
    with pytest.raises(ValueError, match=f"bad.jsonl, {message}" if message.startswith("line") else message):
        encoding().encode_file(path, out)
    assert not files_in(out.parent)


# -- Compressed files ----------------------------------------------------------------------------------------------


def compressed(kind: str, parts: Sequence[bytes]) -> bytes:
    if kind == ".gz":
        return b"".join(map(gzip.compress, parts))
    options = {zstd().CompressionParameter.checksum_flag: 1}
    return b"".join(zstd().compress(part, options=options) for part in parts)


@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_compressed_files(tmp_path: Path, out: Path, kind: str, small_blocks: None) -> None:
    """Of one member or frame, and of several."""
    data = (TEXT * 40 + END + TEXT).encode()
    for parts in ([data], [data[:3333], data[3333:5000], data[5000:]], [b"", data], [b""]):
        path = tmp_path / f"text.txt{kind}"
        path.write_bytes(compressed(kind, parts))
        result = encoding().encode_file(path, out)
        assert written(result) == naive(encoding(), split(b"".join(parts)))
        assert result.bytes_read == len(b"".join(parts))


@pytest.mark.parametrize("kind", [".gz", ".zst"])
@pytest.mark.parametrize("older", [True, False])
def test_damaged_files(tmp_path: Path, out: Path, kind: str, older: bool, small_blocks: None) -> None:
    whole = compressed(kind, [os.urandom(5000), TEXT.encode() * 20])
    if older:
        encoding().encode_file(io.BytesIO(b"older"), out)
    before = files_in(out.parent)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    for damaged in (whole[:3], whole[:4000], whole[:-1], b"", flipped, b"plain text", whole + b"and more"):
        path = tmp_path / f"text.txt{kind}"
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"text.txt{kind} (cannot be decompressed|is empty)"):
            encoding().encode_file(path, out)
        assert files_in(out.parent) == before


def test_without_the_package_for_zstd(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    (tmp_path / "b.zst").write_bytes(b"b")
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=r"b.zst is compressed with Zstandard.*pip install 'minitok\[zstd\]'"):
        encoding().encode_file([tmp_path / "a.txt", tmp_path / "b.zst"], out)
    assert not files_in(out.parent)
