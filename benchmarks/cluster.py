"""What counting and encoding cost on a Dask cluster of processes on this machine: the figures behind docs/scale.md.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.cluster [--workers 1 2] [--json FILE]
    MINITOK_TEST_DATA=FOLDER python -m benchmarks.cluster --workers-only

For each size of the large corpus and each number of workers: seconds, processor seconds of all workers, megabytes for
each of these, distinct pieces, and how many bytes were written to the scratch folder by the workers that count
(shares) and by those that add up (partitions). The reading of what is written counts as much again. Processor time
bears a machine that does other work too; seconds do not.

With --workers-only: how many times faster two workers are than one, on the smallest size given (default: 500), by
the medians of several rounds in which clusters of both kinds, started once, take turns. It prints by the clock,
which counts on a machine that is idle; and by processor time: what it would be if each worker had a core of its own
and both always had work, while nobody else works, that is (one worker's time + the program's) / (half of two
workers' time + the program's).
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import minitok
from benchmarks.large_corpus import SIZES, large_corpus
from benchmarks.trainers import SEPARATOR
from minitok import distributed
from minitok.distributed import counting, portions
from minitok.distributed.cluster import results


def _usage() -> tuple[float, int]:
    """Of a worker: processor seconds, and the peak of its memory in bytes."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime, found.ru_maxrss * 1024


@contextmanager
def measured(client: Any, figures: dict[str, Any], size: int) -> Iterator[None]:
    """Put into `figures` what the block took."""
    before = client.run(_usage)
    start = time.perf_counter()
    own = time.process_time()
    yield
    own = time.process_time() - own
    figures["seconds"] = round(time.perf_counter() - start, 2)
    after = client.run(_usage)
    processor = sum(after[worker][0] - before[worker][0] for worker in after)
    figures["processor_seconds"] = round(processor, 2)
    figures["program_seconds"] = round(own, 2)
    figures["ideal_seconds"] = round(processor / len(after) + own, 2)
    figures["megabytes_per_processor_second"] = round(size / processor / 1e6, 1)
    figures["worker_peak_megabytes"] = round(max(peak for _, peak in after.values()) / 1e6)


def count(client: Any, path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    figures: dict[str, Any] = {"what": "count", "megabytes": round(size / 1e6)}
    written: list[list[int]] = []

    def recorded(*arguments: Any) -> Iterator[Any]:
        written.append([])
        for number, result in results(*arguments):
            written[-1].append(result.ends[-1])
            yield number, result

    with mock.patch.object(counting, "results", recorded), measured(client, figures, size):
        counts = distributed.count_pieces(path, client=client, special_tokens=[SEPARATOR], progress=False)
    figures |= {"pieces": counts.total, "distinct_pieces": len(counts), "portions": len(written[0])}
    figures |= {"share_bytes": sum(written[0]), "partition_bytes": sum(written[1])}
    return figures


#: Shards of a dataset: as many for each of two workers, none of which so waits for the other's last one.
SHARDS = 16


def encode(client: Any, path: Path, encoding: minitok.Encoding) -> dict[str, Any]:
    size = path.stat().st_size
    figures: dict[str, Any] = {"what": "encode", "megabytes": round(size / 1e6)}
    with tempfile.TemporaryDirectory() as folder, measured(client, figures, size):
        manifest = distributed.encode_dataset(
            path,
            Path(folder) / "dataset",
            encoding=encoding,
            client=client,
            separator=SEPARATOR,
            shard_size=-(-size // SHARDS),
            progress=False,
        )
        figures["shards"] = len(manifest["shards"])
        figures["written_bytes"] = sum(s["ids_file"]["size"] + s["offsets_file"]["size"] for s in manifest["shards"])
    return figures


#: Rounds of --workers-only.
ROUNDS = 5


def compare_workers(path: Path, encoding: minitok.Encoding) -> None:
    """Print how many times faster two workers are than one."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    with distributed.local_cluster(1) as one, distributed.local_cluster(2) as two:
        for number in range(ROUNDS + 1):
            for workers, client in ((1, one), (2, two)):
                for figures in (count(client, path), encode(client, path, encoding)):
                    if number:  # before that, programs are loaded and files read for the first time
                        found.setdefault((figures["what"], workers), []).append(figures)
    for what in ("count", "encode"):
        print(f"{what}, {path.stat().st_size / 1e6:.0f} MB, medians of {ROUNDS} rounds in alternation:")
        medians: dict[str, list[float]] = {}
        for workers in (1, 2):
            rows = found[what, workers]
            for name in (
                "seconds",
                "ideal_seconds",
                "processor_seconds",
                "program_seconds",
            ):
                medians.setdefault(name, []).append(median(row[name] for row in rows))
            print(f"  {workers} worker(s): " + ", ".join(f"{name} {of[-1]:.2f}" for name, of in medians.items()))
        for name, how in (("seconds", "by the clock"), ("ideal_seconds", "by processor time")):
            print(f"  two workers are {medians[name][0] / medians[name][1]:.2f} times as fast as one {how}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--megabytes", type=int, nargs="+", choices=SIZES)
    parser.add_argument("--workers-only", action="store_true", help="only compare two workers with one, in 3 minutes")
    parser.add_argument("--portion", type=int, help="megabytes that a worker counts at once, at least")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.portion is not None:
        portions.SMALLEST_PORTION = portions.LARGEST_PORTION = arguments.portion * 1_000_000
    encoding = minitok.get_encoding("minitok_32k")
    if arguments.workers_only:
        compare_workers(large_corpus(min(arguments.megabytes or [500])), encoding)
        return
    rows = []
    for workers in arguments.workers:
        with distributed.local_cluster(workers) as client:
            for megabytes in arguments.megabytes or SIZES:
                path = large_corpus(megabytes)
                for figures in (count(client, path), encode(client, path, encoding)):
                    rows.append({"workers": workers, **figures})
                    print(rows[-1], flush=True)
    counted = [row for row in rows if row["what"] == "count" and row["workers"] == arguments.workers[0]]
    if len(counted) > 1:
        first, last = counted[0], counted[-1]
        for name in ("distinct_pieces", "share_bytes"):
            exponent = math.log(last[name] / first[name]) / math.log(last["megabytes"] / first["megabytes"])
            print(f"{name} grows as the size to the power {exponent:.2f}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
