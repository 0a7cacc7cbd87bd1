"""Vocabulary files: one module for each format, and the choice between them by content."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Literal

from minitok.files import write_atomically
from minitok.formats import minitok_json, tiktoken_ranks
from minitok.vocabulary import Vocabulary

__all__ = ["load", "save"]

#: Larger files are refused before they are read. The largest vocabulary file in use is about 20 MB.
MAX_FILE_SIZE = 1 << 26


def load(
    path: str | PathLike[str],
    *,
    name: str | None = None,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Vocabulary:
    """Read a vocabulary file; the format is known by its content.

    Args:
        path: the file.
        name: what to call the encoding; default: the name in the file, or the file's.
        pattern: for a rank file, which holds none: the name of a pattern, or a regular expression.
        special_tokens: for a rank file, which holds none: special token to id.

    Raises:
        ValueError: the file is of no known format or is damaged; the message names file and place.
        OSError: the file cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a directory; give a vocabulary file")
    with path.open("rb") as file:
        head = file.read(64)
        size = file.seek(0, 2)
    if not head:
        raise ValueError(f"{path} is empty; expected a vocabulary file")
    if size > MAX_FILE_SIZE:
        raise ValueError(f"{path} has {size} bytes; a vocabulary file has at most {MAX_FILE_SIZE}")
    if head.lstrip().startswith(b"{"):
        if pattern is not None or special_tokens is not None:
            raise ValueError(f"{path} holds a pattern and special tokens of its own; do not pass others")
        return minitok_json.parse(path.read_bytes(), str(path), name=name)
    return tiktoken_ranks.load(path, name=name, pattern=pattern, special_tokens=special_tokens)


def save(
    vocabulary: Vocabulary, path: str | PathLike[str], *, format: Literal["minitok", "tiktoken"] = "minitok"
) -> None:
    """Write a vocabulary file atomically; see `Encoding.save`."""
    if format == "minitok":
        data = minitok_json.dump(vocabulary)
    elif format == "tiktoken":
        data = tiktoken_ranks.dump(vocabulary)
    else:
        raise ValueError(f"unknown format {format!r}; expected 'minitok' or 'tiktoken'")
    write_atomically(path, data)
