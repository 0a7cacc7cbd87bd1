"""What is counted together by one worker: the plan of a count, which a run that begins again takes over.

Portions come in rounds, one for each thread: those of the first have half of the corpus together, those of the next
half of what is left, and so on. So most text is counted in few portions, which is less work (a piece that is in two
of them is written twice), and the last ones are small: all threads are done at about the same time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from minitok.datasets.spans import CutRule, Span, plan_portions, plan_spans
from minitok.datasets.storage import StoredFile

__all__ = ["LARGEST_PORTION", "SMALLEST_PORTION", "Plan", "Portion"]

#: A portion has about so many bytes at most: what a dead worker loses.
LARGEST_PORTION = 1 << 30
#: And at least so many: a task takes some milliseconds whatever it does.
SMALLEST_PORTION = 1 << 24
#: Spans that the largest portion and the smallest consist of.
_SPANS_OF_LARGEST = 32
_SPANS_OF_SMALLEST = 4


@dataclass(frozen=True)
class Portion:
    """What one task counts.

    Attributes:
        spans: all of one kind.
        factor: how many times what is in them counts.
    """

    spans: Sequence[Span]
    factor: int

    @property
    def size(self) -> int:
        """Bytes, as they are stored."""
        return sum(span.stop - span.start for span in self.spans)


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        portions: the largest first.
        partitions: how many there are.
    """

    portions: Sequence[Portion]
    partitions: int

    @staticmethod
    def of(
        groups: Sequence[tuple[int, Sequence[StoredFile]]],
        field: str | None,
        rule: CutRule | None,
        threads: int,
        partitions: int,
    ) -> Plan:
        """Cut files into portions.

        Args:
            groups: files, behind how many times they count.
            field: the field with the text: all files are JSON Lines; None: their names tell.
            rule: where text may be cut; None: nowhere.
            threads: that count side by side.
            partitions: see above.
        """
        later = sum(file.size for _, files in groups for file in files)
        longest = max(SMALLEST_PORTION // _SPANS_OF_SMALLEST, _share(later, threads) // _SPANS_OF_LARGEST)
        portions: list[Portion] = []
        shares = _Shares(threads)
        for factor, files in groups:
            later -= sum(file.size for file in files)
            spans = plan_spans(files, field, rule, longest)
            shares.later = later
            portions += [Portion(_joined(some), factor) for some in plan_portions(spans, shares)]
        portions.sort(key=lambda portion: -portion.size)
        return Plan(portions, partitions)

    @staticmethod
    def read(data: bytes) -> Plan:
        """A plan that was written.

        Raises:
            ValueError: this is none.
        """
        try:
            portions, partitions = json.loads(data)
            return Plan([Portion([Span(*span) for span in spans], factor) for spans, factor in portions], partitions)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the plan is damaged ({error})") from None

    def written(self) -> bytes:
        """The plan as bytes."""
        portions = [[list(map(astuple, portion.spans)), portion.factor] for portion in self.portions]
        return json.dumps([portions, self.partitions]).encode("ascii")

    @property
    def hash(self) -> str:
        """What tells it from another one."""
        return hashlib.sha256(self.written()).hexdigest()


def _share(left: int, threads: int) -> int:
    """Of each thread in a round, of so many bytes that are left."""
    return min(LARGEST_PORTION, max(SMALLEST_PORTION, -(-left // (2 * threads))))


class _Shares:
    """How large the next portion may be: that of a thread in a round."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._begun = 0
        self._size = 0
        #: Bytes of the groups of files that follow.
        self.later = 0

    def __call__(self, left: int) -> int:
        if self._begun % self._threads == 0:
            self._size = _share(left + self.later, self._threads)
        self._begun += 1
        return self._size


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Those that stand side by side in a file as one."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.url == span.url and last.stop == span.start > 0:
            joined[-1] = replace(last, stop=span.stop)
        else:
            joined.append(span)
    return joined
