"""A training that can be resumed after it was killed: what is done already is kept in a folder.

    training.json       what is trained: the options and the files, so that a folder is not mistaken for another's
    counts-….pieces     the counted pieces of each shard of the corpus, once it has been counted
    merges.json         the merges that have been learnt, and how many pairs each replaced

Each file is written whole or not at all, so that a kill at any moment leaves either the state before or the one
after. What is missing is done (again), and since the result depends on the corpus and the options alone, it is the
same. The folder stays when the training is done: the counts in it can be used again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Any

from minitok.files import write_atomically
from minitok.training.beginning import Merge
from minitok.training.piece_counts import PieceCounts

__all__ = ["Checkpoint"]

#: Merges are kept this often, in seconds.
INTERVAL = 10.0


class Checkpoint:
    """The folder of one training.

    Args:
        folder: is made if it is not there.
        training: all that the result depends on, as JSON holds it.

    Raises:
        ValueError: the folder is another training's, or holds something that is not readable.
        OSError: the folder cannot be made, read or written.
    """

    def __init__(self, folder: str | PathLike[str], training: Mapping[str, Any]) -> None:
        self._folder = Path(folder)
        self._saved = monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = json.loads(json.dumps(training))
        path = self._folder / "training.json"
        if not path.exists():
            if any(self._folder.iterdir()):
                raise ValueError(
                    f"the folder {str(folder)!r} is not empty and holds no checkpoint; give a folder of its own"
                )
            write_atomically(path, json.dumps(wanted, indent=2).encode())
            return
        found = _read_json(path, dict)
        different = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        if different:
            key = different[0]
            raise ValueError(
                f"the checkpoint in {str(folder)!r} is another training's: its {key} is {_short(found.get(key))}, "
                f"not {_short(wanted.get(key))}; train with what it began with, or give another folder"
            )

    def counts(self, shard: Any, count: Callable[[], PieceCounts]) -> PieceCounts:
        """The counted pieces of a shard: those that are kept, or else those that `count` makes, which are kept.

        Args:
            shard: what tells it from others of the same training, as JSON holds it.
            count: counts its pieces.
        """
        name = hashlib.sha256(json.dumps(shard).encode()).hexdigest()[:16]
        path = self._folder / f"counts-{name}.pieces"
        if not path.exists():
            count().save(path)
        return PieceCounts.load(path)

    def merges(self) -> list[Merge]:
        """The merges that are kept, in order."""
        path = self._folder / "merges.json"
        merges = _read_json(path, list) if path.exists() else []
        if not all(isinstance(merge, list) and list(map(type, merge)) == [int, int, int] for merge in merges):
            raise _damaged(path, "it holds something that is no merge")
        return [(left, right, replaced) for left, right, replaced in merges]

    def keep_merges(self, merges: Sequence[Merge]) -> None:
        """Keep the merges learnt so far, if it is long ago that they were kept."""
        if monotonic() - self._saved >= INTERVAL:
            write_atomically(self._folder / "merges.json", json.dumps(merges).encode())
            self._saved = monotonic()


def _read_json(path: Path, kind: type) -> Any:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(found, kind):
        raise _damaged(path, f"it holds a {type(found).__name__}")
    return found


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(f"{path} is damaged: {why}; remove it, and what it held is done again")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
