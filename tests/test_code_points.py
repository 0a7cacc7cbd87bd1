"""Every code point is cut alike by the scanner, by the plain specification and by tiktoken."""

from __future__ import annotations

import functools
import itertools
from itertools import pairwise
from typing import Any

import pytest
import tiktoken

from minitok.patterns import PATTERNS
from tests.agreement import agree
from tests.strategies import CLASS_CHARACTERS

#: Texts that share one vocabulary of tiktoken's.
BATCH = 0x1000

#: What tiktoken has confirmed already; it need not be asked again for the other backend.
confirmed: dict[tuple[str, str], list[list[bytes]]] = {}

BYTES = {bytes([b]): b for b in range(256)}


@functools.cache
def encoder(module: Any, pattern: str) -> Any:
    return module.Encoder(BYTES, None, PATTERNS[pattern].regex)


def check(pattern: str, texts: list[str]) -> None:
    """Both backends and tiktoken cut these texts alike."""
    pieces = agree(lambda m: [encoder(m, pattern).split(text) for text in texts])
    key = (pattern, texts[0])
    if confirmed.get(key) != pieces:
        ask_tiktoken(pattern, texts, pieces)
        confirmed[key] = pieces


def ask_tiktoken(pattern: str, texts: list[str], pieces: list[list[bytes]]) -> None:
    """Make tiktoken's pieces visible in its ids.

    The vocabulary has each piece that we expect, and each two of them that are neighbours, as tokens. A piece that
    tiktoken cuts as we do is that token, whole. One that it cuts smaller gives other tokens. One that it cuts larger
    is two of ours, which is a token too; or more than two: then, if merges make ours at all, they go on to make two
    of them, and if not, ours do not occur.
    """
    tokens = dict(BYTES)
    for text_pieces in pieces:
        for piece in text_pieces:
            tokens.setdefault(piece, len(tokens))
        for left, right in pairwise(text_pieces):
            tokens.setdefault(left + right, len(tokens))
    theirs = tiktoken.Encoding(pattern, pat_str=PATTERNS[pattern].regex, mergeable_ranks=tokens, special_tokens={})
    for text, text_pieces in zip(texts, pieces, strict=True):
        ids = theirs.encode_ordinary(text)
        assert ids == [tokens[piece] for piece in text_pieces], (text, text_pieces, theirs.decode_tokens_bytes(ids))


every_pattern = pytest.mark.parametrize("pattern", ["r50k", "cl100k", "o200k"])


@every_pattern
def test_every_code_point(pattern: str) -> None:
    for first in range(0, 0x110000, BATCH):
        points = [c for c in range(first, first + BATCH) if not 0xD800 <= c <= 0xDFFF]
        check(pattern, [f"a{chr(c)}b 1{chr(c)}2 {chr(c)}{chr(c)}\n{chr(c)}" for c in points])


#: One of each class, and those characters that patterns name.
REPRESENTATIVES = ["a", "A", "ʰ", "\u0301", "1", " ", "\n", "\t", "'", "s", "l", "!", "/", "字", "ſ"]


@every_pattern
def test_every_short_string_of_classes(pattern: str) -> None:
    for length in (1, 2, 3):
        check(pattern, ["".join(chars) for chars in itertools.product(REPRESENTATIVES, repeat=length)])


@every_pattern
def test_pairs_of_all_representatives(pattern: str) -> None:
    check(pattern, [f"{a}{b}{a} {b}" for a, b in itertools.product(CLASS_CHARACTERS, repeat=2)])
