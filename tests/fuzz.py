"""Fuzzing: the compiled backend against the pure one, on arbitrary bytes, texts and small vocabularies.

    python -m tests.fuzz [--seconds N] [--engine atheris|random] [--corpus FOLDER]
    python -m tests.fuzz --reproduce FILE

An input is a string of bytes, from which a `Source` takes whatever the target asks for; so any input makes sense, and
a shorter one is a simpler one. The inputs come from atheris (dependency group `fuzz`), which is guided by what they
reach in the pure backend: the specification has the branches that matter. Without it they come from `random`. What
was found stays in the folder that --corpus names, and is where the next run begins.

An input on which the backends differ is written to a file, which --reproduce takes; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 600
#: The modules whose branches guide atheris.
GUIDES = [
    "minitok._pycount",
    "minitok._pylearn",
    "minitok._pymerge",
    "minitok.pretokenizer",
    "minitok.offsets",
    "minitok.special_tokens",
    "tests.fuzz_targets",
]


def random_inputs(seconds: float, start: int) -> int:
    """Inputs at random, each half of the time a change of an earlier one; how many there were."""
    choose = random.Random(start)
    earlier: list[bytes] = []
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        if earlier and choose.random() < 0.5:
            data = bytearray(choose.choice(earlier))
            for _ in range(choose.randint(1, 6)):
                place = choose.randrange(len(data) + 1)
                data[place : place + choose.randint(0, 3)] = choose.randbytes(choose.randint(0, 3))
        else:
            data = bytearray(choose.randbytes(choose.randint(1, LONGEST)))
        checked(bytes(data))
        if len(earlier) < 500:
            earlier.append(bytes(data))
        else:
            earlier[choose.randrange(500)] = bytes(data)
        count += 1
    return count


def checked(data: bytes) -> None:
    """One input; if the backends differ on it, it is kept before the error goes on."""
    # Not before: what atheris instruments is what it imports itself.
    from tests.fuzz_targets import one_input

    try:
        one_input(data)
    except BaseException:
        path = Path(tempfile.gettempdir()) / f"minitok-fuzz-{time.time_ns()}"
        path.write_bytes(data)
        print(f"\nDIFFER: python -m tests.fuzz --reproduce {path}\n{data!r}", file=sys.stderr, flush=True)
        raise


def run_atheris(seconds: float, corpus: str) -> int:
    """Let atheris, in a process of its own, which it ends, find inputs; how many there were, or -1 if one was bad."""
    command = [sys.executable, "-m", "tests.fuzz", "--atheris-options", f"-max_total_time={max(1, int(seconds))}"]
    # The artifacts of its own are not needed: what differs has been kept by then.
    command += [
        f"-artifact_prefix={tempfile.mkdtemp()}/",
        f"-max_len={LONGEST}",
        "-print_final_stats=1",
        "-timeout=120",
        "-rss_limit_mb=4096",
        "-verbosity=1",
    ]
    done = subprocess.run([*command, corpus], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    if done.returncode or not found:
        print(done.stderr[-20_000:], file=sys.stderr)
        return -1
    return int(found.group(1))


def be_atheris(options: list[str]) -> None:
    """Be that process."""
    import atheris

    with atheris.instrument_imports(include=GUIDES):
        import tests.fuzz_targets  # noqa: F401
    atheris.Setup([sys.argv[0], *options], checked)
    atheris.Fuzz()


def seeds(folder: Path) -> None:
    """Inputs to begin with: one of each kind, with texts of all kinds."""
    choose = random.Random(0)
    for i in range(64):
        (folder / f"seed-{i}").write_bytes(bytes([i % 32]) + choose.randbytes(choose.choice([20, 80, 300])))


def main() -> int:
    """Fuzz, and say how much; the exit status tells whether backends differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--engine", choices=["atheris", "random"], help="default: atheris if it is installed")
    parser.add_argument("--seed", type=int, default=None, help="of the engine `random`; default: by the clock")
    parser.add_argument("--corpus", type=Path, help="a folder for inputs that reached something new")
    parser.add_argument("--reproduce", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.reproduce:
        checked(options.reproduce.read_bytes())
        print("no difference")
        return 0
    engine = options.engine or ("atheris" if find_spec("atheris") else "random")
    start = time.monotonic()
    if engine == "random":
        count = random_inputs(options.seconds, time.time_ns() if options.seed is None else options.seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            corpus = options.corpus or Path(folder)
            corpus.mkdir(parents=True, exist_ok=True)
            if not any(corpus.iterdir()):
                seeds(corpus)
            count = run_atheris(options.seconds, str(corpus))
    seconds = time.monotonic() - start
    result = "no difference" if count >= 0 else "DIFFER"
    print(f"fuzz: {engine}, {max(0, count):,} inputs in {seconds:.0f} s: {result}")
    return 0 if count >= 0 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--atheris-options"]:
        be_atheris(sys.argv[2:])
    raise SystemExit(main())
