"""Tables of vocabularies, kept in the user's cache so that they need not be built again.

Such a file is mapped, not read: all processes share it, and no token becomes a Python object before one is asked for.
It may be removed at any time, and is made anew when its vocabulary is next used; where it cannot be written, each
process builds its own tables. It is used only if its checksum is right, it was made of the very source that is
meant (which it names by SHA-256), and nobody but the user and the administrator may write to it.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable

from minitok import _backend
from minitok.files import open_atomically
from minitok.vocabulary_files import PublishedFile, own_folder

__all__ = ["ENDING", "find_table", "keep_table", "read_tables", "write_tables"]

#: What the names of such files end with.
ENDING = ".tables"


def find_table(file: PublishedFile) -> _backend.RankTable | None:
    """The tokens of a published file, if its tables are here and are as they should be."""
    return read_tables(file.name, bytes.fromhex(file.sha256))


def keep_table(file: PublishedFile, table: _backend.RankTable) -> None:
    """Write the tables where they will be found. If that cannot be, nothing is lost but time."""
    write_tables(file.name, table.tables(bytes.fromhex(file.sha256)))


def read_tables(name: str, source: bytes) -> _backend.RankTable | None:
    """The tables that were kept by a name, if they are of this source (a SHA-256)."""
    try:
        with (own_folder() / (name + ENDING)).open("rb") as opened:
            status = os.fstat(opened.fileno())
            if not status.st_size or not _is_ours(status):
                return None
            memory = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:
        return None
    return _backend.RankTable.from_tables(memoryview(memory), source)


def write_tables(name: str, parts: Iterable[bytes]) -> None:
    """Keep tables by a name, if that can be; `parts` are what follows one another in the file."""
    folder = own_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open_atomically(folder / (name + ENDING), durable=False) as file:
            file.writelines(parts)
    except OSError:
        pass


def _is_ours(status: os.stat_result, system: str = os.name) -> bool:
    """Whether no other user can have written a file. On Windows the user's folder is what protects it."""
    if system != "posix":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
