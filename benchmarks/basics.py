"""The figures that minitok promises of its plain Python form, of training memory and of import.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.basics [--repeat 3] [--json]

Each measurement is a fresh process; those of a comparison run in alternation, and the median counts. Ids are checked
equal before anything is timed. The processes are this file, run with the name of a measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fresh import ask, peak_memory

TEN_MEGABYTES = 10_000_000
Figures = dict[str, Any]


def data() -> Path:
    """The folder with vocabularies and corpora."""
    return Path(os.environ["MINITOK_TEST_DATA"])


def corpus(name: str, size: int = -1) -> str:
    """A corpus, or its beginning."""
    with (data() / "corpora" / f"{name}.txt").open("rb") as file:
        return file.read(size).decode("utf-8", "ignore")


def cl100k() -> dict[str, Any]:
    """The arguments of both libraries' `Encoding` for cl100k_base, without special tokens."""
    from minitok.formats.tiktoken_ranks import parse_ranks
    from minitok.patterns import PATTERNS

    ranks = parse_ranks((data() / "vocabularies/cl100k_base.tiktoken").read_bytes().splitlines(), "cl100k_base")
    return {"pat_str": PATTERNS["cl100k"].regex, "mergeable_ranks": ranks, "special_tokens": {}}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds a call takes, and what it returns."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def encode_with(library: str) -> Figures:
    """Encode english.txt, once; the hash of the ids says whether two libraries agree."""
    module: Any = __import__(library)
    text = corpus("english")
    encoding = module.Encoding("cl100k_base", **cl100k())
    seconds, ids = timed(lambda: encoding.encode_ordinary(text))
    return {"MB/s": len(text.encode()) / 1e6 / seconds, "ids": len(ids), "hash": hash(tuple(ids))}


def train_ten_megabytes() -> Figures:
    """Learn 4,096 tokens from the first 10 MB of english.txt."""
    import minitok

    text = corpus("english", TEN_MEGABYTES)
    seconds, encoding = timed(lambda: minitok.train([text], vocab_size=4096))
    return {"s": seconds, "ids": encoding.n_vocab}


def encode_one_letter() -> Figures:
    """Encode a million times the letter a."""
    import minitok

    encoding = minitok.Encoding("cl100k_base", **cl100k())
    seconds, ids = timed(lambda: encoding.encode("a" * 1_000_000))
    return {"s": seconds, "ids": len(ids)}


def training_memory(name: str) -> Figures:
    """Train on a whole corpus file; the peak of the process against 200 MB and 200 bytes a distinct piece."""
    import minitok

    path = data() / "corpora" / f"{name}.txt"
    seconds, encoding = timed(
        lambda: minitok.train(path, vocab_size=32_000, special_tokens=["<|endoftext|>"], progress=False)
    )
    distinct = encoding.vocabulary.metadata["training"]["distinct_pieces"]
    return {
        "peak MB": peak_memory(),
        "bound MB": 200 + distinct * 200 / 1e6,
        "distinct pieces": distinct,
        "s": seconds,
    }


def import_time() -> Figures:
    """Import minitok."""
    seconds, _ = timed(lambda: __import__("minitok"))
    return {"ms": seconds * 1000}


MEASUREMENTS: dict[str, Callable[[], Figures]] = {
    "encode tiktoken": lambda: encode_with("tiktoken"),
    "encode minitok": lambda: encode_with("minitok"),
    "train 10 MB": train_ten_megabytes,
    "one letter": encode_one_letter,
    "memory english": lambda: training_memory("english"),
    "memory chinese": lambda: training_memory("chinese"),
    "memory multilingual": lambda: training_memory("multilingual"),
    "import": import_time,
}


def run(measurement: str, backend: str) -> Figures:
    """One measurement in a process of its own."""
    figures: Figures = ask("benchmarks.basics", measurement, MINITOK_BACKEND=backend, PYTHONHASHSEED="0")
    return figures


def median(figures: list[Figures]) -> Figures:
    """The median of each number."""
    return {key: statistics.median(f[key] for f in figures) for key in figures[0]}


def main() -> None:
    """Run all measurements, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--measure", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(MEASUREMENTS[arguments.measure]()))
        return

    rounds = [
        {
            ("encode tiktoken", "python"): run("encode tiktoken", "python"),
            ("encode minitok", "python"): run("encode minitok", "python"),
        }
        for _ in range(arguments.repeat)
    ]
    hashes = {figures["hash"] for one in rounds for figures in one.values()}
    if len(hashes) != 1:
        raise SystemExit("the libraries disagree about the ids of english.txt; nothing else was measured")
    report = {" ".join(key): median([one[key] for one in rounds]) for key in rounds[0]}
    ratios = [one["encode minitok", "python"]["MB/s"] / one["encode tiktoken", "python"]["MB/s"] for one in rounds]
    report["pure minitok / tiktoken"] = {"ratio": statistics.median(ratios)}
    for backend in ("python", "native"):
        for measurement in list(MEASUREMENTS)[2:]:
            report[f"{measurement} {backend}"] = median([run(measurement, backend) for _ in range(arguments.repeat)])
    machine = {"machine": platform.processor() or platform.machine(), "python": platform.python_version()}
    if arguments.json:
        print(json.dumps({"machine": machine, "figures": report}, indent=1))
        return
    print(machine)
    for name, figures in report.items():
        shown = ", ".join(f"{value:,.4g} {key}" for key, value in figures.items() if key != "hash")
        print(f"{name:32} {shown}")


if __name__ == "__main__":
    main()
