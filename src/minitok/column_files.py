"""Parquet and Arrow files: the texts of one column, a few megabytes at a time.

A file is a sequence of groups of rows: the row groups of Parquet, the record batches of an Arrow file. Whoever
shares a file out cuts it at places in its bytes without reading it; the groups are taken to lie in it at equal
distances, so that each is in one share. A stream of Arrow batches, which is what Hugging Face's `datasets` writes,
cannot be entered in the middle: the share that begins at 0 is all of it.

Texts come as bytes, as they are in the file; they stay in one stretch of memory until somebody wants them one by one.
It takes the package `pyarrow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Any

__all__ = ["ColumnBatch", "ColumnTexts", "JoinedTexts", "has_columns", "pyarrow"]

#: Bytes of text that are read at once, about.
_BATCH = 1 << 20
#: Rows that are read at once, at most.
_ROWS = 1 << 13
_SUFFIXES = {".parquet": "Parquet", ".arrow": "Arrow", ".feather": "Arrow"}


def _suffix(name: str) -> str:
    return PurePath(name.lower().removesuffix(".gz").removesuffix(".zst")).suffix


def has_columns(name: str) -> bool:
    """Whether a file of this name is Parquet or Arrow.

    >>> has_columns("part-0.parquet"), has_columns("text.jsonl")
    (True, False)
    """
    return _suffix(name) in _SUFFIXES


def pyarrow(name: str) -> Any:
    """The package.

    Raises:
        ValueError: it is not installed; the message names the file that needs it.
    """
    try:
        import pyarrow as package
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(
            f"{name} is a file with columns, for which the package pyarrow is not installed ({error}): "
            "pip install 'minitok[arrow]'"
        ) from None
    return package


@dataclass(frozen=True)
class JoinedTexts:
    """Texts that lie one behind the other in memory, of which no objects are made before they are asked for.

    Attributes:
        data: bytes, the texts among them.
        offsets: where they are, as signed 64-bit numbers: text k is `data[offsets[k]:offsets[k + 1]]`.
    """

    data: memoryview
    offsets: memoryview

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(self.data[start:end]) for start, end in pairwise(self.offsets.tolist()))

    @property
    def content(self) -> memoryview:
        """All of them without a gap."""
        return self.data[self.offsets[0] : self.offsets[-1]]


@dataclass(frozen=True)
class ColumnBatch:
    """Texts that stand side by side.

    Attributes:
        texts: as they are in the file.
        row: the number of the first, from 0.
        done: how much of the share has been read with them, from 0 to 1.
    """

    texts: JoinedTexts
    row: int
    done: float


@dataclass(frozen=True)
class ColumnTexts:
    """The texts of a column in a share of a file, which can be read again and again.

    Attributes:
        open: gives the open file.
        name: what messages call the file; its ending says what it is.
        field: the column.
        size: of the file, in bytes.
        start: where in these bytes the share begins.
        stop: where it ends; None: at the end of the file.
    """

    open: Callable[[], Any]
    name: str
    field: str
    size: int
    start: int = 0
    stop: int | None = None

    def batches(self) -> Iterator[ColumnBatch]:
        """The texts, in order.

        Raises:
            ValueError: the file is damaged or another kind; there is no such column; it holds something else than
                texts; a row without one. The message names the file, the row and what to do.
            OSError: the file cannot be read.
        """
        arrow = pyarrow(self.name)
        with self._told(arrow), self.open() as file:
            read = self._parquet if _suffix(self.name) == ".parquet" else self._arrow
            for array, row, done in read(arrow, file):
                yield ColumnBatch(self._texts(arrow, array, row), row, done)

    def _is_mine(self, group: int, groups: int) -> bool:
        place = self.size * group // groups
        return self.start <= place and (self.stop is None or place < self.stop)

    def _parquet(self, arrow: Any, file: Any) -> Iterator[tuple[Any, int, float]]:
        parquet = arrow.parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BATCH)
        self._check_column(arrow, parquet.schema_arrow)
        groups = parquet.metadata.num_row_groups
        mine = [group for group in range(groups) if self._is_mine(group, groups)]
        row = 0
        for group in range(groups):
            about = parquet.metadata.row_group(group)
            if group not in mine:
                row += about.num_rows
                continue
            rows = max(1, min(_ROWS, _BATCH * about.num_rows // max(1, _column_size(about, self.field))))
            end = row + about.num_rows
            for batch in parquet.iter_batches(rows, [group], [self.field], use_threads=False):
                first, row = row, row + batch.num_rows
                share = (mine.index(group) + 1 - (end - row) / about.num_rows) / len(mine)
                yield batch.column(0), first, share

    def _arrow(self, arrow: Any, file: Any) -> Iterator[tuple[Any, int, float]]:
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        if not is_file and self.start > 0:
            return
        reader = arrow.ipc.open_file(file) if is_file else arrow.ipc.open_stream(file)
        self._check_column(arrow, reader.schema)
        column = reader.schema.get_field_index(self.field)
        row = 0
        if not is_file:
            for batch in reader:
                yield from _parts(batch.column(column), row, 0.0)
                row += batch.num_rows
            return
        groups = reader.num_record_batches
        for group in range(groups):
            batch = reader.get_batch(group)
            if self._is_mine(group, groups):
                yield from _parts(batch.column(column), row, (group + 1) / groups)
            row += batch.num_rows

    def _check_column(self, arrow: Any, schema: Any) -> None:
        found = [field for field in schema if field.name == self.field]
        if len(found) != 1:
            names = ", ".join(map(repr, schema.names[:10])) or "none"
            what = f"{len(found)} columns are called" if found else "there is no column"
            raise ValueError(
                f"{self.name}: {what} {self.field!r}; the columns are {names}: name the one with the "
                "text (field=..., or --field)"
            )
        kind = found[0].type
        value = kind.value_type if arrow.types.is_dictionary(kind) else kind
        if not _are_texts(arrow, value):
            raise ValueError(
                f"{self.name}: the column {self.field!r} holds {kind}, not texts (string, or binary); name the "
                "column with the text (field=..., or --field), or convert it"
            )

    def _texts(self, arrow: Any, array: Any, row: int) -> JoinedTexts:
        import numpy as np

        if array.null_count:
            first = row + array.is_null().to_pylist().index(True)
            raise ValueError(
                f"{self.name}, row {first} (from 0): the column {self.field!r} is null; leave such rows out, or "
                "write an empty text there"
            )
        types = arrow.types
        # Only where it must be: `cast` imports a module, which takes as long as 30 MB of text.
        if types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        if types.is_string_view(array.type):
            array = array.cast(arrow.large_string())
        is_large = types.is_large_string(array.type) or types.is_large_binary(array.type)
        array = array.view(arrow.large_binary() if is_large else arrow.binary())
        array.validate(full=True)  # that no text is outside of the data
        _, offsets, data = array.buffers()
        places = np.zeros(1, np.int64)
        if len(array):
            its_offsets = np.frombuffer(offsets, np.int64 if is_large else np.int32)
            places = its_offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
        return JoinedTexts(memoryview(b"" if data is None else data).cast("B"), places.data)

    @contextmanager
    def _told(self, arrow: Any) -> Iterator[None]:
        """What pyarrow complains of, in words that say of which file."""
        try:
            yield
        except (arrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ValueError(
                f"{self.name} cannot be read as {_SUFFIXES[_suffix(self.name)]} ({error}): it is damaged, cut off, "
                "compressed as a whole, or of another kind than its name says; make it or fetch it again"
            ) from error


def _are_texts(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    tests = (types.is_string, types.is_large_string, types.is_string_view, types.is_binary, types.is_large_binary)
    return any(test(kind) for test in tests)


def _column_size(group: Any, field: str) -> int:
    """Bytes of a column in a row group, as its pages hold them before compression."""
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema == field:
            size: int = column.total_uncompressed_size
            return size
    return 0


def _parts(array: Any, row: int, done: float) -> Iterator[tuple[Any, int, float]]:
    """An array in parts of about `_BATCH` bytes."""
    rows = max(1, min(_ROWS, _BATCH * len(array) // max(1, array.nbytes)))
    for start in range(0, len(array), rows):
        yield array[start : start + rows], row + start, done
