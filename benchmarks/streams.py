"""How fast streams are: ids to text as they come, and text to ids in feeds of 4 KiB beside the whole text at once.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.streams [--rounds 5]

Each figure is of a fresh process with one thread, after one pass over the same text, in which what comes out is held
against that of the whole; in a round each kind has its turn, and medians count. The whole is measured as what gives
the same: a list of ids, a str.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import minitok
from benchmarks.texts import TEXTS, rank_file, sample
from minitok import patterns

ENCODINGS = {"cl100k_base": "cl100k", "o200k_base": "o200k"}
KINDS = ("encode, whole", "encode, feeds", "decode, one by one", "decode, lists of 100")
#: Bytes of text, characters of a feed.
SIZE, FEED = 8_000_000, 4096
#: What is promised: ids a second one by one; and of the speed of the whole text.
PROMISED_IDS, PROMISED_SHARE = 1e6, 0.5


def _encode_feeds(enc: minitok.Encoding, feeds: list[str]) -> list[int]:
    encoder = enc.stream_encoder(disallowed_special=())
    ids: list[int] = []
    for feed in feeds:
        ids += encoder.feed(feed)
    return ids + encoder.flush()


def _decode_feeds(enc: minitok.Encoding, feeds: list[Any]) -> str:
    decoder = enc.stream_decoder()
    return "".join([decoder.feed(feed) for feed in feeds]) + decoder.flush()


def measure(encoding: str, text_name: str, kind: str) -> None:
    """Print seconds, characters and ids."""
    pattern = patterns.PATTERNS[ENCODINGS[encoding]].regex
    enc = minitok.load(rank_file(encoding), pattern=pattern)
    text = sample(text_name, SIZE)
    ids = enc.encode_ordinary(text, num_threads=1)
    feeds = [text[at : at + FEED] for at in range(0, len(text), FEED)]
    lists = [ids[at : at + 100] for at in range(0, len(ids), 100)]
    run: Callable[[], object] = {
        "encode, whole": lambda: enc.encode_ordinary(text, num_threads=1),
        "encode, feeds": lambda: _encode_feeds(enc, feeds),
        "decode, one by one": lambda: _decode_feeds(enc, ids),
        "decode, lists of 100": lambda: _decode_feeds(enc, lists),
    }[kind]
    if run() != (ids if kind.startswith("encode") else text):
        raise SystemExit(f"{encoding}, {text_name}, {kind}: not what the whole gives")
    start = time.perf_counter()
    run()
    print(json.dumps([time.perf_counter() - start, len(text.encode()), len(ids)]))


def _process(encoding: str, text_name: str, kind: str) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.streams", "--measure", encoding, text_name, kind]
    done = subprocess.run(command, capture_output=True, check=True)
    figures: list[float] = json.loads(done.stdout)
    return figures


def main() -> int:
    """Print a table; the exit status tells whether a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return 0
    print("| encoding | text | whole | in feeds | of it | ids decoded one by one | in lists of 100 |")
    print("|---|---|--:|--:|--:|--:|--:|")
    broken = 0
    for encoding in ENCODINGS:
        for text_name in TEXTS:
            seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
            size = count = 0.0
            for _ in range(arguments.rounds):
                for kind in KINDS:
                    took, size, count = _process(encoding, text_name, kind)
                    seconds[kind].append(took)
            whole, feeds, single, lists = (statistics.median(seconds[kind]) for kind in KINDS)
            broken += whole / feeds < PROMISED_SHARE or count / single < PROMISED_IDS
            cells = f"{size / whole / 1e6:.0f} MB/s | {size / feeds / 1e6:.0f} MB/s | {whole / feeds:.2f} x"
            decoded = f"{count / single / 1e6:.1f} M/s | {count / lists / 1e6:.0f} M/s"
            print(f"| {encoding} | {text_name} | {cells} | {decoded} |", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
