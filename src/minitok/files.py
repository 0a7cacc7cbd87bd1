"""Files on disk: written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO

__all__ = ["open_atomically", "write_atomically"]


@contextmanager
def open_atomically(path: str | PathLike[str], *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well, and vanishes when it does not.

    Args:
        path: the file.
        durable: whether to wait until the content is on disk. Without, a power failure may leave a damaged file: only
            for what is checked when it is read, and can be made again.

    Raises:
        OSError: the folder does not exist or cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a directory; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r} to write {target.name!r} into")
    temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: str | PathLike[str], data: bytes | bytearray, *, durable: bool = True) -> None:
    """Write a whole file; one that exists is replaced only when all is written. See `open_atomically`.

    Raises:
        OSError: the file cannot be written.
    """
    with open_atomically(path, durable=durable) as file:
        file.write(data)
