"""A counter in a process of its own, for where threads cannot count side by side.

The other process runs `serve` and nothing else: it does not import the program's main module, as those of
`multiprocessing` do, so that a program needs no `if __name__ == "__main__"` to count. What goes to and fro are
pickles: first the pattern; then lists of texts, each answered by how much memory the counts take; an order is
answered by what was counted, as blocks of records and None. Whatever is raised there comes back and is raised here.
The other process ends when it is told to, or when the one that started it is gone.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from minitok import _backend

__all__ = ["CounterProcess", "serve"]

_PROGRAM = "import sys; sys.path[:] = {path!r}; from minitok.training.counter_process import serve; serve()"


class CounterProcess:
    """A `PieceCounter` in another process, with those of its methods that counting needs.

    Args:
        pattern: the regular expression that cuts texts into pieces; None: a text is one piece.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, pattern: str | None) -> None:
        if getattr(sys, "frozen", False) or not sys.executable:
            raise OSError("there is no Python to start another process with")
        #: How much memory the counts take, about.
        self.nbytes = 0
        path = [str(Path(entry).resolve()) for entry in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(path=path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "MINITOK_BACKEND": _backend.BACKEND},
        )
        self._send(pattern)

    def wait_until_ready(self) -> None:
        """Return when the process can count.

        Raises:
            OSError: it never will.
        """
        self.nbytes = self._answer()

    def feed_all(self, texts: list[bytes]) -> None:
        """Count the pieces of several texts."""
        self.nbytes = self._ask(texts)

    def records(self, order: Literal["bytes", "first"] = "bytes") -> Iterator[bytes]:
        """What was counted, as a stream of blocks of records; nothing is left."""
        block = self._ask(order)
        while block is not None:
            yield block
            block = self._answer()
        self.nbytes = 0

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()

    def _ask(self, question: object) -> Any:
        self._send(question)
        return self._answer()

    def _send(self, question: object) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(question, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer tells why

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        try:
            answer = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError):
            status = self._process.wait()
            raise ChildProcessError(
                f"a process that counted pieces has ended with status {status}, perhaps for want of memory; count "
                "with fewer of them (num_threads=..., --threads) or with a limit (memory_limit=..., --memory-limit)"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


def serve() -> None:
    """What the other process does: count what comes on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write there

    def answer(value: object) -> None:
        pickle.dump(value, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()

    with suppress(EOFError, BrokenPipeError):
        try:
            counter = _backend.PieceCounter(pickle.load(questions))
            answer(0)
            while True:
                question = pickle.load(questions)
                if isinstance(question, list):
                    counter.feed_all(question)
                    answer(counter.nbytes)
                else:
                    for block in counter.records(question):
                        answer(block)
                    answer(None)
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            answer(error)
