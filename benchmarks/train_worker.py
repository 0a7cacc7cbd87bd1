"""One training, in a process of its own: `python -m benchmarks.train_worker JSON` prints the figures as JSON.

The time is from the file to the library's vocabulary; importing the library is no part of it. The peak memory is that
of the whole process. The learnt tokens go to a file, one in hexadecimal a line, so that results can be compared.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.fresh import peak_memory
from benchmarks.trainers import TRAINERS, thread_environment

__all__ = ["train"]


def train(
    library: str, path: str, size: int, *, threads: int, tokens: str, options: dict[str, Any]
) -> dict[str, float]:
    """Train; write the tokens."""
    trainer = TRAINERS[library]
    __import__(library)
    start = time.perf_counter()
    result = trainer.train(Path(path), size, threads, **options)
    seconds = time.perf_counter() - start
    peak = peak_memory()
    Path(tokens).write_text("\n".join(token.hex() for token in trainer.tokens(result)))
    return {"s": seconds, "MB": peak}


def main() -> None:
    """Train as the argument says; with one thread, on one processor."""
    job: dict[str, Any] = json.loads(sys.argv[1])
    os.environ.update(thread_environment(job["threads"]))
    if job["threads"] == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("\n" + json.dumps(train(**job)))


if __name__ == "__main__":
    main()
