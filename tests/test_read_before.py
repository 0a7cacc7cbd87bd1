"""Vocabulary files that were read before: the same vocabulary again, and never a wrong one."""

from __future__ import annotations

import gc
import json
import os
import pickle
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import minitok
from minitok import _backend, formats, read_before
from minitok.patterns import PATTERNS
from minitok.vocabulary import Vocabulary
from minitok.vocabulary_files import own_folder
from tests.model_shapes import OPTIONS, SYSTEMS, train_model, train_tokenizer
from tests.oracle import corpus

TEXT = (
    "Ab ab  abc\n\n 字字 \ud83d\ude00 <s> </s> ▁x don't 12345 é ".encode("utf-16", "surrogatepass").decode("utf-16")
    * 3
)
FILES = [
    "gpt2.tokenizer.json",
    "claude.tokenizer.json",
    "deepseek.tokenizer.json",
    "tekken_240911.json",
    "claude.json",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: Any) -> Path:
    """Only the compiled core has tables to keep."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(own))
    monkeypatch.setattr(read_before, "LEAST", 0)
    return own


def kept() -> list[Path]:
    return sorted(own_folder().glob("read-*.tables"))


def same(ours: minitok.Encoding, theirs: minitok.Encoding, text: str = TEXT) -> None:
    """All that can be seen of two encodings."""
    for field in fields(Vocabulary):
        assert getattr(ours.vocabulary, field.name) == getattr(theirs.vocabulary, field.name), field.name
    assert ours.vocabulary == theirs.vocabulary
    assert theirs.vocabulary == ours.vocabulary
    assert ours.encode(text, disallowed_special=()) == theirs.encode(text, disallowed_special=())
    assert ours.encode(text, allowed_special="all") == theirs.encode(text, allowed_special="all")
    ids = ours.encode(text, allowed_special="all")
    assert ours.decode(ids) == theirs.decode(ids)
    assert ours.tokens == theirs.tokens
    assert ours.n_vocab == theirs.n_vocab
    assert pickle.loads(pickle.dumps(ours)).encode(text, disallowed_special=()) == theirs.encode_ordinary(text)


def twice(path: Path) -> None:
    first = minitok.load(path)
    (file,) = kept()
    before = file.stat().st_mtime_ns
    again = minitok.load(path)
    assert kept() == [file]
    assert file.stat().st_mtime_ns >= before
    # Only tables that were kept have a note.
    assert isinstance(again.vocabulary.tokens, _backend.RankTable)
    assert again.vocabulary.tokens.note
    assert not getattr(first.vocabulary.tokens, "note", b"")
    same(again, first)
    same(minitok.Encoding.from_vocabulary(formats.load(path)), again)
    # What is changed in it has tables of its own.
    for changed in ({"whole_piece": not first.vocabulary.whole_piece}, {"pattern": None, "splits": ()}):
        ours, theirs = (replace(e.vocabulary, **changed) for e in (again, first))
        same(minitok.Encoding.from_vocabulary(ours), minitok.Encoding.from_vocabulary(theirs))


@pytest.mark.parametrize("system", SYSTEMS)
def test_shapes(system: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    train_tokenizer(system, [TEXT] * 20, 400).save(str(path))
    twice(path)


@pytest.mark.parametrize("kind", sorted(OPTIONS))
def test_sentencepiece(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(train_model(kind, [TEXT] * 20, 400))
    twice(path)


TOKENS = {bytes([b]): b for b in range(256)} | {b"ab": 256, b" ab": 257, b"abc": 300}
MERGES = [(97, 98, 256), (32, 256, 257), (256, 99, 300)]


def plain(**more: Any) -> Vocabulary:
    return Vocabulary("mine", TOKENS, None, {"<s>": 400}, PATTERNS["cl100k"].regex, **more)


@pytest.mark.parametrize(
    "vocabulary",
    [
        plain(),
        plain(metadata={"made": "by hand"}),
        replace(plain(), merges=MERGES, whole_piece=False),
        replace(plain(), merges=MERGES[:2], whole_piece=False, pattern=r"\w+|\W"),
        plain(ranks=tuple(range(259))),
        plain(ranks=(0,) * 256 + (1, 1, 1), decoded_prefix=" "),
    ],
)
def test_own_format(vocabulary: Vocabulary, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    formats.save(vocabulary, path)
    twice(path)
    assert minitok.load(path).name == "mine"
    assert minitok.load(path, name="other").name == "other"
    assert minitok.load(path).name == "mine"


@pytest.mark.data
@pytest.mark.parametrize("name", [*FILES, "mistral_v3.spm.model"])
def test_published(name: str, data_folder: Path) -> None:
    path = data_folder / "vocabularies" / name
    first = minitok.load(path)
    assert len(kept()) == 1
    again = minitok.load(path)
    for text_name in ("english", "multilingual", "chinese"):
        same(again, first, corpus(text_name, 0, 20_000))


def saved(tmp_path: Path, name: str = "x.json") -> Path:
    path = tmp_path / name
    formats.save(replace(plain(), merges=MERGES, whole_piece=False), path)
    return path


def test_what_is_damaged_is_read_anew(tmp_path: Path) -> None:
    path = saved(tmp_path)
    first = minitok.load(path)
    (file,) = kept()
    whole = file.read_bytes()
    rng = random.Random(1)
    damaged = [whole[: len(whole) * i // 50] for i in range(50)]
    for _ in range(100):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole)) if rng.random() < 0.5 else rng.randrange(3000)] ^= 1 << rng.randrange(8)
        damaged.append(bytes(changed))
    for content in damaged:
        file.write_bytes(content)
        again = minitok.load(path)
        assert again.vocabulary == first.vocabulary
        assert file.read_bytes() == whole


def test_another_content_is_another_vocabulary(tmp_path: Path) -> None:
    path = saved(tmp_path)
    minitok.load(path)
    other = replace(plain(), merges=MERGES[:1], whole_piece=False)
    formats.save(other, path)
    assert minitok.load(path).vocabulary == other
    assert len(kept()) == 2


def test_another_installation_reads_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    minitok.load(path)
    monkeypatch.setattr(read_before, "_installation", lambda: b"another")
    minitok.load(path)
    assert len(kept()) == 2


def test_only_the_last_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_before, "KEPT", 2)
    paths = []
    for i in range(3):
        paths.append(tmp_path / f"{i}.json")
        formats.save(plain(metadata={"number": i}), paths[-1])
        minitok.load(paths[-1])
        for file in kept():
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**10))  # each load seems long ago to the next
    assert len(kept()) == 2
    newest = kept()
    assert minitok.load(paths[1]).vocabulary.metadata == {"number": 1}
    assert kept() == newest


def test_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MINITOK_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    path = saved(tmp_path)
    for _ in range(2):
        assert minitok.load(path).encode("abc") == [300]
    assert (tmp_path / "file").read_bytes() == b""


def test_small_files_are_just_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_before, "LEAST", 1 << 18)
    minitok.load(saved(tmp_path))
    assert kept() == []


def test_files_of_two_are_not_kept(tmp_path: Path) -> None:
    """The content of one does not tell that of the other."""
    folder = tmp_path / "both"
    formats.save(
        replace(plain(), merges=MERGES, whole_piece=False, special_tokens={}, pattern=PATTERNS["r50k"].regex),
        folder,
        format="vocab-merges",
    )
    first = minitok.load(folder)
    assert kept() == []
    assert first.encode("abc") == [300]


def test_names(tmp_path: Path) -> None:
    """A file without a name of its own is called like the file, wherever it was read first."""
    paths = [tmp_path / "a.tokenizer.json", tmp_path / "b.tokenizer.json"]
    for path in paths:
        formats.save(replace(plain(), merges=MERGES, whole_piece=False), path, format="huggingface")
    assert [minitok.load(path).name for path in paths] == ["a", "b"]
    assert minitok.load(paths[0], name="c").name == "c"
    assert minitok.load(paths[0]).name == "a"
    assert len(kept()) == 1


def test_arguments_are_refused_as_before(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for _ in range(2):
        minitok.load(path)
        with pytest.raises(ValueError, match="holds a pattern"):
            minitok.load(path, pattern="r50k")


def test_what_is_dropped_in_a_cycle_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    minitok.load(path)
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    ring: list[Any] = [minitok.load(path)]
    ring.append(ring)
    del ring
    gc.collect()
    assert complaints == []


def test_many_at_once(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        for encoding in pool.map(lambda _: minitok.load(path), range(32)):
            assert encoding.encode("abc") == [300]
    assert len(kept()) == 1


def test_metadata_that_json_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    formats.save(plain(metadata={"a": [1, None, "é"]}), path)
    minitok.load(path)
    assert minitok.load(path).vocabulary.metadata == json.loads(path.read_text())["metadata"]
