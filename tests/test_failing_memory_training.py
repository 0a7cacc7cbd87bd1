"""Training without memory; see `test_failing_memory`."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records, unpack_records
from tests.conftest import TRAINING_MODULES
from tests.failing_allocator import Allocator, allocator_of, survives

CL100K = PATTERNS["cl100k"].regex
SINGLE = [bytes([b]) for b in range(256)]


@pytest.fixture(scope="session")
def training(native: Any) -> Any:
    return importlib.import_module(TRAINING_MODULES["native"])


@pytest.fixture(scope="session")
def allocator(training: Any) -> Allocator:
    return allocator_of(training)


def counted(training: Any, *texts: str) -> dict[bytes, int]:
    """The pieces of texts, fed and merged."""
    counter, other = training.PieceCounter(CL100K), training.PieceCounter(CL100K)
    for text in texts:
        counter.feed(text)
    counter.feed_all(texts)
    other.merge(counter)
    other.feed(texts[0])
    blocks = list(other.records())
    counter.add_records(blocks[0], 3)
    first = list(counter.records("first"))
    shares = training.partition_records(blocks[0], 3)
    merged = training.merge_records([*map(iter, [[share] for share in shares]), iter(blocks)])
    return {piece: count for block in [*first, *merged] for piece, count in unpack_records(block)}


def test_counting(allocator: Allocator, training: Any) -> None:
    texts = [
        "the aab 字字 the",
        "".join(f"x{i}" for i in range(3000)),
        "a" * 70 + " " + "ab" * 3000 + " " + "字" * 3000,
    ]
    assert survives(allocator, lambda: counted(training, *texts)) >= 10


def learnt(training: Any, words: list[bytes], counts: list[int], n: int, **options: Any) -> Any:
    """The merges of a learner, with and without questions between them."""
    results = []
    for allowed in (None, lambda token: len(token) != 5):
        learner = training.Learner(SINGLE, allowed=allowed, **options)
        learner.add(pack_records(zip(words, counts)))
        results.append(learner.learn(n))
    return results


def test_counting_so_much_that_memory_comes_in_pages(allocator: Allocator, training: Any) -> None:
    """Short pieces and long ones: all that grows becomes larger than a megabyte, and then grows once more."""
    block = pack_records((b"%d%s" % (i, b"long" * 8 * (i % 4 == 0)), 1 + i % 9) for i in range(170_000))

    def count() -> Any:
        counter, other = training.PieceCounter(None), training.PieceCounter(None)
        counter.add_records(block)
        other.merge(counter)
        return [len(part) for part in other.records()]

    assert survives(allocator, count) >= 20


@pytest.mark.parametrize(
    "words", [[b"aabab", b"ab", b"aaaa", b"abcabcabc"], [b"%d %x" % (i, i) for i in range(40)]], ids=len
)
@pytest.mark.parametrize("ties", ["ids", "first"])
def test_learning(allocator: Allocator, training: Any, words: list[bytes], ties: str) -> None:
    counts = [1 + i % 7 for i in range(len(words))]
    assert survives(allocator, lambda: learnt(training, words, counts, 30, ties=ties)) >= 10


def test_learning_from_more_pairs_than_there_is_room_for(allocator: Allocator, training: Any) -> None:
    """Room for pairs is for 512 at first, and grows."""
    words = [bytes([a, b]) for a in range(40) for b in range(40)]
    counts = [1 + i % 7 for i in range(len(words))]
    assert survives(allocator, lambda: learnt(training, words, counts, 3, min_frequency=6)) >= 10


def test_learning_from_symbols(allocator: Allocator, training: Any, native: Any) -> None:
    """Words that an encoder makes."""
    tokens = [*SINGLE, b"ab", b"cd"]
    encoder = native.Encoder({token: i for i, token in enumerate(tokens)}, None, None)
    block = pack_records([(b"abcdcd", 3), (b"xabab", 2)])

    def learn() -> Any:
        learner = training.Learner(tokens, encoder=encoder)
        learner.add(block)
        return learner.learn(5)

    assert survives(allocator, learn) >= 10
