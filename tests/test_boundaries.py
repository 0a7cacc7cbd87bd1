"""Where a text may be cut: the ids of the parts are those of the whole, at every place that is called safe."""

from __future__ import annotations

import functools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import _backend
from minitok.patterns import NUMBER_BOUNDARY, PATTERNS, SAFE_BOUNDARY
from minitok.pretokenizer import bytes_of, text_of
from minitok.unicode_classes import pin_classes
from tests.oracle import TEXTS, real_text
from tests.pieces import NAMES, random_class_strings
from tests.strategies import any_bytes, class_text, texts

BOUNDARY = re.compile(
    "|".join(f"{pin_classes(before)}(?={pin_classes(behind)})" for before, behind in (SAFE_BOUNDARY, NUMBER_BOUNDARY))
)


@functools.cache
def _encoder(name: str, backend: str) -> _backend.Encoder:
    vocabulary = minitok.get_encoding("minitok_32k").vocabulary
    return _backend.Encoder(vocabulary.tokens, vocabulary.merges, PATTERNS[name].regex)


def encoder(name: str) -> _backend.Encoder:
    return _encoder(name, _backend.BACKEND)


def safe_places(text: str) -> list[int]:
    return [found.end() for found in BOUNDARY.finditer(text)]


def check_every_place(name: str, text: str | bytes) -> None:
    """Cut a text in two at each safe place."""
    encode, split = encoder(name).encode, encoder(name).split
    ids, pieces = encode(text), split(text)
    escaped = text_of(text)
    for place in safe_places(escaped):
        first, rest = escaped[:place], escaped[place:]
        if isinstance(text, bytes):
            assert encode(bytes_of(first)) + encode(bytes_of(rest)) == ids, (first, rest)
        else:
            assert encode(first) + encode(rest) == ids, (first, rest)
            assert split(first) + split(rest) == pieces, (first, rest)


def check_all_places(name: str, text: str) -> int:
    """Cut a text at all safe places at once; how many there are."""
    places = safe_places(text)
    split = encoder(name).split
    pieces = [piece for a, b in zip([0, *places], [*places, len(text)]) for piece in split(text[a:b])]
    assert pieces == split(text)
    return len(places)


@given(st.sampled_from(NAMES), st.lists(st.one_of(texts, class_text), max_size=5).map("".join))
@example("cl100k", "'l ll 'll a'l\n'ſ '")
@example("o200k", "Aʰ'sB ʰ'll,a\n\u0301/a//")
@example("deepseek", "ア・a・字1ー\u3097a\u3097ア \x01a\x01 ")
def test_text(name: str, text: str) -> None:
    check_every_place(name, text)
    check_all_places(name, text)


@given(st.sampled_from(NAMES), st.lists(any_bytes, max_size=5).map(b"".join))
@example("cl100k", b"a\x80b\xc3\xa9\xff \xe5\xad\x97\xe5")
def test_bytes(name: str, data: bytes) -> None:
    check_every_place(name, data)


@pytest.mark.parametrize("name", NAMES)
def test_strings_of_classes(name: str) -> None:
    count = 3000 if minitok.BACKEND == "native" else 600
    assert sum(check_all_places(name, text) for text in random_class_strings(name, count, 6, 40)) > count
    for text in random_class_strings(name, count, 6, 12):
        check_every_place(name, text)


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text_name", TEXTS)
def test_real_text(name: str, text_name: str) -> None:
    check_every_place(name, real_text(text_name, 5_000_000, 2500))
    assert check_all_places(name, real_text(text_name, 6_000_000, 100_000)) > 500


def test_the_boundaries_between_threads() -> None:
    """With as many threads as there are characters, each place is where a part may end."""
    for name in NAMES:
        for text in random_class_strings(name, 150, 8, 24):
            ids = encoder(name).encode(text)
            assert encoder(name).encode(text, None, len(text)) == ids
            assert encoder(name).encode(text.encode(), None, len(text.encode())) == ids
