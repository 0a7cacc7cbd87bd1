"""A third implementation of byte-pair encoding, too plain to be wrong: everything is recounted at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise


def merge_piece(piece: bytes, ranks: Mapping[bytes, int], *, whole_piece: bool = True) -> list[int]:
    """The ids of a piece in a rank file: merge the adjacent pair whose concatenation has the lowest rank."""
    if whole_piece and piece in ranks:
        return [ranks[piece]]
    parts = [bytes([b]) for b in piece]
    while True:
        candidates = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not candidates:
            return [ranks[part] for part in parts]
        _, i = min(candidates)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def merge_piece_by_list(
    piece: bytes, byte_ids: Mapping[int, int], merges: Sequence[tuple[int, int, int]]
) -> list[int]:
    """The ids of a piece where merges are listed in rank order."""
    ids = [byte_ids[b] for b in piece]
    while True:
        candidates = [
            (rank, i, new)
            for i, pair in enumerate(pairwise(ids))
            for rank, (left, right, new) in enumerate(merges)
            if pair == (left, right)
        ]
        if not candidates:
            return ids
        _, i, new = min(candidates)
        ids[i : i + 2] = [new]


def learn_merges(
    words: Sequence[tuple[Sequence[int], int]],
    n: int,
    tokens: Sequence[bytes | None],
    *,
    min_frequency: int = 2,
    max_token_length: int | None = None,
    allowed: Callable[[bytes], bool] = lambda token: True,
    ties: str = "ids",
) -> list[tuple[int, int, int]]:
    """The merges that are learnt from words, which are ids, and how often each occurs."""
    words = [(list(ids), count) for ids, count in words if count]
    token_of = dict(enumerate(tokens))
    merges: list[tuple[int, int, int]] = []
    while len(merges) < n:
        totals: Counter[tuple[int, int]] = Counter()  # in the order in which the pairs are met
        for ids, count in words:
            for pair in pairwise(ids):
                totals[pair] += count
        candidates = []
        for place, (pair, total) in enumerate(totals.items()):
            token = (token_of[pair[0]] or b"") + (token_of[pair[1]] or b"")
            if (
                total >= min_frequency
                and (max_token_length is None or len(token) <= max_token_length)
                and token not in token_of.values()
                and allowed(token)
            ):
                candidates.append((-total, pair if ties == "ids" else (place,), pair, token))
        if not candidates:
            break
        _, _, best, token = min(candidates)
        new = len(token_of)
        token_of[new] = token
        before = sum(len(ids) * count for ids, count in words)
        words = [(replace(ids, best, new), count) for ids, count in words]
        merges.append((*best, before - sum(len(ids) * count for ids, count in words)))
    return merges


def replace(ids: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    """Replace each occurrence of a pair, from the left."""
    out: list[int] = []
    i = 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out
