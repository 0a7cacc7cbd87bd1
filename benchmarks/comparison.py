"""What `compare` takes beside the sum of its encodings.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.comparison [--size 25] [--rounds 7]

Each measurement is a fresh process that has loaded the vocabularies. One reads each file and encodes it with each of
them by `encode_to_numpy`; the other compares them; both with as many threads as they take. They take turns, and
medians count: by the clock, and of processors' time, which others at work change less.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import minitok
from benchmarks.texts import rank_file, sample

#: All that make up the comparison.
FILES = ("english", "multilingual", "chinese")
ENCODINGS = ("cl100k_base", "o200k_base", "minitok_32k")


def seconds(what: str, folder: Path) -> list[float]:
    """One measurement, in a process of its own: by the clock, and of processors."""
    command = [sys.executable, "-m", "benchmarks.comparison", "--measure", what, str(folder)]
    found: list[float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def measure(what: str, folder: Path) -> None:
    """Print how many seconds it takes, by the clock and of processors."""
    encodings = [
        minitok.get_encoding(name)
        if name == "minitok_32k"
        else minitok.load(rank_file(name), pattern=name.removesuffix("_base"))
        for name in ENCODINGS
    ]
    paths = [folder / f"{name}.txt" for name in FILES]
    for encoding in encodings:
        encoding.encode_to_numpy("numpy is imported")
    start = time.perf_counter(), time.process_time()
    if what == "compare":
        minitok.compare(paths, encodings)
    else:
        for encoding in encodings:
            for path in paths:
                encoding.encode_to_numpy(path.read_bytes().decode(), disallowed_special=())
    print(json.dumps([time.perf_counter() - start[0], time.process_time() - start[1]]))


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=25, help="megabytes of each text")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], Path(arguments.measure[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            Path(folder, f"{name}.txt").write_text(sample(name, arguments.size * 1_000_000), encoding="utf-8")
        times: dict[str, list[list[float]]] = {"encode": [], "compare": []}
        for _ in range(arguments.rounds):
            for what, found in times.items():
                found.append(seconds(what, Path(folder)))
    for number, kind in enumerate(("by the clock", "of processors")):
        encode, compare = (statistics.median(one[number] for one in found) for found in times.values())
        print(
            f"{kind}: the encodings alone {encode:.2f} s, compare {compare:.2f} s: {compare / encode:.2f} x "
            "(at most 1.2)"
        )


if __name__ == "__main__":
    main()
