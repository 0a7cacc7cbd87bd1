"""The merges of a vocabulary as a list of pairs, for files that have no other way to say them.

Where merges are implied (every two tokens whose concatenation is a token), most pairs never stand side by side: the
merges inside of a token's bytes, taken alone, always come to the same two symbols before they come to the token.
(This is the argument at the top of `_core/implied_merges.h`.) That pair is the one that is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from minitok.text import characters_of
from minitok.vocabulary import Merge, Vocabulary

__all__ = ["explicit_merges", "is_reached_by_merges", "with_ranks"]


def explicit_merges(vocabulary: Vocabulary) -> Sequence[Merge]:
    """The merges in order of rank; each pair makes its token at a rank of its own.

    Raises:
        ValueError: tokens of equal rank are merged in an order that no list can say.

    >>> tokens = {b"a": 0, b"b": 1, b"ab": 2, b"aab": 3}
    >>> explicit_merges(Vocabulary("x", tokens, None, {}, None))
    [(0, 1, 2), (0, 2, 3)]
    """
    if vocabulary.merges is not None:
        return vocabulary.merges
    rank_of: dict[int, int] | None = None
    if vocabulary.ranks is not None:
        rank_of = dict(zip(sorted(vocabulary.tokens.values()), vocabulary.ranks, strict=True))
        _check_equals(vocabulary, rank_of)
    tokens = vocabulary.tokens
    # Of tokens of equal rank, which are all runs of one character, the longer ones come first: so that a run grows
    # from the left, as it does if the leftmost pair goes first.
    in_order = sorted(tokens, key=lambda t: (tokens[t], 0) if rank_of is None else (rank_of[tokens[t]], -len(t)))
    place_of = {token: place for place, token in enumerate(in_order)}
    merges: list[Merge] = []
    for token in in_order:
        symbols = characters_of(token) if vocabulary.symbols.characters else [bytes([b]) for b in token]
        pair = _last_pair(symbols, place_of)
        if pair is not None:
            merges.append((tokens[pair[0]], tokens[pair[1]], tokens[token]))
    return merges


def is_reached_by_merges(vocabulary: Vocabulary) -> bool:
    """Whether each token is what its bytes merge to, so that it makes no difference if a piece is taken whole."""
    if vocabulary.merges is not None:
        return False  # not known, and hardly ever so
    single = sum(len(token) == 1 for token in vocabulary.tokens)
    return len(explicit_merges(vocabulary)) == len(vocabulary.tokens) - single


def with_ranks(vocabulary: Vocabulary) -> Vocabulary:
    """The same with ranks of its tokens in place of listed merges; as it is, if no ranks imply its merges.

    They do if the merges that make one token stand together in the list, and all are there that the ranks would make
    explicit. Merges beyond those make no difference: their pairs never stand side by side.

    >>> listed = Vocabulary("x", {b"a": 0, b"b": 1, b"aab": 2, b"ab": 3}, [(0, 1, 3), (0, 3, 2)], {}, None)
    >>> with_ranks(listed).ranks, with_ranks(listed).merges
    ((2, 3, 1, 0), None)
    """
    if vocabulary.merges is None:
        return vocabulary
    rank_of: dict[int, int] = {}
    last = -1
    for _, _, merged in vocabulary.merges:
        if merged != last and merged in rank_of:
            return vocabulary
        rank_of.setdefault(merged, len(rank_of))
        last = merged
    # What nothing merges to has no rank that matters.
    ids = sorted(vocabulary.tokens.values())
    for i in ids:
        rank_of.setdefault(i, len(rank_of))
    ranked = replace(vocabulary, merges=None, ranks=tuple(rank_of[i] for i in ids))
    return ranked if set(explicit_merges(ranked)) <= set(vocabulary.merges) else vocabulary


def _last_pair(symbols: list[bytes], place_of: dict[bytes, int]) -> tuple[bytes, bytes] | None:
    """The two symbols that become a token in the end, which begins as these; None if it does not."""
    none = len(place_of)
    places = [place_of.get(a + b, none) if a in place_of and b in place_of else none for a, b in pairwise(symbols)]
    while len(symbols) > 2:
        best = min(places)
        if best == none:
            return None
        i = places.index(best)
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        del places[i]
        for at in (i - 1, i):
            if 0 <= at < len(places):
                places[at] = place_of.get(symbols[at] + symbols[at + 1], none)
    if len(symbols) < 2 or places[0] == none:
        return None
    return symbols[0], symbols[1]


def _check_equals(vocabulary: Vocabulary, rank_of: dict[int, int]) -> None:
    """Equals may only be runs of one character."""
    seen: dict[int, bytes] = {}
    for token, i in vocabulary.tokens.items():
        characters = characters_of(token)
        if len(characters) < 2:
            continue
        other = seen.setdefault(rank_of[i], token)
        if other != token and len({*characters, *characters_of(other)}) > 1:
            raise ValueError(
                f"the tokens {other!r} and {token!r} of {vocabulary.name!r} have the same rank, so that the leftmost "
                "pair merges first: no list of merges can say that"
            )
