"""Where the core takes a shortcut through the merges: sure pairs, borders of characters, blocks, runs, kept pieces.

Each is exact only under conditions that it finds out from the vocabulary; so the vocabularies here are small, odd,
and made of parts of the texts that they meet.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.agreement import agree
from tests.reference import merge_piece

pytestmark = pytest.mark.once  # each test asks both backends

#: Characters of three bytes that share their first two, their last, or nothing; of two and four; ASCII.
CHARACTERS = ["一", "丁", "中", "怀", "é", "è", "😀", "a", "b", " "]


def parts_of(text: bytes, chance: random.Random, count: int) -> list[bytes]:
    """Some of the pieces that a text can be cut into, of two bytes or more."""
    cuts = [sorted(chance.sample(range(len(text) + 1), 2)) for _ in range(count)] if len(text) > 1 else []
    return [text[a:b] for a, b in cuts if 2 <= b - a <= 12]


def rank_file(tokens: Sequence[bytes], chance: random.Random) -> dict[bytes, int]:
    """Bytes and tokens in an order that is sometimes that of a trained vocabulary, sometimes none."""
    singles = [bytes([b]) for b in range(256)]
    several = list(dict.fromkeys(tokens))
    if chance.random() < 0.5:
        several.sort(key=lambda token: (len(token), token))
    everything = singles + several
    if chance.random() < 0.3:
        chance.shuffle(everything)
    return {token: i for i, token in enumerate(everything)}


#: For longer pieces the reference takes too long.
SHORT = 650


def same_merges(ranks: dict[bytes, int], piece: bytes) -> None:
    """Both backends merge a piece alike, and like the reference."""
    ids = agree(lambda module: module.Encoder(ranks, None, None).merge_piece(piece))
    if len(piece) <= SHORT:
        assert ids == merge_piece(piece, ranks, whole_piece=False)


@given(
    st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=14).map("".join),
    st.integers(0, 10),
    st.integers(0, 2**32),
)
@example("一丁", 10, 0)
def test_borders_of_characters(text: str, count: int, seed: int) -> None:
    """Tokens that begin or end inside of characters, and go across their borders."""
    chance = random.Random(seed)
    piece = text.encode()
    ranks = rank_file(parts_of(piece * 2, chance, count), chance)
    same_merges(ranks, piece)


@given(st.text("abc", min_size=2, max_size=20), st.integers(0, 12), st.integers(0, 2**32))
def test_sure_pairs(text: str, count: int, seed: int) -> None:
    chance = random.Random(seed)
    piece = text.encode()
    ranks = rank_file(parts_of(piece * 2, chance, count), chance)
    same_merges(ranks, piece)


@given(
    st.sampled_from(["a", "ab", "abc", "ab ", "字a"]),
    st.sampled_from([64, 65, 66, 95, 96, 97, 143, 144, 145, 200, 700]),
    st.integers(0, 12),
    st.integers(0, 2**32),
)
@example("a", 1000, 3, 1)
def test_blocks(alphabet: str, length: int, count: int, seed: int) -> None:
    """Long pieces; also those that repeat themselves, whose blocks hardly ever fit together as they are."""
    chance = random.Random(seed)
    unit = "".join(chance.choices(alphabet, k=chance.choice([1, 2, 5, length])))
    piece = (unit * length)[:length].encode()
    ranks = rank_file(parts_of(piece[:40], chance, count), chance)
    same_merges(ranks, piece)


@pytest.mark.parametrize("sizes", [(2,), (3,), (2, 4, 8), (2, 3, 5, 7), (4, 5), (12,)])
@pytest.mark.parametrize("length", [520, 607, 608, 609, 640, 5000])
def test_runs(sizes: tuple[int, ...], length: int) -> None:
    ranks = {bytes([b]): b for b in range(256)} | {b"a" * size: 256 + i for i, size in enumerate(sizes)}
    for piece in (b"a" * length, b"a" * length + b"b", b"b" + b"a" * length):
        same_merges(ranks, piece)


def test_kept_pieces_are_the_same_when_the_tables_grow() -> None:
    """More distinct pieces than the tables begin with, of all lengths, met again and again."""
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefgh", k=chance.randint(1, 40))) for _ in range(12_000)]
    text = " ".join(chance.choices(words, k=60_000))
    ranks = {bytes([b]): b for b in range(256)}
    for i, pair in enumerate(("ab", "cd", "ef", "gh", "abcd", " a", " b", "efgh")):
        ranks[pair.encode()] = 256 + i

    def encode(module: Any) -> tuple[list[int], list[int], int]:
        encoder = module.Encoder(ranks, None, r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+")
        return encoder.encode(text), encoder.encode(text), encoder.count(text)

    first, again, count = agree(encode)
    assert first == again
    assert count == len(first)


def test_named_patterns_over_many_distinct_pieces() -> None:
    from minitok.patterns import PATTERNS

    chance = random.Random(6)
    words = ["".join(chance.choices("abcdefgh字中é", k=chance.randint(1, 24))) for _ in range(12_000)]
    text = " ".join(chance.choices(words, k=60_000))
    ranks = rank_file(parts_of(text[:4000].encode(), chance, 300), chance)
    for name in ("r50k", "cl100k", "o200k"):
        first, again, count = agree(
            lambda module, name=name: (  # type: ignore[misc]
                (encoder := module.Encoder(ranks, None, PATTERNS[name].regex)).encode(text),
                encoder.encode(text),
                encoder.count(text),
            )
        )
        assert first == again
        assert count == len(first)
