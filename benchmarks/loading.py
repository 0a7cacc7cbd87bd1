"""How long it takes to open a vocabulary file, beside the library that it is of.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.loading [--rounds 7]

Each opening is a fresh process, imports left out; in a round each library has its turn, and medians count. minitok is
measured twice: when the file was opened by another process before, and when it was not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fresh import ask
from benchmarks.texts import shared_data

#: File to the library that it is of.
FILES = {
    "gpt2.tokenizer.json": "tokenizers",
    "claude.tokenizer.json": "tokenizers",
    "deepseek.tokenizer.json": "tokenizers",
    "mistral_v3.spm.model": "sentencepiece",
    "tekken_240911.json": "mistral-common",
}


def opener(library: str) -> Callable[[str], Any]:
    """What opens a file with a library, which is imported here."""
    if library == "minitok":
        import minitok

        return minitok.load
    if library == "tokenizers":
        import tokenizers

        read: Callable[[str], Any] = tokenizers.Tokenizer.from_file
        return read
    if library == "sentencepiece":
        import sentencepiece

        return lambda path: sentencepiece.SentencePieceProcessor(model_file=path)
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    read_tekken: Callable[[str], Any] = Tekkenizer.from_file
    return read_tekken


def milliseconds(library: str, path: Path, cache: str) -> float:
    """One opening, in a process of its own, of a library that is compiled, as an installed one is."""
    settings = {"MINITOK_CACHE_DIR": cache, "PYTHONDONTWRITEBYTECODE": ""}
    return float(ask("benchmarks.loading", library, str(path), **settings))


def measure(library: str, path: str) -> None:
    """Print how many milliseconds it takes."""
    function = opener(library)
    start = time.perf_counter()
    kept = function(path)
    took = time.perf_counter() - start
    print(json.dumps(took * 1000))
    del kept


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    print("| file | minitok, first | minitok | the library | first, of it | of it |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as cache:
        for name, library in FILES.items():
            path = shared_data() / "vocabularies" / name
            times: dict[str, list[float]] = {"first": [], "again": [], "theirs": []}
            for _ in range(arguments.rounds):
                with tempfile.TemporaryDirectory() as empty:
                    times["first"].append(milliseconds("minitok", path, empty))
                milliseconds("minitok", path, cache)
                times["again"].append(milliseconds("minitok", path, cache))
                times["theirs"].append(milliseconds(library, path, cache))
            first, again, theirs = (statistics.median(times[key]) for key in ("first", "again", "theirs"))
            shares = f"{first / theirs:.2f} x | {again / theirs:.2f} x"
            cells = f"{first:.0f} ms | {again:.1f} ms | {library} {theirs:.0f} ms | {shares}"
            print(f"| `{name}` | {cells} |", flush=True)


if __name__ == "__main__":
    main()
