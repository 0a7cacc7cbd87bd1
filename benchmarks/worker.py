"""One measurement, in a process of its own: `python -m benchmarks.worker JSON` prints the figures as JSON.

The process runs on one processor, unless threads are what is measured. Speeds are megabytes (10^6 bytes of UTF-8) a
second. `ids` is a hash of the ids: figures count only where it is the reference's.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np  # before anything is timed: libraries import it when they are first asked for an array

from benchmarks.fresh import peak_memory
from benchmarks.peers import open_library
from benchmarks.texts import one_run, rank_file, sample

__all__ = ["COLD_SIZE", "JOBS", "MEMORY_SIZE", "PASS_SIZE"]

PASS_SIZE = 25_000_000
COLD_SIZE = 1 << 18
MEMORY_SIZE = 75_000_000
WARM_ROUNDS = 3
#: Where the short text begins: " day dropped in unawares l".
SHORT_PLACE = 10_000_003
#: Seconds: what takes longer in its first pass is not timed again.
SLOW = 1.0
Figures = dict[str, Any]


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def hash_of(ids: Any) -> str:
    """A hash of a list or an array of ids."""
    return hashlib.blake2b(np.ascontiguousarray(ids, dtype=np.uint32).tobytes(), digest_size=8).hexdigest()


def bytes_in(text: str) -> int:
    """The bytes of a text as UTF-8, found without leaving that form in the str for a library to find."""
    return len(text.encode("utf-8"))


def encode(library: str, encoding: str, text: str, form: str) -> Figures:
    """A pass over new text, and then over the same text again; as an array or as a list."""
    adapter = open_library(library, encoding)
    call = adapter.to_array if form == "array" else adapter.to_list
    data = sample(text, PASS_SIZE)
    size = bytes_in(data) / 1e6
    first, ids = seconds(lambda: call(data))
    found = {"pass": size / first, "ids": hash_of(ids)}
    del ids
    if first < SLOW:
        found["warm"] = size / statistics.median(seconds(lambda: call(data))[0] for _ in range(WARM_ROUNDS))
    return found


def cold(library: str, encoding: str, text: str, place: int) -> Figures:
    """The first text that a process encodes."""
    adapter = open_library(library, encoding)
    data = sample(text, COLD_SIZE, place)
    took, ids = seconds(lambda: adapter.to_array(data))
    return {"cold": bytes_in(data) / 1e6 / took, "ids": hash_of(ids)}


def short(library: str, encoding: str) -> Figures:
    """Microseconds for one call on a short text that returns a list, after many like it."""
    adapter = open_library(library, encoding)
    data = sample("english", 2000, SHORT_PLACE)
    found: Figures = {"ids": hash_of(adapter.to_list(data))}
    for length in (26, 1000):
        text = data[:length]
        for _ in range(2000):
            adapter.to_list(text)
        rounds, times = 2000, []
        for _ in range(7):
            start = time.perf_counter()
            for _ in range(rounds):
                adapter.to_list(text)
            times.append((time.perf_counter() - start) / rounds * 1e6)
        found[f"{length} characters"] = statistics.median(times)
    return found


def decode(library: str, encoding: str) -> Figures:
    """Ids back to text."""
    adapter = open_library(library, encoding)
    data = sample("english", PASS_SIZE)
    ids = adapter.to_list(data)
    found: Figures = {"ids": hash_of(ids)}
    size = bytes_in(data) / 1e6

    def measure(call: Callable[[Any], bytes | str], argument: Any) -> float:
        took, back = seconds(lambda: call(argument))
        if back not in (data, data.encode()):
            raise SystemExit(f"{library} does not decode what it encoded")
        return size / took

    if adapter.from_list is not None:
        found["decode from a list"] = statistics.median(measure(adapter.from_list, ids) for _ in range(3))
    if adapter.from_array is not None:
        array = np.array(ids, dtype=np.uint32)
        found["decode from an array"] = statistics.median(measure(adapter.from_array, array) for _ in range(3))
    return found


def count(library: str, encoding: str, text: str) -> Figures:
    """`count` beside `encode_to_numpy`: as the first pass of a process each, and both again, in alternation."""
    import minitok

    asked = {"job": "encode", "library": library, "encoding": encoding, "text": text, "form": "array"}
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(asked)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    new_array = json.loads(done.stdout.splitlines()[-1])["pass"]

    e = minitok.get_encoding(encoding)
    data = sample(text, PASS_SIZE)
    size = bytes_in(data) / 1e6
    first, total = seconds(lambda: e.count(data, num_threads=1))
    counts, arrays = [], []
    for _ in range(5):
        took, array = seconds(lambda: e.encode_to_numpy(data, disallowed_special=(), num_threads=1))
        if len(array) != total:
            raise SystemExit("count and encode_to_numpy disagree")
        del array
        arrays.append(took)
        counts.append(seconds(lambda: e.count(data, num_threads=1))[0])
    return {
        "count, new text": size / first,
        "count": size / statistics.median(counts),
        "encode_to_numpy": size / statistics.median(arrays),
        "new: times an array": size / first / new_array,
        "again: times an array": statistics.median(arrays) / statistics.median(counts),
    }


def hostile(library: str, encoding: str, kind: str) -> Figures:
    """A long run: its time beside that of as many bytes of English, and beside that of half of it. All new texts."""
    adapter = open_library(library, encoding)
    adapter.to_array(sample("english", 1000))
    times: dict[str, list[float]] = {"whole": [], "half": [], "english": []}
    for seed in range(5):
        whole, half = one_run(kind, 1_000_000, 2 * seed), one_run(kind, 500_000, 2 * seed + 1)
        english = sample("english", bytes_in(whole), (seed + 1) * 5_000_000)
        for name, text in (("whole", whole), ("half", half), ("english", english)):
            times[name].append(seconds(partial(adapter.to_array, text))[0])
    run, part, plain = (statistics.median(times[name]) for name in ("whole", "half", "english"))
    return {"ms": run * 1000, "times English": run / plain, "times half": run / part}


def threads(library: str, encoding: str) -> Figures:
    """Two threads beside one, in alternation, on 75 MB of English that has been encoded before."""
    import minitok

    e = minitok.get_encoding(encoding)
    data = sample("english", MEMORY_SIZE)
    times: dict[int, list[float]] = {1: [], 2: []}
    hashes = set()
    for _ in range(5):
        for number in (1, 2):
            call = partial(e.encode_to_numpy, data, disallowed_special=(), num_threads=number)
            took, ids = seconds(call)
            times[number].append(took)
            hashes.add(hash_of(ids))
            del ids
    if len(hashes) != 1:
        raise SystemExit("the number of threads changes the ids")
    one, two = (statistics.median(times[number]) for number in (1, 2))
    return {"one thread": MEMORY_SIZE / 1e6 / one, "two threads": MEMORY_SIZE / 1e6 / two, "times": one / two}


def memory(library: str, encoding: str, text: str) -> Figures:
    """The most memory above that of the text and of the ids, while a text is encoded to an array."""
    adapter = open_library(library, encoding)
    data = sample(text, MEMORY_SIZE)
    gc.collect()
    before = resident()
    ids = adapter.to_array(data)
    above = peak_memory() - (before + ids.nbytes) / 1e6
    return {"MB above the ids": above, "MB of ids": ids.nbytes / 1e6}


def resident() -> int:
    """The memory of this process, in bytes; its peak is brought down to that where the system can."""
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def loading(library: str, encoding: str) -> Figures:
    """Milliseconds to an encoding: from its rank file, and from the tables that were kept when it was first used."""
    import minitok

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(rank_file(encoding), folder)
        os.environ["MINITOK_CACHE_DIR"] = folder
        ranks = seconds(lambda: minitok.get_encoding(encoding))[0]
        script = (
            "import time, minitok; start = time.perf_counter(); "
            f"minitok.get_encoding({encoding!r}); print(time.perf_counter() - start)"
        )
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return {"ms from ranks": ranks * 1000, "ms from tables": float(done.stdout) * 1000}


JOBS: dict[str, Callable[..., Figures]] = {
    "encode": encode,
    "cold": cold,
    "short": short,
    "decode": decode,
    "count": count,
    "hostile": hostile,
    "threads": threads,
    "memory": memory,
    "loading": loading,
}


def main() -> None:
    """Run the job that the argument describes."""
    job: dict[str, Any] = json.loads(sys.argv[1])
    function = JOBS[job.pop("job")]
    processor = job.pop("processor", None)
    if processor is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {processor})
    try:
        print(json.dumps(function(**job)))
    except LookupError as error:
        print(json.dumps({"absent": str(error)}))


if __name__ == "__main__":
    main()
