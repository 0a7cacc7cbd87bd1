"""Tokens, splices of tokens and pieces of the lengths where code changes its ways: compiled = pure = tiktoken."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitok.patterns import PATTERNS
from tests.agreement import agree
from tests.oracle import PUBLISHED, published_ranks, published_tiktoken, real_text

pytestmark = [pytest.mark.data, pytest.mark.once]  # each test asks both backends

every_encoding = pytest.mark.parametrize("name", sorted(PUBLISHED))

#: Around 15 and 16 bytes (keys), 32 (the second cache), 64 (short merges, masks), 96 and 100 (heaps).
LENGTHS = [*range(14, 18), *range(31, 34), *range(63, 67), *range(95, 102), 127, 128, 129]


@functools.cache
def encoder(module: Any, name: str) -> Any:
    return module.Encoder(published_ranks(name), None, PATTERNS[PUBLISHED[name][0]].regex)


@functools.cache
def tokens_of(name: str) -> list[bytes]:
    return sorted(published_ranks(name))


def same(name: str, data: bytes) -> None:
    """Both backends agree on these bytes, as a text, as one piece and by merges alone; and tiktoken where it can."""

    def everything(module: Any) -> Any:
        e = encoder(module, name)
        ids = e.encode(data)
        assert e.encode(data) == ids  # from the cache
        assert e.count(data) == len(ids)
        return ids, e.encode_piece(data), e.merge_piece(data)

    ids, of_piece, _ = agree(everything)
    theirs = published_tiktoken(name)
    if data:
        assert theirs._encode_single_piece(data) == of_piece
    text = data.decode("utf-8", "ignore")
    if text.encode() == data:
        assert theirs.encode_ordinary(text) == ids


@every_encoding
def test_every_token_as_one_piece_and_as_bytes(name: str) -> None:
    tokens = tokens_of(name)

    def ids(module: Any) -> list[int]:
        e = encoder(module, name)
        assert all(e.encode_piece(token) == [number] for token, number in published_ranks(name).items())
        return [i for token in tokens[::3] for i in [*e.encode(token), -1, *e.merge_piece(token)]]

    agree(ids)


@every_encoding
def test_splices_cut_anywhere(name: str) -> None:
    choose = random.Random(name)
    for _ in range(1500):
        data = b"".join(choose.choices(tokens_of(name), k=choose.randint(1, 14)))
        first, last = sorted(choose.choices(range(len(data) + 1), k=2))
        same(name, data[first:last] if choose.random() < 0.7 else data)


def letters(kind: str, choose: random.Random) -> str:
    """A few hundred letters, and nothing else."""
    if kind == "that merge":
        return "".join(c for c in real_text("english", choose.randrange(10**7), 1200) if c.isalpha())[:300]
    if kind == "that do not":
        return "".join(choose.choices("qxzjvkwQXZJ", k=300))
    if kind == "chinese":
        return "".join(c for c in real_text("chinese", choose.randrange(10**7), 1500) if c.isalpha())[:300]
    if kind == "of many scripts":
        return "".join(c for c in real_text("multilingual", choose.randrange(10**7), 2000) if c.isalpha())[:300]
    return "".join(choose.choices(["a", "the", "é", "字", "ß", "Ж", "𐐀", "ﬁ", "ア", "가"], k=150))


KINDS = ["that merge", "that do not", "chinese", "of many scripts", "mixed"]


@every_encoding
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", ["", " ", "\t"])
def test_pieces_of_certain_lengths(name: str, kind: str, before: str) -> None:
    choose = random.Random(f"{name}{kind}{before}")
    for length in LENGTHS:
        for _ in range(3):
            data = (before + letters(kind, choose)).encode()[:length]
            same(name, data)
            # To the exact length with whole characters, and as one piece of a text among others.
            whole = data.decode("utf-8", "ignore").encode()
            whole += b"e" * (length - len(whole))
            same(name, whole)
            same(name, b"so: " + whole + b" it is\n")


@every_encoding
@given(st.data())
def test_splices(name: str, data: st.DataObject) -> None:
    part = st.one_of(st.sampled_from(tokens_of(name)), st.binary(min_size=1, max_size=4))
    joined = b"".join(data.draw(st.lists(part, max_size=20)))
    same(name, joined[data.draw(st.integers(0, 3)) :])
