"""encode_file beside encode_to_numpy: one corpus file with cl100k_base, one thread, compiled backend.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.files [--repeat 5]

Each measurement is a fresh process; the two run in alternation, and the median counts. `encode_file` reads the file
and writes the ids; `encode_to_numpy` is given the text. Times are of the processor, in MB of text a second; the peak
is that of the process. The ids of both are compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.fresh import ask, peak_memory

CORPORA = ("english", "multilingual", "chinese")
WAYS = ("encode_file", "encode_to_numpy")


def measure(way: str, name: str) -> dict[str, Any]:
    """One way, once."""
    import numpy as np

    import minitok

    data = Path(os.environ["MINITOK_TEST_DATA"])
    end = {"<|endoftext|>": 100257}
    enc = minitok.load(data / "vocabularies/cl100k_base.tiktoken", pattern="cl100k", special_tokens=end)
    path = data / "corpora" / f"{name}.txt"
    with tempfile.TemporaryDirectory() as folder:
        if way == "encode_file":
            start = time.process_time()
            written = enc.encode_file(path, Path(folder, "ids.bin"), num_threads=1)
            seconds = time.process_time() - start
            peak = peak_memory()
            ids = np.fromfile(written.path, dtype="<u4")[:-1]  # the corpora do not end in a separator
        else:
            text = path.read_bytes().decode("utf-8")
            start = time.process_time()
            ids = enc.encode_to_numpy(text, allowed_special="all", num_threads=1)
            seconds = time.process_time() - start
            peak = peak_memory()
    found = hashlib.sha256(ids.astype("<u4").tobytes()).hexdigest()
    return {"MB/s": path.stat().st_size / 1e6 / seconds, "peak": peak, "ids": found}


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    for name in CORPORA:
        runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(arguments.repeat):
            for way in WAYS:
                runs[way].append(ask("benchmarks.files", way, name, MINITOK_BACKEND="native"))
        if len({run["ids"] for ways in runs.values() for run in ways}) > 1:
            sys.exit(f"{name}: the ids differ")
        speed, peak = (
            {way: statistics.median(run[key] for run in runs[way]) for way in WAYS} for key in ("MB/s", "peak")
        )
        print(
            f"{name:12}  encode_file {speed['encode_file']:6.1f} MB/s, peak {peak['encode_file']:5.0f} MB;  "
            f"encode_to_numpy {speed['encode_to_numpy']:6.1f} MB/s, peak {peak['encode_to_numpy']:5.0f} MB;  "
            f"ratio {speed['encode_file'] / speed['encode_to_numpy']:.2f}"
        )


if __name__ == "__main__":
    main()
