"""The number of threads changes no id: for each form in which Python stores a text, and for bytes of any kind."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok.patterns import PATTERNS
from minitok.text import repair_surrogates
from minitok.threads import ahead
from tests.oracle import TEXTS, published, published_tiktoken, real_text
from tests.pieces import NAMES
from tests.strategies import any_bytes, class_text, surrogate_text, texts

THREADS = (1, 2, 3, 8)
#: The named patterns, one that the core does not know, and none at all.
PATTERN_TEXTS: dict[str, str | None] = {
    **{name: PATTERNS[name].regex for name in NAMES},
    "other": r"\w+|\W",
    "": None,
}
SPECIAL = {"<|end|>": 40_000, "é ": 40_001}


@functools.cache
def _encoding(name: str, backend: str) -> minitok.Encoding:
    vocabulary = minitok.get_encoding("minitok_32k").vocabulary
    return minitok.Encoding.from_vocabulary(
        minitok.Vocabulary("threads", vocabulary.tokens, vocabulary.merges, SPECIAL, PATTERN_TEXTS[name])
    )


def check(encoding: minitok.Encoding, text: str | bytes) -> list[int]:
    """Every way of asking, with each number of threads."""
    ids = encoding.encode(text, disallowed_special=(), num_threads=1)
    with_special = encoding.encode(text, allowed_special="all", num_threads=1)
    for threads in (*THREADS, None):
        assert encoding.encode(text, disallowed_special=(), num_threads=threads) == ids
        assert encoding.encode_ordinary(text, num_threads=threads) == ids
        array = encoding.encode_to_numpy(text, disallowed_special=(), num_threads=threads)
        assert array.tolist() == ids
        assert encoding.count(text, num_threads=threads) == len(ids)
        assert encoding.encode(text, allowed_special="all", num_threads=threads) == with_special
        assert encoding.count(text, allowed_special="all", num_threads=threads) == len(with_special)
    return ids


def check_batches(encoding: minitok.Encoding, batch: list[str | bytes]) -> None:
    """Several texts at once."""
    ids = [encoding.encode(text, allowed_special="all") for text in batch]
    for threads in (*THREADS, None):
        assert encoding.encode_batch(batch, allowed_special="all", num_threads=threads) == ids
        flat, ends = encoding.encode_batch_to_numpy(batch, allowed_special="all", num_threads=threads)
        assert [flat[a:b].tolist() for a, b in pairwise(ends)] == ids
        assert encoding.decode_bytes_batch(ids, num_threads=threads) == list(map(encoding.decode_bytes, ids))


def in_each_form(text: str) -> list[str | bytes]:
    """A text, and the same with characters that make Python store all of it in 1, 2 or 4 bytes each; and as bytes."""
    return [text, text + "\xe9", text + " \u5b57", text + " \U0001f600", text.encode("utf-8", "surrogatepass")]


parts = st.lists(st.one_of(texts, class_text, surrogate_text, st.sampled_from(sorted(SPECIAL))), max_size=6)


@given(st.sampled_from(sorted(PATTERN_TEXTS)), parts.map("".join))
@example("cl100k", "a b " * 40)
@example("o200k", "\ud83d a \udc4d b" * 10)
def test_text(name: str, text: str) -> None:
    for form in in_each_form(text):
        check(_encoding(name, minitok.BACKEND), form)


@given(st.sampled_from(sorted(PATTERN_TEXTS)), st.lists(any_bytes, max_size=12).map(b"".join))
@example("cl100k", b"a\x80 b\xff a \xc3" * 20)
def test_bytes(name: str, data: bytes) -> None:
    check(_encoding(name, minitok.BACKEND), data)


@given(st.sampled_from(sorted(PATTERN_TEXTS)), st.lists(st.one_of(parts.map("".join), any_bytes), max_size=8))
def test_batches(name: str, batch: list[str | bytes]) -> None:
    check_batches(_encoding(name, minitok.BACKEND), batch)


@pytest.mark.data
@pytest.mark.parametrize("text_name", TEXTS)
@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_real_text(name: str, text_name: str) -> None:
    """Enough of it that threads are used without being asked for."""
    size = 140_000 if minitok.BACKEND == "native" else 30_000
    text = real_text(text_name, 3_000_000, size)
    encoding = published(name)
    assert check(encoding, text) == published_tiktoken(name).encode_ordinary(text)
    for form in in_each_form(text)[1:]:
        check(encoding, form)
    cut = text.encode()
    check(encoding, b"".join(cut[i : i + 997] for i in range(0, len(cut), 1000)))
    check_batches(encoding, [text[i : i + 5000] for i in range(0, len(text), 5000)])


@given(
    st.sampled_from(sorted(PATTERN_TEXTS)),
    parts.map("".join),
    st.sampled_from(["", " ", "a", "\n "]),
    st.integers(1, 3),
)
@example("spaces_signs", "", " ", 1)
@example("spaces_signs", "<|end|>", " ", 1)
@example("spaces", "字 a" * 3000, " ", 2)
@example("cl100k", "字" * 5000, " ", 1)
def test_what_stands_before_a_text(name: str, text: str, before: str, threads: int) -> None:
    encoder: Any = _encoding(name, minitok.BACKEND)._encoder
    for form in in_each_form(repair_surrogates(text)):
        if isinstance(form, str):
            start = form.find("<|end|>")
            places = [(start, start + 7, 40_000)] if start >= 0 else []
            moved = [(start + len(before), end + len(before), special) for start, end, special in places]
            ids = encoder.encode(before + form, None, 1, moved)
            assert encoder.encode(form, None, threads, places, before) == ids
            assert list(memoryview(encoder.encode_uint32(form, threads, places, before)).cast("B").cast("I")) == ids
            assert encoder.count(form, None, threads, places, before) == len(ids)


#: Longer than a few of the parts that the compiled core's threads take in turn (2 ** 20 characters each).
LONG = "A few of the wörds that come, 1234 of them, \n\n and more字.  " * 70_000


def test_more_parts_than_threads(native: object) -> None:
    encoding = _encoding("cl100k", minitok.BACKEND)
    ids = encoding.encode(LONG, num_threads=1)
    for threads in (2, 3):
        assert encoding.encode_to_numpy(LONG, num_threads=threads).tolist() == ids
        assert encoding.count(LONG, num_threads=threads) == len(ids)


def test_an_error_in_one_of_many_parts(native: object) -> None:
    """It reaches the caller, no thread waits for the part that is not to come, and the encoding stays as it was."""
    ranks = {bytes([byte]): byte for byte in range(256) if byte != 7}
    encoding = minitok.Encoding("no bell", pat_str=PATTERNS["cl100k"].regex, mergeable_ranks=ranks, special_tokens={})
    bad = LONG[:2_500_000] + "\x07" + LONG
    for threads in (2, 3):
        with pytest.raises(ValueError, match="0x07"):
            encoding.encode_to_numpy(bad, num_threads=threads)
        assert encoding.count(LONG, num_threads=threads) == encoding.count(LONG, num_threads=1)


@pytest.mark.once
def test_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number
        raise OSError("no more")

    with closing(ahead(items(), 2)) as numbers:
        assert next(numbers) == 0
        time.sleep(0.05)
        assert len(made) <= 4
    with closing(ahead(items(), 2)) as numbers:
        assert list(islice(numbers, 5)) == list(range(5))
        with pytest.raises(OSError, match="no more"):
            next(numbers)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]
