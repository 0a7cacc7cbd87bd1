"""Heavy checks, not part of the suite: all text there is, and long fuzzing.

    MINITOK_TEST_DATA=FOLDER python -m tests.heavy [--fuzz N]

Encodes each corpus whole with each published vocabulary, and with the embedded one, on each backend that is
installed, and compares the ids with tiktoken's; then learns from N random sets of words in three ways and compares
those.
For the property tests with many examples: MINITOK_HYPOTHESIS_PROFILE=heavy pytest
"""

from __future__ import annotations

import argparse
import importlib
import random
import time
from importlib.util import find_spec
from typing import Any

import minitok
from tests import reference
from tests.conftest import MODULES
from tests.oracle import PUBLISHED, corpus, published, published_tiktoken, to_tiktoken

CORPORA = ("english", "chinese", "multilingual")
SINGLE = [bytes([b]) for b in range(256)]


def installed() -> list[Any]:
    """The backends' modules that are here."""
    return [importlib.import_module(name) for name in MODULES.values() if find_spec(name)]


def compare_corpora() -> int:
    """Print a line for each corpus and vocabulary; how many differ."""
    differ = 0
    default = minitok.get_encoding("minitok_32k")
    encodings = {name: (published(name), published_tiktoken(name)) for name in PUBLISHED}
    encodings["minitok_32k"] = (default, to_tiktoken(default))
    for corpus_name in CORPORA:
        text = corpus(corpus_name)
        for name, (ours, theirs) in encodings.items():
            start = time.perf_counter()
            expected = theirs.encode_ordinary(text)
            seconds = [time.perf_counter() - start]
            same = True
            for module in installed():
                vocabulary = ours.vocabulary
                encoder = module.Encoder(vocabulary.tokens, None, vocabulary.pattern)
                start = time.perf_counter()
                same &= encoder.encode(text) == expected
                seconds.append(time.perf_counter() - start)
            differ += not same
            shown = ", ".join(f"{s:.1f} s" for s in seconds)
            result = "equal" if same else "DIFFER"
            print(f"{corpus_name:14}{name:14}{len(expected):>12,} ids  {result}  ({shown})", flush=True)
    return differ


def compare_learning(rounds: int) -> int:
    """Learn from random words in three ways; how many rounds differ."""
    choose = random.Random(rounds)
    differ = 0
    for _ in range(rounds):
        alphabet = choose.choice([b"a", b"ab", b"abc", b"abcdefgh"])
        lengths = choose.choices([1, 2, 3, 5, 8, 20, 60], k=choose.randint(1, 12))
        words = list({bytes(choose.choices(alphabet, k=length)) for length in lengths})
        counts = choose.choices([1, 1, 1, 2, 3, 5, 100], k=len(words))
        options: dict[str, Any] = {
            "min_frequency": choose.choice([1, 2, 3]),
            "max_token_length": choose.choice([None, None, 3, 8]),
        }
        n = choose.choice([1, 5, 30, 100])
        results = [module.learn_merges(list(words), counts, n, SINGLE, **options) for module in installed()]
        results.append(reference.learn_merges(dict(zip(words, counts)), n, **options))
        if any(result != results[0] for result in results):
            differ += 1
            print("DIFFER", words, counts, n, options, flush=True)
    return differ


def main() -> int:
    """Run all; the exit status tells whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fuzz", type=int, default=20_000, help="rounds of learning (default: 20000)")
    rounds = parser.parse_args().fuzz
    differ = compare_corpora()
    differ += compare_learning(rounds)
    print(f"learning: {rounds:,} rounds; {differ} differences in all")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())
