"""Input files, as blocks of bytes, decompressed on the way. One block at a time is held.

Files are read, not mapped: a mapped file that becomes shorter ends the process, and reading is no slower.

What a file holds is told by its name: `.jsonl` or `.ndjson` is JSON Lines, `.parquet`, `.arrow` and `.feather` have
columns (`column_files`), all else is text; with `.gz` or `.zst` behind it, it is compressed.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from io import BufferedReader
from os import PathLike
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, TypeGuard

from minitok.column_files import ColumnBatch, ColumnTexts, has_columns, pyarrow

if TYPE_CHECKING:
    from gzip import GzipFile

__all__ = [
    "DEFAULT_FIELD",
    "InputFile",
    "InputSource",
    "ReadSoFar",
    "compression_of",
    "decompressed",
    "expand",
    "field_of",
    "find_inputs",
    "read_batches",
    "read_blocks",
]

#: A path or a glob, a file that is open for reading bytes, or several of these.
InputSource = str | PathLike[str] | IO[bytes] | Iterable[str | PathLike[str] | IO[bytes] | ColumnTexts]

#: The field of a JSON Lines file, or the column, that holds the text, if none is named.
DEFAULT_FIELD = "text"


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    Attributes:
        file: its path, or an open file, or a share of one that has columns.
        field: the field with the text, for JSON Lines; the column; None for text.
    """

    file: Path | IO[bytes] | ColumnTexts
    field: str | None

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.file) if isinstance(self.file, Path) else str(getattr(self.file, "name", "the open file"))

    @property
    def size(self) -> int | None:
        """Bytes on disk; None where that is not known before reading."""
        if not isinstance(self.file, Path):
            return None
        found = self.file.stat()
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    @property
    def columns(self) -> ColumnTexts | None:
        """The texts of a file that has columns."""
        if isinstance(self.file, ColumnTexts):
            return self.file
        if not isinstance(self.file, Path) or not has_columns(self.file.name):
            return None
        path = self.file
        field = DEFAULT_FIELD if self.field is None else self.field
        return ColumnTexts(lambda: path.open("rb"), self.name, field, self.size or 0)


class ReadSoFar:
    """How much has been read: bytes on disk, and bytes of what they hold after decompression."""

    def __init__(self) -> None:
        self.on_disk = 0
        self.content = 0


def expand(path: str | PathLike[str]) -> list[Path]:
    """The files that a path or a glob (`*`, `?`, `[]`, `**`) names, sorted.

    Raises:
        FileNotFoundError: there is none.
        IsADirectoryError: the path is a directory.
    """
    plain = Path(path)
    if plain.is_dir():
        example = str(plain / "**" / "*.txt")
        raise IsADirectoryError(f"{plain} is a directory; give its files, for example {example!r}")
    if plain.exists():
        return [plain]
    if glob.has_magic(os.fspath(path)):
        found = sorted(p for p in map(Path, glob.glob(os.fspath(path), recursive=True)) if p.is_file())
        if found:
            return found
        raise FileNotFoundError(f"no file matches {str(path)!r}")
    raise FileNotFoundError(f"there is no file {str(path)!r}")


def find_inputs(source: InputSource, field: str | None) -> list[InputFile]:
    """The files that a source names, in order; a glob's are sorted.

    Args:
        source: see `InputSource`. A str is always a path or a glob.
        field: the field with the text: all files are JSON Lines; None: their names tell.

    Raises:
        OSError: a file that is not there.
        TypeError: something that is none of the above.
        ValueError: a file that needs a package that is not installed.
    """
    if isinstance(source, (str, PathLike)):
        inputs = [InputFile(path, field if field is not None else field_of(path.name)) for path in expand(source)]
        for found in inputs:
            if found.columns is not None:
                pyarrow(found.name)
            elif _compression(found) == ".zst":
                _zstd(found.name)
        return inputs
    if _is_open_file(source):
        return [InputFile(source, field)]
    if not isinstance(source, Iterable) or isinstance(source, (bytes, bytearray)):
        raise TypeError(
            f"what to encode is a path, a glob, an open file, or several of these, not {type(source).__name__}"
        )
    several = []
    for item in source:
        if isinstance(item, ColumnTexts):
            several.append(InputFile(item, item.field))
            continue
        if not isinstance(item, (str, PathLike)) and not _is_open_file(item):
            raise TypeError(f"files to encode are paths, globs and open files, not {type(item).__name__}")
        several += find_inputs(item, field)
    return several


def _is_open_file(source: object) -> TypeGuard[IO[bytes]]:
    return hasattr(source, "read")


def field_of(name: str) -> str | None:
    """The field with the text in a file of this name, if it is JSON Lines or has columns."""
    plain = name.lower().removesuffix(".gz").removesuffix(".zst")
    return DEFAULT_FIELD if plain.endswith((".jsonl", ".ndjson")) or has_columns(name) else None


def compression_of(name: str) -> str | None:
    """How a file of this name is compressed: ".gz", ".zst" or None."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in (".gz", ".zst") else None


def _compression(file: InputFile) -> str | None:
    return compression_of(file.file.name) if isinstance(file.file, Path) else None


def _zstd(name: str) -> Any:
    """The standard library's module, or what it was ported back as."""
    for module in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(module)
        except ImportError:
            pass
    raise ValueError(
        f"{name} is compressed with Zstandard, which before Python 3.14 takes a package that is not installed: "
        "pip install 'minitok[zstd]', or decompress the file"
    )


def read_batches(columns: ColumnTexts, so_far: ReadSoFar) -> Iterator[ColumnBatch]:
    """The texts of a file that has columns; see `ColumnTexts.batches`.

    Args:
        columns: what to read.
        so_far: is added to with each batch.
    """
    before = so_far.on_disk
    for batch in columns.batches():
        so_far.content += len(batch.texts.content)
        so_far.on_disk = before + int(batch.done * columns.size)
        yield batch
    so_far.on_disk = before + columns.size


def read_blocks(file: InputFile, size: int, so_far: ReadSoFar) -> Iterator[bytes]:
    """The content of a file in blocks of at most `size` bytes; none is empty.

    Args:
        file: what to read.
        size: of a block.
        so_far: is added to with each block.

    Raises:
        OSError: the file cannot be read.
        ValueError: it cannot be decompressed, or becomes shorter meanwhile.
        TypeError: an open file that gives no bytes.
    """
    if isinstance(file.file, ColumnTexts):
        raise TypeError(f"{file.name} has columns, and is not read in blocks")
    if not isinstance(file.file, Path):
        for block in _read(file.file, size, file.name):
            so_far.content += len(block)
            so_far.on_disk += len(block)
            yield block
        return
    before = so_far.on_disk
    with file.file.open("rb") as raw:
        for block in _blocks(raw, size, file.name, _compression(file)):
            so_far.content += len(block)
            # A pipe has no place; how much it will give is not known either.
            so_far.on_disk = before + raw.tell() if raw.seekable() else so_far.on_disk + len(block)
            yield block


def _blocks(raw: BufferedReader, size: int, name: str, compression: str | None) -> Iterator[bytes]:
    return _plain(raw, size, name) if compression is None else decompressed(raw, size, name, compression)


def decompressed(raw: BufferedReader, size: int, name: str, compression: str) -> Iterator[bytes]:
    """The content of a compressed file in blocks.

    Args:
        raw: the file.
        size: of a block, at most.
        name: of the file, for messages.
        compression: ".gz" or ".zst".

    Raises:
        ValueError: it cannot be decompressed, or what it takes is not installed.
    """
    if not raw.peek(1):
        raise ValueError(f"{name} is empty, which no compressed file is; make it or fetch it again")
    if compression == ".gz":
        import gzip
        import zlib

        with gzip.GzipFile(fileobj=raw) as plain:
            yield from _read(plain, size, name, (EOFError, gzip.BadGzipFile, zlib.error))
    else:
        zstd = _zstd(name)
        with zstd.ZstdFile(raw) as plain:
            yield from _read(plain, size, name, (EOFError, zstd.ZstdError))


def _read(
    stream: IO[bytes] | GzipFile, size: int, name: str, damage: tuple[type[Exception], ...] = ()
) -> Iterator[bytes]:
    while True:
        try:
            block = stream.read(size)
        except damage as error:
            raise ValueError(
                f"{name} cannot be decompressed ({error}): it is damaged, cut off, or of another kind than its name "
                "says; make it or fetch it again"
            ) from error
        except OSError as error:
            error.filename = error.filename or name
            raise
        if not isinstance(block, bytes):
            raise TypeError(f"{name} gives {type(block).__name__}, not bytes: open it in binary mode ('rb')")
        if not block:
            return
        yield block


def _plain(raw: BufferedReader, size: int, name: str) -> Iterator[bytes]:
    found = os.fstat(raw.fileno())
    expected = found.st_size if stat.S_ISREG(found.st_mode) else 0  # of a pipe it is not known
    for block in _read(raw, size, name):
        expected -= len(block)
        yield block
    if expected > 0:
        raise ValueError(f"{name} has become shorter while it was read; wait until it is written")
