"""The specification of learning, in plain Python that is also fast Python.

What the compiled twin `_fastlearn` does with counted pieces (`_pycount`) is specified here, in the same name:

    Learner         counted pieces -> merges

**Learning merges.** Each step merges the pair of highest total count; among equals the smallest (left, right), or,
if so wished, the one that stands first in the words as they were added. Occurrences are replaced left to right.
A pair's count can only fall once its newer symbol has been made, so a queue with entries that may be outdated (too
high, never too low) finds the maximum exactly: an entry that is no longer true goes back with its present count.

Layout of the learner. The words stand one behind the other in `cells`, the most frequent first unless their order
decides ties, each symbol taking as many cells as its token has bytes:

    its first cell       the symbol, >= 0
    its last cell        minus its length, if it has more than one
    cells in between     _INSIDE
    between words        _BOUNDARY

so that both neighbours of a symbol are found without links, in 4 bytes a cell. Words of equal count that stand side
by side are a run, and the count of a place is that of its run: sorted by count there are few.

Invariants of the learner:
  1. `totals[pair]` is the sum of the word counts over all places where the pair stands (in `aaa` both count).
  2. `places[pair]` holds all of these in ascending order, and perhaps outdated ones, which are recognized by the
     cells; together no more than twice the total, so that outdated ones do not fill the memory. (All places of a
     pair are found in one step, from left to right: that which makes its newer symbol; so `aaa` is replaced from
     the left.)
  3. The queue has, for each pair in `totals`, an entry that is at least its total. It is a list of pairs for each
     total: most pairs have one of a few small totals. The list whose turn it is, is a heap of priorities.
  4. A pair whose total has fallen below `min_frequency` is forgotten: it cannot rise again. Most pairs of a large
     corpus are of this kind.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Literal, Protocol

from minitok._errors import MAX_COUNT, PROGRESS_STEP, counts_too_large, learner_in_use, words_too_late
from minitok.piece_records import unpack_records

__all__ = ["Learner"]

_RIGHT_BITS = 32
_RIGHT_MASK = (1 << _RIGHT_BITS) - 1
_PAIR_BITS = 64
_PAIR_MASK = (1 << _PAIR_BITS) - 1
_INSIDE = -1
_BOUNDARY = -(1 << 31)


class PieceEncoder(Protocol):
    """What a `Learner` needs of an `Encoder`."""

    def encode_piece(self, piece: bytes) -> list[int]:
        """The ids of one piece."""


class Learner:
    r"""Counted pieces -> merges.

    Args:
        tokens: the bytes of each id that exists already; None where an id has none.
        encoder: turns a piece into ids of `tokens` (its `encode_piece`); None: a piece begins as its bytes, each of
            which is one of the tokens.
        min_frequency: stop when the best pair is rarer.
        max_token_length: make no token of more bytes.
        allowed: asked about the bytes of each token that is about to be made; False: that pair is never merged.
        ties: among pairs of equal count, merge that of the smallest (left id, right id) ("ids"), or the one that
            stands first in the words in the order in which they were added ("first").

    >>> learner = Learner([bytes([b]) for b in range(256)])
    >>> learner.add(b"\x03\x05low\x05\x02lower")
    >>> learner.learn(2)
    [(108, 111, 7), (256, 119, 7)]
    """

    def __init__(
        self,
        tokens: Sequence[bytes | None],
        *,
        encoder: PieceEncoder | None = None,
        min_frequency: int = 2,
        max_token_length: int | None = None,
        allowed: Callable[[bytes], bool] | None = None,
        ties: Literal["ids", "first"] = "ids",
    ) -> None:
        self._words = 0
        self._total = 0
        self._tokens = list(tokens)
        self._known = {token for token in tokens if token is not None}
        self._lengths = [len(token or b"?") for token in tokens]
        self._symbols_of: Callable[[bytes], Sequence[int]] = (
            _symbols_of_bytes(tokens) if encoder is None else encoder.encode_piece
        )
        self._min_frequency = min_frequency
        self._longest = MAX_COUNT if max_token_length is None else max_token_length
        self._allowed = allowed
        self._by_ids = ties == "ids"
        # What is added waits here: the layout has the most frequent words first, where their order does not matter.
        self._added: list[Sequence[int]] = []
        self._added_counts = array("q")
        self._begun = False
        self._works = False

    @property
    def words(self) -> int:
        """How many pieces were added."""
        return self._words

    @property
    def total(self) -> int:
        """How many symbols all words have now, each as often as it occurs."""
        return self._total

    def add(self, block: bytes) -> None:
        """Take counted pieces, each of them once in all: records as of `piece_records`.

        Raises:
            ValueError: the counts are too large; the block is no block of records; `learn` has been called already.
        """
        if self._works:
            raise learner_in_use()
        if self._begun:
            raise words_too_late()
        for piece, count in unpack_records(block):
            symbols = self._symbols_of(piece)
            self._words += 1
            self._total += count * len(symbols)
            if self._total > MAX_COUNT:
                raise counts_too_large()
            if count:
                self._added.append(symbols)
                self._added_counts.append(count)

    def learn(self, n: int, progress: Callable[[int], object] | None = None) -> list[tuple[int, int, int]]:
        """The next merges, in order; each makes the next id.

        Args:
            n: how many at most. If there are fewer, there are no more.
            progress: called with the number of merges of this call so far, after every 64th and the last.

        Returns:
            For each the left id, the right id, and how many places it replaced, by the counts of their words.

        Raises:
            ValueError: a callback calls the learner. (What a callback raises comes through; the merges of this call
                are lost then.)
        """
        if self._works:
            raise learner_in_use()
        self._works = True
        try:
            return self._learn(n, progress)
        finally:
            self._works = False

    def _learn(self, n: int, progress: Callable[[int], object] | None) -> list[tuple[int, int, int]]:
        if not self._begun:
            self._begin()
        merges: list[tuple[int, int, int]] = []
        while len(merges) < n and (pair := self._take_best()) is not None:
            left, right = pair >> _RIGHT_BITS, pair & _RIGHT_MASK
            token = (self._tokens[left] or b"") + (self._tokens[right] or b"")
            if not self._may_make(token):
                del self._totals[pair], self._places[pair]  # it does not come back
                continue
            replaced = self._merge(pair, len(self._tokens))
            self._tokens.append(token)
            self._known.add(token)
            self._total -= replaced
            merges.append((left, right, replaced))
            if progress is not None and len(merges) % PROGRESS_STEP == 0:
                progress(len(merges))
        if progress is not None and len(merges) % PROGRESS_STEP:
            progress(len(merges))
        return merges

    def _may_make(self, token: bytes) -> bool:
        if token in self._known or len(token) > self._longest:
            return False
        return self._allowed is None or bool(self._allowed(token))

    def _begin(self) -> None:
        """Lay the words out and find all pairs in them."""
        self._begun = True
        self._lay_out()
        self._totals: dict[int, int] = {}
        self._places: dict[int, bytes] = {}  # packed: an array for each of a million pairs would take twice as much
        self._made: dict[int, array[int]] = {}  # the pairs that the present step makes, and their places
        self._queue: dict[int, list[int]] = {}  # total to pairs
        self._queued_totals: list[int] = []  # a heap of the totals in the queue, negative
        self._sorted_total = 0  # whose list in the queue is a heap of priorities
        lengths = self._lengths
        for place, symbol in enumerate(self._cells):
            if symbol >= 0 and (following := self._cells[place + lengths[symbol]]) >= 0:
                self._add_place(symbol << _RIGHT_BITS | following, place, self._count_at(place))
        self._end_step()

    def _lay_out(self) -> None:
        words, counts, lengths = self._added, self._added_counts, self._lengths
        size = sum(map(len, words)) * max(lengths, default=1) + len(words)
        # Four bytes a cell wherever they are enough.
        self._cells = cells = array("i" if size + len(lengths) < 2**30 else "q", (_BOUNDARY,))
        # Where the words of one count begin, and the count.
        self._run_starts = array("q")
        self._run_counts = array("q")
        order = range(len(words))
        for number in sorted(order, key=counts.__getitem__, reverse=True) if self._by_ids else order:
            if not self._run_counts or self._run_counts[-1] != counts[number]:
                self._run_starts.append(len(cells))
                self._run_counts.append(counts[number])
            for symbol in words[number]:
                cells.append(symbol)
                if lengths[symbol] > 1:
                    cells.extend([_INSIDE] * (lengths[symbol] - 2))
                    cells.append(-lengths[symbol])
            cells.append(_BOUNDARY)
        words.clear()
        del counts[:]

    def _take_best(self) -> int | None:
        """The pair to merge next, which leaves the queue; None if no pair is frequent enough."""
        while self._queued_totals:
            total = -self._queued_totals[0]
            pairs = self._queue[total]
            if self._sorted_total != total:
                pairs[:] = [self._priority(pair) for pair in self._still(pairs, total)]
                heapify(pairs)
                self._sorted_total = total
            while pairs:
                pair = heappop(pairs) & _PAIR_MASK
                if self._totals.get(pair) == total:
                    return pair
                self._offer_again(pair)
            heappop(self._queued_totals)
            del self._queue[total]
        return None

    def _still(self, pairs: Sequence[int], total: int) -> Iterator[int]:
        """Those of the pairs that have this total; the others go where they belong."""
        for pair in pairs:
            if self._totals.get(pair) == total:
                yield pair
            else:
                self._offer_again(pair)

    def _priority(self, pair: int) -> int:
        """What decides between pairs of equal total, above the pair itself. It holds as long as the total does."""
        if self._by_ids:
            return pair
        places = self._unpacked(self._places[pair])
        outdated = next(i for i, place in enumerate(places) if self._stands_at(pair, place))
        self._places[pair] = self._places[pair][outdated * self._cells.itemsize :]
        return places[outdated] << _PAIR_BITS | pair

    def _merge(self, pair: int, new: int) -> int:
        """Merge a pair everywhere into a new symbol; how often, by the counts of the words."""
        left, right = pair >> _RIGHT_BITS, pair & _RIGHT_MASK
        cells, lengths = self._cells, self._lengths
        lengths.append(lengths[left] + lengths[right])
        replaced = 0
        for place in self._unpacked(self._places.pop(pair)):
            if not self._stands_at(pair, place):
                continue
            count = self._count_at(place)
            replaced += count
            second = place + lengths[left]
            end = second + lengths[right]
            cells[second] = _INSIDE
            cells[end - 1] = place - end
            cells[place] = new
            last_before = cells[place - 1]
            if last_before != _BOUNDARY:
                before = place - 1 if last_before >= 0 else place + last_before
                self._drop_place(cells[before] << _RIGHT_BITS | left, count)
                self._add_place(cells[before] << _RIGHT_BITS | new, before, count)
            if cells[end] >= 0:
                self._drop_place(right << _RIGHT_BITS | cells[end], count)
                self._add_place(new << _RIGHT_BITS | cells[end], place, count)
        del self._totals[pair]
        self._end_step()
        if new % 1000 == 0:
            # Dicts that gain and lose entries all the time grow to twice the size that they need.
            self._totals = dict(self._totals)
            self._places = dict(self._places)
        return replaced

    def _count_at(self, place: int) -> int:
        """How often the word around a place occurs."""
        return self._run_counts[bisect_right(self._run_starts, place) - 1]

    def _stands_at(self, pair: int, place: int) -> bool:
        left = pair >> _RIGHT_BITS
        return self._cells[place] == left and self._cells[place + self._lengths[left]] == pair & _RIGHT_MASK

    def _unpacked(self, places: bytes) -> Sequence[int]:
        return array(self._cells.typecode, places)

    def _add_place(self, pair: int, place: int, count: int) -> None:
        if pair in self._made:
            self._totals[pair] += count
            self._made[pair].append(place)
        else:
            self._totals[pair] = count
            self._made[pair] = array(self._cells.typecode, (place,))

    def _drop_place(self, pair: int, count: int) -> None:
        if pair not in self._totals:
            return
        self._totals[pair] -= count
        if pair not in self._places:
            return  # the present step makes it, so it may rise yet; or it is the one that is being merged
        if self._totals[pair] < self._min_frequency:
            del self._totals[pair], self._places[pair]
        elif len(self._places[pair]) > 2 * self._cells.itemsize * self._totals[pair]:
            still = [place for place in self._unpacked(self._places[pair]) if self._stands_at(pair, place)]
            self._places[pair] = array(self._cells.typecode, still).tobytes()

    def _end_step(self) -> None:
        while self._made:  # one by one, so that there are never two copies of all
            pair, places = self._made.popitem()
            if self._totals[pair] >= self._min_frequency:
                self._places[pair] = places.tobytes()
                self._offer(pair)
            else:
                del self._totals[pair]

    def _offer_again(self, pair: int) -> None:
        if pair in self._totals:
            self._offer(pair)

    def _offer(self, pair: int) -> None:
        """Put a pair into the queue. Its total is not above the one that the queue is at."""
        total = self._totals[pair]
        if total not in self._queue:
            self._queue[total] = [pair]
            heappush(self._queued_totals, -total)
        elif total == self._sorted_total:
            heappush(self._queue[total], self._priority(pair))
        else:
            self._queue[total].append(pair)


def _symbols_of_bytes(tokens: Sequence[bytes | None]) -> Callable[[bytes], Sequence[int]]:
    """What turns a piece into the ids of its bytes."""
    ids = {token: i for i, token in enumerate(tokens)}
    byte_ids = [ids[bytes([b])] for b in range(256)]
    if byte_ids == [*range(256)]:
        return bytes  # the piece itself
    if max(byte_ids) < 256:
        table = bytes(byte_ids)
        return lambda piece: piece.translate(table)
    return lambda piece: [byte_ids[b] for b in piece]
