"""Learning merges: reference, pure and compiled agree, on words full of ties and runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import reference
from tests.agreement import agree, agree_to_raise
from tests.strategies import counted_words

BYTES = [bytes([b]) for b in range(256)]


def learn(counts: dict[bytes, int], n: int, **options: Any) -> list[tuple[int, int]]:
    merges: list[tuple[int, int]] = agree(
        lambda m: m.learn_merges(list(counts), list(counts.values()), n, BYTES, **options),
        lambda: reference.learn_merges(counts, n, **options),
    )
    return merges


def tokens_of(merges: list[tuple[int, int]]) -> list[bytes]:
    tokens = list(BYTES)
    for left, right in merges:
        tokens.append(tokens[left] + tokens[right])
    return tokens[256:]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, []),
        ({b"a": 5}, []),
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


@given(counted_words, st.integers(0, 40), st.integers(1, 4), st.sampled_from([None, 1, 2, 3, 5]))
# Both neighbours of the merged pair are the same pair: all its places are outdated before it is dropped twice.
@example({b"blblblbl": 1, b"bl": 3}, 10, 1, None)
@example({b"abababababab": 1}, 10, 1, None)
# A pair that a step makes, loses and makes again.
@example({b"aaaa": 1, b"aaa": 1}, 10, 1, None)
def test_agreement(counts: dict[bytes, int], n: int, min_frequency: int, max_token_length: int | None) -> None:
    learn(counts, n, min_frequency=min_frequency, max_token_length=max_token_length)


@given(counted_words, st.integers(0, 20), st.integers(0, 20), st.randoms())
def test_a_smaller_vocabulary_is_a_prefix_and_order_is_nothing(
    counts: dict[bytes, int], n: int, more: int, random: Any
) -> None:
    merges = learn(counts, n + more)
    items = list(counts.items())
    random.shuffle(items)
    assert learn(dict(items), n) == merges[:n]
    assert len(set(tokens_of(merges))) == len(merges)


@pytest.mark.parametrize("count", [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**60])
def test_large_counts(count: int) -> None:
    assert tokens_of(learn({b"ab": count, b"cd": count + 1}, 2)) == [b"cd", b"ab"]


def test_counts_that_do_not_fit() -> None:
    kind, message = agree_to_raise(lambda m: m.learn_merges([b"ab", b"b"], [2**62, 2], 2, BYTES))
    assert kind == "ValueError"
    assert "2**63 - 1" in message


def test_symbols_of_several_bytes() -> None:
    """Words of an existing vocabulary: the layout has as many cells as a symbol has bytes."""
    tokens: list[bytes | None] = [*BYTES, b"abc", None, b"de"]
    words = [[256, 258, 256, 258], [258, 97, 258], [256, 256, 256]]
    merges = agree(lambda m: m.learn_merges([*words], [3, 2, 1], 10, tokens))
    assert merges == [(256, 258), (259, 259), (97, 258), (256, 256), (258, 261)]


def test_a_token_that_exists_is_not_made_again() -> None:
    tokens: list[bytes | None] = [*BYTES, b"ab"]
    assert agree(lambda m: m.learn_merges([[97, 98], [98, 99]], [9, 5], 3, tokens)) == [(98, 99)]


def test_progress_and_emptied_words() -> None:
    def call(module: Any) -> Any:
        done: list[int] = []
        words = [b"abab", b"cd"]
        module.learn_merges(words, [2, 2], 3, BYTES, progress=done.append)
        return done, words

    assert agree(call) == ([1, 2, 3], [])


def test_one_long_word() -> None:
    """What looks at whole words for each merge is quadratic and never ends."""
    merges = agree(lambda m: m.learn_merges([b"ab" * 50_000], [1], 30, BYTES))
    assert tokens_of(merges)[:3] == [b"ab", b"abab", b"abababab"]
