"""Splitting 64 bytes at a time gives the pieces of the scanner, and those of the regular expression.

For each pattern and each way to classify characters that this machine has. Every class-string up to a length is
tried alone, and behind as much text as moves it across the end of a window.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.patterns import PATTERNS
from tests.pieces import NAMES, check_splitters, class_strings, random_class_strings
from tests.strategies import CLASS_CHARACTERS, any_bytes, class_text, texts

#: Up to this length all strings of representatives are tried; `python -m tests.pieces` goes to 6.
LENGTH = int(os.environ.get("MINITOK_CLASS_STRINGS", "4"))
SAMPLED = 20_000


@pytest.mark.parametrize("name", NAMES)
def test_class_strings(native: Any, name: str) -> None:
    check_splitters(native, name, class_strings(name, LENGTH))
    check_splitters(native, name, random_class_strings(name, SAMPLED, LENGTH + 1, 8))


@pytest.mark.parametrize("name", NAMES)
def test_class_strings_at_the_end_of_a_window(native: Any, name: str) -> None:
    """One long text for each shift, so that windows end everywhere in the strings."""
    rng = random.Random(2)
    for filler in ("x", "x ", "Xx. ", "字", "é ", "  \n"):
        for shift in range(0, 70, 3 if LENGTH < 5 else 1):
            parts = ["".join(rng.choices(CLASS_CHARACTERS, k=rng.randint(1, 9))) for _ in range(40)]
            check_splitters(native, name, ["".join(filler * shift + part for part in parts)])


@given(st.sampled_from(NAMES), st.lists(st.one_of(texts, class_text), max_size=12).map("".join))
@example("o200k", "x" * 60 + "'s's't'T'll'LL")
@example("r50k", "father's knee")  # the letter behind an apostrophe began a piece
@example("cl100k", "a" * 62 + "'ſb")
@example("o200k", "ab中CD中CDe ab.\n\n/x")
@example("deepseek", "・\n")  # the newline is of another stage
def test_windows_are_the_scanner(native: Any, name: str, text: str) -> None:
    check_splitters(native, name, [text.encode("utf-8", "surrogatepass")])


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("spaces")])
def test_pieces_longer_than_a_window(native: Any, name: str) -> None:
    """With each length up to a few windows, and each kind of end: a space, a letter, a sign, none."""
    for length in range(1, 220):
        for filler, ends in (("字", (" ", "a", ".", "")), ("a", (" ", ".", "字", "")), (" ", ("a", ".", "字", ""))):
            texts = [f"{before}{filler * length}{end}. b" for before in ("", "  ") for end in ends]
            check_splitters(native, name, texts)


def test_time_without_spaces(native: Any) -> None:
    """A search for the next space from each piece on would take minutes."""
    text = (b"x" * 70 + b"," + b"y" * 70 + b";") * 60_000
    for classifier in (None, *native.CLASSIFIERS):
        assert len(native.split_with(PATTERNS["spaces_signs"].regex, classifier, text)) == 60_000 * 4


@given(st.sampled_from(NAMES), st.lists(any_bytes, max_size=8).map(b"".join))
@example("cl100k", b"a" * 63 + b"\xe5\xad\x97")
@example("cl100k", b"a" * 62 + b"\xe5\xad")
def test_bytes_that_are_not_text(native: Any, name: str, data: bytes) -> None:
    check_splitters(native, name, [data])


def test_no_such_classifier(native: Any) -> None:
    with pytest.raises(ValueError, match="no classifier 'mmx'"):
        native.split_with(PATTERNS["r50k"].regex, "mmx", b"")
    assert native.CLASSIFIERS[-1] == "portable"


def test_three_byte_letters_that_need_no_table() -> None:
    """What the window takes for caseless letters without looking them up are caseless letters."""
    from minitok.unicode_classes import class_ranges

    letters = {c for first, last in class_ranges("Lo") for c in range(first, last + 1)}
    assert letters >= set(range(0x5000, 0xA000)) | set(range(0xB000, 0xD000))
