"""Files of ids: the ids of all documents one behind the other, and beside them an index of where each document is.

Both are written as streams. A NumPy file tells its length in its header, so room is left for that and filled in the
end. Numbers are little-endian on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["EncodedFile", "IdType", "IdWriter", "index_path", "numpy_header"]

IdType = Literal["uint16", "uint32"]

_CODES = {"uint16": "<u2", "uint32": "<u4"}
_INDEX_CODE = "<i8"
_HEADER_SIZE = 128


@dataclass(frozen=True)
class EncodedFile:
    """What `Encoding.encode_file` has written.

    Attributes:
        documents: how many there are.
        tokens: how many ids there are, appended ones included.
        bytes_read: of the input, after decompression.
        dtype: of the ids.
        path: the file of ids.
        offsets_path: the index.
    """

    documents: int
    tokens: int
    bytes_read: int
    dtype: IdType
    path: Path
    offsets_path: Path


def index_path(path: str | PathLike[str]) -> Path:
    """The index that belongs to a file of ids.

    Raises:
        ValueError: files of ids end in `.bin` or `.npy`.

    >>> index_path("ids.npy").name
    'ids.offsets.npy'
    """
    path = Path(path)
    if path.suffix not in (".bin", ".npy"):
        raise ValueError(
            f"{str(path)!r} ends neither in .npy (a NumPy file) nor in .bin (the numbers alone): "
            "the name says which of the two to write"
        )
    return path.with_suffix(".offsets.npy")


def numpy_header(code: str, count: int) -> bytes:
    r"""The header of a NumPy file with an array of one dimension; always of the same length.

    >>> numpy_header("<u2", 3)[:10], len(numpy_header("<u2", 3))
    (b'\x93NUMPY\x01\x00v\x00', 128)
    """
    said = f"{{'descr': '{code}', 'fortran_order': False, 'shape': ({count},), }}"
    room = _HEADER_SIZE - 10
    return b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + said.ljust(room - 1).encode("ascii") + b"\n"


class IdWriter:
    """Writes ids and their index into two files that are open.

    Args:
        ids: where the ids go.
        index: where the index goes.
        dtype: of the ids.
        has_header: whether the ids are a NumPy file.
    """

    def __init__(self, ids: IO[bytes], index: IO[bytes], dtype: IdType, *, has_header: bool) -> None:
        self.documents = 0
        self.tokens = 0
        self.dtype = dtype
        self._ids = ids
        self._index = index
        self._has_header = has_header
        self._write_headers()
        index.write(bytes(8))  # the first document begins at 0

    def _write_headers(self) -> None:
        if self._has_header:
            self._ids.write(numpy_header(_CODES[self.dtype], self.tokens))
        self._index.write(numpy_header(_INDEX_CODE, self.documents + 1))

    def write(self, ids: npt.NDArray[np.uint32], ends: npt.NDArray[np.int64]) -> None:
        """Append ids.

        Args:
            ids: the next ones; all fit the type.
            ends: where among them documents end.
        """
        self._ids.write(ids.astype(_CODES[self.dtype], copy=False).data)
        self._index.write((ends + self.tokens).astype(_INDEX_CODE, copy=False).data)
        self.tokens += len(ids)
        self.documents += len(ends)

    def finish(self) -> None:
        """Fill in the headers; nothing can be written afterwards."""
        self._ids.seek(0)
        self._index.seek(0)
        self._write_headers()
