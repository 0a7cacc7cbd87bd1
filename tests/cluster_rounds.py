"""All texts of the test data on a cluster whose workers are killed all the time: the counts of one machine.

MINITOK_TEST_DATA=FOLDER python -m tests.cluster_rounds [--seconds 120]
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

import minitok
from minitok import progress as progress_module
from minitok.distributed import connected, count_pieces, portions
from minitok.patterns import PATTERNS
from minitok.progress import Progress
from tests.clusters import Cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    end = time.monotonic() + parser.parse_args().seconds
    paths = sorted((Path(os.environ["MINITOK_TEST_DATA"]) / "corpora").glob("*.txt"))
    portions.SMALLEST_PORTION = portions.LARGEST_PORTION = 1 << 21
    progress_module.INTERVAL = 0
    rounds = kills = 0
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder))
        try:
            for _ in range(2):
                cluster.add_worker()
            with connected(cluster.address) as client:

                def kill(_: Progress) -> None:
                    nonlocal kills
                    if random.random() < 0.1:
                        cluster.kill(random.choice(cluster.workers))
                        cluster.add_worker()
                        kills += 1

                while time.monotonic() < end:
                    cluster.wait(client, 2)
                    pattern = random.choice(list(PATTERNS))
                    counts = count_pieces(paths, client=client, pattern=pattern, progress=kill)
                    assert counts == minitok.count_pieces(paths, pattern=pattern), pattern
                    rounds += 1
        finally:
            cluster.close()
    print(f"{rounds} rounds with {kills} workers killed: all counts are those of one machine")


if __name__ == "__main__":
    main()
