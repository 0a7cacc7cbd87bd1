"""An encoding that is shared, forked and pickled while it works; and encodings made and dropped without end.

    python -m tests.stress share [--seconds N]    8 threads, and children and copies meanwhile, give the right ids
    python -m tests.stress drop [--cycles N]      memory does not grow

These are programs of their own, because they fork while there are threads, and measure a whole process.
"""

from __future__ import annotations

import argparse
import gc
import os
import pickle
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import minitok
from tests.strategies import CLASS_CHARACTERS

THREADS = 8
#: What memory may grow by beyond the first cycles: the allocator's own ways, and no more however many cycles follow.
GROWTH = 2 << 20
#: The same for blocks of Python's own allocator.
MORE_BLOCKS = 1000
#: Seconds after which what should have ended long ago is ended by a signal.
PATIENCE = 60


def sample_texts() -> list[str | bytes]:
    """Texts of all lengths and kinds; enough different pieces to keep the caches changing."""
    rng = random.Random(7)
    texts: list[str | bytes] = []
    for i in range(300):
        words = ["".join(rng.choices("aeinrst", k=rng.randint(1, 12))) for _ in range(rng.choice([3, 30, 300]))]
        text = " ".join(words) + "".join(rng.choices(CLASS_CHARACTERS, k=rng.randint(0, 60)))
        texts.append(text if i % 3 else text.encode() + bytes(rng.choices(range(256), k=20)))
    texts.append("字" * 3000 + "x" * 5000)
    return texts


class Shared:
    """One encoding for all, and what it has to give."""

    def __init__(self) -> None:
        self.encoding = minitok.get_encoding("minitok_32k")
        self.texts = sample_texts()
        self.expected = [self.encoding.encode(text, disallowed_special=()) for text in self.texts]
        self.wrong = 0
        self.rounds = 0
        self.stopped = threading.Event()

    def is_right(self, encoding: minitok.Encoding, i: int) -> bool:
        """Whether one text gives its ids, in a way that depends on its place."""
        text, ids = self.texts[i], self.expected[i]
        if i % 4 == 0:
            return list(encoding.encode_to_numpy(text, disallowed_special=())) == ids
        if i % 4 == 1:
            return encoding.count(text) == len(ids)
        if i % 4 == 2:
            return encoding.encode(text, disallowed_special=(), num_threads=2) == ids
        whole = text.encode() if isinstance(text, str) else text
        return encoding.encode(text, disallowed_special=()) == ids and encoding.decode_bytes(ids) == whole

    def work(self, seed: int) -> None:
        """What each thread does."""
        rng = random.Random(seed)
        while not self.stopped.is_set():
            self.wrong += not self.is_right(self.encoding, rng.randrange(len(self.texts)))
            self.rounds += 1

    def child_is_right(self) -> bool:
        """Whether a child, forked in the midst of all that, gives the right ids."""
        program = os.fork()
        if program == 0:
            signal.alarm(PATIENCE)
            right = all(self.is_right(self.encoding, i) for i in range(0, len(self.texts), 7) if i % 4 != 2)
            os._exit(0 if right else 1)
        return os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]) == 0

    def copy_is_right(self) -> bool:
        """Whether a pickled copy, by value, does."""
        by_value = minitok.Encoding.from_vocabulary(self.encoding.vocabulary)
        copy = pickle.loads(pickle.dumps(by_value))
        return all(self.is_right(copy, i) for i in range(0, len(self.texts), 31))


def share(seconds: float) -> bool:
    """Threads, children and copies for so long; whether all were right."""
    # Python warns of forking beside threads; that it works here is what is being shown.
    warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
    shared = Shared()
    # What is imported on first use is imported now: a child that is forked while another thread imports a module
    # waits for it forever.
    shared.wrong += sum(not shared.is_right(shared.encoding, i) for i in range(4))
    threads = [threading.Thread(target=shared.work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    children = copies = wrong = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if hasattr(os, "fork"):
            wrong += not shared.child_is_right()
            children += 1
        wrong += not shared.copy_is_right()
        copies += 1
        time.sleep(0.05)
    shared.stopped.set()
    for thread in threads:
        thread.join()
    wrong += shared.wrong
    print(f"{THREADS} threads: {shared.rounds:,} texts, {children} children, {copies} copies; {wrong} wrong")
    return wrong == 0 and shared.rounds > THREADS


def memory_in_use() -> int:
    """Bytes of memory that this process has; 0 where that cannot be told."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def cycle(number: int) -> None:
    """Make an encoding, use it in every way, and drop it."""
    tokens = [*(bytes([b]) for b in range(256)), b"ab", b"abab", b" the", "字".encode(), b"%d" % number]
    ranks = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    encoding = minitok.Encoding("dropped", pat_str=None, mergeable_ranks=ranks, special_tokens={"<|end|>": 999})
    pattern = ("cl100k", "o200k", r"\w+|\W")[number % 3]
    trained = minitok.train(["the cat sat on the mat " * 20], vocab_size=270, pattern=pattern)
    for made in (encoding, trained):
        for text in ("the abab 字 cat", "a" * 200, "ab " * 2000, b"\xff" * 10, f"{number} " * 100):
            ids = made.encode(text, disallowed_special=(), num_threads=1 + number % 2)
            assert made.count(text) == len(ids) == len(made.encode_to_numpy(text, disallowed_special=()))
            assert made.decode_bytes(ids) == (text.encode() if isinstance(text, str) else text)
        pickle.loads(pickle.dumps(made))
    try:
        encoding.decode([12345])
    except KeyError:
        pass
    try:
        encoding.encode("<|end|>")
    except ValueError:
        pass


def drop(cycles: int) -> bool:
    """Make and drop so many encodings; whether memory stayed as it was after a tenth of them."""
    settled = max(20, cycles // 10)
    memory = blocks = 0
    for number in range(cycles):
        cycle(number)
        if number == settled:
            gc.collect()
            memory, blocks = memory_in_use(), sys.getallocatedblocks()
    gc.collect()
    more_memory, more_blocks = memory_in_use() - memory, sys.getallocatedblocks() - blocks
    print(f"{cycles:,} encodings made and dropped: {more_memory:+,} bytes, {more_blocks:+,} of Python's blocks")
    return more_memory < GROWTH and more_blocks < MORE_BLOCKS


def main() -> int:
    """Run one of the two; the exit status tells whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["share", "drop"])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--cycles", type=int, default=1000)
    options = parser.parse_args()
    if options.what == "share":
        signal.alarm(int(options.seconds) + 2 * PATIENCE)
    return 0 if (share(options.seconds) if options.what == "share" else drop(options.cycles)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
