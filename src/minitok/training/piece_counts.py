r"""PieceCounts: how often each piece occurs in a corpus, in memory or in a file; and that file.

The file (docs/file-formats.md):

    minitok piece counts 1\n      what it is, and its version
    {"pattern": ...}\n            JSON: how texts were cut, and what the counts add up to
    blocks                        records sorted by the bytes of their pieces (`piece_records`, `record_files`)
    32 bytes                      SHA-256 of all before

Everything that comes from a file is checked when it is opened, and read again, a block at a time, when it is used.
"""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import chain
from math import lcm
from os import PathLike
from pathlib import Path
from typing import IO, Any

from minitok import _backend
from minitok.files import TemporaryFolder, open_atomically
from minitok.patterns import find_named_pattern
from minitok.piece_records import unpack_records
from minitok.threads import ahead
from minitok.training.record_files import frames, read_frames, write_run

__all__ = ["MOST_STREAMS", "REMEDY", "Measured", "PieceCounts", "Records", "merged", "scaled"]

_MAGIC = b"minitok piece counts "
_VERSION = b"1"
_KEYS: dict[str, type | tuple[type, ...]] = {
    "pattern": (str, type(None)),
    "special_tokens": list,
    "scale": int,
    "pieces": int,
    "total": int,
}
_HEADER_LIMIT = 1 << 24
#: Streams that are merged at once: each is an open file, and has a block in memory.
MOST_STREAMS = 128
#: Blocks that a thread merges before they are written.
_AHEAD = 4
#: What to do where a temporary file cannot be written.
REMEDY = "free space there, or set TMPDIR to a folder with more room"


class Records:
    """Where counted pieces are: in memory or in a file; `iter` gives them as a stream of blocks, as often as asked.

    Args:
        blocks: the blocks themselves, if they are in memory.
        path: else the file.
        offset: where in it the blocks begin.
        keep: whatever must live as long as this, for a file that is temporary.
    """

    def __init__(
        self,
        blocks: Sequence[bytes] | None = None,
        path: Path | None = None,
        offset: int = 0,
        keep: object = None,
    ) -> None:
        self._blocks = blocks
        self.path = path
        self._offset = offset
        self._keep = keep

    def __iter__(self) -> Iterator[bytes]:
        if self.path is None:
            yield from self._blocks or ()
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            yield from read_frames(file, str(self.path))


class _Items(ItemsView[bytes, int]):
    """The pieces and their counts, without a dict of all."""

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        mapping: PieceCounts = self._mapping  # type: ignore[attr-defined]
        for block in mapping.records():
            yield from unpack_records(block)


class PieceCounts(Mapping[bytes, int]):
    """How often each piece occurs in a corpus: what `count_pieces` gives and `train` learns from.

    A mapping from piece to count, sorted by the bytes of the pieces (in the order of first sight where that was asked
    for). It never changes. The counts are in memory, or in a file that is read when it is needed; looking up a piece
    makes a dict of all.

    Attributes:
        pattern: the regular expression that cut the texts; None: a document was one piece.
        special_tokens: what separated documents.
        total: the sum of all counts.
        scale: counts are in units of 1 / `scale`: how often a piece occurs, by the weights of the sources, is its
            count divided by this. 1 unless there are weights that are not whole.

    >>> from minitok import count_pieces
    >>> counts = count_pieces(["to be or not to be"])
    >>> counts[b" be"], counts.total, len(counts)
    (2, 6, 5)
    >>> (counts + counts)[b" be"]
    4
    """

    def __init__(
        self,
        records: Records,
        *,
        pattern: str | None,
        special_tokens: Iterable[str],
        pieces: int,
        total: int,
        scale: int = 1,
        order: str = "bytes",
    ) -> None:
        self._records = records
        self._pattern = pattern
        self._special_tokens = tuple(special_tokens)
        self._pieces = pieces
        self._total = total
        self._scale = scale
        self._order = order
        self._dict: dict[bytes, int] | None = None

    @property
    def pattern(self) -> str | None:
        """The regular expression that cut the texts; None: a document was one piece."""
        return self._pattern

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """What separated documents."""
        return self._special_tokens

    @property
    def total(self) -> int:
        """The sum of all counts."""
        return self._total

    @property
    def scale(self) -> int:
        """Counts are in units of 1 / `scale`."""
        return self._scale

    # -- A mapping -------------------------------------------------------------------------------------------------

    def __getitem__(self, piece: bytes) -> int:
        if self._dict is None:
            self._dict = dict(self.items())
        return self._dict[piece]

    def __iter__(self) -> Iterator[bytes]:
        return (piece for block in self.records() for piece, _ in unpack_records(block))

    def items(self) -> ItemsView[bytes, int]:
        """The pieces and their counts, in order."""
        return _Items(self)

    def __len__(self) -> int:
        return self._pieces

    def __eq__(self, other: object) -> bool:
        """Whether another mapping has the same counts; and if it is a `PieceCounts`, of the same kind."""
        if not isinstance(other, PieceCounts):
            return super().__eq__(other)
        return (
            self._kind() == other._kind()
            and self._scale == other._scale
            and len(self) == len(other)
            and all(one == another for one, another in zip(self._sorted_items(), other._sorted_items(), strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<PieceCounts: {len(self):,} pieces, {self._total:,} in all, pattern {_name_of(self._pattern)}>"

    def _kind(self) -> tuple[str | None, frozenset[str]]:
        return self._pattern, frozenset(self._special_tokens)

    # -- Records ---------------------------------------------------------------------------------------------------

    def records(self) -> Iterator[bytes]:
        """The pieces and their counts as blocks of records (`piece_records`), in order; one is held at a time."""
        return iter(self._records)

    def _sorted_records(self) -> Iterator[bytes]:
        if self._order == "bytes":
            return self.records()
        counter = _backend.PieceCounter(None)
        for block in self.records():
            counter.add_records(block)
        return counter.records()

    def _sorted_items(self) -> Iterator[tuple[bytes, int]]:
        for block in self._sorted_records():
            yield from unpack_records(block)

    # -- Adding ----------------------------------------------------------------------------------------------------

    def __add__(self, other: PieceCounts) -> PieceCounts:
        """The counts of both; see `merge`."""
        if not isinstance(other, PieceCounts):
            return NotImplemented
        return PieceCounts.merge([self, other])

    @staticmethod
    def merge(several: Iterable[PieceCounts]) -> PieceCounts:
        """Add counts: those of a corpus that was counted in parts, in any order, are those of the whole.

        If any of them are in a file, the result is in a temporary one (in the folder that TMPDIR names), which lives
        as long as it does.

        Args:
            several: at least one.

        Raises:
            ValueError: there are none; their patterns or special tokens differ; a count above 2**63 - 1.
            TypeError: something that is no `PieceCounts`.
            OSError: a file cannot be read or written.
        """
        counts = list(several)
        if not counts:
            raise ValueError("there are no counts to merge")
        for other in counts:
            if not isinstance(other, PieceCounts):
                raise TypeError(f"what is merged are PieceCounts, not {type(other).__name__}")
            _check_same_kind(counts[0], other)
        if len(counts) > MOST_STREAMS:
            groups = [counts[start : start + MOST_STREAMS] for start in range(0, len(counts), MOST_STREAMS)]
            return PieceCounts.merge(map(PieceCounts.merge, groups))
        scale = lcm(*(other.scale for other in counts))
        streams = [scaled(other._sorted_records(), scale // other.scale) for other in counts]
        on_disk = any(other._records.path is not None for other in counts)
        return merged(streams, counts[0].pattern, counts[0].special_tokens, scale, on_disk=on_disk)

    # -- Files -----------------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str]) -> None:
        """Write the counts to a file, which appears when it is whole.

        Args:
            path: the file.

        Raises:
            OSError: it cannot be written.
        """
        header = {
            "pattern": self._pattern,
            "special_tokens": list(self._special_tokens),
            "scale": self._scale,
            "pieces": self._pieces,
            "total": self._total,
        }
        digest = _sha256()
        with _naming(path), open_atomically(path) as file:
            beginning = _MAGIC + _VERSION + b"\n" + json.dumps(header).encode("ascii") + b"\n"
            for part in chain((beginning,), frames(self._sorted_records())):
                digest.update(part)
                file.write(part)
            file.write(digest.digest())

    @staticmethod
    def load(path: str | PathLike[str]) -> PieceCounts:
        """Counts from a file of `save`. It is read once, to check it, and again, a part at a time, when it is used.

        Args:
            path: the file.

        Raises:
            OSError: it cannot be read.
            ValueError: it is something else, of another version, cut off or damaged.
        """
        path = Path(path)
        with path.open("rb") as raw:
            file = _Hashed(raw)
            header = _read_header(file, str(path))
            offset = raw.tell()
            pieces = total = 0
            last: bytes | None = None
            for block in read_frames(file, str(path)):  # type: ignore[arg-type]
                try:
                    number, amount, last = _backend.measure_records(block, last)
                except ValueError as error:
                    raise _damaged(str(path), str(error)) from None
                pieces += number
                total += amount
            expected = file.digest.digest()
            found = raw.read(len(expected) + 1)
        if found != expected:
            short = len(found) < len(expected)
            raise _damaged(str(path), "it is cut off" if short else "its checksum is not that of its content")
        if (pieces, total) != (header["pieces"], header["total"]):
            raise _damaged(str(path), f"it holds {pieces} pieces, not the {header['pieces']} that it tells of")
        return PieceCounts(
            Records(path=path, offset=offset),
            pattern=header["pattern"],
            special_tokens=header["special_tokens"],
            pieces=pieces,
            total=total,
            scale=header["scale"],
        )


@contextmanager
def _naming(path: str | PathLike[str]) -> Iterator[None]:
    """Errors in this context, such as that of a full disk, name the file that is written."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:  # else the message is all there is
            error.filename = str(path)
        raise


def _sha256() -> Any:
    import hashlib

    return hashlib.sha256()


class _Hashed:
    """A file that is read, and hashed on the way."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.digest = _sha256()

    def read(self, size: int) -> bytes:
        data = self._raw.read(size)
        self.digest.update(data)
        return data

    def readline(self, size: int) -> bytes:
        data = self._raw.readline(size)
        self.digest.update(data)
        return data


def _read_header(file: _Hashed, name: str) -> dict[str, Any]:
    first = file.readline(len(_MAGIC) + 16)
    if not first.startswith(_MAGIC):
        raise ValueError(
            f"{name} is no file of piece counts; those are made by PieceCounts.save or minitok count-pieces"
        )
    version = first[len(_MAGIC) :].rstrip(b"\n")
    if version != _VERSION:
        raise ValueError(
            f"{name} is a file of piece counts of version {version.decode('ascii', 'backslashreplace')}; this "
            f"minitok reads version {_VERSION.decode()}: count again, or take a newer minitok"
        )
    line = file.readline(_HEADER_LIMIT)
    try:
        header = json.loads(line)
    except ValueError as error:
        raise _damaged(name, f"its second line is not JSON ({error})") from None
    if not isinstance(header, dict) or any(not isinstance(header.get(key), kind) for key, kind in _KEYS.items()):
        raise _damaged(name, f"its second line does not say {', '.join(_KEYS)}")
    if not all(isinstance(token, str) for token in header["special_tokens"]) or header["scale"] < 1:
        raise _damaged(name, "its special tokens or its scale are none")
    return header


def _damaged(name: str, what: str) -> ValueError:
    return ValueError(f"{name} is damaged: {what}; make it or fetch it again")


def _check_same_kind(one: PieceCounts, other: PieceCounts) -> None:
    if one.pattern != other.pattern:
        raise ValueError(
            f"counts with the pattern {_name_of(one.pattern)} and with the pattern {_name_of(other.pattern)} cannot "
            "be added: their pieces are cut in different ways; count again with one pattern"
        )
    if set(one.special_tokens) != set(other.special_tokens):
        raise ValueError(
            f"counts with the special tokens {sorted(one.special_tokens)} and with {sorted(other.special_tokens)} "
            "cannot be added: their documents are separated in different ways; count again with the same ones"
        )


def _name_of(pattern: str | None) -> str:
    named = find_named_pattern(pattern)
    return repr(named.name if named else pattern)


def scaled(blocks: Iterable[bytes], factor: int) -> Iterator[bytes]:
    """A stream of records with each count multiplied."""
    if factor == 1:
        yield from blocks
        return
    counter = _backend.PieceCounter(None)
    for block in blocks:
        counter.add_records(block, factor)
        yield from counter.records("first")


class Measured:
    """A sorted stream, and what has gone by in it."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.pieces = 0
        self.total = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            pieces, total, _ = _backend.measure_records(block, None)
            self.pieces += pieces
            self.total += total
            yield block


def merged(
    streams: Sequence[Iterator[bytes]],
    pattern: str | None,
    special_tokens: Sequence[str],
    scale: int,
    *,
    on_disk: bool,
    thread: bool = False,
) -> PieceCounts:
    """The counts of several sorted streams together.

    Args:
        streams: no more than `MOST_STREAMS`.
        pattern: that of all.
        special_tokens: those of all.
        scale: that of all.
        on_disk: whether to keep the result in a temporary file.
        thread: whether a thread may merge while this one writes that file.

    Raises:
        ValueError: a count above 2**63 - 1.
        OSError: a file cannot be read or written.
    """
    merging = _backend.merge_records(streams)
    with closing(ahead(merging, _AHEAD)) if thread else nullcontext(merging) as blocks:
        measured = Measured(blocks)
        if on_disk:
            folder = TemporaryFolder()
            path = folder.path / "counts"
            try:
                write_run(path, measured, REMEDY)
            except BaseException:
                folder.close()
                raise
            records = Records(path=path, keep=folder)
        else:
            records = Records(list(measured))
    return PieceCounts(
        records,
        pattern=pattern,
        special_tokens=special_tokens,
        pieces=measured.pieces,
        total=measured.total,
        scale=scale,
    )
