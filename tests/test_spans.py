"""Files cut into spans: together they have the pieces of the whole, wherever cuts are looked for."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok.datasets import spans
from minitok.datasets import storage as stored
from minitok.datasets.spans import CutRule, open_span, plan_spans
from minitok.datasets.storage import RangeReader, Storage
from minitok.patterns import PATTERNS
from tests.strategies import texts

HERE = Storage()


def pieces_of(path: Path, pattern: str | None, separators: list[str], errors: Any, length: int) -> tuple[Any, int]:
    """What the spans of a file have together, and how many are not empty."""
    rule = CutRule.of(minitok.patterns.resolve_pattern(pattern), separators, errors)
    total: Counter[bytes] = Counter()
    parts = 0
    for span in plan_spans(HERE.find(path), None, rule, length):
        counts = minitok.count_pieces(
            [open_span(HERE, span, rule)], pattern=pattern, special_tokens=separators, errors=errors, field=span.field
        )
        total.update(dict(counts))
        parts += counts.total > 0
    return total, parts


def check(path: Path, pattern: str | None, separators: list[str], errors: Any, length: int) -> int:
    found, parts = pieces_of(path, pattern, separators, errors, length)
    assert found == minitok.count_pieces(path, pattern=pattern, special_tokens=separators, errors=errors)
    return parts


@pytest.mark.parametrize("pattern", [*PATTERNS, None, r"\w+|\W"])
@given(
    st.lists(st.one_of(texts, st.sampled_from(["<s>", "<s>x", "aa", "a a", " ", "\n", "1 2", "字"])), max_size=8),
    st.lists(st.sampled_from(["<s>", "<s>x", "x<", "aa", "a a", "aaa"]), unique=True, max_size=3),
    st.integers(1, 9),
    st.sampled_from([1, 3, 1 << 12]),
)
@example(["a a a a a a"], ["a a"], 1, 1)
@example(["aaaaaaa", "<s>x<s>"], ["aa", "<s>x", "x<"], 1, 1)
def test_spans_of_text(
    scratch: Path, pattern: str | None, parts: list[str], separators: list[str], length: int, window: int
) -> None:
    path = scratch / "text.txt"
    path.write_bytes("".join(parts).encode("utf-8", "replace"))
    with mock.patch.object(spans, "_WINDOW", window):
        check(path, pattern, separators, "strict", length)


@given(st.binary(max_size=60), st.sampled_from(["o200k", "spaces", "r50k"]), st.integers(1, 5))
@example(b"a\xe2\x82 b\xf0\x9f\x92a \xffz z\xe5\xad", "spaces", 1)
def test_spans_of_text_that_is_not_utf8(scratch: Path, data: bytes, pattern: str, length: int) -> None:
    path = scratch / "text.txt"
    path.write_bytes(data)
    check(path, pattern, ["<s>"], "replace", length)
    check(path, pattern, ["\ufffd"], "replace", length)


def words(n: int) -> str:
    return "".join(f"word{i % 50} and {i * i}, " for i in range(n))


@pytest.mark.once
def test_how_many_parts_there_are(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(words(300), encoding="utf-8")
    size = path.stat().st_size
    for pattern in PATTERNS:
        assert check(path, pattern, [], "strict", 100) == -(-size // 100)
    assert check(path, None, [], "strict", 100) == 1
    assert check(path, None, ["and"], "strict", 100) == -(-size // 100)
    path.write_text("a" * 5000 + " b" * 500 + "c" * 4000, encoding="utf-8")
    assert check(path, "o200k", ["<s>"], "strict", 100) == 11


@pytest.mark.once
def test_what_has_no_cut_is_read_twice_at_most(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a" * 100_000, encoding="utf-8")
    read = 0
    between = RangeReader.between

    def counted(self: RangeReader, start: int, stop: int) -> bytes:
        nonlocal read
        data = between(self, start, stop)
        read += len(data)
        return data

    with mock.patch.object(RangeReader, "between", counted):
        assert check(path, "o200k", [], "strict", 1000) == 1
    assert read < 3.2 * 100_000


@pytest.mark.once
@pytest.mark.parametrize("length", [1, 7, 40])
def test_spans_of_json_lines(tmp_path: Path, length: int) -> None:
    path = tmp_path / "text.jsonl"
    lines = [json.dumps({"text": f"line {i}\nand <s> é {i * i}"}) for i in range(20)]
    path.write_text("\n\n" + "\n".join(lines[:9]) + "\r\n \n" + "\n".join(lines[9:]), encoding="utf-8")
    assert check(path, "o200k", ["<s>"], "strict", length) >= min(20, path.stat().st_size // (2 * length))
    assert check(path, None, [], "strict", length) > 1


@pytest.mark.once
def test_lines_are_counted_from_where_a_span_begins(tmp_path: Path) -> None:
    path = tmp_path / "text.jsonl"
    path.write_text('{"text": "a"}\n' * 5 + "\ufeff{}\n", encoding="utf-8")
    last = plan_spans(HERE.find(path), None, None, 40)[-1]
    with pytest.raises(ValueError, match=r"text.jsonl \(from byte 41 on\), line 4: not JSON"):
        minitok.count_pieces([open_span(HERE, last, None)], field="text")


@pytest.mark.once
def test_compressed_files_are_one_span(tmp_path: Path) -> None:
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress(words(200).encode()))
    rule = CutRule.of(PATTERNS["o200k"].regex, [], "strict")
    (span,) = plan_spans(HERE.find(str(path)), None, rule, 10)
    assert minitok.count_pieces([open_span(HERE, span, rule)]) == minitok.count_pieces([words(200)])
    path.write_bytes(path.read_bytes()[:-20])
    (span,) = plan_spans(HERE.find(str(path)), None, rule, 10)
    with pytest.raises(ValueError, match=r"text.txt.gz cannot be decompressed"):
        minitok.count_pieces([open_span(HERE, span, rule)])


@pytest.mark.once
def test_a_file_that_changes(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(words(20), encoding="utf-8")
    (span,) = plan_spans(HERE.find(path), None, None, 10)
    path.write_text(words(10), encoding="utf-8")
    with pytest.raises(ValueError, match="bytes now, and had"):
        open_span(HERE, span, None)
    reader = RangeReader(HERE, str(path), 0, 10_000)
    with pytest.raises(ValueError, match=r"text.txt has become shorter while it was read"):
        reader.read()


@pytest.mark.once
@pytest.mark.parametrize("protocol", ["", "memory://"])
@pytest.mark.parametrize(("step", "most"), [(1 << 10, None), (1000, 300), (300, 1000), (1 << 23, 1 << 16)])
def test_reading_a_stretch(tmp_path: Path, protocol: str, step: int, most: int | None) -> None:
    data = bytes(range(256)) * 40
    if protocol:
        pytest.importorskip("fsspec")
    url = f"{protocol}{tmp_path}/file"
    storage = Storage()
    storage.write(url, data)
    with mock.patch.object(stored, "_STEP_HERE", 700):
        for start, stop in ((0, len(data)), (17, 9001), (5, 5)):
            reader = RangeReader(storage, url, start, stop, step=step, most=most)
            parts = list(iter(reader.read, b""))
            assert b"".join(parts) == data[start:stop]
            assert all(len(part) <= (most or step) for part in parts)
            reader = RangeReader(storage, url, start, stop, step=step, most=most)
            assert b"".join(iter(partial(reader.read, 7), b"")) == data[start:stop]
            assert reader.read() == b""


def test_files_that_are_found(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.jsonl"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    names = [Path(file.url).name for file in HERE.find([tmp_path / "c.jsonl", f"{tmp_path}/*.txt"])]
    assert names == ["c.jsonl", "a.txt", "b.txt"]
    assert [file.size for file in HERE.find(f"file://{tmp_path}/a.txt")] == [5]
    for paths, error, message in (
        (tmp_path / "d.txt", FileNotFoundError, r"there is no file '.*d.txt'"),
        (f"{tmp_path}/*.json", FileNotFoundError, r"no file matches '.*\*.json'"),
        (tmp_path, IsADirectoryError, r"is a directory; give its files, for example '.*/\*\*/\*.txt'"),
        ([], FileNotFoundError, "no paths are given"),
        ("nowhere://x", ValueError, "nowhere://x cannot be opened: Protocol not known: nowhere"),
        (5, TypeError, "paths are a path, a URL, a glob, or several of these, not int"),
        ([5], TypeError, "paths are str or path objects, not int"),
    ):
        with pytest.raises(error, match=message):
            HERE.find(paths)  # type: ignore[arg-type]
