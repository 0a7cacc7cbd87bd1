"""Vocabulary files that were read before, found again without reading them anew.

To read a `tokenizer.json` of some megabytes takes a tenth of a second or more: JSON, checks, and the compiled core's
tables. So all of it is kept as those tables (`table_files`), with what a vocabulary has beside them as a note. A file
is known by the SHA-256 of its content together with what this installation of minitok is: another release, or a
changed source, reads it anew. No more than the last few are kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from minitok import _backend
from minitok.formats import Content
from minitok.formats.minitok_json import other_fields, with_other_fields
from minitok.pipeline import AnyEncoder
from minitok.table_files import ENDING, read_tables, write_tables
from minitok.vocabulary import Vocabulary
from minitok.vocabulary_files import own_folder

__all__ = ["find", "keep"]

#: Smaller files are read as quickly: bytes.
LEAST = 1 << 18
#: How many are kept: those that were used last. One takes about 100 bytes a token.
KEPT = 16
_PREFIX = "read-"


def find(content: Content) -> Vocabulary | None:
    """The vocabulary of a file, if it was read before."""
    if len(content.data) < LEAST or _backend.BACKEND == "python":
        return None
    source = _source(content)
    table = read_tables(_name(source), source)
    if table is None:
        return None
    others = json.loads(table.note)
    others["name"] = content.name or others["name"] or content.called
    _mark_as_used(own_folder() / (_name(source) + ENDING))
    return with_other_fields(others, table, table.merges, table.ranks)


def keep(content: Content, vocabulary: Vocabulary, encoder: AnyEncoder) -> None:
    """Remember what a file was read as, and the tables that encode with it. If that cannot be, nothing is lost."""
    if len(content.data) < LEAST or not content.is_alone or (content.names_itself and content.name is not None):
        return
    if vocabulary.symbols.end_of_word:
        return  # their tables do not tell the tokens
    others = other_fields(vocabulary)
    if not content.names_itself:
        others["name"] = None
    source = _source(content)
    parts = encoder.tables(source, json.dumps(others).encode("ascii"))
    if parts is not None:
        write_tables(_name(source), parts)
        _forget_all_but(KEPT)


def _name(source: bytes) -> str:
    return _PREFIX + source.hex()[:32]


def _source(content: Content) -> bytes:
    return hashlib.sha256(_installation() + content.sha256).digest()


@cache
def _installation() -> bytes:
    """What changes whenever another minitok is installed: its files' names, sizes and times."""
    package = Path(__file__).parent
    told = []
    for folder in (package, package / "formats"):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    status = entry.stat()
                    told.append(f"{entry.name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(sorted(told)).encode()


def _mark_as_used(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        pass


def _forget_all_but(count: int) -> None:
    """Remove what was not used for longest."""
    try:
        files = sorted(own_folder().glob(f"{_PREFIX}*{ENDING}"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-count]:
            path.unlink()
    except OSError:
        pass
