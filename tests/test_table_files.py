"""Tables of published vocabularies in the user's cache: used when right, passed over when not, made anew."""

from __future__ import annotations

import hashlib
import importlib
import stat
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from minitok import table_files, vocabulary_files
from minitok.formats import minitok_json
from minitok.formats.tiktoken_ranks import parse_ranks, read_tokens
from minitok.patterns import PATTERNS
from minitok.vocabulary import Vocabulary
from minitok.vocabulary_files import PublishedFile, own_folder
from tests.oracle import corpus, published, rank_file

TOKENS = [*(bytes([b]) for b in range(256)), b"ab", b"abc", b" " * 40]
TINY = b"".join(b"%s %d\n" % (b64encode(token), rank) for rank, token in enumerate(TOKENS))
SOURCE = hashlib.sha256(TINY).digest()
FILE = PublishedFile("tiny.tiktoken", "https://example.invalid/tiny.tiktoken", SOURCE.hex())


@pytest.fixture
def native(backend: str) -> Any:
    if backend != "native":
        pytest.skip("about the tables of the compiled core")
    return importlib.import_module("minitok._fastmerge")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(tmp_path))
    return tmp_path


def keep(native: Any) -> Path:
    table_files.keep_table(FILE, native.RankTable.parse(TINY))
    (path,) = own_folder().iterdir()
    return path


def test_round_trip(native: Any) -> None:
    table = native.RankTable.parse(TINY)
    keep(native)
    again = table_files.find_table(FILE)
    assert again is not None
    assert dict(again) == dict(table) == parse_ranks(TINY.splitlines(), "tiny")
    assert len(again) == 259
    assert again.largest == 258
    assert (b"abc" in again, b"abcd" in again) == (True, False)
    ours, theirs = (native.Encoder(tokens, None, None) for tokens in (again, dict(table)))
    for text in (b"", b"abcab", b" " * 100, bytes(range(256))):
        assert ours.encode(text) == theirs.encode(text)
        assert ours.merge_piece(text) == theirs.merge_piece(text)


def test_what_is_damaged_is_not_used(native: Any) -> None:
    path = keep(native)
    whole = path.read_bytes()
    for damaged in (b"", whole[:100], whole[:-64], whole + bytes(64), b"x" + whole[1:]):
        path.write_bytes(damaged)
        assert table_files.find_table(FILE) is None
    for place in (8, 12, 16, 24, 32, 60, 80, 1200, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert table_files.find_table(FILE) is None, place
    path.write_bytes(whole)
    assert table_files.find_table(FILE) is not None


def test_tables_of_another_file_are_not_used(native: Any) -> None:
    keep(native)
    other = PublishedFile(FILE.name, FILE.url, hashlib.sha256(b"other").hexdigest())
    assert table_files.find_table(other) is None
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        native.RankTable.parse(TINY).tables(b"abc")
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        native.RankTable.from_tables(memoryview(b""), b"abc")


@pytest.mark.skipif(sys.platform == "win32", reason="the mode tells nothing there")
def test_what_others_may_have_written_is_not_used(native: Any) -> None:
    path = keep(native)
    path.chmod(0o666)
    assert table_files.find_table(FILE) is None


def test_without_a_folder_nothing_is_lost(native: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "own_folder", lambda: folder / "file" / "below")
    (folder / "file").write_bytes(b"")
    table_files.keep_table(FILE, native.RankTable.parse(TINY))
    assert table_files.find_table(FILE) is None


def test_a_folder_that_is_not_to_be_written_to_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_folder() == folder
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert own_folder() == vocabulary_files._user_folder()
    finally:
        folder.chmod(stat.S_IRWXU)
    monkeypatch.delenv("MINITOK_CACHE_DIR")
    assert own_folder() == vocabulary_files._user_folder()


@pytest.mark.parametrize(
    "data",
    [
        TINY + b"\n",
        b"\n" + TINY,
        TINY.replace(b"\n", b"\r\n"),
        TINY.replace(b" ", b"  "),
        b"".join(reversed(TINY.splitlines(keepends=True))),
    ],
)
def test_irregular_files_are_read_all_the_same(native: Any, data: bytes) -> None:
    assert native.RankTable.parse(data) is None
    assert dict(read_tokens(data, "tiny")) == parse_ranks(TINY.splitlines(), "tiny")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        TINY[:-1] + b"x",
        TINY[:-3],  # no rank
        TINY[:2000],  # bytes without a token
        TINY + b"YWI= 259\n",  # ab again
        TINY + b"%s 259\n" % (b"ICAg" * 13 + b"IA=="),  # forty times U+0020 again
        TINY + b"YWR= 259\n",  # bits that belong to no byte
        TINY + b"YW!= 259\n",
        TINY + b"YW= 259\n",
        TINY + b"==== 259\n",
        TINY + b"YWQ= 258\n",
        TINY + b"YWQ= 4294967295\n",
        TINY + b"YWQ= 99999999999\n",
        TINY + b"YWQ= -1\n",
        TINY + b" 259\n",
    ],
)
def test_what_is_wrong_is_left_to_the_reader_that_says_so(native: Any, data: bytes) -> None:
    assert native.RankTable.parse(data) is None


def test_without_a_last_newline(native: Any) -> None:
    assert dict(native.RankTable.parse(TINY[:-1])) == parse_ranks(TINY.splitlines(), "tiny")


@pytest.mark.parametrize("data", [TINY, TINY + b"YWQ= 300\n"])
def test_tables_are_written_like_a_dict(native: Any, data: bytes) -> None:
    table = native.RankTable.parse(data)
    assert table.in_base64() == b"".join(b64encode(token) + b"\n" for token in table)
    written = [minitok_json.dump(Vocabulary("a", tokens, None, {}, None)) for tokens in (table, dict(table))]
    assert written[0] == written[1]


@pytest.mark.data
@pytest.mark.parametrize("name", ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"])
def test_published_files(native: Any, name: str) -> None:
    data = rank_file(name).read_bytes()
    table = native.RankTable.parse(data)
    file = vocabulary_files.PUBLISHED[name]
    table_files.keep_table(file, table)
    mapped = table_files.find_table(file)
    assert mapped is not None
    assert dict(mapped) == dict(table) == parse_ranks(data.splitlines(), name)
    vocabulary = published(name).vocabulary
    text = corpus("multilingual")[:300_000]
    from_dict = native.Encoder(dict(table), None, vocabulary.pattern)
    assert native.Encoder(mapped, None, vocabulary.pattern).encode(text) == from_dict.encode(text)
    (own_folder() / f"{file.name}.tables").unlink()  # while it is mapped
    assert native.Encoder(mapped, None, PATTERNS["cl100k"].regex).encode("still here")


def test_pure_python_has_no_tables(backend: str) -> None:
    if backend == "python":
        pure = importlib.import_module("minitok._pymerge").RankTable
        assert pure.parse(TINY) is None
        assert pure.from_tables(memoryview(b""), SOURCE) is None
