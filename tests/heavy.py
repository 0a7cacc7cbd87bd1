"""Heavy checks, not part of the suite: all text there is, all strings of classes, and long runs of what is random.

    MINITOK_TEST_DATA=FOLDER python -m tests.heavy [CHECK ...]

    corpora      each text whole, with each published vocabulary and the embedded one: ids equal to tiktoken's
    splitters    each text with each pattern: the scanner, all ways to classify characters, and the regular expression
    boundaries   each text cut at all safe boundaries at once: the pieces of the whole
    classes      all strings of up to 6 characters' classes, with each pattern (half an hour)
    learning     random words, learnt from in three ways
    models       files of models, and tokenizers like theirs: ids equal to those of the package that each is for
    files        files of every format, damaged in every way: a clear error, or what the bytes say
    special      special tokens at random, for 10 minutes
    fuzz         arbitrary inputs, for 10 minutes
    guarded      texts that end where memory ends, all kinds
    cluster      texts counted by workers that are killed all the time, for 2 minutes
    stress       an encoding shared by threads for 30 seconds; 1,000 made and dropped; on each backend

Without a name, all of them. Texts are the corpora of the test data and the source code of Python's own library.
For the property tests with many examples: MINITOK_HYPOTHESIS_PROFILE=heavy pytest
For all of the core under sanitizers: python tools/sanitize.py
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import minitok
from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records
from minitok.pretokenizer import get_pretokenizer
from tests import reference
from tests.conftest import MODULES, installed_seams
from tests.oracle import PUBLISHED, TEXTS, published, published_tiktoken, real_text, to_tiktoken
from tests.pieces import NAMES, by_regex, check_class_strings
from tests.test_boundaries import check_all_places

ROOT = Path(__file__).resolve().parent.parent
SINGLE = [bytes([b]) for b in range(256)]
#: Rounds of learning.
ROUNDS = 20_000
#: Seconds for what is random and has no end.
SECONDS = 600
#: Characters of text that are split at once: the pieces of a whole corpus would need gigabytes.
BLOCK = 1 << 20


def corpora() -> bool:
    """Print a line for each text and vocabulary; whether all ids are equal."""
    all_same = True
    default = minitok.get_encoding("minitok_32k")
    encodings = {name: (published(name), published_tiktoken(name)) for name in PUBLISHED}
    encodings["minitok_32k"] = (default, to_tiktoken(default))
    for text_name in TEXTS:
        text = real_text(text_name)
        for name, (ours, theirs) in encodings.items():
            start = time.perf_counter()
            expected = theirs.encode_ordinary(text)
            seconds = [time.perf_counter() - start]
            same = True
            for module in installed_seams():
                vocabulary = ours.vocabulary
                encoder = module.Encoder(vocabulary.tokens, vocabulary.merges, vocabulary.pattern)
                start = time.perf_counter()
                same &= encoder.encode(text) == expected
                seconds.append(time.perf_counter() - start)
            all_same &= same
            shown = ", ".join(f"{s:.1f} s" for s in seconds)
            result = "equal" if same else "DIFFER"
            print(f"{text_name:14}{name:14}{len(expected):>12,} ids  {result}  ({shown})", flush=True)
    return all_same


def blocks(text: str) -> Iterator[str]:
    """A text in parts, which are cut where they are: what is split is each part for itself."""
    return (text[start : start + BLOCK] for start in range(0, len(text), BLOCK))


def splitters() -> bool:
    """Print a line for each text and pattern; whether all pieces are equal."""
    native = importlib.import_module("minitok._fastmerge")
    all_same = True
    for text_name in TEXTS:
        text = real_text(text_name)
        for name in NAMES:
            regex, start = PATTERNS[name].regex, time.perf_counter()
            same, count = True, 0
            for block in blocks(text):
                pieces = native.split_with(regex, None, block)
                count += len(pieces)
                same &= pieces == by_regex(name, block)
                same &= all(native.split_with(regex, c, block) == pieces for c in native.CLASSIFIERS)
            all_same &= same
            result = "equal" if same else "DIFFER"
            seconds = time.perf_counter() - start
            ways = ", ".join(["scanner", *native.CLASSIFIERS, "regex"])
            print(f"{text_name:14}{name:10}{count:>12,} pieces  {result}: {ways}  ({seconds:.0f} s)", flush=True)
    return all_same


def boundaries() -> bool:
    """Cut each text at all safe boundaries; an AssertionError if the pieces are not those of the whole."""
    for text_name in TEXTS:
        text = real_text(text_name, 0, 20_000_000)
        for name in NAMES:
            chunks = get_pretokenizer(PATTERNS[name].regex).chunks(text)
            count = sum(check_all_places(name, chunk) for chunk in chunks)
            print(f"{text_name:14}{name:10}{count:>12,} safe boundaries", flush=True)
    return True


def classes() -> bool:
    """An AssertionError if any is cut in two ways."""
    check_class_strings(NAMES, 6)
    return True


def learning() -> bool:
    """Learn from random words in three ways; whether all are equal."""
    choose = random.Random(ROUNDS)
    differ = 0
    for _ in range(ROUNDS):
        alphabet = choose.choice([b"a", b"ab", b"abc", b"abcdefgh"])
        lengths = choose.choices([1, 2, 3, 5, 8, 20, 60], k=choose.randint(1, 12))
        words = list({bytes(choose.choices(alphabet, k=length)) for length in lengths})
        counted = list(zip(words, choose.choices([0, 1, 1, 1, 2, 3, 5, 100], k=len(words))))
        options: dict[str, Any] = {
            "min_frequency": choose.choice([1, 2, 3]),
            "max_token_length": choose.choice([None, None, 3, 8]),
            "ties": choose.choice(["ids", "first"]),
        }
        if choose.random() < 0.3:
            options["allowed"] = choose.choice([lambda token: b"ab" not in token, lambda token: len(token) % 3 > 0])
        n = choose.choice([1, 5, 30, 100])
        results = [reference.learn_merges(counted, n, SINGLE, **options)]
        for module in installed_seams():
            learner = module.Learner(SINGLE, **options)
            learner.add(pack_records(counted))
            results.append(learner.learn(n // 2) + learner.learn(n - n // 2))
        if any(result != results[0] for result in results):
            differ += 1
            print("DIFFER", counted, n, options, flush=True)
    print(f"learning: {ROUNDS:,} rounds, {differ} differences")
    return differ == 0


def program(module: str, *arguments: str, backend: str | None = None) -> bool:
    """Run a module of the tests as a program of its own; whether it was content."""
    variables = {**os.environ, **({"MINITOK_BACKEND": backend} if backend else {})}
    command = [sys.executable, "-W", "error", "-m", f"tests.{module}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0


def special() -> bool:
    """For some minutes, from a seed that is new each time."""
    return program("special_rounds", "--seconds", str(SECONDS))


def fuzz() -> bool:
    """For some minutes."""
    return program("fuzz", "--seconds", str(SECONDS))


def models() -> bool:
    """5 MB of each corpus with each tokenizer."""
    return program("models_table")


def files() -> bool:
    """1,000 mutations of a file of each format, and all else that can be wrong with one."""
    return program("bad_files", "--bombs", "--swollen")


def guarded() -> bool:
    """All of it."""
    return program("guarded")


def cluster() -> bool:
    """For two minutes."""
    return program("cluster_rounds")


def stress() -> bool:
    """For half a minute, and a thousand times."""
    backends = [name for name, module in MODULES.items() if find_spec(module)]
    commands = (("share", "--seconds", "30"), ("drop", "--cycles", "1000"))
    return all(list(chain.from_iterable([program("stress", *c, backend=b) for c in commands] for b in backends)))


CHECKS: dict[str, Callable[[], bool]] = {
    "cluster": cluster,
    "stress": stress,
    "guarded": guarded,
    "models": models,
    "files": files,
    "learning": learning,
    "special": special,
    "fuzz": fuzz,
    "boundaries": boundaries,
    "corpora": corpora,
    "splitters": splitters,
    "classes": classes,
}


def main() -> int:
    """Run the checks; the exit status tells whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    names = parser.parse_args().checks or list(CHECKS)
    unknown = set(names) - set(CHECKS)
    if unknown:
        parser.error(f"no check {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    failed = []
    for name in names:
        start = time.perf_counter()
        content = CHECKS[name]()
        print(f"-- {name}: {'passed' if content else 'FAILED'} in {time.perf_counter() - start:.0f} s", flush=True)
        failed += [] if content else [name]
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
