"""Texts cut into pieces in every way there is, and compared; and strings of one character of each class.

python -m tests.pieces [--length N] [PATTERN ...]    all strings of classes up to a length: 6 takes half an hour
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import tiktoken

from minitok.patterns import PATTERNS
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of

NAMES = sorted({pattern.name for pattern in PATTERNS.values()})
#: Those that tiktoken has; its p50k has the pattern of r50k.
TIKTOKEN_NAMES = ["r50k", "cl100k", "o200k"]

#: One character for each class that any pattern tells apart, as ASCII and not where the core has two ways for them,
#: and the letters of a contraction.
REPRESENTATIVES = ["a", "A", "字", "\u0301", "1", "٣", " ", "\t", "\u3000", "\n", "'", "!", "/", "—", "s", "L"]
#: What only patterns in stages tell apart; it stands for what to them is like something else.
STAGED = {"—": "・", "L": "\x01", "\t": "\u3097", "A": "\u3099"}

#: The like of some of them, which strings made at random have too.
MORE = ["ʰ", "l", "ſ", "é", "\x85", "\r", "\x00", "😀"]

BYTES = {bytes([b]): b for b in range(256)}


def representatives(name: str) -> list[str]:
    """The characters for a pattern."""
    special = {"deepseek": STAGED, "r50k": {"L": "l"}}.get(name, {})
    return [special.get(c, c) for c in REPRESENTATIVES]


def class_strings(name: str, longest: int) -> Iterator[str]:
    """All strings of representatives up to a length."""
    for length in range(1, longest + 1):
        yield from map("".join, itertools.product(representatives(name), repeat=length))


def random_class_strings(name: str, count: int, shortest: int, longest: int) -> Iterator[str]:
    """Some strings of representatives and their like, the same ones each time."""
    rng = random.Random(1)
    characters = representatives(name) + MORE
    for _ in range(count):
        yield "".join(rng.choices(characters, k=rng.randint(shortest, longest)))


def by_regex(name: str, text: str | bytes) -> list[bytes]:
    """The pieces by the regular expression."""
    return list(map(bytes_of, get_pretokenizer(PATTERNS[name].regex).split(text_of(text))))


def check_splitters(native: Any, name: str, texts: Iterable[str | bytes]) -> list[list[bytes]]:
    """Every splitter of the core cuts these texts like the regular expression; the pieces."""
    regex = PATTERNS[name].regex
    splitters = (None, *native.CLASSIFIERS)
    results = []
    for text in texts:
        expected = by_regex(name, text)
        for splitter in splitters:
            if native.split_with(regex, splitter, text) != expected:
                raise AssertionError((name, splitter, text, native.split_with(regex, splitter, text), expected))
        results.append(expected)
    return results


def ask_tiktoken(name: str, texts: Sequence[str], pieces: Sequence[list[bytes]]) -> None:
    """Make tiktoken's pieces visible in its ids.

    The vocabulary has each piece that we expect, and each two of them that are neighbours, as tokens. A piece that
    tiktoken cuts as we do is that token, whole. One that it cuts smaller gives other tokens. One that it cuts larger
    is two of ours, which is a token too; or more than two: then, if merges make ours at all, they go on to make two
    of them, and if not, ours do not occur.
    """
    tokens = dict(BYTES)
    for text_pieces in pieces:
        for piece in text_pieces:
            tokens.setdefault(piece, len(tokens))
        for left, right in pairwise(text_pieces):
            tokens.setdefault(left + right, len(tokens))
    theirs = tiktoken.Encoding(name, pat_str=PATTERNS[name].regex, mergeable_ranks=tokens, special_tokens={})
    for text, text_pieces in zip(texts, pieces, strict=True):
        ids = theirs.encode_ordinary(text)
        assert ids == [tokens[piece] for piece in text_pieces], (text, text_pieces, theirs.decode_tokens_bytes(ids))


def check_class_strings(names: Iterable[str], longest: int) -> int:
    """All class strings up to a length, by every splitter and tiktoken; how many there were."""
    native = importlib.import_module("minitok._fastmerge")
    total = 0
    for name in names:
        start, count = time.perf_counter(), 0
        strings = class_strings(name, longest)
        # Not all at once: tiktoken's vocabulary is made of their pieces.
        while batch := list(itertools.islice(strings, 1 << 16)):
            pieces = check_splitters(native, name, batch)
            if name in TIKTOKEN_NAMES:
                ask_tiktoken(name, batch, pieces)
            count += len(batch)
        seconds = time.perf_counter() - start
        print(f"{name:10} {count:>12,} strings of classes  equal  ({seconds:.0f} s)", flush=True)
        total += count
    return total


def main() -> int:
    """Check all strings of classes; an AssertionError if any is cut in two ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="PATTERN")
    parser.add_argument("--length", type=int, default=6)
    options = parser.parse_args()
    check_class_strings(options.names, options.length)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
