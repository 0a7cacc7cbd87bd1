"""Vocabulary files: what is written is read back, by minitok and by tiktoken; damaged ones are refused by name."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiktoken.load

import minitok
from minitok import files, formats
from minitok.formats import minitok_json
from minitok.vocabulary import MAX_ID, Vocabulary

SINGLE = {bytes([b]): b for b in range(256)}
SPARSE = Vocabulary(
    'quo"ted\nnäme',
    {**SINGLE, b"ab": 300, b"abc": 301, b"zz": MAX_ID},
    None,
    {"<|é\n|>": 5000, "a b": 999},
    r"\w+|[\"'\n]",
    True,
    {"any": [1, None, {"thing": 1.5}]},
)
LISTED = Vocabulary("listed", {**SINGLE, b"ab": 256}, [(97, 98, 256)], {}, None, False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.json"
    formats.save(SPARSE, path)
    return path


@pytest.fixture
def ranks(tmp_path: Path) -> Path:
    path = tmp_path / "x.tiktoken"
    formats.save(Vocabulary("x", {**SINGLE, b"ab": 300, b"abc": 301}, None, {}, None), path, format="tiktoken")
    return path


@pytest.mark.parametrize("vocabulary", [SPARSE, LISTED], ids=["sparse", "listed"])
def test_own_format(tmp_path: Path, vocabulary: Vocabulary) -> None:
    path = tmp_path / "any name"
    formats.save(vocabulary, path)
    assert formats.load(path) == vocabulary
    assert formats.load(path, name="other").name == "other"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["format"], document["version"]) == ("minitok", 1)
    assert list(document)[-1] == "checksum"
    with pytest.raises(ValueError, match="of its own"):
        formats.load(path, pattern="gpt2")


def test_rank_files_of_tiktoken(ranks: Path, tmp_path: Path) -> None:
    assert tiktoken.load.load_tiktoken_bpe(str(ranks)) == {**SINGLE, b"ab": 300, b"abc": 301}
    special = {"<s>": 400}
    loaded = formats.load(ranks, pattern="gpt2", special_tokens=special, name="mine")
    assert (loaded.name, loaded.special_tokens, loaded.pattern_name) == ("mine", special, "r50k")
    assert formats.load(ranks, pattern=r"\w+").pattern == r"\w+"
    with pytest.raises(ValueError, match="pass pattern="):
        formats.load(ranks)
    lines = ranks.read_bytes().splitlines()
    (tmp_path / "crlf").write_bytes(b"\r\n\r\n".join(lines))
    assert formats.load(tmp_path / "crlf", pattern="gpt2").tokens == loaded.tokens


def test_what_a_rank_file_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        formats.save(LISTED, tmp_path / "x", format="tiktoken")
    assert not list(tmp_path.iterdir())


def test_metadata_that_json_cannot_hold(tmp_path: Path) -> None:
    for metadata in ({"a": {1, 2}}, {"a": float("nan")}):
        with pytest.raises(ValueError, match="metadata"):
            formats.save(Vocabulary("x", SINGLE, None, {}, None, True, metadata), tmp_path / "x")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"YWI=", "line 3: expected a token"),
        (b"YWI= 1 2", "line 3: expected a token"),
        (b"YWI= one", "line 3: expected a token"),
        (b"YWI= -1", "line 3: expected a token"),
        (b"YWI= 1.5", "line 3: expected a token"),
        (b"YWI= 99999999999999", "line 3: expected a token"),
        (b"YWI= 4294967295", "line 3: the rank 4294967295 is above"),
        (b"YWI 256", "line 3: bad base64"),
        (b"Y*I= 256", "line 3: bad base64"),
        (b"\xff\xfe 256", "line 3: bad base64"),
        (b"AQ== 256", r"line 3: the token b'\\x01' stands in line 2"),
        (b"YWI= 0", "line 3: the rank 0 stands in line 1"),
        (b"\x00" * 100, "line 3: expected a token"),
    ],
    ids=repr,
)
def test_bad_lines(ranks: Path, line: bytes, words: str) -> None:
    lines = ranks.read_bytes().splitlines()
    ranks.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]))
    with pytest.raises(ValueError, match=rf"x\.tiktoken, {words}"):
        formats.load(ranks, pattern="gpt2")


def test_missing_bytes(ranks: Path) -> None:
    ranks.write_bytes(b"".join(ranks.read_bytes().splitlines(keepends=True)[3:]))
    with pytest.raises(ValueError, match=r"x\.tiktoken: no token for 3 of the 256 bytes, 0x00 the first"):
        formats.load(ranks, pattern="gpt2")


def changed(change: Callable[[dict[str, Any]], object], *, sign: bool = True) -> bytes:
    document = json.loads(minitok_json.dump(SPARSE))
    change(document)
    if sign:
        document["checksum"] = minitok_json._checksum(document)
    return json.dumps(document).encode()


def b64(token: bytes) -> str:
    return base64.b64encode(token).decode()


BAD_DOCUMENTS = [
    (b"{", "line 1, column 2: not JSON"),
    (b"{}", "format"),
    (b'{"format": "other"}', "format"),
    (b'{"format": "minitok", "format": "minitok"}', "'format' occurs twice"),
    (b'{"format": "minitok\xff"}', "not UTF-8 at byte 19"),
    (b'{"a":' * 100_000, "not JSON"),
    (b'{"a": ' + b"[" * 100_000, "not JSON"),
    (changed(lambda d: d.update(version=3)), "version 3"),
    (changed(lambda d: d.update(name="other"), sign=False), "checksum"),
    (changed(lambda d: d.pop("checksum"), sign=False), "checksum"),
    *((changed(lambda d: d.pop(key)), f"'{key}' is missing") for key in minitok_json._FIELDS),
    *((changed(lambda d: d.update({key: 5})), f"'{key}' is of the wrong type") for key in minitok_json._FIELDS),
    (changed(lambda d: d["tokens"].append("YW")), "bad base64"),
    (changed(lambda d: d["tokens"].append(None)), "bad base64"),
    (changed(lambda d: d["tokens"].append(1)), "the id 1 is not above"),
    (changed(lambda d: d["tokens"].append(True)), "bad base64"),
    (changed(lambda d: d["tokens"].append(2**40)), "is not above"),
    (changed(lambda d: d["tokens"].insert(200, b64(b"\x01"))), r"tokens\[200\].* has the id 1 already"),
    (changed(lambda d: d["tokens"].insert(256, "")), "empty"),
    (changed(lambda d: d.update(tokens=[])), "no tokens"),
    (changed(lambda d: d.update(merges=[[1, 2]])), r"merges\[0\] is not"),
    (changed(lambda d: d.update(merges=[[97, 98, 301]])), "makes b'ab'"),
    (changed(lambda d: d.update(merges=[[97, 98, 77777]])), "77777, which no token has"),
    (changed(lambda d: d.update(pattern="(")), "does not compile"),
    (changed(lambda d: d.update(special_tokens={"a": "b"})), "expected an int"),
    (changed(lambda d: d.update(special_tokens={"a": -1})), "expected 0 to"),
    (changed(lambda d: d.update(special_tokens={"": 7})), "empty"),
]


@pytest.mark.parametrize(
    ("data", "words"), BAD_DOCUMENTS, ids=[f"{i} {words}" for i, (_, words) in enumerate(BAD_DOCUMENTS)]
)
def test_bad_documents(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"bad\.json.*{words}"):
        formats.load(path)


def test_truncated(own: Path, ranks: Path) -> None:
    for path, options in ((own, {}), (ranks, {"pattern": "gpt2"})):
        data = path.read_bytes()
        for part in range(50):
            # The rank file's last two lines are not bytes: a cut there, at the end of a line, cannot be seen.
            path.write_bytes(data[: part * (len(data) - 30) // 50])
            with pytest.raises(ValueError, match=path.name):
                formats.load(path, **options)  # type: ignore[arg-type]


def test_mutated(own: Path, ranks: Path) -> None:
    choose = random.Random(1)
    for path, options in ((own, {}), (ranks, {"pattern": "gpt2"})):
        original = formats.load(path, **options)  # type: ignore[arg-type]
        data = path.read_bytes()
        for _ in range(300):
            mutated = bytearray(data)
            place = choose.randrange(len(data))
            match choose.randrange(3):
                case 0:
                    mutated[place] ^= 1 << choose.randrange(8)
                case 1:
                    del mutated[place : place + choose.randint(1, 20)]
                case 2:
                    mutated[place:place] = choose.randbytes(choose.randint(1, 20))
            path.write_bytes(mutated)
            loaded = _loaded_or_refused(path, options)
            # The checksum guards minitok's own; in a rank file another token or rank may be as good.
            if loaded is not None:
                assert loaded == original if path == own else not loaded.missing_bytes()


def _loaded_or_refused(path: Path, options: Any) -> Vocabulary | None:
    """The vocabulary in a file, or None if it is refused by name; anything else fails the test."""
    try:
        return formats.load(path, **options)
    except ValueError as error:
        if path.name not in str(error):
            raise
        return None


@pytest.mark.parametrize("head", [b"", b"{", b"AA== 0\n", b"\n"], ids=repr)
def test_a_gigabyte_of_zeros(tmp_path: Path, head: bytes) -> None:
    """In a process of its own, whose memory is limited."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(1 << 30)
    program = (
        "import resource, sys, minitok\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))\n"
        "try: minitok.load(sys.argv[1], pattern='gpt2' if sys.argv[2] == 'ranks' else None)\n"
        "except ValueError as error: print(error)\n"
    )
    kind = "own" if head == b"{" else "ranks"
    done = subprocess.run(
        [sys.executable, "-c", program, path, kind], capture_output=True, text=True, timeout=60, check=True
    )
    assert "huge" in done.stdout
    # Small enough to be read line by line, and still nothing but zeros.
    with path.open("wb") as file:
        file.write(head)
        file.truncate(formats.MAX_FILE_SIZE)
    done = subprocess.run(
        [sys.executable, "-c", program, path, kind], capture_output=True, text=True, timeout=60, check=True
    )
    assert "huge" in done.stdout


def test_empty_and_directories(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="empty is empty"):
        minitok.load(tmp_path / "empty")
    with pytest.raises(ValueError, match="has no vocabulary file"):
        minitok.load(tmp_path / "folder")
    with pytest.raises(FileNotFoundError):
        minitok.load(tmp_path / "missing")


def test_atomic_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_atomically(path, b"old")

    def fail() -> None:
        with files.open_atomically(path) as file:
            file.write(b"new")
            raise RuntimeError("in the midst")

    with pytest.raises(RuntimeError, match="midst"):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert path.stat().st_mode == plain.stat().st_mode
    with pytest.raises(IsADirectoryError, match="directory"):
        files.write_atomically(tmp_path, b"")
    with pytest.raises(FileNotFoundError):
        files.write_atomically(tmp_path / "none" / "x", b"")
