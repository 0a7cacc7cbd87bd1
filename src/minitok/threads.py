"""How much work threads get, and how many there are. They run side by side only where the compiled backend is."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from operator import index
from typing import Any, TypeVar

__all__ = ["WORTHWHILE", "ahead", "groups", "map_ahead", "map_in_threads", "thread_count"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

#: Bytes or characters of text for which a thread pays: starting one takes as long as encoding a few KiB.
WORTHWHILE = 1 << 16


def thread_count(requested: int | None, size: int) -> int:
    """How many threads to use.

    Args:
        requested: what the caller asks for; None: one for each processor that this process may use, as long as each
            has `WORTHWHILE` of text; the environment variable MINITOK_NUM_THREADS sets an upper bound.
        size: of the text, in characters or bytes.

    Raises:
        ValueError: fewer than one.
        TypeError: not an integer.
    """
    if requested is not None:
        if index(requested) < 1:
            raise ValueError(f"num_threads is {requested}; expected 1 or more, or None")
        return index(requested)
    if size < 2 * WORTHWHILE:
        return 1
    bound = os.environ.get("MINITOK_NUM_THREADS")
    if bound is not None and not (bound.isdigit() and int(bound) > 0):
        raise ValueError(f"MINITOK_NUM_THREADS={bound!r}; expected a number from 1 on")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors if bound is None else int(bound), size // WORTHWHILE))


def map_in_threads(function: Callable[[_Item], _Result], items: Sequence[_Item], threads: int) -> list[_Result]:
    """`function` of each item, in order. No thread outlives the call."""
    if threads == 1 or len(items) < 2:
        return list(map(function, items))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        return list(pool.map(function, items))


def map_ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> Generator[_Result, None, None]:
    """`function` of each item, in order, of items that are made one by one and are never all there at once.

    No more than one item for each thread is taken ahead of the result that is waited for. No thread outlives the
    generator, which the caller closes (`contextlib.closing`).
    """
    if threads == 1:
        yield from map(function, items)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def ahead(items: Iterator[_Item], most: int) -> Generator[_Item, None, None]:
    """Items that a thread makes, up to `most` of them before they are asked for.

    The thread does not outlive the generator, which the caller closes (`contextlib.closing`).

    >>> list(ahead(iter("abc"), 2))
    ['a', 'b', 'c']
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(next, items, end) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, items, end))
                yield item
        finally:
            for future in waiting:
                future.cancel()


def groups(sizes: Sequence[int], count: int) -> list[slice]:
    """Cut a sequence of items of the given sizes into up to `count` stretches of about the same total.

    >>> groups([5, 1, 1, 1, 1, 1], 2)
    [slice(0, 1, None), slice(1, 6, None)]
    """
    total = sum(sizes)
    stretches: list[slice] = []
    start = done = 0
    for i, size in enumerate(sizes, 1):
        done += size
        if done * count >= total * (len(stretches) + 1) or i == len(sizes):
            if i > start:
                stretches.append(slice(start, i))
            start = i
    return stretches
