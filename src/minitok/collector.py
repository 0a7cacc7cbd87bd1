"""Python's collector of cyclic garbage, out of the way while many objects are made.

The collector looks through all young objects each time some hundreds more were made than freed, and through all there
are each time their number has grown by a quarter. A document of a million lists has no cycles: the time is lost, a
quarter of the whole for large vocabularies, and more in a process that has many objects already.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]

#: Whether it is off because of this module: a child that another thread forks meanwhile turns it on again.
_is_paused = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection until the block ends, well or not. If the collector is off already it stays so.

    It is one for all threads. Each block that turns it off turns it on again, so that it is on when all have ended;
    if blocks of two threads overlap, the second one may have it on for a while, and only takes longer.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    global _is_paused  # noqa: PLW0603
    if not gc.isenabled():
        yield
        return
    try:
        _is_paused = True
        gc.disable()
        yield
    finally:
        gc.enable()
        _is_paused = False


def _after_fork() -> None:
    global _is_paused  # noqa: PLW0603
    if _is_paused:
        _is_paused = False
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
