"""Encoding with the models' own files, beside the libraries that they are of, and beside rank files.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.model_files [--rounds 5]

Each measurement is a fresh process with one processor and one thread, imports and loading left out: a pass over 20 MB
of new text. In a round each library has its turn, and medians count. Figures of a library count only if its ids are
minitok's. `tokenizers` gets the file that `minitok convert` makes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh import ask
from benchmarks.texts import sample, shared_data

SIZE = 20_000_000
MISTRAL = "mistral_v3.spm.model"
#: What is compared: (title, text, what is measured first, the others).
CELLS = [
    ("Mistral v3, list", "english", "minitok", ("sentencepiece", "tokenizers", "gigatoken")),
    ("Mistral v3, list", "chinese", "minitok", ("sentencepiece", "tokenizers", "gigatoken")),
    ("Mistral v3, array", "english", "minitok array", ("gigatoken array",)),
    ("Mistral v3, array", "chinese", "minitok array", ("gigatoken array",)),
    ("GPT-2, array", "english", "tokenizer.json", ("rank file",)),
    ("GPT-2, array", "chinese", "tokenizer.json", ("rank file",)),
    ("GPT-2, array", "multilingual", "tokenizer.json", ("rank file",)),
]


def caller(way: str) -> Callable[[str], Any]:
    """What encodes a text in one of the ways; everything is loaded here."""
    import minitok

    folder = shared_data() / "vocabularies"
    if way == "sentencepiece":
        import sentencepiece

        model = sentencepiece.SentencePieceProcessor(model_file=str(folder / MISTRAL))
        encode: Callable[[str], Any] = model.encode
        return encode
    if way == "tokenizers":
        import tokenizers

        with tempfile.TemporaryDirectory() as made:
            path = Path(made, "tokenizer.json")
            minitok.load(folder / MISTRAL).save(path, format="huggingface")
            theirs = tokenizers.Tokenizer.from_file(str(path))
        return lambda text: theirs.encode(text, add_special_tokens=False).ids
    if way.startswith("gigatoken"):
        import gigatoken

        tokenizer = gigatoken.Tokenizer.from_sentencepiece(folder / MISTRAL)
        if way.endswith("array"):
            to_array: Callable[[str], Any] = tokenizer.encode
            return to_array
        return lambda text: tokenizer.encode_batch_list([text], parallel=False)[0]
    if way == "rank file":
        enc = minitok.load(folder / "r50k_base.tiktoken", pattern="r50k", special_tokens={"<|endoftext|>": 50256})
    else:
        enc = minitok.load(folder / ("gpt2.tokenizer.json" if way == "tokenizer.json" else MISTRAL))
    if way == "minitok":
        return lambda text: enc.encode(text, disallowed_special=(), num_threads=1)
    return lambda text: enc.encode_to_numpy(text, disallowed_special=(), num_threads=1)


def measure(way: str, text: str) -> None:
    """Print megabytes a second, and a hash of the ids."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    call = caller(way)
    data = sample(text, SIZE)
    size = len(data.encode()) / 1e6
    start = time.perf_counter()
    ids = call(data)
    took = time.perf_counter() - start
    digest = hashlib.blake2b(np.asarray(ids, dtype=np.uint32).tobytes(), digest_size=8).hexdigest()
    print(json.dumps([size / took, digest]))


def one(way: str, text: str) -> tuple[float, str]:
    """One measurement, in a process of its own."""
    speed, digest = ask("benchmarks.model_files", way, text)
    return speed, digest


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    print("| what | text | MB/s | beside it | of the best |\n|---|---|---|---|---|")
    for title, text, first, others in CELLS:
        speeds: dict[str, list[float]] = {way: [] for way in (first, *others)}
        digests: dict[str, str] = {}
        for _ in range(arguments.rounds):
            for way, found in speeds.items():
                speed, digests[way] = one(way, text)
                found.append(speed)
        median = {way: statistics.median(found) for way, found in speeds.items()}
        exact = [way for way in others if digests[way] == digests[first]]
        beside = ", ".join(
            f"{way} {median[way]:.4g}" + ("" if way in exact else " (other ids: does not count)") for way in others
        )
        ratio = f"{median[first] / max(median[way] for way in exact):.2f} x" if exact else "-"
        print(f"| {title}, {first} | {text} | {median[first]:.4g} | {beside} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
