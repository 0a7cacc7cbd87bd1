"""A gigabyte of text whose number of distinct words grows as that of real text does.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.large_corpus [--count]

The corpora are written again and again, each time with other words in the place of some. Heaps' law says that n times
as much text has about n^b times as many distinct words, with b between 0.5 and 0.6 for English: so in round k (from
0) a share of (k+1)^b - k^b of all words is exchanged for new ones, each for the same new one throughout the round.
A new word is the front half of the old one and the rear half of a neighbour in the sorted list of all words, which
mostly has the same script, so that new words are made of the sequences of letters that the language has. The most
frequent words stay. Documents are shuffled, so that each stretch of the file has the same mixture.

The text depends on the corpora, on this file and on the version of Python's random numbers alone. It is written once,
to the user's cache folder, under a name with a hash of what it depends on; the smaller sizes are beginnings of it.
`--count` prints how the number of distinct pieces grows.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import mmap
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.texts import shared_data
from benchmarks.trainers import SEPARATOR

if TYPE_CHECKING:
    from minitok.corpus import Source

__all__ = ["CORPORA", "GROWTH", "SIZES", "cache_folder", "large_corpus", "large_text"]

CORPORA = ("english", "multilingual", "chinese")
#: Megabytes.
SIZES = (250, 500, 1000)
#: The exponent of Heaps' law.
GROWTH = 0.6
#: So many words of each corpus are never exchanged.
FREQUENT = 1000
#: How far in the sorted list the other half of a new word may come from.
NEIGHBOURS = 2000
_WORD = re.compile(r"([^\W\d_]+)")


class _Words:
    """The words of a corpus, and which of them are others in a round."""

    def __init__(self, documents: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for document in documents:
            counts.update(_WORD.findall(document))
        frequent = {word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:FREQUENT]}
        self._known = set(counts)
        self._sorted = sorted(counts)
        self._exchangeable = [i for i, word in enumerate(self._sorted) if len(word) > 1 and word not in frequent]

    def exchanged(self, number: int, chance: random.Random) -> dict[str, str]:
        """What stands for a word in a round, if it is another."""
        share = (number + 1) ** GROWTH - number**GROWTH if number else 0.0
        # Of all words, although some are never exchanged.
        share *= len(self._sorted) / max(1, len(self._exchangeable))
        return {self._sorted[i]: self._new_word(i, chance) for i in self._exchangeable if chance.random() < share}

    def _new_word(self, place: int, chance: random.Random) -> str:
        old = self._sorted[place]
        front = old[: (len(old) + 1) // 2]
        word = old
        for _ in range(8):
            other = self._sorted[(place + chance.randrange(1, NEIGHBOURS)) % len(self._sorted)]
            word = front + other[len(other) // 2 :]
            if word not in self._known:
                break
        return word


def large_text(corpora: Mapping[str, Sequence[str]], seed: int = 0) -> Iterator[str]:
    """Documents without end: those of all corpora in random order, and again, with more and more other words."""
    words = {name: _Words(documents) for name, documents in corpora.items()}
    places = [(name, i) for name, documents in corpora.items() for i in range(len(documents))]
    for number in count():
        exchanged = {
            name: of_corpus.exchanged(number, random.Random(f"{seed} {name} {number}"))
            for name, of_corpus in words.items()
        }
        random.Random(f"{seed} {number}").shuffle(places)
        for name, i in places:
            others = exchanged[name]
            parts = _WORD.split(corpora[name][i])
            parts[1::2] = [others.get(word, word) for word in parts[1::2]]
            yield "".join(parts)


def cache_folder() -> Path:
    """Where texts that take long to make are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("minitok-benchmarks", appauthor=False, ensure_exists=True)


def large_corpus(megabytes: int) -> Path:
    """The file of a size, made if it is not there: in another process, so that this one stays small."""
    path = _place(megabytes)
    if not path.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.large_corpus"], check=True, cwd=Path(__file__).parents[1])
    return path


def _place(megabytes: int) -> Path:
    found = hashlib.blake2b(Path(__file__).read_bytes(), digest_size=8)
    for name in CORPORA:
        with (shared_data() / "corpora" / f"{name}.txt").open("rb") as file:
            found.update(hashlib.file_digest(file, "blake2b").digest())
    return cache_folder() / f"large-{found.hexdigest()}-{megabytes}.txt"


def _write() -> None:
    """All sizes. Files of other versions are removed: they are large."""
    places = {size: _place(size) for size in SIZES}
    for old in cache_folder().glob("large-*"):
        if old not in places.values():
            old.unlink()
    whole = places[max(SIZES)]
    if not whole.exists():
        corpora = {
            name: (shared_data() / "corpora" / f"{name}.txt").read_text("utf-8").split(SEPARATOR) for name in CORPORA
        }
        temporary = whole.with_suffix(f".{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                left = max(SIZES) * 1_000_000
                for document in large_text(corpora):
                    data = (document + SEPARATOR).encode()
                    if len(data) > left:
                        break
                    left -= file.write(data)
            temporary.replace(whole)
        finally:
            temporary.unlink(missing_ok=True)
    for size in SIZES:
        if not places[size].exists():
            _cut(whole, places[size], size * 1_000_000)


def _cut(whole: Path, part: Path, size: int) -> None:
    """The documents that are whole in the first `size` bytes of a file."""
    temporary = part.with_suffix(f".{os.getpid()}")
    try:
        with whole.open("rb") as source, temporary.open("wb") as target:
            with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
                left = data.rfind(SEPARATOR.encode(), 0, size) + len(SEPARATOR)
            while left:
                left -= target.write(source.read(min(left, 1 << 20)))
        temporary.replace(part)
    finally:
        temporary.unlink(missing_ok=True)


def _print_growth() -> None:
    """Distinct pieces of English, and of the large corpora, and the exponents between neighbours."""
    import minitok

    english = (shared_data() / "corpora" / "english.txt").read_bytes()
    sources: dict[str, list[tuple[int, Source]]] = {
        "english": [(size, [english[: size * 1_000_000].decode("utf-8", "ignore")]) for size in (10, 30, 100)],
        "large": [(size, _place(size)) for size in SIZES],
    }
    for name, parts in sources.items():
        before: tuple[int, int] | None = None
        for size, source in parts:
            distinct = len(minitok.count_pieces(source, pattern="gpt2", special_tokens=[SEPARATOR], progress=False))
            exponent = before and math.log(distinct / before[1]) / math.log(size / before[0])
            print(
                f"{name} {size} MB: {distinct:,} distinct pieces" + (f", exponent {exponent:.2f}" if exponent else "")
            )
            before = size, distinct


def main() -> None:
    """Write the files that are not there."""
    parser = argparse.ArgumentParser(description="Write the large corpora that are not there yet.")
    parser.add_argument("--count", action="store_true", help="print how many distinct pieces they have")
    arguments = parser.parse_args()
    _write()
    if arguments.count:
        _print_growth()


if __name__ == "__main__":
    main()
