"""Comparing vocabularies: the figures against naive ones, the command, the picture, bad input."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok import cli
from minitok.normalizers import Lowercase, UnicodeForm
from minitok.scripts import SCRIPTS, script_table

pytestmark = pytest.mark.once

TEXT = "the cat, привет мир  字の한국어 42 🦖 e\u0301 ไทย\tнет\r\nthe hat 中文中文 naïve ქართული ✓\n"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in small blocks, so that small ones have many."""
    for module in ("minitok.encode_file", "minitok.corpus"):
        monkeypatch.setattr(f"{module}.BLOCK", 300)
    monkeypatch.setattr("minitok.encode_file.LONG", 500)


def trained(pattern: str, **options: Any) -> minitok.Encoding:
    return minitok.train([TEXT * 3], vocab_size=330, pattern=pattern, **options)


def naive_scripts(encoding: minitok.Encoding, ids: list[int]) -> dict[str, tuple[int, int]]:
    """By looking at each token's place in the text, one character at a time."""
    tokens = encoding.decode_tokens_bytes(ids)
    text = b"".join(tokens).decode()
    script_of_byte = [SCRIPTS[script_table()[ord(c)]] for c in text for _ in c.encode()]
    first_of_character = [place for c in text for place in range(len(c.encode()))]
    found: dict[str, list[int]] = {}
    at = 0
    for token in tokens:
        script = SCRIPTS[0]
        for place in range(at, at + len(token)):
            if script == SCRIPTS[0]:
                script = script_of_byte[place]
            is_whole = first_of_character[place] == 0 and place + len(text.encode()[place:].decode()[0].encode()) <= (
                at + len(token)
            )
            if script != SCRIPTS[0] or (not is_whole and first_of_character[place] == 0):
                break
        count = found.setdefault(script, [0, 0])
        count[0] += 1
        count[1] += len(token)
        at += len(token)
    return {script: (tokens, size) for script, (tokens, size) in found.items()}


@pytest.mark.parametrize("pattern", ["gpt2", "o200k", r"\S+|\s+"])
def test_figures_are_those_of_counting_by_hand(pattern: str, tmp_path: Path) -> None:
    encodings = [trained(pattern), minitok.get_encoding("minitok_32k")]
    path = tmp_path / "a.txt"
    path.write_bytes((TEXT * 20).encode())
    text = path.read_bytes().decode()
    compared = minitok.compare(path, encodings)
    for encoding, found in zip(encodings, compared.encodings, strict=True):
        ids = encoding.encode_ordinary(text)
        (file,) = found.files
        assert (file.bytes, file.characters, file.tokens) == (len(text.encode()), len(text), len(ids))
        assert file.words == len(text.encode().split())
        assert file.bytes_per_token == file.bytes / len(ids)
        assert file.words_per_token == file.words / len(ids)
        assert {s.script: (s.tokens, s.bytes) for s in file.scripts} == naive_scripts(encoding, ids)
        lengths = Counter(len(token) for token in encoding.decode_tokens_bytes(ids))
        assert found.used_lengths == lengths
        assert found.multi_byte_share == pytest.approx(1 - lengths[1] / len(ids))
        assert set(found.unused) == set(encoding.vocabulary.tokens.values()) - set(ids)
        assert found.vocabulary_lengths == Counter(map(len, encoding.vocabulary.tokens))
        assert found.ids == encoding.n_vocab


def test_threads_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.jsonl", "bad.txt")]
    paths[0].write_text(TEXT * 100, encoding="utf-8")
    paths[1].write_text((json.dumps({"text": TEXT * 4}) + "\n") * 20 + '{"text": ""}\n', encoding="utf-8")
    paths[2].write_bytes((TEXT * 20).encode() + b"\0" + TEXT.encode())
    encodings = [trained("gpt2"), trained(r"\S+|\s+")]

    def found(threads: int) -> Any:
        monkeypatch.setattr("minitok.comparison.thread_count", lambda *_: threads)
        with pytest.raises(ValueError, match="it is binary"):
            minitok.compare(paths, encodings)
        figures = minitok.compare(paths[:2], encodings).as_dict()
        for one in figures["encodings"]:
            for file in (one["total"], *one["files"]):
                assert file.pop("seconds") > 0
        return figures

    assert found(4) == found(1)


def test_several_files_and_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two", encoding="utf-8")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in ("three", "four", "", " five <|endoftext|>"))
    found = minitok.compare([tmp_path / "a.txt", tmp_path / "*.gz"], ["minitok_32k"]).encodings[0]
    assert [file.words for file in found.files] == [2, 4]
    assert [file.bytes for file in found.files] == [7, 28]
    encode = minitok.get_encoding("minitok_32k").encode_ordinary
    assert found.files[1].tokens == sum(len(encode(text)) for text in ("three", "four", " five <|endoftext|>"))
    assert found.total.tokens == sum(file.tokens for file in found.files)
    assert sum(script.tokens for script in found.total.scripts) == found.total.tokens


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "has no text"), (b"a\0b", "it is binary"), (b"\x89PNG\xff", "not valid UTF-8 at byte 0")],
)
def test_files_that_are_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        minitok.compare(path, ["minitok_32k"])
    if content:
        found = minitok.compare(path, ["minitok_32k"], errors="replace")
        assert found.encodings[0].total.tokens


def test_bad_use(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")
    with pytest.raises(FileNotFoundError, match="neither an encoding"):
        minitok.compare(path, ["no_such"])
    with pytest.raises(FileNotFoundError, match="there is no file"):
        minitok.compare(tmp_path / "b.txt", ["minitok_32k"])
    with pytest.raises(ValueError, match="there are no files"):
        minitok.compare([], ["minitok_32k"])
    with pytest.raises(ValueError, match="there are no encodings"):
        minitok.compare(path, [])
    with pytest.raises(TypeError, match="encodings are several"):
        minitok.compare(path, "minitok_32k")
    with pytest.raises(TypeError, match="an encoding is"):
        minitok.compare(path, [3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="paths, globs and open files"):
        minitok.compare([3], ["minitok_32k"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="expected 'strict'"):
        minitok.compare(path, ["minitok_32k"], errors="ignore")  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path, mine = tmp_path / "a.txt", tmp_path / "my.minitok.json"
    path.write_bytes((TEXT * 20).encode())
    trained("gpt2").save(mine)
    options = ["compare", str(path), "-e", "minitok_32k", "-e", str(mine)]
    assert cli.main([*options, "--json", "--plot", str(tmp_path / "a.svg")]) == 0
    figures = json.loads(capfdbinary.readouterr().out)
    assert [one["encoding"] for one in figures["encodings"]] == ["minitok_32k", str(mine)]
    assert figures["encodings"][1]["unused"] > 0
    picture = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert picture.startswith("<?xml")
    assert cli.main(options) == 0
    table = capfdbinary.readouterr().out.decode()
    tokens = figures["encodings"][0]["total"]["tokens"]
    assert f" {tokens:,} " in table
    assert "Cyrillic" in table
    for suffix in ("png", "pdf"):
        assert cli.main([*options, "--plot", str(tmp_path / f"a.{suffix}")]) == 0
        assert (tmp_path / f"a.{suffix}").stat().st_size > 5000


def test_standard_input_and_open_files(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((TEXT * 20).encode())
    encodings: list[Any] = ["minitok_32k", trained("gpt2")]
    whole = minitok.compare(path, encodings)
    with path.open("rb") as file:
        file.read(5)
        opened = minitok.compare(file, encodings)
        assert [one.used_lengths for one in opened.encodings] == [one.used_lengths for one in whole.encodings]
        assert [one.files[0].file for one in opened.encodings] == [str(path)] * 2
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        file.seek(0)
        assert cli.main(["compare", str(path), "-", "-e", "minitok_32k", "--json"]) == 0
    files = json.loads(capfdbinary.readouterr().out)["encodings"][0]["files"]
    assert [one.pop("file") for one in files] == [str(path), "-"]
    assert files[0].pop("seconds") > 0 < files[1].pop("seconds")
    assert files[0] == files[1]
    for content, message in ((b"", b"- has no text"), (b"a\xff", b"-: not valid UTF-8 at byte 1")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert cli.main(["compare", "-"]) == 1
        assert message in capfdbinary.readouterr().err
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as pipe, pytest.raises(ValueError, match="cannot be read again"):
        minitok.compare(pipe, encodings)


def test_bad_use_of_the_command(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")

    def fails(status: int, message: str, *options: str) -> None:
        assert cli.main(["compare", str(path), *options]) == status
        shown = capfdbinary.readouterr()
        assert not shown.out
        assert message in shown.err.decode()
        assert shown.err.count(b"\n") == 1
        assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]

    fails(1, "is of no known kind", "--plot", str(tmp_path / "a.gif"))
    fails(2, "there is no folder", "--plot", str(tmp_path / "no" / "a.svg"))
    fails(2, "neither an encoding", "-e", "no_such", "--plot", str(tmp_path / "a.svg"))
    fails(2, "there is no file", str(tmp_path / "b.txt"))
    fails(2, "is a directory", str(tmp_path))
    monkeypatch.setattr("minitok.pictures.find_spec", lambda _: None)
    fails(1, "pip install 'minitok[plot]'", "--plot", str(tmp_path / "a.svg"))


def test_a_vocabulary_that_changes_texts(tmp_path: Path) -> None:
    """Its tokens spell another text than the one that was read; scripts are those of what they spell."""
    base = trained("gpt2").vocabulary
    path = tmp_path / "a.txt"
    path.write_text("THE ТОЙ naïve 字 " * 200, encoding="utf-8")
    changed = minitok.Encoding.from_vocabulary(replace(base, normalizers=(UnicodeForm("NFD"), Lowercase())))
    (file,) = minitok.compare(path, [changed]).encodings[0].files
    ids = changed.encode_ordinary(path.read_text(encoding="utf-8"))
    assert file.tokens == len(ids)
    assert {s.script: (s.tokens, s.bytes) for s in file.scripts} == naive_scripts(changed, ids)
