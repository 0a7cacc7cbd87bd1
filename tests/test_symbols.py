"""Pieces that begin as characters, and ranks apart from ids: both backends against a naive implementation."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok.formats.space_marks import spaces_pattern
from minitok.symbols import Symbols
from minitok.vocabulary import Vocabulary
from tests.agreement import agree
from tests.strategies import edge_lengths

pytestmark = pytest.mark.once  # each test asks both backends

ALPHABET = ["a", "b", "Z", ".", "1", " ", "é", "字", "典", "鼠", "😀"]
BYTE_IDS = tuple(range(1000, 1256))


@st.composite
def vocabularies(draw: st.DrawFn) -> tuple[dict[bytes, int], tuple[int, ...]]:
    """Tokens that are characters or two tokens joined, and their ranks, with equals."""
    characters = draw(st.lists(st.sampled_from(ALPHABET), min_size=1, unique=True))
    texts = list(characters)
    for left, right in draw(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=14)):
        text = texts[left % len(texts)] + texts[right % len(texts)]
        if text not in texts and len(text) <= 9:
            texts.append(text)
    ids = draw(st.permutations(range(len(texts))))
    most = draw(st.sampled_from([0, 2, 100]))
    ranks = tuple(draw(st.lists(st.integers(0, most), min_size=len(texts), max_size=len(texts))))
    return {text.encode(): i for text, i in zip(texts, ids)}, ranks


def naive(text: str, tokens: dict[bytes, int], ranks: tuple[int, ...], symbols: Symbols) -> list[int]:
    rank_of = {token: ranks[i] for token, i in tokens.items()}
    parts = [c.encode() for c in text]
    while True:
        merges = [(rank_of[a + b], at) for at, (a, b) in enumerate(pairwise(parts)) if a + b in rank_of]
        if not merges:
            break
        _, at = min(merges)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    ids: list[int] = []
    for part in parts:
        if part in tokens:
            ids.append(tokens[part])
        elif symbols.byte_ids is not None:
            ids += [symbols.byte_ids[b] for b in part]
        elif symbols.unknown_id is not None and not (symbols.fuse_unknown and ids[-1:] == [symbols.unknown_id]):
            ids.append(symbols.unknown_id)
    return ids


TEXTS = st.one_of(
    st.lists(st.sampled_from([*ALPHABET, "é", "x", "𝕏", "龜", "\n"]), max_size=40).map("".join),
    st.builds(
        lambda units, n: ("".join(units) * n)[:n],
        st.lists(st.sampled_from([*ALPHABET, "龜"]), min_size=1, max_size=4),
        edge_lengths,
    ),
    st.lists(st.sampled_from(["字典", "鼠", "a", "b", "龜", "é"]), min_size=60, max_size=200).map("".join),
)
KINDS = [Symbols(True, BYTE_IDS), Symbols(True, None, 2000), Symbols(True, None, 2000, fuse_unknown=True)]


@given(vocabularies(), st.lists(TEXTS, max_size=3), st.sampled_from(KINDS), st.booleans())
@example(({b"a": 0, b"aa": 1, b"aaa": 2}, (0, 0, 0)), ["aaaaaaaa"], KINDS[0], True)
@example(({b" ": 0, b"  ": 1, b"   ": 2, b"    ": 3}, (9, 5, 5, 5)), [" " * 70], KINDS[0], True)
@example(({"字".encode(): 0}, (0,)), ["字" + "鼠" * 100 + "字"], KINDS[1], False)
def test_characters(
    vocabulary: tuple[dict[bytes, int], tuple[int, ...]], texts: list[str], symbols: Symbols, cut: bool
) -> None:
    tokens, ranks = vocabulary
    pattern = spaces_pattern(tokens) if cut else None
    if symbols.fuse_unknown:  # that is done above the backends
        made = Vocabulary("x", tokens, None, {}, pattern, False, ranks=ranks, symbols=symbols)
        enc = minitok.Encoding.from_vocabulary(made)
        assert enc.encode_ordinary_batch(texts) == [naive(text, tokens, ranks, symbols) for text in texts]
        return

    def encode(module: object) -> list[list[int]]:
        encoder = module.Encoder(tokens, None, pattern, False, symbols, ranks)  # type: ignore[attr-defined]
        return [encoder.encode(text) for text in texts for _ in range(2)]

    agree(encode, lambda: [naive(text, tokens, ranks, symbols) for text in texts for _ in range(2)])


@given(vocabularies(), TEXTS)
def test_ranks_of_bytes(vocabulary: tuple[dict[bytes, int], tuple[int, ...]], text: str) -> None:
    """Ranks apart from ids where pieces begin as bytes: as merges of characters, for texts that are ASCII."""
    tokens, ranks = vocabulary
    kept = sorted((i, token) for token, i in tokens.items() if token.isascii())
    ascii_tokens = {token: place for place, (_, token) in enumerate(kept)}
    ascii_ranks = tuple(ranks[i] for i, _ in kept)
    if not kept:
        return
    text = "".join(c for c in text if c.isascii() and c.encode() in ascii_tokens)

    def encode(module: object) -> list[int]:
        encoder = module.Encoder(ascii_tokens, None, None, False, Symbols(), ascii_ranks)  # type: ignore[attr-defined]
        result: list[int] = encoder.encode(text)
        return result

    agree(encode, lambda: naive(text, ascii_tokens, ascii_ranks, KINDS[0]))


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_pieces_and_limits(limit: int) -> None:
    tokens = {b"a": 0, b"b": 1, b"ab": 2, b" a": 3, b" ": 4}

    def calls(module: object) -> object:
        encoder = module.Encoder(tokens, None, None, False, KINDS[0], (0, 0, 1, 0, 0))  # type: ignore[attr-defined]
        pieces = [b"ab", b"x", "字".encode(), b"ab" * 100, b""]
        assert encoder.encode("abab a" * 4, limit)[: limit + 1] == encoder.encode("abab a" * 4)[: limit + 1]
        return (
            encoder.encode_pieces(pieces),
            encoder.encode_piece(b"ab"),
            encoder.merge_piece(b"ab"),
            encoder.count("abx"),
        )

    agree(calls)
    with pytest.raises(ValueError, match="expected 256"):
        Symbols(True, (1, 2))
    with pytest.raises(ValueError, match="would be lost"):
        Symbols(True)
    with pytest.raises(ValueError, match="begin as bytes"):
        Symbols(True, BYTE_IDS, end_of_word="</w>")


def test_what_a_vocabulary_checks() -> None:
    tokens = {b"a": 0, b"b": 1}
    for arguments, message in (
        ({"ranks": (0,)}, "has 2 tokens, but 1 ranks"),
        ({"ranks": (0, -1)}, "ranks are numbers"),
        ({"ranks": (0, 1), "merges": []}, "has merges and ranks"),
        ({"splits": (minitok.splits.Split("a"),), "pattern": "a"}, "has a pattern and splits"),
        ({"only_decoded": {-1: b""}}, "an id is -1"),
        ({"tokens": {b"\xe5": 0}, "symbols": KINDS[0]}, "is not UTF-8"),
    ):
        options = {"tokens": tokens, "merges": None, "special_tokens": {}, "pattern": None, **arguments}
        with pytest.raises(ValueError, match=message):
            Vocabulary("x", **options)  # type: ignore[arg-type]
