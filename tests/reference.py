"""A third implementation of byte-pair encoding, too plain to be wrong: everything is recounted at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    counts: Mapping[bytes, int], n: int, *, min_frequency: int = 2, max_token_length: int | None = None
) -> list[tuple[int, int]]:
    """The merges that are learnt from counted pieces, beginning with the 256 bytes."""
    words = [(list(piece), count) for piece, count in counts.items()]
    tokens = [bytes([b]) for b in range(256)]
    merges: list[tuple[int, int]] = []
    while len(merges) < n:
        totals: Counter[tuple[int, int]] = Counter()
        for ids, count in words:
            for pair in pairwise(ids):
                totals[pair] += count
        allowed = [
            (-total, pair)
            for pair, total in totals.items()
            if total >= min_frequency
            and (max_token_length is None or len(tokens[pair[0]] + tokens[pair[1]]) <= max_token_length)
        ]
        if not allowed:
            break
        _, best = min(allowed)
        new = len(tokens)
        tokens.append(tokens[best[0]] + tokens[best[1]])
        merges.append(best)
        words = [(replace(ids, best, new), count) for ids, count in words]
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
