"""The tables of published vocabularies, kept in the user's cache so that they need not be built again.

Such a file is mapped, not read: all processes share it, and no token becomes a Python object before one is asked for.
It may be removed at any time, and is made anew when its vocabulary is next used; where it cannot be written, each
process builds its own tables. It is used only if its checksum is right, it was made of the very rank file that is
meant (which it names by SHA-256), and nobody but the user and the administrator may write to it.
"""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path

from minitok import _backend
from minitok.files import write_atomically
from minitok.vocabulary_files import PublishedFile, own_folder

__all__ = ["find_table", "keep_table"]


def _path(file: PublishedFile) -> Path:
    return own_folder() / f"{file.name}.tables"


def find_table(file: PublishedFile) -> _backend.RankTable | None:
    """The tokens of a published file, if its tables are here and are as they should be."""
    try:
        with _path(file).open("rb") as opened:
            status = os.fstat(opened.fileno())
            if not status.st_size or not _is_ours(status):
                return None
            memory = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    return _backend.RankTable.from_tables(memoryview(memory), bytes.fromhex(file.sha256))


def keep_table(file: PublishedFile, table: _backend.RankTable) -> None:
    """Write the tables where they will be found. If that cannot be, nothing is lost but time."""
    path = _path(file)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, table.tables(bytes.fromhex(file.sha256)), durable=False)
    except OSError:
        pass


def _is_ours(status: os.stat_result, system: str = os.name) -> bool:
    """Whether no other user can have written a file. On Windows the user's folder is what protects it."""
    if system != "posix":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
