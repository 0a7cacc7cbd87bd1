"""A folder for what workers hand to one another, which all of them and the program that called reach.

Each file there has a name that was never used before, and whoever wrote it tells its name when it is whole. So a task
that is done twice, because a worker seemed to be dead, does no harm: one of its two files is never looked at.

What a task has written it can be kept for: a small file, the *entry*, which is written last, under a name that tells
which task it was, says what it gave. A run that begins again after it was killed finds it there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from minitok.datasets.manifest import check_file
from minitok.datasets.storage import RangeReader, Storage
from minitok.distributed.cluster import fingerprint, perform
from minitok.files import TemporaryFolder

__all__ = ["PLAN", "Scratch", "Written", "scratch_folder"]

#: The file that a run which begins again goes by. It is there as long as the job goes on.
PLAN = "plan"


@dataclass(frozen=True)
class Written:
    """A file of counts in the scratch folder.

    Attributes:
        name: of the file.
        size: in bytes.
        sha256: of its content.
        ends: where its sections end; the first begins at 0.
        pieces: distinct pieces in it.
        total: the sum of their counts.
    """

    name: str
    size: int
    sha256: str
    ends: list[int]
    pieces: int
    total: int


@dataclass(frozen=True)
class Scratch:
    """The folder.

    Attributes:
        storage: where it is.
        url: the folder.
    """

    storage: Storage
    url: str

    def write(self, kind: str, chunks: Iterable[bytes]) -> tuple[str, int, str]:
        """Write a new file; its name, its size and its SHA-256.

        Args:
            kind: what the name begins with.
            chunks: what it is to hold.

        Raises:
            OSError: it cannot be written.
        """
        name = f"{kind}-{os.urandom(8).hex()}"
        filesystem, path = self.storage.open(self.url_of(name))
        size = 0
        digest = hashlib.sha256()
        with filesystem.open(path, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return name, size, digest.hexdigest()

    def read(self, name: str, start: int, stop: int, *, step: int) -> RangeReader:
        """A stretch of a file, to be read `step` bytes at a time."""
        return RangeReader(self.storage, self.url_of(name), start, stop, step=step)

    def read_all(self, name: str) -> bytes:
        """The content of a small file.

        Raises:
            FileNotFoundError: it is not there.
        """
        filesystem, path = self.storage.open(self.url_of(name))
        data: bytes = filesystem.cat_file(path)
        return data

    def once(self, task: str, plan: str, write: Callable[[], Written]) -> Written:
        """What a task wrote when it was done before, if that is whole; else it is done.

        Args:
            task: its name.
            plan: a hash of all that it depends on.
            write: does it.

        Raises:
            OSError: it cannot be read or written.
            Exception: whatever `write` raises.
        """
        entry = self.url_of(f"{task}.json")
        kept = self._kept(self.storage.read_if_there(entry), plan)
        if kept is None:
            kept = write()
            if self.storage.read_if_there(self.url_of(PLAN)) is None:  # the job ended while this was at work
                self.storage.remove(self.url_of(kept.name))
                raise FileNotFoundError(f"the scratch folder {self.url} is gone; count again")
            told = json.dumps({"plan": plan, "written": asdict(kept)}).encode("ascii")
            self.storage.write(entry, told, durable=False)  # one that a power failure damages is made again
        return kept

    def _kept(self, entry: bytes | None, plan: str) -> Written | None:
        try:
            found = json.loads(entry or b"{}")
            written = Written(**found["written"])
            is_whole = found["plan"] == plan and not check_file(self.storage, self.url, found["written"])
        except (KeyError, TypeError, ValueError):  # it is not there, or damaged
            return None
        return written if is_whole else None

    def url_of(self, name: str) -> str:
        """A file of the folder."""
        return f"{self.url}/{name}"


@contextmanager
def scratch_folder(client: Any, storage: Storage, url: str | None, job: str) -> Iterator[Scratch]:
    """The folder for a job in `url`, where a run of the same job that was killed has left what it has done.

    It goes when the job is done, or cannot be, because of what is wrong in its input. What is there stays if the
    cluster or the storage fails, or the program is stopped: the next run goes on with it.

    Args:
        client: of the cluster; all workers are seen to read and write in `url`.
        storage: where `url` is.
        url: a folder; None: one for temporary files of this machine, for workers that run here; it always goes.
        job: a name that no other job has.

    Raises:
        ValueError: not all reach it.
        OSError: it cannot be made.
    """
    if url is None:
        temporary = TemporaryFolder()
        try:
            scratch = Scratch(Storage(), str(temporary.path))
            _check_reached(client, scratch)
            yield scratch
        finally:
            # Twice, because a worker that has not heard yet that it is over may have written meanwhile.
            Storage().remove_folder(str(temporary.path))
            temporary.close()
        return
    parent = url.rstrip("/")
    _check_reached(client, Scratch(storage, parent))
    scratch = Scratch(storage, f"{parent}/minitok-{job}")
    storage.make_folder(scratch.url)
    try:
        yield scratch
    except BaseException as error:
        if isinstance(error, (ValueError, TypeError, KeyError)):
            storage.remove_folder(scratch.url)
        raise
    storage.remove_folder(scratch.url)


def _check_reached(client: Any, parent: Scratch) -> None:
    """Make sure that workers and this program share a folder, by way of a new one in it, which goes."""
    scratch = Scratch(parent.storage, f"{parent.url}/minitok-{os.urandom(8).hex()}")
    secret = os.urandom(16)
    try:
        scratch.storage.make_folder(scratch.url)
        name, _, _ = scratch.write("probe", [secret])
        answers = client.run(perform, fingerprint(), _answer, scratch, name, on_error="return")
        for worker, answer in answers.items():
            problem = answer
            if isinstance(answer, str):
                try:
                    found = scratch.read_all(answer)
                    problem = None if found == secret else "what it wrote there is something else here"
                except FileNotFoundError:
                    problem = "what it wrote there is not here"
            if problem is not None:
                raise ValueError(
                    f"the worker {worker} and this program do not share the folder {parent.url} ({problem}); give "
                    "one that all machines read and write: scratch='s3://bucket/folder' (--scratch)"
                )
    finally:
        scratch.storage.remove_folder(scratch.url)


def _answer(scratch: Scratch, name: str) -> str:
    """Write again what is in a file; the name of the new one."""
    return scratch.write("probe", [scratch.read_all(name)])[0]
