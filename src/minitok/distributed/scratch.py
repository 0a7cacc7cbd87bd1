"""A folder for what workers hand to one another, which all of them and the program that called reach.

Each file there has a name that was never used before, and whoever wrote it tells its name when it is whole. So a task
that is done twice, because a worker seemed to be dead, does no harm: one of its two files is never looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from minitok.datasets.storage import RangeReader, Storage
from minitok.distributed.cluster import fingerprint, perform
from minitok.files import TemporaryFolder

__all__ = ["Scratch", "scratch_folder"]


@dataclass(frozen=True)
class Scratch:
    """The folder.

    Attributes:
        storage: where it is.
        url: the folder.
    """

    storage: Storage
    url: str

    def write(self, kind: str, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Write a new file; its name and its size.

        Args:
            kind: what the name begins with.
            chunks: what it is to hold.

        Raises:
            OSError: it cannot be written.
        """
        name = f"{kind}-{os.urandom(8).hex()}"
        filesystem, path = self.storage.open(self._url_of(name))
        size = 0
        with filesystem.open(path, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                size += len(chunk)
        return name, size

    def read(self, name: str, start: int, stop: int, *, step: int) -> RangeReader:
        """A stretch of a file, to be read `step` bytes at a time."""
        return RangeReader(self.storage, self._url_of(name), start, stop, step=step)

    def read_all(self, name: str) -> bytes:
        """The content of a small file.

        Raises:
            FileNotFoundError: it is not there.
        """
        filesystem, path = self.storage.open(self._url_of(name))
        data: bytes = filesystem.cat_file(path)
        return data

    def _url_of(self, name: str) -> str:
        return f"{self.url}/{name}"


@contextmanager
def scratch_folder(client: Any, storage: Storage, url: str | None) -> Iterator[Scratch]:
    """A new folder in `url`, which goes when the block ends; all workers were seen to read and write there.

    Args:
        client: of the cluster.
        storage: where `url` is.
        url: a folder; None: one for temporary files of this machine, for workers that run here.

    Raises:
        ValueError: not all reach it.
        OSError: it cannot be made.
    """
    temporary = TemporaryFolder() if url is None else None
    folder = str(temporary.path) if temporary is not None else f"{str(url).rstrip('/')}/minitok-{os.urandom(8).hex()}"
    scratch = Scratch(Storage() if url is None else storage, folder)
    try:
        scratch.storage.make_folder(folder)
        _check_reached(client, scratch)
        yield scratch
    finally:
        scratch.storage.remove_folder(folder)
        if temporary is not None:
            temporary.close()


def _check_reached(client: Any, scratch: Scratch) -> None:
    secret = os.urandom(16)
    name, _ = scratch.write("probe", [secret])
    for worker, answer in client.run(perform, fingerprint(), _answer, scratch, name, on_error="return").items():
        problem = answer
        if isinstance(answer, str):
            try:
                problem = None if scratch.read_all(answer) == secret else "what it wrote there is something else here"
            except FileNotFoundError:
                problem = "what it wrote there is not here"
        if problem is not None:
            raise ValueError(
                f"the worker {worker} and this program do not share the folder {scratch.url} ({problem}); give one "
                "that all machines read and write: scratch='s3://bucket/folder' (--scratch)"
            )


def _answer(scratch: Scratch, name: str) -> str:
    """Write again what is in a file; the name of the new one."""
    return scratch.write("probe", [scratch.read_all(name)])[0]
