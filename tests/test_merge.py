"""Merging: reference, pure and compiled agree."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records
from tests import reference
from tests.agreement import agree, agree_to_raise
from tests.strategies import any_bytes, low_entropy_bytes, merge_lists, rank_files, runs, surrogate_text, texts

pytestmark = pytest.mark.once  # each test asks both backends

BYTES = {bytes([b]): b for b in range(256)}


def ranks_of(*tokens: str) -> dict[bytes, int]:
    return BYTES | {token.encode(): 256 + i for i, token in enumerate(tokens)}


@pytest.mark.parametrize(
    ("tokens", "piece", "expected"),
    [
        ((), "", []),
        ((), "a", ["a"]),
        (("ab", "bc", "abc"), "abcbc", ["abc", "bc"]),
        (("aa",), "aaa", ["aa", "a"]),
        (("aa",), "aaaaa", ["aa", "aa", "a"]),
        (("aa", "aaaa"), "aaaaaaa", ["aaaa", "aa", "a"]),
        (("bc", "ab"), "abc", ["a", "bc"]),
        (("aa", "ab", "aaab"), "aaabdaaabac", ["aaab", "d", "aaab", "a", "c"]),
        (("abcd",), "abcd", ["abcd"]),  # whole, although no merge makes it
        (("abcd",), "abcdabcd", list("abcdabcd")),
    ],
)
def test_examples(tokens: tuple[str, ...], piece: str, expected: list[str]) -> None:
    ranks = ranks_of(*tokens)
    ids = agree(
        lambda m: m.Encoder(ranks, None, None).encode_piece(piece.encode()),
        lambda: reference.merge_piece(piece.encode(), ranks),
    )
    assert ids == [ranks[token.encode()] for token in expected]


@given(rank_files(), st.one_of(low_entropy_bytes, any_bytes), st.booleans())
def test_rank_files(ranks: dict[bytes, int], piece: bytes, whole_piece: bool) -> None:
    agree(
        lambda m: m.Encoder(ranks, None, None, whole_piece).encode_piece(piece),
        lambda: reference.merge_piece(piece, ranks, whole_piece=whole_piece),
    )
    agree(
        lambda m: m.Encoder(ranks, None, None, whole_piece).merge_piece(piece),
        lambda: reference.merge_piece(piece, ranks, whole_piece=False),
    )


@given(merge_lists(), low_entropy_bytes)
def test_merge_lists(vocabulary: tuple[dict[bytes, int], list[tuple[int, int, int]]], piece: bytes) -> None:
    ids, merges = vocabulary
    agree(
        lambda m: m.Encoder(ids, merges, None, False).encode_piece(piece),
        lambda: reference.merge_piece_by_list(piece, {b: b for b in range(256)}, merges),
    )


@given(rank_files(all_bytes=False), low_entropy_bytes)
@example({b"a": 0}, b"ab")
@example({b"ab": 0}, b"abab")  # no token is a single byte, and yet all merges
def test_missing_bytes(ranks: dict[bytes, int], piece: bytes) -> None:
    def plain() -> list[int]:
        try:
            return reference.merge_piece(piece, ranks)
        except KeyError:
            return []

    expected = plain()
    if expected or not piece:
        assert agree(lambda m: m.Encoder(ranks, None, None).encode_piece(piece)) == expected
    else:
        kind, message = agree_to_raise(lambda m: m.Encoder(ranks, None, None).encode_piece(piece))
        assert kind == "ValueError"
        assert "no token for the byte 0x" in message


PATTERN_CHOICES = st.sampled_from(
    [*(PATTERNS[n].regex for n in ("r50k", "cl100k", "o200k")), None, r"\w+", r"a|(b)|\s*"]
)


@given(rank_files(), PATTERN_CHOICES, st.one_of(texts, any_bytes, surrogate_text), st.integers(0, 5))
@example(BYTES, r"\w+", "a b", 0)
@example(BYTES, None, b"\xff", 1)
@example(BYTES, PATTERNS["cl100k"].regex, "a b\ud83d", 0)  # the place of the surrogate is that in the whole text
@example(BYTES, r"\w+", "a b\ud83d", 0)
def test_encoder(ranks: dict[bytes, int], pattern: str | None, text: str | bytes, limit: int) -> None:
    def everything(module: Any) -> Any:
        encoder = module.Encoder(ranks, None, pattern)
        ids = encoder.encode(text)
        assert encoder.encode(text) == ids  # from the cache
        assert encoder.count(text) == encoder.count(text) == len(ids)
        assert memoryview(encoder.encode_uint32(text)).cast("I").tolist() == ids
        some = encoder.encode(text, limit)
        assert some == ids[: len(some)]
        assert len(some) == len(ids) or len(some) > limit
        assert (encoder.count(text, limit) > limit) == (len(ids) > limit)
        pieces = encoder.split(text)
        assert b"".join(pieces) == (text.encode() if isinstance(text, str) else text)
        return pieces, ids

    try:
        text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        assert agree_to_raise(everything)[0] == "UnicodeEncodeError"
        return
    pieces, ids = agree(everything)
    assert ids == [i for piece in pieces for i in reference.merge_piece(piece, ranks)]


def test_more_pieces_than_are_remembered(native: Any) -> None:
    """Tables double while pieces come again, and then forget; pieces of 2 to 25 letters, with as many ids or 1."""
    letters = str.maketrans("0123456789", "abcdefghij")
    words = [(f" {number}" + str(number) * (number % 4)).translate(letters) for number in range(700_000)]
    encoder = native.Encoder(ranks_of(*words[500:900]), None, PATTERNS["r50k"].regex)
    for end in (1000, 30_000, 250_000, 700_000):
        part = "".join(words[:end])
        ids = len(part) - len("".join(words[500:900])) + 400
        assert len(encoder.encode(part)) == encoder.count(part) == encoder.count(part) == ids
        assert encoder.count("".join(words[500:900])) == 400


@given(any_bytes, PATTERN_CHOICES)
def test_bytes_that_are_text_encode_like_it(data: bytes, pattern: str | None) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    agree(
        lambda m: m.Encoder(BYTES, None, pattern).split(data),
        lambda: agree(lambda m: m.Encoder(BYTES, None, pattern).split(text)),
    )


def test_a_byte_that_is_not_text_does_not_pass_for_a_surrogate() -> None:
    """The pure cache is keyed by str, where such a byte looks like a lone surrogate."""

    def both(module: Any) -> Any:
        encoder = module.Encoder(BYTES, None, PATTERNS["cl100k"].regex)
        assert encoder.encode(b"\x80") == [0x80]
        return encoder.encode("\udc80")

    assert agree_to_raise(both)[0] == "UnicodeEncodeError"


@given(runs)
def test_long_pieces(run: str) -> None:
    ranks = ranks_of("aa", "ab", "aaaa", "ba", "abab", "^^", "  ", "    ")
    agree(lambda m: m.Encoder(ranks, None, None).encode(run), lambda: reference.merge_piece(run.encode(), ranks))


#: What may merge before or across the borders of one character of three bytes, whose neighbours are "a" and itself.
AROUND = [
    b"\xe5\xad",
    b"\xad\x97",
    b"\x97a",
    b"\xad\x97a",
    b"a\xe5",
    b"a\xe5\xad",
    b"\x97\xe5",
    b"\x97\xe5\xad",
    "字a".encode(),
]


@pytest.mark.parametrize("place", range(4))
def test_characters_that_begin_as_one_symbol(place: int) -> None:
    """Every order of three tokens around a character, which is a token itself."""
    for others in itertools.permutations(AROUND, 3):
        tokens = [*others[:place], "字".encode(), *others[place:]]
        ranks = BYTES | {token: 256 + i for i, token in enumerate(tokens)}
        pieces = [text.encode() for text in ("a字a", "字字a字", " 字a字字")]
        agree(
            lambda m: list(map(m.Encoder(ranks, None, None).merge_piece, pieces)),
            lambda: [reference.merge_piece(piece, ranks, whole_piece=False) for piece in pieces],
        )


def test_a_million_letters() -> None:
    """In one piece; what is quadratic never ends."""
    ranks = ranks_of("aa", "aaaa", "a" * 8)
    ids = agree(lambda m: m.Encoder(ranks, None, None).encode("a" * 200_001))
    assert ids == [258] * 25_000 + [ord("a")]


@pytest.mark.parametrize(("first", "step"), [(0, 1), (3_000_000_000, 1), (255, -1)])
def test_any_ids(first: int, step: int) -> None:
    ranks = {bytes([b]): first + step * b for b in range(256)} | {b"ab": 4_000_000_000}
    assert agree(lambda m: m.Encoder(ranks, None, None).encode("cab")) == [first + step * ord("c"), 4_000_000_000]


@given(st.lists(st.one_of(texts), max_size=4), PATTERN_CHOICES)
def test_piece_counter(documents: list[str], pattern: str | None) -> None:
    def whole(module: Any) -> dict[bytes, int]:
        counter = module.PieceCounter(pattern)
        for document in documents:
            counter.feed(document)
        counts: dict[bytes, int] = counter.counts()
        assert len(counter) == len(counts)
        merged = module.PieceCounter(pattern)
        for document in reversed(documents):
            part = module.PieceCounter(pattern)
            part.feed(document)
            merged.merge(part)
            assert len(part) == 0
        assert merged.counts() == counts
        return counts

    counts = agree(whole)
    assert sum(len(piece) * count for piece, count in counts.items()) == sum(len(d.encode()) for d in documents)


def test_piece_counter_adds_pieces_and_refuses_too_many() -> None:
    def add(module: Any) -> dict[bytes, int]:
        counter = module.PieceCounter(r"\w+")
        counter.add(["a", "b", "a"])
        counter.add_records(pack_records([(b"a", 2**63 - 3)]))
        counts: dict[bytes, int] = counter.counts()
        return counts

    def too_many(module: Any) -> None:
        counter = module.PieceCounter(None)
        counter.add_records(pack_records([(b"a", 2**62)]), 2)

    assert agree(add) == {b"a": 2**63 - 1, b"b": 1}
    assert agree_to_raise(too_many)[0] == "ValueError"
