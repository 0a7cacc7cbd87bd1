"""count_pieces(): a corpus to counted pieces, in threads or processes, in bounded memory.

What flows, one stage pulling from the one before:

    documents   short ones whole, a long one in parts (`corpus`)
    batches     texts of about `BLOCK` together, whose pieces are those of the corpus
    counters    one for each thread, which takes the next batch when it is done with one
    records     sorted by the bytes of their pieces, in memory; where memory has a limit, runs on disk that are merged

What is counted does not depend on how documents are cut (see `Pretokenizer.parts`), nor on who counts what: counts
are whole numbers, and add up in any order. Weights are made whole numbers too, by a common denominator.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import chain, islice
from itertools import count as count_from
from math import lcm
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minitok import _backend, corpus
from minitok.corpus import Corpus, Source, total_bytes
from minitok.files import TemporaryFolder
from minitok.input_documents import Documents
from minitok.patterns import DEFAULT_PATTERN, find_named_pattern, resolve_pattern
from minitok.piece_records import check_order
from minitok.pretokenizer import get_pretokenizer
from minitok.progress import ProgressOption, progress_of
from minitok.special_tokens import check_special_tokens
from minitok.threads import map_ahead, thread_count
from minitok.training.piece_counts import MOST_STREAMS, REMEDY, PieceCounts, Records, merged, scaled
from minitok.training.record_files import read_run, write_run

if TYPE_CHECKING:
    from minitok.training.counter_process import CounterProcess

__all__ = ["LEAST_MEMORY", "Weight", "WeightedSources", "check_options", "count_pieces", "weighted"]

#: How much a source counts.
Weight = int | float | Fraction | Decimal
#: Paths or globs, and the weights of their texts.
WeightedSources = Mapping[str, Weight] | Mapping[PathLike[str], Weight] | Mapping[str | PathLike[str], Weight]

#: The least memory that counting can be limited to, for each thread.
LEAST_MEMORY = 1 << 25
#: How much of a counter's share of the memory its counts may take: to sort them takes a third as much again.
_COUNTS_OF_SHARE = 0.7
#: What a stream that is merged takes: a block, and what is made of it.
_STREAM_MEMORY = 1 << 22
#: What is a long document if the pattern is a custom one, for which cutting is exact only within limits.
LONG = 1 << 20
#: Processes are started when so many bytes have been counted and there are more.
PROCESSES_PAY = 1 << 23


def count_pieces(
    source: Source | WeightedSources,
    *,
    pattern: str | None = DEFAULT_PATTERN,
    special_tokens: Iterable[str] = (),
    errors: Literal["strict", "replace"] = "strict",
    field: str | None = None,
    num_threads: int | None = None,
    memory_limit: int | None = None,
    order: Literal["bytes", "first"] = "bytes",
    progress: ProgressOption = None,
) -> PieceCounts:
    """How often each piece occurs in a corpus; what `train` learns from.

    The result depends on the texts alone: not on their order, the number of threads, or whether memory was enough.

    Args:
        source: a path or a glob (as a str or `Path`); an open file; an iterable of texts (`str`), `Path`s and open
            files; or a mapping of paths and globs to weights: what is in their files counts so many times. Files are
            text, or JSON Lines (`.jsonl`, `.ndjson`); with `.gz` or `.zst` behind, they are compressed; or
            columns of Parquet or Arrow (`.parquet`, `.arrow`, `.feather`). They are read
            in parts.
        pattern: how text is cut into pieces: a name ("o200k", "cl100k", "gpt2"), a regular expression, or None
            (a document is one piece).
        special_tokens: strings that separate documents, and are not counted.
        errors: bytes in a text file that are not valid UTF-8 are an error ("strict") or become U+FFFD ("replace").
        field: the field with the text: all files are JSON Lines.
        num_threads: how many threads count (processes, where the pattern is not a named one or the backend is in
            pure Python). Default: one for each processor, as long as there is enough text; MINITOK_NUM_THREADS sets
            an upper bound.
        memory_limit: bytes that counting may take, about; at least 32 MiB. What does not fit goes to a temporary
            folder (where TMPDIR says), and the result is in a file there, which lives as long as it does. A single
            piece or line of JSON is held whole. Default: as much as it takes.
        order: what the result is sorted by: the bytes of the pieces, or where in the corpus they were first seen. The
            latter takes one thread, and all in memory.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The counts.

    Raises:
        ValueError: an option out of range, bytes that are not UTF-8, a weight that is none, a count above 2**63 - 1,
            a compressed file that is damaged.
        TypeError: a source of the wrong type.
        OSError: a file that cannot be read; a temporary one that cannot be written.

    >>> count_pieces(["to be or not to be"])[b" be"]
    2
    """
    regex, tokens = check_options(pattern, special_tokens, errors, memory_limit)
    check_order(order)
    if order == "first" and memory_limit is not None:
        raise ValueError("order='first' keeps all counts in memory; pass no memory_limit, or order='bytes'")
    sources, scale = weighted(source)
    sizes = [total_bytes(one) for one, _ in sources]
    total = None if None in sizes else sum(filter(None, sizes))
    threads = thread_count(num_threads, sys.maxsize if total is None else total)
    read = Corpus(
        tokens, errors, field, LONG if regex is not None and find_named_pattern(regex) is None else corpus.BLOCK
    )
    job = _Job(regex, 1 if order == "first" else threads, memory_limit, order)
    with progress_of(progress, "counting pieces", total, "B") as update, ExitStack() as stack:
        stack.callback(job.close)
        for factor, some in _groups(sources, in_order=order == "first"):
            documents = chain.from_iterable(map(read.documents, some))
            done = read.so_far.on_disk
            for on_disk in job.count(_batches(documents, regex, read), factor):
                if update is not None:
                    update(on_disk - done)
                done = on_disk
        return job.result(tokens, scale)


# -- Options -------------------------------------------------------------------------------------------------------


def check_options(
    pattern: str | None, special_tokens: Iterable[str], errors: str, memory_limit: int | None
) -> tuple[str | None, list[str]]:
    """Make sure that options of `count_pieces` are right, before anything is read.

    Returns:
        The regular expression, and the special tokens.

    Raises:
        ValueError: one of them is out of range.
        TypeError: or of the wrong type.
    """
    regex = resolve_pattern(pattern)
    get_pretokenizer(regex)
    tokens = check_special_tokens(special_tokens)
    if errors not in ("strict", "replace"):
        raise ValueError(f"errors is {errors!r}; expected 'strict' or 'replace'")
    if memory_limit is not None:
        _check_memory_limit(memory_limit)
    return regex, tokens


def _check_memory_limit(memory_limit: int) -> None:
    if type(memory_limit) is not int:
        raise TypeError(f"memory_limit is a number of bytes (int) or None, not {type(memory_limit).__name__}")
    if memory_limit < LEAST_MEMORY:
        raise ValueError(f"memory_limit is {memory_limit}; expected at least {LEAST_MEMORY} (32 MiB), or None")


def weighted(source: Any) -> tuple[list[tuple[Any, int]], int]:
    """Sources and how many times each counts, in units of 1 / the number beside them.

    Raises:
        ValueError: a weight that is none, or all are 0.
        TypeError: a weight of something that is no path, or that is no number.
    """
    if not isinstance(source, Mapping):
        return [(source, 1)], 1
    weights: list[tuple[Any, Fraction]] = []
    for name, weight in source.items():
        if not isinstance(name, (str, PathLike)):
            raise TypeError(f"weights are for paths and globs, not for {type(name).__name__}")
        weights.append((name, _fraction(name, weight)))
    if weights and not any(weight for _, weight in weights):
        raise ValueError("all weights are 0, so that nothing counts; give some source a weight above 0")
    scale = lcm(*(weight.denominator for _, weight in weights))
    return [(name, int(weight * scale)) for name, weight in weights if weight], scale


def _fraction(name: str | PathLike[str], weight: Any) -> Fraction:
    """A weight as it is written: 0.1 is 1/10."""
    if isinstance(weight, bool) or not isinstance(weight, (int, float, Fraction, Decimal)):
        raise TypeError(f"the weight of {str(name)!r} is {weight!r}; expected a number")
    try:
        fraction = Fraction(float.__repr__(weight) if isinstance(weight, float) else weight)
    except (ValueError, OverflowError):
        fraction = Fraction(-1)  # no number, or infinite
    if fraction < 0:
        raise ValueError(f"the weight of {str(name)!r} is {weight!r}; expected a finite number, 0 or more")
    return fraction


def _groups(sources: Sequence[tuple[Source, int]], *, in_order: bool) -> list[tuple[int, list[Source]]]:
    """The sources that count equally many times together; or each alone, where their order matters."""
    if in_order:
        return [(factor, [source]) for source, factor in sources]
    groups: dict[int, list[Source]] = {}
    for source, factor in sources:
        groups.setdefault(factor, []).append(source)
    return list(groups.items())


# -- Batches -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batch:
    """What is counted at once.

    Attributes:
        texts: documents and parts of documents.
        pieces: or pieces, where a custom pattern has cut a long document.
        size: bytes or characters of it all.
        on_disk: how much of the corpus has been read when it is complete.
    """

    texts: list[bytes]
    pieces: list[str]
    size: int
    on_disk: int


def _batches(documents: Documents, pattern: str | None, read: Corpus) -> Iterator[_Batch]:
    texts: list[bytes] = []
    size = 0
    for more in _texts(documents, pattern):
        if more and isinstance(more[0], str):
            yield _Batch([], more, sum(map(len, more)), read.so_far.on_disk)
            continue
        texts += more
        size += sum(map(len, more))
        if size >= corpus.BLOCK or len(texts) >= corpus.TEXTS:
            yield _Batch(texts, [], size, read.so_far.on_disk)
            texts, size = [], 0
    if texts:
        yield _Batch(texts, [], size, read.so_far.on_disk)


def _texts(documents: Documents, pattern: str | None) -> Iterator[list[Any]]:
    """Documents and parts of them (bytes), or pieces (str), in small numbers."""
    pretokenizer = get_pretokenizer(pattern)
    for item in documents:
        if isinstance(item, list):
            yield item
            continue
        for part in pretokenizer.parts(item):
            yield [part] if isinstance(part, bytes) else part


def _first(batches: Iterator[_Batch], size: int) -> Iterator[_Batch]:
    """So many batches that they have `size` together."""
    while size > 0:
        batch = next(batches, None)
        if batch is None:
            return
        size -= batch.size
        yield batch


# -- Counting ------------------------------------------------------------------------------------------------------


class _Job:
    """The counters of one call, and what they have written to disk.

    Args:
        pattern: the regular expression that cuts texts into pieces.
        threads: how many counters to have.
        memory_limit: bytes that all may take together; None: there is no limit.
        order: of the result.
    """

    def __init__(
        self, pattern: str | None, threads: int, memory_limit: int | None, order: Literal["bytes", "first"]
    ) -> None:
        self._pattern = pattern
        self._order = order
        self._threads = threads
        self._in_processes = pattern is not None and (
            _backend.BACKEND == "python" or find_named_pattern(pattern) is None
        )
        #: What was counted by counters that are done, each piece as often as it counts.
        self._total = _backend.PieceCounter(pattern)
        self._processes: list[CounterProcess] = []
        self._limit = memory_limit
        self._most_streams = MOST_STREAMS
        self._folder: TemporaryFolder | None = None
        self._runs: list[Path] = []  # sorted, each piece as often as it counts
        self._numbers = count_from(1)
        if memory_limit is not None:
            self._threads = max(1, min(threads, memory_limit // LEAST_MEMORY))
            counters = self._threads + (self._in_processes and self._threads > 1)
            self._share = int(_COUNTS_OF_SHARE * (memory_limit // counters - 8 * corpus.BLOCK))
            self._most_streams = max(2, min(MOST_STREAMS, memory_limit // _STREAM_MEMORY))
            self._folder = TemporaryFolder()

    def count(self, batches: Iterator[_Batch], factor: int) -> Iterator[int]:
        """Count batches, whose pieces count `factor` times; yields how much has been read after each."""
        if self._limit is not None:
            self._spill(self._total, 1)
        own = _backend.PieceCounter(self._pattern)
        free: list[_backend.PieceCounter | CounterProcess] = [own]  # those that no thread uses now

        def pieces_counted() -> Iterator[_Batch]:
            """The batches; what is not text is counted here, where they are made: no thread has `own` then."""
            for batch in batches:
                if batch.pieces:
                    own.add(batch.pieces)
                    self._spill_if_large(own, factor)
                yield batch

        def count_texts(batch: _Batch) -> int:
            try:
                counter = free.pop()
            except IndexError:
                counter = _backend.PieceCounter(self._pattern)
            counter.feed_all(batch.texts)
            self._spill_if_large(counter, factor)
            free.append(counter)
            return batch.on_disk

        counted: Iterator[_Batch] = pieces_counted()
        ahead = list(islice(counted, 2))
        counted = chain(ahead, counted)
        threads = self._threads if len(ahead) > 1 else 1
        if threads > 1 and self._in_processes:
            yield from map(count_texts, _first(counted, PROCESSES_PAY))
            following = list(islice(counted, 1))
            counted = chain(following, counted)
            if following and self._start_processes():
                free[:] = self._processes
            else:
                threads = 1
        with closing(map_ahead(count_texts, counted, threads)) as results:
            yield from results
        self._collect(own, factor)
        for counter in free:
            if counter is not own:
                self._collect(counter, factor)

    def result(self, special_tokens: Sequence[str], scale: int) -> PieceCounts:
        """All that was counted."""
        if self._limit is not None and (self._runs or self._total.nbytes > self._limit // 2):
            self._spill(self._total, 1)
            while len(self._runs) > self._most_streams:
                some, self._runs = self._runs[: self._most_streams], self._runs[self._most_streams :]
                self._write(_backend.merge_records([read_run(run) for run in some]))
                for run in some:
                    run.unlink()
            streams = [read_run(run) for run in self._runs]
            return merged(streams, self._pattern, special_tokens, scale, on_disk=True)
        pieces, total = len(self._total), self._total.total
        return PieceCounts(
            Records(list(self._total.records(self._order))),
            pattern=self._pattern,
            special_tokens=special_tokens,
            pieces=pieces,
            total=total,
            scale=scale,
            order=self._order,
        )

    def close(self) -> None:
        """End processes, and remove what is on disk."""
        for process in self._processes:
            process.close()
        if self._folder is not None:
            self._folder.close()

    def _start_processes(self) -> bool:
        """Whether there are processes to count in."""
        if self._processes:
            return True
        from minitok.training.counter_process import CounterProcess

        try:
            while len(self._processes) < self._threads:
                self._processes.append(CounterProcess(self._pattern))
            for process in self._processes:
                process.wait_until_ready()
        except OSError:
            for process in self._processes:
                process.close()
            self._processes.clear()
            return False
        return True

    def _collect(self, counter: _backend.PieceCounter | CounterProcess, factor: int) -> None:
        """Take what a counter has."""
        if factor == 1 and isinstance(counter, _backend.PieceCounter):
            if len(self._total) == 0:
                self._total = counter
            else:
                self._total.merge(counter)
            return
        for block in counter.records(self._order):
            self._total.add_records(block, factor)

    def _spill_if_large(self, counter: _backend.PieceCounter | CounterProcess, factor: int) -> None:
        if self._limit is not None and counter.nbytes > self._share:
            self._spill(counter, factor)

    def _spill(self, counter: _backend.PieceCounter | CounterProcess, factor: int) -> None:
        """Write what a counter has to disk, unless it has nothing."""
        if counter.nbytes:
            self._write(scaled(counter.records("bytes"), factor))

    def _write(self, blocks: Iterator[bytes]) -> None:
        assert self._folder is not None
        run = self._folder.path / f"run-{next(self._numbers)}"
        write_run(run, blocks, REMEDY)
        self._runs.append(run)
