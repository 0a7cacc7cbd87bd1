"""Where a text may be cut: the ids of the parts are those of the whole, at every place that is called safe."""

from __future__ import annotations

import functools
import re
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import _backend
from minitok.patterns import PATTERNS
from minitok.pretokenizer import bytes_of, text_of
from minitok.unicode_classes import pin_classes
from tests.oracle import TEXTS, real_text
from tests.pieces import BYTES, MORE, NAMES, STAGED, random_class_strings, representatives
from tests.strategies import any_bytes, class_text, texts

#: Characters of a str that the core turns to UTF-8 at once.
STRETCH = 1 << 14
#: What makes a place safe or not: the classes of boundaries, and contractions.
NEIGHBOURS = ["a", "A", "字", "\u0301", "1", " ", "\n", "'", "s"]


@functools.cache
def boundary(name: str) -> re.Pattern[str]:
    """Where a pattern may be cut."""
    sides = PATTERNS[name].boundaries
    return re.compile("|".join(f"{pin_classes(before)}(?={pin_classes(behind)})" for before, behind in sides))


@functools.cache
def _encoder(name: str, backend: str) -> _backend.Encoder:
    """One whose ids tell where pieces end: any two characters that are not cut apart become one token.

    First the characters, then a letter and what may stand behind a safe boundary, then all other pairs.
    """
    characters = [*dict.fromkeys([*representatives(name), *MORE, *NEIGHBOURS, *" bce.,"])]
    pairs = sorted(map("".join, product(characters, repeat=2)), key=lambda pair: not boundary(name).match(pair))
    tokens = [
        *BYTES,
        *(c.encode()[:length] for c in characters for length in (2, 3, 4)),
        *(p.encode() for p in pairs),
    ]
    return _backend.Encoder(
        {token: i for i, token in enumerate(dict.fromkeys(tokens))}, None, PATTERNS[name].regex, False
    )


def encoder(name: str) -> _backend.Encoder:
    return _encoder(name, _backend.BACKEND)


def safe_places(name: str, text: str) -> list[int]:
    return [found.end() for found in boundary(name).finditer(text)]


def check_every_place(name: str, text: str | bytes) -> None:
    """Cut a text in two at each safe place."""
    encode, split = encoder(name).encode, encoder(name).split
    ids, pieces = encode(text), split(text)
    escaped = text_of(text)
    for place in safe_places(name, escaped):
        first, rest = escaped[:place], escaped[place:]
        if isinstance(text, bytes):
            assert encode(bytes_of(first)) + encode(bytes_of(rest)) == ids, (first, rest)
        else:
            assert encode(first) + encode(rest) == ids, (first, rest)
            assert split(first) + split(rest) == pieces, (first, rest)


def check_all_places(name: str, text: str) -> int:
    """Cut a text at all safe places at once; how many there are."""
    places = safe_places(name, text)
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
    assert sum(check_all_places(name, text) for text in random_class_strings(name, count, 6, 40)) > count // 8
    for text in random_class_strings(name, count, 6, 12):
        check_every_place(name, text)


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text_name", TEXTS)
def test_real_text(name: str, text_name: str) -> None:
    check_every_place(name, real_text(text_name, 5_000_000, 2500))
    assert check_all_places(name, real_text(text_name, 6_000_000, 100_000)) > (
        100 if name.startswith("spaces") else 500
    )


def neighbourhoods(name: str) -> list[str]:
    """Every three of them."""
    return [
        "".join(STAGED.get(c, c) if name == "deepseek" else c for c in cs) for cs in product(NEIGHBOURS, repeat=3)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_boundaries_between_threads(native: Any, name: str) -> None:
    """With as many threads as there are characters, each place is where a part may end."""
    encode = encoder(name).encode
    for near in neighbourhoods(name):
        text = f"b {near}b"
        ids = encode(text)
        assert encode(text, None, len(text)) == ids, text
        data = text.encode()
        assert encode(data, None, len(data)) == ids, text


@pytest.mark.parametrize("name", NAMES)
def test_the_boundaries_between_stretches(native: Any, name: str) -> None:
    """A str that is not ASCII is encoded a stretch at a time: each place near the end of one is where it may end."""
    encode = encoder(name).encode
    for number, near in enumerate(neighbourhoods(name)):
        before = STRETCH - 1 - number % 4
        text = "é" + "b " * (before // 2) + "b" * (before % 2) + near + "b b"
        assert encode(text) == encode(text.encode()), near
