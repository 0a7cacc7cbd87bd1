"""The speed of encoding a dataset from Parquet, beside that of `encode_file` for the same documents.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.datasets [--size 25] [--rounds 7]

The documents are the lines of a text, or stretches of it of about 4,000 characters. `encode_file` is given them in
JSON Lines, and in plain text with a separator between them; the ids of all are compared first. All run in one thread,
in turns, and medians count. A dataset is hashed besides: its input as it is read, its shards when they are written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

import minitok
from benchmarks.texts import rank_file, sample

TEXTS = ("english", "multilingual")
SEPARATOR = "<|endoftext|>"
#: Characters of a document that is not a line.
LENGTH = 4000


def documents(text: str, kind: str) -> list[str]:
    """The documents of a text; none is empty, because none is in plain text."""
    text = text.replace(SEPARATOR, " ")
    parts = text.splitlines() if kind == "lines" else [text[i : i + LENGTH] for i in range(0, len(text), LENGTH)]
    return [part for part in parts if part]


def measure(encoding: minitok.Encoding, texts: list[str], folder: Path, rounds: int) -> dict[str, float]:
    """Seconds of each way."""
    parquet, lines, plain, out = (folder / name for name in ("a.parquet", "a.jsonl", "a.txt", "ids.bin"))
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), parquet)
    lines.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    plain.write_text(SEPARATOR.join(texts), "utf-8", newline="")
    options: dict[str, Any] = {"separator": SEPARATOR, "append": SEPARATOR, "num_threads": 1}
    number = 0

    def dataset() -> Path:
        nonlocal number
        number += 1
        made = folder / f"ids-{number}"
        minitok.encode_dataset(parquet, made, encoding=encoding, dtype="uint32", **options)
        return made / "shard-00000.bin"

    def file(source: Path) -> Path:
        encoding.encode_file(source, out, dtype="uint32", **options)
        return out

    ways: dict[str, Callable[[], Path]] = {
        "Parquet to a dataset": dataset,
        "JSON Lines": lambda: file(lines),
        "plain text": lambda: file(plain),
    }
    ids = [np.fromfile(way(), np.uint32) for way in ways.values()]
    if not all(np.array_equal(ids[0], other) for other in ids[1:]):
        raise SystemExit("the ids are not the same")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=25, help="megabytes of each text")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    encoding = minitok.load(rank_file("cl100k_base"), pattern="cl100k", special_tokens={SEPARATOR: 100257})
    print("| documents | Parquet to a dataset | JSON Lines | of it | plain text | of it |\n|---|---|---|---|---|---|")
    for name in TEXTS:
        text = sample(name, arguments.size * 1_000_000)
        for kind in ("lines", "stretches"):
            texts = documents(text, kind)
            with tempfile.TemporaryDirectory() as folder:
                ours, lines, plain = measure(encoding, texts, Path(folder), arguments.rounds).values()
            size = sum(len(one.encode()) for one in texts) / 1e6
            speeds = [f"{size / seconds:.0f} MB/s" for seconds in (ours, lines, plain)]
            cells = [
                f"{name}, {kind}",
                speeds[0],
                speeds[1],
                f"{lines / ours:.2f} x",
                speeds[2],
                f"{plain / ours:.2f} x",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
