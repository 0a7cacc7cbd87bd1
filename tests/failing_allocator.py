"""The allocator of `tools/failing_allocator.c`, told what to do, and what must hold when it fails."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

__all__ = ["Allocator", "allocator_of", "survives"]


class Allocator:
    """Tells the allocator in a compiled module what to do, and asks it."""

    def __init__(self, module: Any) -> None:
        self._library = ctypes.CDLL(module.__file__)
        self._library.minitok_fail.argtypes = (ctypes.c_long, ctypes.c_long)
        for name in ("minitok_failures", "minitok_blocks", "minitok_mapped"):
            getattr(self._library, name).restype = ctypes.c_long

    def fail(self, first: int, count: int) -> None:
        """Let `count` requests fail, the first of them the `first`-th from now on."""
        self._library.minitok_fail(first, count)

    def relent(self) -> bool:
        """Let none fail any more; whether one has."""
        failures: int = self._library.minitok_failures()
        self._library.minitok_fail(0, 0)
        return failures > 0

    def held(self) -> tuple[int, int]:
        """What the core has not given back: blocks, and bytes of pages."""
        return self._library.minitok_blocks(), self._library.minitok_mapped()

    def holds(self, expected: tuple[int, int]) -> bool:
        """Whether that is all that the core has not given back, once what is garbage has been collected."""
        if self.held() != expected:
            gc.collect()
        return self.held() == expected


def allocator_of(module: Any) -> Allocator:
    """That of a compiled module, which has one of its own; skips the test if it has none."""
    if not hasattr(ctypes.CDLL(module.__file__), "minitok_fail"):
        assert not os.environ.get("MINITOK_FAILING_ALLOCATOR"), "the core has no failing allocator"
        pytest.skip("needs a core whose allocator can fail: tools/sanitize.py")
    return Allocator(module)


Operation = Callable[[], Any]
ALL_BEHIND = 1 << 40


def survives(allocator: Allocator, operation: Operation, requests: Sequence[int] = range(1, 100_000)) -> int:
    """Let each request of an operation fail in turn; the number of the last one that there was."""
    expected = operation()
    gc.collect()
    held = allocator.held()
    last = 0
    for count in (ALL_BEHIND, 1):
        for first in requests:
            allocator.fail(first, count)
            try:
                assert operation() == expected
            except MemoryError:
                pass
            failed = allocator.relent()
            assert allocator.holds(held), f"request {first} failed"
            if not failed:
                break
            last = first
            assert operation() == expected
    return last
