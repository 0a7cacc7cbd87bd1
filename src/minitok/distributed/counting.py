"""count_pieces(): a corpus to counted pieces, on the machines of a cluster.

What flows, by way of files in a scratch folder:

    portions     spans of files, some hundred megabytes together (`portions`)
    shares       a worker counts a portion as one machine counts a corpus, sorted, and shares the pieces out by hash:
                 one file, with a section for each partition
    partitions   a worker adds up one section of each of these files, by merging: equal pieces are in one partition
    result       the partitions, merged by the program that called

Each arrow is a stream of sorted blocks. A worker holds what counting a portion may take (`memory_limit`), or a block
of each stream that it merges; the program that called holds a block of each partition. What is counted is the
same as on one machine, because counts are whole numbers that add up in any order, and portions end where nothing
that is counted goes across.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from minitok import _backend
from minitok.datasets.spans import CutRule, open_span
from minitok.datasets.storage import Paths, Storage, StoredFile
from minitok.distributed.cluster import check_workers, find_client, fingerprint, results
from minitok.distributed.portions import Plan, Portion
from minitok.distributed.scratch import PLAN, Scratch, Written, scratch_folder
from minitok.files import TemporaryFolder
from minitok.patterns import DEFAULT_PATTERN
from minitok.piece_records import BLOCK_SIZE
from minitok.progress import ProgressOption, progress_of
from minitok.training import counting
from minitok.training.counting import LEAST_MEMORY, WeightedSources, check_options, weighted
from minitok.training.piece_counts import MOST_STREAMS, REMEDY, Measured, PieceCounts, merged, scaled
from minitok.training.record_files import frames, read_frames, read_run, write_run

__all__ = ["count_pieces"]

#: What of a worker's memory counting takes; the rest is for Python, for what is read and for what is written.
_MEMORY_SHARE = 0.5
#: Sections that a worker merges at once, and bytes of each that it fetches at once.
_SECTIONS_AT_ONCE = 64
_SECTION_STEP = 1 << 19
#: Bytes of counts that are shared out in memory, at least, before they go to disk.
_HELD = 1 << 26


@dataclass(frozen=True)
class _Job:
    """What all tasks of a call know.

    Attributes:
        storage: where the corpus is.
        scratch: where workers write.
        plan: its hash.
        partitions: how many there are.
        pattern: the regular expression that cuts texts.
        special_tokens: what separates documents.
        errors: what to do with bytes that are not UTF-8.
        memory_limit: bytes that counting a portion may take.
        rule: where text may be cut.
    """

    storage: Storage
    scratch: Scratch
    plan: str
    partitions: int
    pattern: str | None
    special_tokens: list[str]
    errors: Literal["strict", "replace"]
    memory_limit: int | None
    rule: CutRule | None


def count_pieces(
    paths: Paths | WeightedSources,
    *,
    client: Any = None,
    pattern: str | None = DEFAULT_PATTERN,
    special_tokens: Iterable[str] = (),
    errors: Literal["strict", "replace"] = "strict",
    field: str | None = None,
    memory_limit: int | None = None,
    scratch: str | PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    progress: ProgressOption = None,
) -> PieceCounts:
    """How often each piece occurs in a corpus, counted by the workers of a Dask cluster.

    The result is the same as that of `minitok.count_pieces` for the same files, and so is what is learnt from it.
    Large files are cut; compressed ones are not, nor is text without special tokens if the pattern is a custom one or
    None. A worker that dies loses the portion that it was counting, which another one counts again. If this program
    dies, the same call with the same `scratch` goes on with what has been counted.

    Args:
        paths: a path, a URL that fsspec knows, a glob of either, or several of these; or a mapping of these to
            weights: what is in their files counts so many times. Files are what they are for `minitok.count_pieces`.
        client: a `distributed.Client`; None: the one that the program made last.
        pattern: how text is cut into pieces.
        special_tokens: strings that separate documents, and are not counted.
        errors: what to do with bytes that are not valid UTF-8: "strict" or "replace".
        field: the field with the text: all files are JSON Lines.
        memory_limit: bytes that each thread of a worker may take for counts, about; at least 32 MiB. What does not
            fit goes to its temporary folder. Default: half of what Dask allows the worker, shared among its threads.
        scratch: a folder that all machines reach, where workers write for one another, in a folder `minitok-...`
            with a name of the job. It is removed when all is counted, and stays if the cluster fails or the program
            is stopped. Default: a temporary one, for workers on this machine.
        storage_options: for fsspec's file systems, such as keys or the address of an endpoint.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The counts, in a temporary file.

    Raises:
        ValueError: an option or a weight out of range; what `minitok.count_pieces` refuses in a file; a worker
            without minitok, with another one, or that does not reach the scratch folder; Dask is not installed.
        TypeError: something of the wrong type.
        OSError: a file that is not there or cannot be read; no workers, or workers that die again and again.
    """
    regex, tokens = check_options(pattern, special_tokens, errors, memory_limit)
    client = find_client(client)
    storage = Storage(dict(storage_options or {}))
    sources, scale = weighted(paths)
    groups = [(factor, storage.find(source)) for source, factor in sources]
    workers = check_workers(client)
    rule = CutRule.of(regex, tokens, errors)
    name = _job_name(groups, scale, regex, tokens, errors, field)
    with scratch_folder(client, storage, None if scratch is None else os.fspath(scratch), name) as folder:
        plan = _kept_plan(folder)
        if plan is None:
            threads = max(1, sum(worker["nthreads"] for worker in workers.values()))
            plan = Plan.of(groups, field, rule, threads, min(threads, MOST_STREAMS))
            folder.storage.write(folder.url_of(PLAN), plan.written(), durable=False)
        limit = _memory_limit(workers) if memory_limit is None else memory_limit
        job = _Job(storage, folder, plan.hash, plan.partitions, regex, tokens, errors, limit, rule)
        shares: list[Written] = []
        tasks = [(job, number, portion) for number, portion in enumerate(plan.portions)]
        total = sum(portion.size for portion in plan.portions)
        with progress_of(progress, "counting pieces", total, "B") as update:
            for number, share in results(client, _count, tasks):
                shares.append(share)
                if update is not None:
                    update(plan.portions[number].size)
        contents, _, _ = folder.write("contents", [_contents(shares)])
        parts = range(plan.partitions)
        partitions = [found for _, found in results(client, _add_up, [(job, part, contents) for part in parts])]
        streams = [_section(folder, one.name, one.ends, 0, 1 << 20) for one in partitions]
        counts = merged(streams, regex, tokens, scale, on_disk=True, thread=True)
        _check_sums(shares, partitions, counts)
    return counts


def _job_name(groups: Sequence[tuple[int, Sequence[StoredFile]]], *options: Any) -> str:
    """What tells this job from any other whose counts may be different.

    A file of which nothing tells whether it has changed makes the job another one each time.
    """
    found = [
        [factor, [[file.url, file.size, file.version or os.urandom(8).hex()] for file in files]]
        for factor, files in groups
    ]
    return hashlib.sha256(json.dumps([fingerprint(), found, options]).encode("ascii")).hexdigest()[:32]


def _kept_plan(folder: Scratch) -> Plan | None:
    """The plan of a run of the same job that did not end, perhaps for another number of threads."""
    data = folder.storage.read_if_there(folder.url_of(PLAN))
    try:
        return None if data is None else Plan.read(data)
    except ValueError:  # damaged: what follows from another plan is not taken for what follows from this one
        return None


def _memory_limit(workers: Mapping[str, Any]) -> int | None:
    """What a thread may take, by what Dask allows its worker; None if that is as much as there is."""
    limits = [worker["memory_limit"] // worker["nthreads"] for worker in workers.values() if worker["memory_limit"]]
    return max(LEAST_MEMORY, int(_MEMORY_SHARE * min(limits))) if limits else None


def _check_sums(shares: Sequence[Written], partitions: Sequence[Written], counts: PieceCounts) -> None:
    """Nothing is lost on the way, nor counted twice, whatever the storage does."""
    if sum(share.total for share in shares) != counts.total or sum(one.pieces for one in partitions) != len(counts):
        raise ValueError(
            "the counts of the workers do not add up: files in the scratch folder were changed; count again"
        )


# -- Tasks ---------------------------------------------------------------------------------------------------------


def _count(job: _Job, number: int, portion: Portion) -> Written:
    """Count a portion, and write the counts, shared out by hash of the pieces."""

    def write() -> Written:
        counts = counting.count_pieces(
            (open_span(job.storage, span, job.rule) for span in portion.spans),
            pattern=job.pattern,
            special_tokens=job.special_tokens,
            errors=job.errors,
            field=portion.spans[0].field,
            num_threads=1,
            memory_limit=job.memory_limit,
            progress=False,
        )
        with _Shares(job.partitions) as shares:
            for block in scaled(counts.records(), portion.factor):
                shares.add(block)
            file = job.scratch.write("share", shares.sections())
            return Written(*file, shares.ends, len(counts), counts.total * portion.factor)

    return job.scratch.once(f"share-{number:05}", job.plan, write)


class _Shares:
    """Sorted records, shared out by hash of their pieces; what is too much for memory is on disk."""

    def __init__(self, partitions: int) -> None:
        self._folder: TemporaryFolder | None = None
        self._held: list[list[bytes]] = [[] for _ in range(partitions)]
        self._size = 0
        self._runs = 0
        #: Where the sections end, once they have gone by.
        self.ends: list[int] = []

    def __enter__(self) -> _Shares:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.close()

    def add(self, block: bytes) -> None:
        """Share out a block."""
        for held, share in zip(self._held, _backend.partition_records(block, len(self._held))):
            held.append(share)
        self._size += len(block)
        if self._size >= max(_HELD, BLOCK_SIZE * len(self._held)):
            self._write()

    def sections(self) -> Iterator[bytes]:
        """What was shared out, partition after partition, as a file has it."""
        size = 0
        for partition in range(len(self._held)):
            for part in frames(self._blocks(partition)):
                yield part
                size += len(part)
            self.ends.append(size)

    def _blocks(self, partition: int) -> Iterator[bytes]:
        if self._folder is not None:
            for run in range(self._runs):
                yield from read_run(self._folder.path / f"{partition}-{run}")
        yield from _joined(self._held[partition])

    def _write(self) -> None:
        if self._folder is None:
            self._folder = TemporaryFolder()
        for partition, held in enumerate(self._held):
            write_run(self._folder.path / f"{partition}-{self._runs}", _joined(held), REMEDY)
            held.clear()
        self._runs += 1
        self._size = 0


def _joined(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks, each of which may be small or empty, as few of the usual size."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= BLOCK_SIZE:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _contents(shares: Sequence[Written]) -> bytes:
    """Which files of shares there are, and where their sections end, for those that add them up."""
    return json.dumps([[share.name, share.ends] for share in shares]).encode("ascii")


def _add_up(job: _Job, partition: int, contents: str) -> Written:
    """Add up a partition: its section of each file of shares."""

    def write() -> Written:
        with ExitStack() as stack:
            shares = json.loads(job.scratch.read_all(contents))
            sections = [_section(job.scratch, name, ends, partition, _SECTION_STEP) for name, ends in shares]
            groups = [sections[i : i + _SECTIONS_AT_ONCE] for i in range(0, len(sections), _SECTIONS_AT_ONCE)]
            if len(groups) > 1:
                folder = TemporaryFolder()
                stack.callback(folder.close)
                for number, group in enumerate(groups):
                    write_run(folder.path / str(number), _backend.merge_records(group), REMEDY)
                groups = [[read_run(folder.path / str(number)) for number in range(len(groups))]]
            measured = Measured(_backend.merge_records(groups[0] if groups else []))
            file = job.scratch.write("partition", frames(measured))
            return Written(*file, [file[1]], measured.pieces, measured.total)

    return job.scratch.once(f"partition-{partition:05}", job.plan, write)


def _section(scratch: Scratch, name: str, ends: Sequence[int], section: int, step: int) -> Iterator[bytes]:
    """The blocks of a section of a file."""
    start, stop = [0, *ends][section : section + 2]
    return read_frames(scratch.read(name, start, stop, step=step), name)  # type: ignore[arg-type]
