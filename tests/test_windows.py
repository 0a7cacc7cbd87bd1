"""Splitting 64 bytes at a time gives the pieces of the scanner, and those of the regular expression.

For each pattern and each way to classify characters that this machine has. Every class-string up to a length is
tried alone, and behind as much text as moves it across the end of a window.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.patterns import PATTERNS
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of
from tests.strategies import CLASS_CHARACTERS, any_bytes, class_text, texts

NAMES = sorted({pattern.name for pattern in PATTERNS.values()})

#: One character for each class that any pattern tells apart, and the letters of a contraction.
REPRESENTATIVES = ["a", "A", "字", "\u0301", "1", "٣", " ", "\t", "\u3000", "\n", "'", "!", "/", "—", "s", "L"]
#: What only patterns in stages tell apart; it stands for what to them is like something else.
STAGED = {"—": "・", "L": "\x01", "\t": "\u3097", "A": "\u3099"}
#: Up to this length all strings of representatives are tried; the heavy check goes to 6.
LENGTH = int(os.environ.get("MINITOK_CLASS_STRINGS", "4"))
SAMPLED = 20_000


def by_regex(name: str, text: bytes) -> list[bytes]:
    pretokenizer = get_pretokenizer(PATTERNS[name].regex)
    return [bytes_of(piece) for piece in pretokenizer.split(text_of(text))]


def class_strings(name: str) -> Iterator[str]:
    characters = [STAGED.get(c, c) if name == "deepseek" else c for c in REPRESENTATIVES]
    for length in range(1, LENGTH + 1):
        yield from map("".join, itertools.product(characters, repeat=length))
    rng = random.Random(1)
    for _ in range(SAMPLED):
        yield "".join(rng.choices(characters, k=rng.randint(LENGTH + 1, 8)))


@pytest.mark.parametrize("name", NAMES)
def test_class_strings(native: Any, name: str) -> None:
    regex = PATTERNS[name].regex
    for text in class_strings(name):
        data = text.encode()
        expected = by_regex(name, data)
        assert native.split_with(regex, None, data) == expected, text
        for classifier in native.CLASSIFIERS:
            assert native.split_with(regex, classifier, data) == expected, (classifier, text)


@pytest.mark.parametrize("name", NAMES)
def test_class_strings_at_the_end_of_a_window(native: Any, name: str) -> None:
    """One long text for each shift, so that windows end everywhere in the strings."""
    regex = PATTERNS[name].regex
    rng = random.Random(2)
    for filler in ("x", "x ", "Xx. ", "字", "é ", "  \n"):
        for shift in range(0, 70, 3 if LENGTH < 5 else 1):
            parts = ["".join(rng.choices(CLASS_CHARACTERS, k=rng.randint(1, 9))) for _ in range(40)]
            text = "".join(filler * shift + part for part in parts).encode()
            expected = native.split_with(regex, None, text)
            assert expected == by_regex(name, text)
            for classifier in native.CLASSIFIERS:
                assert native.split_with(regex, classifier, text) == expected, (classifier, filler, shift)


@given(st.sampled_from(NAMES), st.lists(st.one_of(texts, class_text), max_size=12).map("".join))
@example("o200k", "x" * 60 + "'s's't'T'll'LL")
@example("r50k", "father's knee")  # the letter behind an apostrophe began a piece
@example("cl100k", "a" * 62 + "'ſb")
@example("o200k", "ab中CD中CDe ab.\n\n/x")
@example("deepseek", "・\n")  # the newline is of another stage
def test_windows_are_the_scanner(native: Any, name: str, text: str) -> None:
    regex = PATTERNS[name].regex
    data = text.encode("utf-8", "surrogatepass")
    expected = native.split_with(regex, None, data)
    assert expected == by_regex(name, data)
    for classifier in native.CLASSIFIERS:
        assert native.split_with(regex, classifier, data) == expected


@given(st.sampled_from(NAMES), st.lists(any_bytes, max_size=8).map(b"".join))
@example("cl100k", b"a" * 63 + b"\xe5\xad\x97")
@example("cl100k", b"a" * 62 + b"\xe5\xad")
def test_bytes_that_are_not_text(native: Any, name: str, data: bytes) -> None:
    regex = PATTERNS[name].regex
    expected = native.split_with(regex, None, data)
    assert expected == by_regex(name, data)
    for classifier in native.CLASSIFIERS:
        assert native.split_with(regex, classifier, data) == expected


def test_no_such_classifier(native: Any) -> None:
    with pytest.raises(ValueError, match="no classifier 'mmx'"):
        native.split_with(PATTERNS["r50k"].regex, "mmx", b"")
    assert native.CLASSIFIERS[-1] == "portable"


def test_three_byte_letters_that_need_no_table() -> None:
    """What the window takes for caseless letters without looking them up are caseless letters."""
    from minitok.unicode_classes import class_ranges

    letters = {c for first, last in class_ranges("Lo") for c in range(first, last + 1)}
    assert letters >= set(range(0x5000, 0xA000)) | set(range(0xB000, 0xD000))
