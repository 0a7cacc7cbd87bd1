"""What is measured, of which libraries, and what minitok promises of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.texts import ENCODINGS, TEXTS

__all__ = ["BARS", "OURS", "PEERS", "Bar", "Job", "jobs"]

OURS = "minitok"
PEERS = (
    "tiktoken",
    "gigatoken",
    "gigatoken batch",
    "fastokens",
    "snaptokens",
    "quicktok-v1",
    "splintr-rs",
    "tokenizers",
)
MAIN = "cl100k_base"
HOSTILE = ("a", " ", "^", "字", "base64", "DNA")
COLD_PLACES = tuple(range(1_000_000, 21_000_000, 2_000_000))


@dataclass(frozen=True)
class Job:
    """One measurement: what the worker is asked, and the name of each figure that it gives.

    Attributes:
        kind: the group of the report that it belongs to.
        cell: what is measured, apart from the library.
        arguments: of the worker's job.
        peers: whether other libraries are measured too.
        pinned: whether the process has one processor only.
        once: whether one round is enough, because the job itself repeats.
    """

    kind: str
    cell: str
    arguments: dict[str, Any] = field(hash=False)
    peers: bool = True
    pinned: bool = True
    once: bool = False


def jobs() -> Iterator[Job]:
    """All of them."""
    for text in TEXTS:
        for encoding in ENCODINGS:
            asked = {"job": "encode", "encoding": encoding, "text": text, "form": "array"}
            yield Job("array", f"{text} {encoding}", asked)
    for text in TEXTS:
        yield Job("list", text, {"job": "encode", "encoding": MAIN, "text": text, "form": "list"})
    for text in TEXTS:
        for place in COLD_PLACES:
            arguments: dict[str, Any] = {"job": "cold", "encoding": MAIN, "text": text, "place": place}
            yield Job("cold", text, arguments, once=True)
    yield Job("short", "english", {"job": "short", "encoding": MAIN})
    yield Job("decode", "english", {"job": "decode", "encoding": MAIN})
    for text in TEXTS:
        yield Job("count", text, {"job": "count", "encoding": MAIN, "text": text}, peers=False)
        yield Job("memory", text, {"job": "memory", "encoding": MAIN, "text": text}, peers=False, once=True)
    for kind in HOSTILE:
        yield Job("hostile", kind, {"job": "hostile", "encoding": MAIN, "kind": kind}, peers=False, once=True)
    yield Job("threads", "english", {"job": "threads", "encoding": MAIN}, peers=False, pinned=False, once=True)
    for encoding in ENCODINGS:
        yield Job("loading", encoding, {"job": "loading", "encoding": encoding}, peers=False)


@dataclass(frozen=True)
class Bar:
    """What minitok promises of a figure.

    Attributes:
        kind, figure: of which jobs, and which of their figures.
        title: for the report.
        than_best: at least so many times the best peer's speed, or at most so many times its time.
        mean: the same for the geometric mean of all cells.
        limit: at least, or at most, this much in the figure's own unit.
        less_is_more: the figure is a time, or memory.
        unit: of the figure.
        only: the cells that this is about; None: all.
    """

    kind: str
    figure: str
    title: str
    than_best: float | None = None
    mean: float | None = None
    limit: float | None = None
    less_is_more: bool = False
    unit: str = "MB/s"
    only: str | None = None


BARS = (
    Bar("array", "pass", "New text, ids as an array", than_best=1.5, mean=2.0, only="english code multilingual"),
    Bar("array", "pass", "New text in Chinese, ids as an array", than_best=2.0, only="chinese"),
    Bar("list", "pass", "New text, ids as a list", than_best=2.0),
    Bar("cold", "cold", "The first 256 KiB of a process, ids as an array", than_best=1.5),
    Bar("array", "warm", "The same text again, ids as an array", than_best=1.3),
    Bar("short", "26 characters", "One call, 26 characters, a list", 0.6, less_is_more=True, unit="µs"),
    Bar("short", "1000 characters", "One call, 1,000 characters, a list", 0.7, less_is_more=True, unit="µs"),
    Bar("decode", "decode from a list", "Decoding a list", than_best=3.0, limit=1000),
    Bar("decode", "decode from an array", "Decoding an array", than_best=3.0, limit=1000),
    Bar("count", "new: times an array", "`count` beside `encode_to_numpy`, new text", limit=1.2, unit="×"),
    Bar("count", "again: times an array", "`count` beside `encode_to_numpy`, again", limit=1.2, unit="×"),
    Bar("hostile", "times English", "One long run beside as much English", limit=3.0, less_is_more=True, unit="×"),
    Bar("hostile", "times half", "One long run beside half of it", limit=2.2, less_is_more=True, unit="×"),
    Bar("threads", "times", "Two threads beside one", limit=1.8, unit="×"),
    Bar("memory", "MB above the ids", "Memory above the ids, 75 MB of text", limit=64, less_is_more=True, unit="MB"),
    Bar("loading", "ms from ranks", "From a rank file", limit=60, less_is_more=True, unit="ms", only="cl100k_base"),
    Bar("loading", "ms from tables", "From kept tables", limit=10, less_is_more=True, unit="ms", only="cl100k_base"),
)
