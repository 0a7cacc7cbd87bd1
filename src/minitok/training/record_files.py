"""Blocks of counted pieces on disk: each behind its length, and a length of 0 at the end.

This is what counters write when they need their memory for something else, and the body of a file of counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["frames", "read_frames", "read_run", "write_run"]

_LENGTH = 8  # bytes, the lowest first
#: So much is asked for at once: a length that is wrong is noticed before as much memory is asked for.
_STEP = 1 << 24


def frames(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What is written for a stream of blocks, none of which is empty."""
    for block in blocks:
        yield len(block).to_bytes(_LENGTH, "little")
        yield block
    yield bytes(_LENGTH)


def read_frames(file: IO[bytes], name: str) -> Iterator[bytes]:
    """The blocks that follow in a file, up to their end.

    Raises:
        ValueError: the file ends before them.
    """
    while length := int.from_bytes(_exactly(file, _LENGTH, name), "little"):
        yield _exactly(file, length, name)


def _exactly(file: IO[bytes], size: int, name: str) -> bytes:
    data = file.read(min(size, _STEP))
    while len(data) < size:
        more = file.read(min(size - len(data), _STEP))
        if not more:
            raise ValueError(
                f"{name} is cut off: it ends in the middle of its counted pieces; make it or fetch it again"
            )
        data += more
    return data


def write_run(path: Path, blocks: Iterable[bytes], remedy: str) -> None:
    """Write a file that holds blocks and nothing else.

    Args:
        path: the file.
        blocks: what it is to hold.
        remedy: what to do where it cannot be written.

    Raises:
        OSError: it cannot.
    """
    with _explaining(path, remedy):
        file = path.open("xb", buffering=0)  # blocks are large
    with file:
        for part in frames(blocks):
            with _explaining(path, remedy):
                _write_all(file, part)


@contextmanager
def _explaining(path: Path, remedy: str) -> Iterator[None]:
    """Errors of the system in this context say what was done and what to do; not those of where blocks come from."""
    try:
        yield
    except OSError as error:
        message = f"{error.strerror} while counts were written there; {remedy}"
        raise OSError(error.errno, message, str(path)) from error


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Write to an unbuffered file, which may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def read_run(path: Path) -> Iterator[bytes]:
    """The blocks of a file of `write_run`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is cut off.
    """
    with path.open("rb") as file:
        yield from read_frames(file, str(path))
