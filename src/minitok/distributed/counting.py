"""count_pieces(): a corpus to counted pieces, on the machines of a cluster.

What flows, by way of files in a scratch folder:

    portions     spans of files, some hundred megabytes together (`spans`)
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

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from minitok import _backend
from minitok.datasets.spans import CutRule, Span, open_span, plan_portions, plan_spans
from minitok.datasets.storage import Paths, Storage
from minitok.distributed.cluster import check_workers, find_client, results
from minitok.distributed.scratch import Scratch, scratch_folder
from minitok.files import TemporaryFolder
from minitok.patterns import DEFAULT_PATTERN
from minitok.piece_records import BLOCK_SIZE
from minitok.progress import ProgressOption, progress_of
from minitok.training import counting
from minitok.training.counting import LEAST_MEMORY, check_options
from minitok.training.piece_counts import MOST_STREAMS, REMEDY, PieceCounts, merged
from minitok.training.record_files import frames, read_frames, read_run, write_run

__all__ = ["count_pieces"]

#: A portion has about so many bytes at most: what a dead worker loses. In larger ones more pieces come again, so that
#: less is written and read.
LARGEST_PORTION = 1 << 30
#: And at least so many: a task takes some milliseconds whatever it does.
SMALLEST_PORTION = 1 << 24
#: Portions for each thread of the cluster, so that all are done at about the same time.
_PORTIONS_A_THREAD = 4
#: What of a worker's memory counting takes; the rest is for Python, for what is read and for what is written.
_MEMORY_SHARE = 0.5
#: Sections that a worker merges at once, and bytes of each that it fetches at once.
_SECTIONS_AT_ONCE = 64
_SECTION_STEP = 1 << 19


@dataclass(frozen=True)
class _Job:
    """What all tasks of a call know.

    Attributes:
        storage: where the corpus is.
        scratch: where workers write.
        partitions: how many there are.
        pattern: the regular expression that cuts texts.
        special_tokens: what separates documents.
        errors: what to do with bytes that are not UTF-8.
        memory_limit: bytes that counting a portion may take.
        rule: where text may be cut.
    """

    storage: Storage
    scratch: Scratch
    partitions: int
    pattern: str | None
    special_tokens: list[str]
    errors: Literal["strict", "replace"]
    memory_limit: int | None
    rule: CutRule | None


@dataclass(frozen=True)
class _Written:
    """A file in the scratch folder.

    Attributes:
        name: of the file.
        ends: where its sections end; the first begins at 0.
        pieces: distinct pieces in it.
        total: the sum of their counts.
    """

    name: str
    ends: list[int]
    pieces: int
    total: int


def count_pieces(
    paths: Paths,
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
    None. A worker that dies loses the portion that it was counting, which another one counts again.

    Args:
        paths: a path, a URL that fsspec knows, a glob of either, or several of these. Files are what they are for
            `minitok.count_pieces`.
        client: a `distributed.Client`; None: the one that the program made last.
        pattern: how text is cut into pieces.
        special_tokens: strings that separate documents, and are not counted.
        errors: what to do with bytes that are not valid UTF-8: "strict" or "replace".
        field: the field with the text: all files are JSON Lines.
        memory_limit: bytes that each thread of a worker may take for counts, about; at least 32 MiB. What does not
            fit goes to its temporary folder. Default: half of what Dask allows the worker, shared among its threads.
        scratch: a folder that all machines reach, where workers write for one another; what is written there is
            removed. Default: a temporary one, for workers on this machine.
        storage_options: for fsspec's file systems, such as keys or the address of an endpoint.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The counts, in a temporary file.

    Raises:
        ValueError: an option out of range; what `minitok.count_pieces` refuses in a file; a worker without
            minitok, with another one, or that does not reach the scratch folder; Dask is not installed.
        TypeError: something of the wrong type.
        OSError: a file that is not there or cannot be read; no workers, or workers that die again and again.
    """
    regex, tokens = check_options(pattern, special_tokens, errors, memory_limit)
    client = find_client(client)
    storage = Storage(dict(storage_options or {}))
    files = storage.find(paths)
    workers = check_workers(client)
    threads = max(1, sum(worker["nthreads"] for worker in workers.values()))
    total = sum(file.size for file in files)
    longest = min(LARGEST_PORTION, max(SMALLEST_PORTION, total // (_PORTIONS_A_THREAD * threads)))
    rule = CutRule.of(regex, tokens, errors)
    portions = plan_portions(plan_spans(files, field, rule, longest), longest)
    with (
        scratch_folder(client, storage, None if scratch is None else str(scratch)) as folder,
        progress_of(progress, "counting pieces", total, "B") as update,
    ):
        limit = _memory_limit(workers) if memory_limit is None else memory_limit
        parts = min(threads, MOST_STREAMS)
        job = _Job(storage, folder, parts, regex, tokens, errors, limit, rule)
        shares: list[_Written] = []
        for number, share in results(client, _count, [(job, portion) for portion in portions]):
            shares.append(share)
            if update is not None:
                update(sum(span.stop - span.start for span in portions[number]))
        contents, _ = folder.write("contents", [_contents(shares)])
        partitions = [
            found for _, found in results(client, _add_up, [(job, part, contents) for part in range(parts)])
        ]
        counts = merged([_section(folder, one, 0, 1 << 20) for one in partitions], regex, tokens, 1, on_disk=True)
    _check_sums(shares, partitions, counts)
    return counts


def _memory_limit(workers: Mapping[str, Any]) -> int | None:
    """What a thread may take, by what Dask allows its worker; None if that is as much as there is."""
    limits = [worker["memory_limit"] // worker["nthreads"] for worker in workers.values() if worker["memory_limit"]]
    return max(LEAST_MEMORY, int(_MEMORY_SHARE * min(limits))) if limits else None


def _check_sums(shares: Sequence[_Written], partitions: Sequence[_Written], counts: PieceCounts) -> None:
    """Nothing is lost on the way, nor counted twice, whatever the storage does."""
    if sum(share.total for share in shares) != counts.total or sum(one.pieces for one in partitions) != len(counts):
        raise ValueError(
            "the counts of the workers do not add up: files in the scratch folder were changed; count again"
        )


# -- Tasks ---------------------------------------------------------------------------------------------------------


def _count(job: _Job, portion: Sequence[Span]) -> _Written:
    """Count a portion, and write the counts, shared out by hash of the pieces."""
    counts = counting.count_pieces(
        (open_span(job.storage, span, job.rule) for span in portion),
        pattern=job.pattern,
        special_tokens=job.special_tokens,
        errors=job.errors,
        field=portion[0].field,
        num_threads=1,
        memory_limit=job.memory_limit,
        progress=False,
    )
    with _Shares(job.partitions) as shares:
        for block in counts.records():
            shares.add(block)
        name, _ = job.scratch.write("share", shares.sections())
        return _Written(name, shares.ends, len(counts), counts.total)


class _Shares:
    """Sorted records, shared out by hash of their pieces; on disk, because there may be many."""

    def __init__(self, partitions: int) -> None:
        self._folder = TemporaryFolder()
        self._held: list[list[bytes]] = [[] for _ in range(partitions)]
        self._size = 0
        self._runs = 0
        #: Where the sections end, once they have gone by.
        self.ends: list[int] = []

    def __enter__(self) -> _Shares:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()

    def add(self, block: bytes) -> None:
        """Share out a block."""
        for held, share in zip(self._held, _backend.partition_records(block, len(self._held))):
            held.append(share)
        self._size += len(block)
        if self._size >= BLOCK_SIZE * len(self._held):
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
        for run in range(self._runs):
            yield from read_run(self._folder.path / f"{partition}-{run}")
        if block := b"".join(self._held[partition]):
            yield block

    def _write(self) -> None:
        for partition, held in enumerate(self._held):
            write_run(self._folder.path / f"{partition}-{self._runs}", filter(None, [b"".join(held)]), REMEDY)
            held.clear()
        self._runs += 1
        self._size = 0


def _contents(shares: Sequence[_Written]) -> bytes:
    """Which files of shares there are, and where their sections end, for those that add them up."""
    return json.dumps([[share.name, share.ends] for share in shares]).encode("ascii")


def _add_up(job: _Job, partition: int, contents: str) -> _Written:
    """Add up a partition: its section of each file of shares."""
    with ExitStack() as stack:
        shares = [_Written(name, ends, 0, 0) for name, ends in json.loads(job.scratch.read_all(contents))]
        groups = [shares[i : i + _SECTIONS_AT_ONCE] for i in range(0, len(shares), _SECTIONS_AT_ONCE)]
        streams = [[_section(job.scratch, share, partition, _SECTION_STEP) for share in group] for group in groups]
        if len(groups) > 1:
            folder = TemporaryFolder()
            stack.callback(folder.close)
            for number, group in enumerate(streams):
                write_run(folder.path / str(number), _backend.merge_records(group), REMEDY)
            streams = [[read_run(folder.path / str(number)) for number in range(len(groups))]]
        pieces = total = 0

        def measured() -> Iterator[bytes]:
            nonlocal pieces, total
            for block in _backend.merge_records(streams[0] if streams else []):
                found = _backend.measure_records(block, None)
                pieces += found[0]
                total += found[1]
                yield block

        name, size = job.scratch.write("partition", frames(measured()))
        return _Written(name, [size], pieces, total)


def _section(scratch: Scratch, written: _Written, section: int, step: int) -> Iterator[bytes]:
    """The blocks of a section of a file."""
    start, stop = [0, *written.ends][section : section + 2]
    return read_frames(scratch.read(written.name, start, stop, step=step), written.name)  # type: ignore[arg-type]
