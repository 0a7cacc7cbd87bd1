"""The speed of encoding a dataset from Parquet, beside that of `encode_file` for the same documents.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.datasets [--size 25] [--rounds 7]

The documents are the lines of a text, or stretches of it of about 4,000 characters. `encode_file` is given them in
JSON Lines, and in plain text with a separator between them; the ids of all are compared first. Each measurement is a
fresh process that has loaded the vocabulary: it encodes text that is new to it, and then the same again, as nobody
does, but which shows what is not encoding. All run in one thread, in turns, and medians count: by the clock, and of
the processor's time, which others at work and the disk change less. A dataset is hashed besides: its input as it is
read, its shards when they are written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


#: What is measured in each process.
KINDS = ("new, by the clock", "new, processor", "again, by the clock", "again, processor")
#: Ways to encode, and the file that each is given.
WAYS = {"Parquet to a dataset": "a.parquet", "JSON Lines": "a.jsonl", "plain text": "a.txt"}


def write(texts: list[str], folder: Path) -> None:
    """The files that hold the documents."""
    parquet, lines, plain = (folder / name for name in WAYS.values())
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), parquet)
    lines.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), "utf-8")
    plain.write_text(SEPARATOR.join(texts), "utf-8", newline="")


def measure(source: Path) -> None:
    """Encode a file twice; print the seconds of each kind, and a hash of the ids."""
    encoding = minitok.load(rank_file("cl100k_base"), pattern="cl100k", special_tokens={SEPARATOR: 100257})
    encoding.encode_to_numpy("numpy is imported")
    times: list[float] = []
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        for name in ("new", "again"):
            out = Path(folder, name)
            start = time.perf_counter(), time.process_time()
            if source.suffix == ".parquet":
                minitok.encode_dataset(source, out, encoding=encoding, dtype="uint32", num_threads=1)
                out = out / "shard-00000.bin"
            else:
                out = out.with_suffix(".bin")
                encoding.encode_file(source, out, dtype="uint32", num_threads=1)
            times += [time.perf_counter() - start[0], time.process_time() - start[1]]
        print(json.dumps([times, hashlib.sha256(out.read_bytes()).hexdigest()]))


def measured(folder: Path, rounds: int) -> list[list[float]]:
    """The seconds that each way takes, of each kind."""
    times: dict[str, list[list[float]]] = {name: [] for name in WAYS.values()}
    hashes = set()
    for _ in range(rounds):
        for name, found in times.items():
            command = [sys.executable, "-m", "benchmarks.datasets", "--measure", str(folder / name)]
            seconds, digest = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            found.append(seconds)
            hashes.add(digest)
    if len(hashes) > 1:
        raise SystemExit("the ids are not the same")
    return [[statistics.median(column) for column in zip(*found, strict=True)] for found in times.values()]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=25, help="megabytes of each text")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure)
        return
    print("| documents | text | Parquet to a dataset | JSON Lines | of it | plain text | of it |")
    print("|---|---|---|---|---|---|---|")
    for name in TEXTS:
        text = sample(name, arguments.size * 1_000_000)
        for kind in ("lines", "stretches"):
            texts = documents(text, kind)
            size = sum(len(one.encode()) for one in texts) / 1e6
            with tempfile.TemporaryDirectory() as folder:
                write(texts, Path(folder))
                found = measured(Path(folder), arguments.rounds)
            for state, (ours, lines, plain) in zip(KINDS, zip(*found, strict=True), strict=True):
                speeds = [f"{size / seconds:.0f} MB/s" for seconds in (ours, lines, plain)]
                ratios = [f"{seconds / ours:.2f} x" for seconds in (lines, plain)]
                cells = [f"{name}, {kind}", state, speeds[0], speeds[1], ratios[0], speeds[2], ratios[1]]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
