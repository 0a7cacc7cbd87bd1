"""Ctrl-C in the middle of a command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["interrupt"]


def interrupt(*arguments: str | Path, given: bytes, begun: Callable[[], bool]) -> None:
    """Run a command of the command line that waits for more standard input, and stop it with Ctrl-C.

    Args:
        arguments: of the command.
        given: what it gets on standard input.
        begun: whether it is in the middle of its work; asked until it is.

    Raises:
        AssertionError: it does not end with status 130, or prints something.
    """
    # Where this process ignores Ctrl-C, as what a shell runs in the background does, the command would ignore it too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "minitok", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.flush()
    while not begun() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, b"", b""), (process.returncode, output, errors)
