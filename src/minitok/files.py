"""Files on disk: written whole or not at all, one alone or several together."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import IO

__all__ = ["TemporaryFolder", "open_atomically", "open_together", "write_all_atomically", "write_atomically"]


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
    with open_together([path], durable=durable) as files:
        yield files[0]


@contextmanager
def open_together(paths: Sequence[str | PathLike[str]], *, durable: bool = True) -> Iterator[list[IO[bytes]]]:
    """Binary files that take the places of `paths`, in this order, when the block ends well; else all vanish.

    All are on disk before the first takes its place. If one cannot, those before it go back to what they were.

    Args:
        paths: the files.
        durable: as for `open_atomically`.

    Raises:
        OSError: a folder does not exist or cannot be written.
    """
    targets = [_checked_target(path) for path in paths]
    temporaries = [_hidden_beside(target) for target in targets]
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(temporary.open("xb")) for temporary in temporaries]
            yield list(files)
            for file in files:
                file.flush()
                if durable:
                    os.fsync(file.fileno())
        _replace_all(temporaries, targets)
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise


def _checked_target(path: str | PathLike[str]) -> Path:
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a directory; give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r} to write {target.name!r} into")
    return target


def _hidden_beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.urandom(8).hex()}.tmp")


def _replace_all(temporaries: Sequence[Path], targets: Sequence[Path]) -> None:
    """Rename each to its target; all or none. The last needs no way back, so one file alone is one rename."""
    kept: list[tuple[Path, Path | None]] = []  # targets, and where what they were is meanwhile
    try:
        for temporary, target in zip(temporaries, targets):
            if target is not targets[-1]:
                old = _hidden_beside(target) if target.exists() else None
                kept.append((target, old))
                if old is not None:
                    target.rename(old)
            temporary.replace(target)
    except BaseException:
        for target, old in kept if temporaries[-1].exists() else ():
            if old is None:
                target.unlink(missing_ok=True)
            elif old.exists():
                old.replace(target)
        raise
    finally:
        for _, old in kept:
            if old is not None:
                old.unlink(missing_ok=True)


def write_atomically(path: str | PathLike[str], data: bytes | bytearray, *, durable: bool = True) -> None:
    """Write a whole file; one that exists is replaced only when all is written. See `open_atomically`.

    Raises:
        OSError: the file cannot be written.
    """
    with open_atomically(path, durable=durable) as file:
        file.write(data)


def write_all_atomically(contents: Mapping[Path, bytes]) -> None:
    """Write whole files; all appear, or none. See `open_together`.

    Raises:
        OSError: a file cannot be written.
    """
    with open_together(list(contents)) as files:
        for file, data in zip(files, contents.values()):
            file.write(data)


class TemporaryFolder:
    """A folder, where TMPDIR says, that goes when it is closed, when nobody refers to this any more, or at exit.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self) -> None:
        import tempfile

        self.path = Path(tempfile.mkdtemp(prefix="minitok-"))
        self._end = weakref.finalize(self, _remove_own, self.path, os.getpid())

    def close(self) -> None:
        """Remove it with all that is in it."""
        self._end()


def _remove_own(folder: Path, owner: int) -> None:
    import shutil

    if os.getpid() == owner:  # a fork has no right to it
        shutil.rmtree(folder, ignore_errors=True)
