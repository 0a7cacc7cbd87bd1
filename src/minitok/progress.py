"""The progress of long work: a bar on standard error, or a call of whoever wants to know."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

__all__ = ["Progress", "ProgressOption", "progress_bar", "progress_of"]

#: A callback is called no more often than this, in seconds, but for the last time.
INTERVAL = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a phase of long work is.

    Attributes:
        phase: what is done, for example "counting pieces".
        done: how much of it.
        total: how much there is to do at most; None: that is not known.
        unit: of both, "B" for bytes.
    """

    phase: str
    done: int
    total: int | None
    unit: str


#: Whether to show a bar; None: if standard error is a terminal; or whom to call instead.
ProgressOption = bool | Callable[[Progress], object] | None


def progress_bar(show: bool, **options: Any) -> AbstractContextManager[Any]:
    """A context in which there is a bar on standard error, or None where it is not to be shown.

    Args:
        show: whether to show it.
        options: those of `tqdm`.
    """
    if not show:
        return nullcontext()
    from tqdm import tqdm

    return tqdm(file=sys.stderr, miniters=1, mininterval=0.2, **options)


@contextmanager
def progress_of(
    option: ProgressOption, phase: str, total: int | None, unit: str
) -> Iterator[Callable[[int], object] | None]:
    """A context in which there is something to call with how much more is done, or None where nobody wants to know.

    Args:
        option: see `ProgressOption`.
        phase: what is done.
        total: how much there is to do; None: that is not known.
        unit: of `total`.
    """
    if not callable(option):
        show = sys.stderr.isatty() if option is None else option
        with progress_bar(show, total=total, desc=phase, unit=unit, unit_scale=True) as bar:
            yield None if bar is None else bar.update
        return
    done = 0
    told = time.monotonic()

    def update(more: int) -> None:
        nonlocal done, told
        done += more
        if time.monotonic() - told >= INTERVAL:
            option(Progress(phase, done, total, unit))
            told = time.monotonic()

    option(Progress(phase, 0, total, unit))
    yield update
    option(Progress(phase, done, total, unit))
