"""`train`: every kind of source, every option, and what must not matter."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitok
from minitok import corpus
from minitok.patterns import resolve_pattern
from minitok.pretokenizer import MARGIN, get_pretokenizer
from tests.strategies import any_text, class_text

TEXT = "the cat sat on the mat, the cats sat. été! 字字典 \n\n the cat's mat\r\n  12345 " * 4
SIZE = 290


def tokens(source: Any, **options: Any) -> list[bytes | None]:
    return minitok.train(source, vocab_size=SIZE, **options).tokens


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.txt").write_bytes(TEXT.encode())
    (tmp_path / "b/c.txt").write_bytes(b"the cat " * 9)
    (tmp_path / "d.bin").write_bytes(b"x")
    return tmp_path


def test_every_kind_of_source(files: Path) -> None:
    one = tokens([TEXT])
    path = files / "a.txt"
    assert tokens(str(path)) == one
    assert tokens(path) == one
    with path.open("rb") as binary, path.open(encoding="utf-8", newline="") as text:
        assert tokens(binary) == one
        assert tokens(text) == one
    assert tokens(io.BytesIO(TEXT.encode())) == one
    assert tokens(io.StringIO(TEXT)) == one
    assert tokens(iter([TEXT])) == one
    assert tokens(minitok.count_pieces([TEXT])) == one
    assert tokens({piece.decode(): n for piece, n in minitok.count_pieces([TEXT]).items()}) == one
    both = tokens([TEXT, "the cat " * 9])
    assert tokens(str(files / "**" / "*.txt")) == both
    assert tokens(str(files / "?.txt")) == one
    assert tokens([path, files / "b/c.txt"]) == both
    assert tokens(["the cat " * 9, path]) == both
    assert tokens([io.BytesIO(TEXT.encode()), "the cat " * 9]) == both


def test_sources_that_are_none(files: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"\*\*"):
        tokens(files)
    with pytest.raises(FileNotFoundError, match="no file matches"):
        tokens(str(files / "*.md"))
    with pytest.raises(FileNotFoundError, match="missing"):
        tokens(files / "missing.txt")
    for wrong in (5, b"bytes", [5], [b"bytes"], None):
        with pytest.raises(TypeError, match="corpus"):
            tokens(wrong)


def test_empty_sources() -> None:
    for empty in ([], [""], {}, {"a": 0}, iter(())):
        assert minitok.train(empty, vocab_size=300).n_vocab == 256


@pytest.mark.parametrize("pattern", ["o200k", "r50k", "cl100k", None, r"\w+|\s", r"(?<=t)h|[^h]+"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, files: Path, pattern: str | None, block: int) -> None:
    specials = ["<|e|>", "<|e|>more", "at"]
    text = TEXT + "<|e|>" + TEXT + "<|e|>moremat<|e|>" + "<|e|>mor"
    (files / "a.txt").write_bytes(text.encode())
    whole = minitok.count_pieces([text], pattern=pattern, special_tokens=specials)
    monkeypatch.setattr(corpus, "BLOCK", block)
    assert minitok.count_pieces(files / "a.txt", pattern=pattern, special_tokens=specials) == whole


@given(st.lists(class_text, max_size=5), st.sampled_from(["r50k", "cl100k", "o200k", None]))
def test_chunks_do_not_matter(chunks: list[str], pattern: str | None) -> None:
    pretokenizer = get_pretokenizer(resolve_pattern(pattern))
    parts = pretokenizer.parts([chunk.encode() for chunk in chunks])
    pieces = [piece for part in parts if isinstance(part, bytes) for piece in pretokenizer.split(part.decode())]
    assert pieces == pretokenizer.split("".join(chunks))


def test_custom_patterns_in_chunks_longer_than_the_margin() -> None:
    pretokenizer = get_pretokenizer(r"\w+|\s+(?!\S)|\s")
    text = ("word  other \n x" * 30_000) + "y" * (3 * MARGIN) + " end"
    chunks = [text[i : i + 50_000].encode() for i in range(0, len(text), 50_000)]
    assert [piece for part in pretokenizer.parts(chunks) for piece in part] == pretokenizer.split(text)


def test_special_tokens_separate_documents() -> None:
    text = "ab<s>ab<s>ab"
    counts = minitok.count_pieces([text], special_tokens=["<s>"], pattern=None)
    assert counts == {b"ab": 3}
    encoding = minitok.train([text], vocab_size=258, special_tokens=["<s>"], pattern=None)
    assert encoding.tokens[256:] == [b"ab", b"<s>"]
    assert b"<" not in b"".join(t or b"" for t in encoding.tokens[256:257])


def test_the_longest_special_token_separates() -> None:
    assert minitok.count_pieces(["x<s>>y"], special_tokens=["<s>", "<s>>"], pattern=None) == {b"x": 1, b"y": 1}


def test_options() -> None:
    encoding = minitok.train([TEXT], vocab_size=275, special_tokens=["<a>", "<b>"], max_token_length=3, name="mine")
    assert encoding.name == "mine"
    assert encoding.n_vocab == 275
    assert encoding._special_tokens == {"<a>": 273, "<b>": 274}
    assert max(len(t or b"") for t in encoding.tokens[:273]) == 3
    assert encoding.vocabulary.pattern_name == "o200k"
    rare = minitok.train([TEXT], vocab_size=10_000, min_frequency=8)
    assert rare.n_vocab < minitok.train([TEXT], vocab_size=10_000).n_vocab < 10_000
    assert rare.tokens == minitok.train([TEXT], vocab_size=10_000).tokens[: rare.n_vocab]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"vocab_size": 255}, ValueError, "vocab_size"),
        ({"vocab_size": 256, "special_tokens": ["<a>"]}, ValueError, "vocab_size"),
        ({"vocab_size": 2**33}, ValueError, "vocab_size"),
        ({"vocab_size": 300, "min_frequency": 0}, ValueError, "min_frequency"),
        ({"vocab_size": 300, "max_token_length": 0}, ValueError, "max_token_length"),
        ({"vocab_size": 300, "special_tokens": ["<a>", "<a>"]}, ValueError, "twice"),
        ({"vocab_size": 300, "special_tokens": [""]}, ValueError, "empty"),
        ({"vocab_size": 300, "special_tokens": "<a>"}, TypeError, "list of str"),
        ({"vocab_size": 300, "special_tokens": [b"<a>"]}, TypeError, "str"),
        ({"vocab_size": 300, "pattern": "("}, ValueError, "does not compile"),
        ({"vocab_size": 300, "pattern": 5}, TypeError, "pattern"),
        ({"vocab_size": 300, "errors": "ignore"}, ValueError, "errors"),
    ],
    ids=str,
)
def test_wrong_options(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        minitok.train([TEXT], **options)


@pytest.mark.parametrize(
    ("counts", "kind"),
    [({"a": "1"}, TypeError), ({b"a": 1.5}, TypeError), ({"a": True}, TypeError), ({5: 1}, TypeError),
     ({"a": -1}, ValueError), ({"ab": 2**63}, ValueError)],
    ids=str,
)  # fmt: skip
def test_counts_that_are_none(counts: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        minitok.train(counts, vocab_size=300)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xff", 0),
        (b"abc\xc3(", 3),
        (b"ab" * 9 + b"\xe5\xad", 18),
        (b"x" * 31 + b"\x80", 31),
        ("é".encode() * 20 + b"\xed\xa0\x80", 40),
    ],
    ids=repr,
)
@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_bad_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, place: int, block: int) -> None:
    monkeypatch.setattr(corpus, "BLOCK", block)
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"bad\.txt: not valid UTF-8 at byte {place} .*errors='replace'"):
        minitok.count_pieces(path)
    replaced = minitok.count_pieces(path, errors="replace", pattern=None)
    assert replaced == {data.decode("utf-8", "replace").encode(): 1}


def test_surrogates_in_texts_are_repaired() -> None:
    assert minitok.count_pieces(["\ud83d\udc4d \udc80"], pattern=None) == {"👍 \ufffd".encode(): 1}


def test_extending() -> None:
    base = minitok.train([TEXT], vocab_size=270, special_tokens=["<a>"])
    more = minitok.train([TEXT + "the dog's mat" * 5], vocab_size=280, initial=base, special_tokens=["<a>", "<b>"])
    assert more.tokens[:270] == base.tokens
    assert more._special_tokens == {"<a>": 269, "<b>": 279}
    assert more.n_vocab == 280
    assert more._pat_str == base._pat_str
    assert all(t is not None for t in more.tokens)
    again = minitok.train([TEXT], vocab_size=285)
    apart = minitok.train([TEXT], vocab_size=285, initial=minitok.train([TEXT], vocab_size=270))
    assert apart.tokens == again.tokens
    assert (
        minitok.train([TEXT], vocab_size=280, initial=base.vocabulary, pattern="cl100k").vocabulary.pattern_name
        == "cl100k"
    )


def test_extending_listed_merges() -> None:
    tokens = {bytes([b]): b for b in range(256)} | {b"he": 256, b"the": 257}
    base = minitok.Vocabulary(
        "listed", tokens, [(104, 101, 256), (116, 256, 257)], {}, resolve_pattern("gpt2"), False
    )
    more = minitok.train([TEXT], vocab_size=264, initial=base).vocabulary
    assert more.merges is not None
    assert list(more.merges[:2]) == base.merges
    assert len(more.merges) == 8
    assert not more.whole_piece


def test_a_smaller_vocabulary_is_a_prefix() -> None:
    large = minitok.train([TEXT], vocab_size=300).tokens
    for size in (256, 257, 270, 299):
        assert minitok.train([TEXT], vocab_size=size).tokens == large[:size]


@given(st.lists(any_text, max_size=6), st.randoms(), st.integers(1, 3))
def test_order_and_shards_do_not_matter(documents: list[str], random: Any, shards: int) -> None:
    whole = minitok.train(documents, vocab_size=300).tokens
    random.shuffle(documents)
    assert minitok.train(documents, vocab_size=300).tokens == whole
    counts: Counter[bytes] = Counter()
    for shard in range(shards):
        counts.update(minitok.count_pieces(documents[shard::shards]))
    assert minitok.train(counts, vocab_size=300).tokens == whole


def test_the_hash_seed_does_not_matter() -> None:
    program = (
        "import minitok; t = 'the cat sat on the mat the hat that the bat had ' * 3; "
        "print(minitok.train([t], vocab_size=300).tokens)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


class Repeating(io.RawIOBase):
    """A file that is much larger than what it repeats."""

    def __init__(self, unit: bytes, size: int) -> None:
        self.unit, self.left = unit, size

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return (self.unit * (size // len(self.unit) + 1))[:size]


def test_files_are_streamed() -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        counts = minitok.count_pieces(Repeating(b"the cat sat on the mat\n", 12_000_000))
        assert tracemalloc.get_traced_memory()[1] < 9_000_000
    finally:
        tracemalloc.stop()
    assert counts[b" cat"] > 500_000


def test_progress_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    minitok.train([TEXT], vocab_size=270, progress=True)
    shown = capsys.readouterr()
    assert "learning merges" in shown.err
    assert not shown.out
    minitok.train([TEXT], vocab_size=270)
    assert not capsys.readouterr().err
