"""Large files cut into spans, so that no machine needs to see a whole one; the spans together are the file.

Theory of operation. Whoever plans cuts a file at places of equal distance, without reading it. A worker that has the
span from one such place to the next moves both to the next *cut* behind them: a place where nothing that is counted
or encoded goes across. Whether a place is a cut depends on the few bytes around it alone, so two workers that look
for the same one find the same one. A span without a cut belongs to the one before it. So each byte of the file is in
one span, and looking for cuts reads no byte more than twice, whatever the file holds.

What is a cut:

    JSON Lines                      before the end of a line
    text, a named pattern           where the pattern cuts whatever stands around (`Pretokenizer.boundaries`)
    text, another pattern or none   behind a separator

    Parquet, Arrow                  before a group of rows, by its number (`column_files`)

In text none is inside of what may be a separator, whatever is left of it: separators are looked for from the left,
and one that overlaps another can hide it. Other files (compressed, or text without any of these) are one span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import pairwise
from pathlib import PurePosixPath
from typing import IO, Any, cast

from minitok.column_files import ColumnTexts, has_columns
from minitok.datasets.storage import RangeReader, Storage, StoredFile
from minitok.input_files import DEFAULT_FIELD, compression_of, decompressed, field_of
from minitok.patterns import find_named_pattern
from minitok.pretokenizer import get_pretokenizer

__all__ = ["CutRule", "Span", "check_unchanged", "open_span", "plan_portions", "plan_spans"]

#: Bytes in which a cut is looked for at once; most have one in the first few.
_WINDOW = 1 << 12
#: What there is at once after much that has no cut.
_LARGEST_WINDOW = 1 << 22
#: Bytes of text that are given at once: less than what glibc's malloc, in a worker as Dask starts it, takes from the
#: system for each block anew. With 512 KiB reading took twice as many fresh pages.
_READ = 1 << 16
#: A character and the beginning of the next.
_CHARACTERS = 8


@dataclass(frozen=True)
class CutRule:
    """Where text may be cut.

    Attributes:
        pattern: the regular expression that cuts it into pieces.
        separators: strings between documents.
    """

    pattern: str | None
    separators: tuple[bytes, ...]

    @staticmethod
    def of(pattern: str | None, separators: Sequence[str], errors: str) -> CutRule | None:
        """The rule for texts; None if they cannot be cut.

        Args:
            pattern: as above.
            separators: as above.
            errors: "replace": U+FFFD takes the place of bytes that are not UTF-8; then separators that have it are
                not found in the bytes of a file.
        """
        if errors == "replace" and any("\ufffd" in separator for separator in separators):
            return None
        if find_named_pattern(pattern) is None and not separators:
            return None
        return CutRule(pattern, tuple(separator.encode("utf-8", "surrogatepass") for separator in separators))

    @property
    def margin(self) -> int:
        """How many bytes around a place tell whether it is a cut."""
        return _CHARACTERS + 2 * max(map(len, self.separators), default=0)

    def cuts(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where there are cuts in a stretch of text, each behind the place by which it is found, in order.

        What stands less than `margin` from an end is uncertain.
        """
        if find_named_pattern(self.pattern) is not None:
            for place in get_pretokenizer(self.pattern).boundaries(data):
                if not self._is_inside(data, place):
                    yield place, place
            return
        for start, end in self._occurrences(data, 0, len(data)):
            low, high = max(0, start - self.margin), end + self.margin
            others = self._occurrences(data, low, high)
            if sum(first < end and last > start for first, last in others) == 1:
                yield start, end

    def _is_inside(self, data: bytes, place: int) -> bool:
        """Whether a separator goes across a place."""
        return any(data.find(one, max(0, place - len(one) + 1), place + len(one) - 1) >= 0 for one in self.separators)

    def _occurrences(self, data: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where separators are, also where they overlap."""
        found = []
        for one in self.separators:
            at = data.find(one, start, end)
            while at >= 0:
                found.append((at, at + len(one)))
                at = data.find(one, at + 1, end)
        return sorted(found)


@dataclass(frozen=True)
class _Lines:
    """The rule for JSON Lines, in whose texts there is no end of a line that is not escaped."""

    margin: int = 0

    def cuts(self, data: bytes) -> Iterator[tuple[int, int]]:
        """The ends of lines. They come behind the cut, so that a span begins with the empty rest of a line."""
        at = data.find(b"\n")
        while at >= 0:
            yield at, at
            at = data.find(b"\n", at + 1)


@dataclass(frozen=True)
class Span:
    """A stretch of a file, whose ends have not been moved to cuts.

    Attributes:
        url: the file.
        size: of the whole file.
        start: where the span begins.
        stop: where it ends.
        field: the field with the text, for JSON Lines; the column; None for text.
        version: of the file; see `StoredFile`.
    """

    url: str
    size: int
    start: int
    stop: int
    field: str | None
    version: str = ""


def plan_spans(files: Sequence[StoredFile], field: str | None, rule: CutRule | None, longest: int) -> list[Span]:
    """Spans of all files, in order.

    Args:
        files: what to cut.
        field: the field with the text: all files are JSON Lines; None: their names tell.
        rule: where text may be cut; None: nowhere.
        longest: spans of files that may be cut have at most so many bytes, and are about equal.
    """
    spans = []
    for file in files:
        name = PurePosixPath(file.url).name
        its_field = field if field is not None else field_of(name)
        whole = compression_of(name) is not None or (its_field is None and rule is None)
        number = 1 if whole else max(1, -(-file.size // longest))
        places = [file.size * i // number for i in range(number + 1)]
        spans += [Span(file.url, file.size, *ends, its_field, file.version) for ends in pairwise(places)]
    return spans


def plan_portions(spans: Sequence[Span], limit: Callable[[int], int]) -> list[list[Span]]:
    """Spans that one task takes together, one after the other, of one kind.

    Args:
        spans: in order.
        limit: how many bytes a portion may have, unless it is a single span, if so many are left when it begins.
    """
    portions: list[list[Span]] = []
    left = sum(span.stop - span.start for span in spans)
    room = 0
    for span in spans:
        length = span.stop - span.start
        if not portions or length > room or portions[-1][0].field != span.field:
            portions.append([])
            room = limit(left)
        portions[-1].append(span)
        room -= length
        left -= length
    return portions


class _Blocks:
    """A file to read, of blocks that are made on the way."""

    def __init__(self, blocks: Iterator[bytes], name: str) -> None:
        self._blocks = blocks
        self.name = name

    def read(self, _size: int = -1) -> bytes:
        return next(self._blocks, b"")


def check_unchanged(storage: Storage, span: Span) -> None:
    """Make sure that the file of a span is the one that was found, as far as its size and its version tell.

    Raises:
        OSError: it is not there.
        ValueError: it is another one.
    """
    now = storage.found(span.url)
    if now.size != span.size:
        raise ValueError(
            f"{span.url} has {now.size} bytes now, and had {span.size} when it was found; wait until it is written"
        )
    if now.version != span.version:
        raise ValueError(
            f"{span.url} was changed after it was found; begin again when nobody changes it, in another folder"
        )


def open_span(storage: Storage, span: Span, rule: CutRule | None) -> IO[bytes] | ColumnTexts:
    """What is between the cuts of a span, to be read once; the texts of a column that is there.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not the file that was found.
    """
    check_unchanged(storage, span)
    name = PurePosixPath(span.url).name
    if has_columns(name):
        filesystem, path = storage.open(span.url)
        field = DEFAULT_FIELD if span.field is None else span.field
        stop = None if span.stop == span.size else span.stop
        return ColumnTexts(lambda: filesystem.open(path, "rb"), span.url, field, span.size, span.start, stop)
    compression = compression_of(name)
    if compression is not None:
        return cast("IO[bytes]", _Blocks(_decompressed(storage, span.url, compression), span.url))
    cuts: Any = rule if span.field is None else _Lines()
    file = RangeReader(storage, span.url, 0, span.size)
    start: int | None = span.start
    stop = span.stop
    if span.start > 0:
        start = _next_cut(file.between, cuts, span.start, span.stop, span.size)
    if start is None:  # this is part of the span before
        start = stop = span.stop
    elif span.stop < span.size:
        stop = _next_cut(file.between, cuts, span.stop, span.size, span.size)
    stop = span.size if stop is None else stop
    # Places and lines in messages are counted from where this begins.
    name = span.url if start == 0 else f"{span.url} (from byte {start} on)"
    return cast("IO[bytes]", RangeReader(storage, span.url, start, stop, most=_READ, name=name))


def _decompressed(storage: Storage, url: str, compression: str) -> Iterator[bytes]:
    filesystem, path = storage.open(url)
    with BufferedReader(filesystem.open(path, "rb")) as raw:
        yield from decompressed(raw, 1 << 19, url, compression)


def _next_cut(
    between: Callable[[int, int], bytes], rule: CutRule | _Lines, start: int, limit: int, size: int
) -> int | None:
    """The first cut that is found by a place from `start` on and before `limit`; None if there is none.

    Args:
        between: gives bytes of the file.
        rule: what is a cut.
        start: see above.
        limit: see above.
        size: of the file.
    """
    window = _WINDOW
    while start < limit:
        end = min(start + window, limit)
        first = max(0, start - rule.margin)
        data = between(first, min(size, end + rule.margin))
        for place, cut in rule.cuts(data):
            if start <= first + place < end:
                return first + cut
        start = end
        window = min(2 * window, _LARGEST_WINDOW)
    return None
