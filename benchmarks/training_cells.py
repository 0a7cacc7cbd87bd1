"""What is measured of training, and what minitok promises of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["BEST_PEER", "CELLS", "PROMISES", "Cell", "Promise"]


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        name: for the report.
        text: a text of `training_texts`.
        size: how many tokens the vocabulary is to have.
        megabytes: of the text, if it comes in several sizes.
        one_thread: one thread and one processor, instead of all.
        peers: whether other trainers are measured too.
        options: what minitok is told besides.
        same_as: the cell whose vocabulary this one must have too.
    """

    name: str
    text: str
    size: int
    megabytes: int | None = None
    one_thread: bool = False
    peers: bool = True
    options: Mapping[str, int] = field(default_factory=dict, hash=False)
    same_as: str | None = None


ENGLISH, ENGLISH_LARGE, ENGLISH_ALONE = "english 32,000", "english 128,000", "english 32,000, one thread"
MULTILINGUAL, CHINESE, CODE = "multilingual 64,000", "chinese 32,000", "code 50,000"
QUARTER, HALF, WHOLE, LIMITED = "250 MB", "500 MB", "1 GB", "1 GB, memory_limit 200 MB"
ONE_LINE = ("DNA", "base64", "a")

CELLS = (
    Cell(ENGLISH, "english", 32_000),
    # So many tokens there are only if pairs that occur once count; peers learn these always.
    Cell(ENGLISH_LARGE, "english", 128_000, options={"min_frequency": 1}),
    Cell(MULTILINGUAL, "multilingual", 64_000),
    Cell(CHINESE, "chinese", 32_000),
    Cell(CODE, "code", 50_000),
    Cell(ENGLISH_ALONE, "english", 32_000, one_thread=True),
    Cell(QUARTER, "large", 128_000, 250, peers=False),
    Cell(HALF, "large", 128_000, 500, peers=False),
    Cell(WHOLE, "large", 128_000, 1000, peers=False),
    Cell(LIMITED, "large", 128_000, 1000, peers=False, options={"memory_limit": 200_000_000}, same_as=WHOLE),
    *(Cell(f"{kind} {size} MB", kind, 4096, size, peers=False) for kind in ONE_LINE for size in (5, 10)),
)

#: What a promise may be relative to: the same figure of the fastest peer with the same split.
BEST_PEER = "the best peer"


@dataclass(frozen=True)
class Promise:
    """At most so much.

    Attributes:
        cell: of which training.
        limit: times the figure of `beside`; without it, in the figure's own unit.
        beside: the best peer, or another cell, of which minitok's own figure is meant.
        figure: "s", the time, or "MB", the peak memory.
    """

    cell: str
    limit: float
    beside: str | None = None
    figure: str = "s"


PROMISES = (
    Promise(ENGLISH, 0.5, BEST_PEER),
    Promise(ENGLISH_LARGE, 0.3, BEST_PEER),
    Promise(ENGLISH_LARGE, 1.6, ENGLISH),
    Promise(MULTILINGUAL, 0.4, BEST_PEER),
    Promise(CHINESE, 0.25, BEST_PEER),
    Promise(CODE, 0.5, BEST_PEER),
    Promise(ENGLISH_ALONE, 0.6, BEST_PEER),
    Promise(WHOLE, 1000, figure="MB"),
    Promise(HALF, 2, QUARTER),
    Promise(WHOLE, 4, QUARTER),
    Promise(LIMITED, 2, WHOLE),
    *(Promise(f"{kind} 10 MB", 30) for kind in ONE_LINE),
    *(Promise(f"{kind} 10 MB", 2.2, f"{kind} 5 MB") for kind in ONE_LINE),
)
