"""Files in shards that are counted one after the other, so that what is done can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from minitok.input_files import expand

__all__ = ["describe_files", "shards_of"]

#: Bytes on disk from which on a shard is full.
SHARD = 1 << 30


def shards_of(source: Any) -> list[Any]:
    """Sources that together are a source: each of some files, in its order. What is not files is one shard.

    Args:
        source: as for `count_pieces`.
    """
    files = _files(source)
    if files is None:
        return [source]
    shards: list[dict[Path, Any]] = []
    size = SHARD
    for path, weight in files:
        if size >= SHARD or path in shards[-1]:
            shards.append({})
            size = 0
        shards[-1][path] = weight
        size += path.stat().st_size
    return shards or [source]


def describe_files(source: Any) -> list[list[Any]] | None:
    """The files of a source, and what tells whether they are the same another time; None where it is not files."""
    files = _files(source)
    if files is None:
        return None
    found = [(path, weight, path.stat()) for path, weight in files]
    return [[str(path), str(weight), status.st_size, status.st_mtime_ns] for path, weight, status in found]


def _files(source: Any) -> list[tuple[Path, Any]] | None:
    """The files of a source in order, each with its weight; None where it is not files."""
    if isinstance(source, Mapping):
        return [(path, weight) for name, weight in source.items() if weight for path in expand(name)]
    if isinstance(source, (str, PathLike)):
        return [(path, 1) for path in expand(source)]
    if isinstance(source, (list, tuple)) and all(isinstance(item, PathLike) for item in source):
        return [(path, 1) for item in source for path in expand(item)]
    return None
