"""Every code point is cut alike by the scanner, by the plain specification and by tiktoken."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest

from minitok.patterns import PATTERNS
from tests.agreement import agree
from tests.conftest import examples
from tests.pieces import BYTES, TIKTOKEN_NAMES, ask_tiktoken, class_strings, random_class_strings
from tests.strategies import CLASS_CHARACTERS

pytestmark = pytest.mark.once  # each test asks both backends

#: Texts that share one vocabulary of tiktoken's.
BATCH = 0x1000


@functools.cache
def encoder(module: Any, pattern: str) -> Any:
    return module.Encoder(BYTES, None, PATTERNS[pattern].regex)


def check(pattern: str, texts: list[str]) -> None:
    """Both backends and tiktoken cut these texts alike."""
    ask_tiktoken(pattern, texts, agree(lambda m: [encoder(m, pattern).split(text) for text in texts]))


every_pattern = pytest.mark.parametrize("pattern", TIKTOKEN_NAMES)


@every_pattern
def test_every_code_point(pattern: str) -> None:
    for first in examples(range(0, 0x110000, BATCH)):
        points = [c for c in range(first, first + BATCH) if not 0xD800 <= c <= 0xDFFF]
        check(pattern, [f"a{chr(c)}b 1{chr(c)}2 {chr(c)}{chr(c)}\n{chr(c)}" for c in points])


@every_pattern
def test_every_short_string_of_classes(pattern: str) -> None:
    check(pattern, list(class_strings(pattern, 3)))


@every_pattern
def test_some_longer_strings_of_classes(pattern: str) -> None:
    """`python -m tests.pieces` asks for all, up to 6 characters."""
    check(pattern, list(random_class_strings(pattern, 10_000, 4, 8)))


@every_pattern
def test_pairs_of_all_representatives(pattern: str) -> None:
    check(pattern, [f"{a}{b}{a} {b}" for a, b in itertools.product(CLASS_CHARACTERS, repeat=2)])
