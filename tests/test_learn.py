"""Learning merges: reference, pure and compiled agree, on words full of ties and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok.piece_records import pack_records
from tests import reference
from tests.agreement import agree, agree_to_raise
from tests.strategies import counted_words, grown_tokens, learner_options

pytestmark = pytest.mark.once  # each test asks both backends

BYTES = [bytes([b]) for b in range(256)]
Merge = tuple[int, int, int]
Tokens = Sequence[bytes | None]


def learner_of(module: Any, counts: dict[bytes, int], tokens: Tokens = BYTES, **options: Any) -> Any:
    """One that has the pieces, which came in two blocks."""
    learner = module.Learner(tokens, **options)
    counted = list(counts.items())
    learner.add(pack_records(counted[: len(counted) // 2]))
    learner.add(pack_records(counted[len(counted) // 2 :]))
    return learner


def learn(counts: dict[bytes, int], n: int, **options: Any) -> list[Merge]:
    """The merges that all implementations learn from bytes, some of them in two steps."""

    def call(module: Any) -> Any:
        learner = learner_of(module, counts, **options)
        first = learner.learn(n // 3)
        total = learner.total
        return first + learner.learn(n - n // 3), learner.words, total, learner.total

    def expected() -> Any:
        merges = reference.learn_merges(list(counts.items()), n, BYTES, **options)
        total = sum(len(piece) * count for piece, count in counts.items())
        totals = [total - sum(count for _, _, count in merges[:done]) for done in (n // 3, n)]
        return merges, len(counts), *totals

    merges: list[Merge] = agree(call, expected)[0]
    return merges


def tokens_of(merges: list[Merge], tokens: Tokens = BYTES) -> list[bytes]:
    """The tokens that the merges make."""
    all_tokens = [token or b"" for token in tokens]
    for left, right, _ in merges:
        all_tokens.append(all_tokens[left] + all_tokens[right])
    return all_tokens[len(tokens) :]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, []),
        ({b"a": 5}, []),
        ({b"": 5}, []),
        ({b"ab": 1}, []),  # rarer than min_frequency
        ({b"ab": 2}, [b"ab"]),
        ({b"aaa": 1}, [b"aa"]),  # both positions count
        ({b"aaaa": 1}, [b"aa"]),
        ({b"aaaaa": 1}, [b"aa"]),
        ({b"aaaa": 2}, [b"aa", b"aaaa"]),
        ({b"aaabdaaabac": 1}, [b"aa", b"ab", b"aaab"]),
        ({b"ab": 2, b"cd": 2, b"xy": 3}, [b"xy", b"ab", b"cd"]),  # ties: the smallest ids
        ({b"ba": 2, b"ab": 2}, [b"ab", b"ba"]),
        (
            {b"low": 5, b"lower": 2, b"newest": 6, b"widest": 3},
            [b"es", b"est", b"lo", b"low", b"ew", b"new", b"newest"],
        ),
    ],
)
def test_examples(counts: dict[bytes, int], expected: list[bytes]) -> None:
    assert tokens_of(learn(counts, 7)) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({b"ba": 2, b"ab": 2}, [b"ba", b"ab"]),
        ({b"zz": 0, b"xy": 2, b"ab": 2, b"zz!": 2}, [b"xy", b"ab", b"zz", b"zz!"]),  # what never occurs is nowhere
        ({b"bcab": 2}, [b"bc", b"bca", b"bcab"]),
        ({b"xabc": 1, b"abq": 1, b"bcr": 1}, [b"ab", b"xab", b"xabc", b"abq", b"bc", b"bcr"]),
        # The first place of a pair is replaced by another merge; a later one decides.
        ({b"abc": 3, b"zz": 2, b"bcd": 2, b"ab": 1}, [b"bc", b"abc", b"zz", b"bcd", b"ab"]),
    ],
)
def test_ties_by_the_first_place(counts: dict[bytes, int], expected: list[bytes]) -> None:
    assert tokens_of(learn(counts, 7, ties="first", min_frequency=1)) == expected


@given(counted_words, st.integers(0, 40), learner_options)
# Both neighbours of the merged pair are the same pair: all its places are outdated before it is dropped twice.
@example({b"blblblbl": 1, b"bl": 3}, 10, {"min_frequency": 1})
@example({b"abababababab": 1}, 10, {"min_frequency": 1})
# A pair that a step makes, loses and makes again.
@example({b"aaaa": 1, b"aaa": 1}, 10, {"min_frequency": 1})
def test_agreement(counts: dict[bytes, int], n: int, options: dict[str, Any]) -> None:
    learn(counts, n, **options)


@given(counted_words, st.integers(0, 20), st.integers(0, 20), st.randoms())
def test_a_smaller_vocabulary_is_a_prefix_and_order_is_nothing(
    counts: dict[bytes, int], n: int, more: int, random: Any
) -> None:
    merges = learn(counts, n + more)
    items = list(counts.items())
    random.shuffle(items)
    assert learn(dict(items), n) == merges[:n]
    assert len(set(tokens_of(merges))) == len(merges)


@given(counted_words, grown_tokens, st.integers(0, 30), learner_options, st.randoms())
def test_agreement_with_tokens_to_begin_with(
    counts: dict[bytes, int], more: list[bytes], n: int, options: dict[str, Any], random: Any
) -> None:
    """Words are the ids of an encoder, whose tokens are of several bytes, in any order, with ids left out."""
    whole_piece = random.random() < 0.5
    pieces = {bytes(more[b % len(more)][0] if more else b for b in piece): n for piece, n in counts.items()}
    shuffled: list[bytes | None] = [*BYTES, *more]
    random.shuffle(shuffled)
    shuffled.insert(random.randrange(len(shuffled)), None)
    ids = {token: i for i, token in enumerate(shuffled) if token is not None}

    def call(module: Any) -> Any:
        encoder = module.Encoder(ids, None, None, whole_piece)
        return learner_of(module, pieces, shuffled, encoder=encoder, **options).learn(n)

    def expected() -> Any:
        words = [(reference.merge_piece(p, ids, whole_piece=whole_piece), count) for p, count in pieces.items()]
        return reference.learn_merges(words, n, shuffled, **options)

    agree(call, expected)


@given(counted_words, st.permutations(range(256)), st.integers(0, 30))
def test_bytes_in_another_order(counts: dict[bytes, int], order: list[int], n: int) -> None:
    """The ids of the bytes decide ties, whatever the bytes are."""
    tokens = [bytes([b]) for b in order]
    words = [([order.index(b) for b in piece], count) for piece, count in counts.items()]
    agree(lambda m: learner_of(m, counts, tokens).learn(n), lambda: reference.learn_merges(words, n, tokens))
    later: list[bytes | None] = [None, b"ab", *tokens]
    agree(lambda m: tokens_of(learner_of(m, counts, later).learn(n), later))


@pytest.mark.parametrize("count", [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**60])
@pytest.mark.parametrize("ties", ["ids", "first"])
def test_large_counts(count: int, ties: str) -> None:
    merges = learn({b"ab": count, b"cd": count + 1}, 2, ties=ties)
    assert merges == [(99, 100, count + 1), (97, 98, count)]


@pytest.mark.parametrize(
    "counts",
    [{b"ab": 2**62}, {b"ab": 2**62 - 1, b"x": 2}, {b"abc": 2**63 // 3 + 1}, {b"a": 2**63 - 1, b"b": 1}],
    ids=str,
)
def test_counts_that_do_not_fit(counts: dict[bytes, int]) -> None:
    kind, message = agree_to_raise(lambda m: learner_of(m, counts))
    assert kind == "ValueError"
    assert "2**63 - 1" in message


def test_counts_that_just_fit() -> None:
    counts = {b"ab": 2**62 - 1, b"x": 1}
    assert agree(lambda m: learner_of(m, counts).total) == 2**63 - 1
    assert learn(counts, 2) == [(97, 98, 2**62 - 1)]


@pytest.mark.parametrize("block", [b"\x05", b"\x02\x01a", b"\x80", b"\x01" + b"\xff" * 9 + b"\x01a", b"\x01\x01ab"])
def test_blocks_that_are_none(block: bytes) -> None:
    def call(module: Any) -> Any:
        module.Learner(BYTES).add(block)

    kind, message = agree_to_raise(call)
    assert kind == "ValueError"
    assert "counted pieces" in message
    encoded: Callable[[Any], Any] = lambda m: m.Learner(  # noqa: E731
        BYTES, encoder=m.Encoder({token: i for i, token in enumerate(BYTES)}, None, None)
    ).add(block)
    assert agree_to_raise(encoded) == (kind, message)


def test_pieces_that_come_too_late() -> None:
    def call(module: Any) -> Any:
        learner = learner_of(module, {b"ab": 2})
        learner.learn(0)
        learner.add(pack_records([(b"cd", 2)]))

    kind, message = agree_to_raise(call)
    assert kind == "ValueError"
    assert "before the first call" in message


def test_a_token_that_exists_is_not_made_again() -> None:
    tokens: list[bytes | None] = [*BYTES, b"ab"]
    assert agree(lambda m: learner_of(m, {b"ab": 9, b"bc": 5}, tokens).learn(3)) == [(98, 99, 5)]


def test_what_is_allowed_is_asked_once() -> None:
    def call(module: Any) -> Any:
        asked: list[bytes] = []

        def allowed(token: bytes) -> bool:
            asked.append(token)
            return b"b" not in token

        learner = learner_of(module, {b"abc": 3, b"acac": 2}, allowed=allowed, max_token_length=3)
        return learner.learn(1), learner.learn(9), asked

    assert agree(call) == ([(97, 99, 4)], [], [b"ac", b"ab", b"bc"])


def test_an_error_of_a_callback_is_not_lost() -> None:
    def fail(_: Any) -> Any:
        raise KeyError("mine")

    counts = {b"abcdefgh": 2}
    assert agree_to_raise(lambda m: learner_of(m, counts, allowed=fail).learn(3))[0] == "KeyError"
    assert agree_to_raise(lambda m: learner_of(m, counts).learn(3, fail))[0] == "KeyError"


def test_a_callback_that_calls_the_learner() -> None:
    def call(module: Any) -> Any:
        def use(_: Any) -> Any:
            return learner.learn(1)

        learner = learner_of(module, {b"abcdefgh": 2}, allowed=use)
        learner.learn(1)

    kind, message = agree_to_raise(call)
    assert (kind, "at work" in message) == ("ValueError", True)

    def add(module: Any) -> Any:
        learner = learner_of(module, {b"abcdefgh": 2})
        learner.learn(1, lambda done: learner.add(b""))

    assert agree_to_raise(add) == (kind, message)


def test_progress() -> None:
    def call(module: Any) -> Any:
        done: list[int] = []
        learner = learner_of(module, {bytes(range(200)): 2})
        steps = [len(learner.learn(n, done.append)) for n in (64, 70, 0, 1000)]
        asking = learner_of(module, {bytes(range(200)): 2}, allowed=lambda token: True)
        return steps, done, len(asking.learn(70, done.append)), done[-2:]

    assert agree(call) == ([64, 70, 0, 65], [64, 64, 70, 64, 65, 64, 70], 70, [64, 70])


@pytest.mark.parametrize("unit", [b"ab", b"a", b"abcab"])
@pytest.mark.parametrize("ties", ["ids", "first"])
def test_one_long_word(unit: bytes, ties: str) -> None:
    """What looks at whole words for each merge is quadratic and never ends."""
    piece = unit * (100_000 // len(unit))
    merges = agree(lambda m: learner_of(m, {piece: 1}, ties=ties).learn(60))
    assert tokens_of(merges)[0] == (2 * unit)[:2]
    assert len(tokens_of(merges)[-1]) > 10_000


def test_many_counts() -> None:
    """Words of each count from 1 on: as many runs, and pairs in all buckets of the queue."""
    counts = {b"%d" % (i * i * 7919 % 100_003): i**3 % 1_000_003 + 1 for i in range(3000)}
    for ties in ("ids", "first"):
        merges = agree(lambda m: learner_of(m, counts, ties=ties).learn(10_000))
        assert len(merges) > 1000
        expected = reference.learn_merges(list(counts.items()), 60, BYTES, ties=ties)
        assert merges[:60] == expected
