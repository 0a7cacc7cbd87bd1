"""Splitting in plain Python: any pattern, nothing lost, classes pinned."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.patterns import PATTERNS, find_named_pattern, resolve_pattern
from minitok.pretokenizer import Pretokenizer, bytes_of, compile_pattern, text_of
from minitok.unicode_classes import UNICODE_VERSION, class_ranges, pin_classes
from tests.strategies import CLASS_CHARACTERS, any_bytes, any_text, class_text, texts

pytestmark = pytest.mark.once

PATTERN_TEXTS = [
    r"\w+",
    r"a*",
    r"(a)(b)?|\s",
    r"\p{Lu}\p{Ll}*",
    r"(?=x)",
    r"[[a-z]&&[^aeiou]]+",
    r"\p{Han}+",
    r"$",
    "é|字",
]


@given(st.sampled_from([*PATTERN_TEXTS, *(p.regex for p in PATTERNS.values()), None]), texts)
def test_nothing_is_lost(pattern: str | None, text: str) -> None:
    pieces = Pretokenizer(pattern).split(text)
    assert "".join(pieces) == text
    assert all(pieces)


@pytest.mark.parametrize("name", sorted({pattern.name for pattern in PATTERNS.values()}))
def test_above_the_bmp_stand_ins_are_cut_like_what_they_stand_for(name: str) -> None:
    """The ends of all runs of a category, against the expression with all code points written out."""
    regex = PATTERNS[name].regex
    pretokenizer = Pretokenizer(regex)
    whole = compile_pattern(regex)
    categories = ["Lu", "Ll", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "Pd", "Po"]
    categories += ["Sm", "Sc", "Sk", "So", "Cf", "Cn", "Co"]
    ends = {c for category in categories for run in class_ranges(category) for c in run if c > 0xFFFF}
    assert len(ends) > 1000
    for c in map(chr, ends):
        text = f"a{c}b 1{c}2 {c}{c}\n{c}字{c}ア{c}"
        assert pretokenizer.split(text) == whole.findall(text)


@given(
    st.sampled_from(sorted(PATTERNS)),
    st.lists(st.one_of(class_text, any_text), max_size=8),
    st.integers(1, 9),
)
def test_chunks_have_the_pieces_of_the_whole(name: str, parts: list[str], size: int) -> None:
    """So every boundary that is called safe is one."""
    pretokenizer = Pretokenizer(PATTERNS[name].regex)
    text = "".join(parts)
    chunks = list(pretokenizer.chunks(text, size))
    assert "".join(chunks) == text
    assert [piece for chunk in chunks for piece in pretokenizer.split(chunk)] == pretokenizer.split(text)


@given(
    st.sampled_from(sorted(PATTERNS)),
    st.lists(
        # Of few classes, so that there are runs; mostly without a boundary that is known before.
        st.lists(st.sampled_from(CLASS_CHARACTERS), min_size=1, max_size=4).flatmap(
            lambda characters: st.text(alphabet=characters, max_size=30)
        ),
        max_size=8,
    ),
    st.integers(1, 30),
)
@example("r50k", ["!\n\n!\n\n!\n\n!\n\n! \n \n!\n\n\n!!\n\n", "!\n\n"], 1)
def test_documents_in_chunks_have_the_pieces_of_the_whole(name: str, chunks: list[str], margin: int) -> None:
    pretokenizer = Pretokenizer(PATTERNS[name].regex)
    with mock.patch("minitok.pretokenizer.MARGIN", margin):
        parts = list(pretokenizer.parts([chunk.encode() for chunk in chunks]))
    pieces = [piece for part in parts if isinstance(part, bytes) for piece in pretokenizer.split(text_of(part))]
    assert pieces == pretokenizer.split("".join(chunks))


def test_documents_without_a_known_boundary_come_in_parts() -> None:
    for text in ("1234567890" * 20_000, "!\n" * 100_000, "abC" * 70_000, "😀 " * 100_000):
        chunks = [text[start : start + 50_000] for start in range(0, len(text), 50_000)]
        parts = list(Pretokenizer(PATTERNS["o200k"].regex).parts([chunk.encode() for chunk in chunks]))
        texts = [text_of(part) for part in parts if isinstance(part, bytes)]
        assert "".join(texts) == text
        assert max(map(len, texts)) < 101_000


@given(st.lists(any_bytes, max_size=8), st.sampled_from(["r50k", "o200k", "deepseek"]), st.integers(1, 30))
@example([b"a\xe5", b"\xad\x97 b"], "o200k", 1)
@example([b"ab\xc3", b"\xa9"], "o200k", 1)
def test_documents_in_blocks_of_any_bytes(blocks: list[bytes], name: str, margin: int) -> None:
    """Blocks may end inside of characters, or hold what is no UTF-8."""
    pretokenizer = Pretokenizer(PATTERNS[name].regex)
    with mock.patch("minitok.pretokenizer.MARGIN", margin):
        parts = list(pretokenizer.parts(blocks))
    pieces = [piece for part in parts if isinstance(part, bytes) for piece in pretokenizer.split(text_of(part))]
    assert pieces == pretokenizer.split(text_of(b"".join(blocks)))


#: As deepseek.tokenizer.json has them.
DEEPSEEK_STAGES = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
)


@given(st.lists(st.one_of(class_text, any_text), max_size=6).map("".join))
@example("ア・\n")  # what belongs to another stage is the end of the text
@example("  1  字 a\x00\x01b!é!e")
def test_three_stages_in_one_expression(text: str) -> None:
    pieces = [text]
    for stage in DEEPSEEK_STAGES:
        split = Pretokenizer(stage).split
        pieces = [cut for piece in pieces for cut in split(piece)]
    assert Pretokenizer(PATTERNS["deepseek"].regex).split(text) == pieces


@given(any_bytes)
def test_bytes_as_text(data: bytes) -> None:
    assert bytes_of(text_of(data)) == data
    assert text_of("é") == "é"


def test_gaps_groups_and_empty_matches() -> None:
    assert Pretokenizer(r"(b)(c)").split("abcabcd") == ["a", "bc", "a", "bc", "d"]
    assert Pretokenizer(r"b*").split("abba") == ["a", "bb", "a"]
    assert Pretokenizer(r"x").split("abc") == ["abc"]
    assert Pretokenizer(None).split("a b") == ["a b"]
    assert Pretokenizer(None).split("") == []


def test_set_operations_mean_what_they_mean_in_rust() -> None:
    assert Pretokenizer(r"[[a-z]&&[^aeiou]]+").split("strength") == ["str", "e", "ngth"]


@pytest.mark.parametrize("pattern", ["(", "[", "a**", r"(?P<x", r"\p{NoSuchProperty}"])
def test_patterns_that_do_not_compile(pattern: str) -> None:
    with pytest.raises(ValueError, match="does not compile"):
        Pretokenizer(pattern)


def test_names_and_spellings() -> None:
    assert resolve_pattern("gpt2") == resolve_pattern("r50k") == resolve_pattern("p50k") == PATTERNS["gpt2"].regex
    assert resolve_pattern(r"\w") == r"\w"
    assert resolve_pattern(None) is None
    for pattern in PATTERNS.values():
        for spelling in (pattern.regex, *pattern.spellings):
            named = find_named_pattern(spelling)
            assert named is not None
            assert named.name == pattern.name
    with pytest.raises(TypeError):
        resolve_pattern(5)  # type: ignore[arg-type]


@given(texts)
def test_spellings_cut_alike(text: str) -> None:
    gpt2 = PATTERNS["gpt2"]
    for spelling in gpt2.spellings:
        pinned = re.compile(pin_classes(spelling))
        assert [match.group() for match in pinned.finditer(text)] == Pretokenizer(gpt2.regex).split(text)


def test_the_tables() -> None:
    assert UNICODE_VERSION == "16.0.0"
    covered = sorted(r for name in "CLMNPSZ" for r in class_ranges(name))
    assert covered[0][0] == 0
    assert covered[-1][1] == sys.maxunicode
    assert all(a[1] + 1 == b[0] for a, b in pairwise(covered))
    assert sum(b - a + 1 for a, b in class_ranges("White_Space")) == 25
    with pytest.raises(KeyError):
        class_ranges("Latin")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"\p{Lu}", "AÉ\U00010400", "aé1 "),
        (r"\pN", "1½Ⅷ", "a "),
        (r"\P{L}", "1 !", "aé字"),
        (r"\p{^L}", "1 !", "aé字"),
        (r"\P{^L}", "aé字", "1 !"),
        (r"[\p{L}_]", "a_", "1-"),
        (r"[^\p{L}_]", "1-", "a_"),
        (r"[^\P{L}]", "aé", "1 "),
        (r"[]\s]", "] \x85\u3000", "a\x1c"),
        (r"[^]\s]", "a\x1c", "] \u2028"),
        (r"\s", " \t\u2028", "\x1c\u200ba"),
        (r"\S", "\x1c\u200ba", " \t"),
        (r"\d", "1٣", "½a"),
        (r"\D", "½a", "1٣"),
        (r"[\[\p{Nd}\]]", "[]5", "a\\"),
        (r"\\p{L}", "", "aL"),
        ("\\p{L}", "\u1c89", "\U000323b0\U00011db0"),
    ],
    ids=ascii,
)
def test_pinned_classes(pattern: str, yes: str, no: str) -> None:
    engines: tuple[Any, ...] = (re, regex)
    for engine in engines:
        compiled = engine.compile(pin_classes(pattern))
        assert all(compiled.fullmatch(c) for c in yes)
        assert not any(compiled.fullmatch(c) for c in no)
    narrow = re.compile(pin_classes(pattern, bmp_only=True))
    assert all(narrow.fullmatch(c) for c in yes if c <= "\uffff")


def test_what_is_not_pinned_stays() -> None:
    for pattern in (r"\p{Han}", r"\w+", r"\p", r"\p{L", "\\", r"[a-z]", r"\bX"):
        assert pin_classes(pattern) == pattern
