"""Ids equal tiktoken's, and what its own tests check holds here too."""

from __future__ import annotations

import functools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitok
from tests.oracle import PUBLISHED, corpus, published, published_tiktoken, to_tiktoken
from tests.strategies import texts

pytestmark = pytest.mark.data

NAMES = sorted(PUBLISHED)
CORPORA = {"english": 100_345_382, "chinese": 25_000_157, "multilingual": 31_001_317}
WINDOW = 150_000

every_encoding = pytest.mark.parametrize("name", NAMES)


def same_ids(name: str, text: str) -> list[int]:
    ids = published(name).encode_ordinary(text)
    assert ids == published_tiktoken(name).encode_ordinary(text)
    return ids


@every_encoding
@given(text=texts)
def test_generated_text(name: str, text: str) -> None:
    ids = same_ids(name, text)
    assert published(name).decode(ids) == text


@every_encoding
@pytest.mark.parametrize("corpus_name", CORPORA)
def test_corpora(name: str, corpus_name: str) -> None:
    for start in range(0, CORPORA[corpus_name], CORPORA[corpus_name] // 4):
        same_ids(name, corpus(corpus_name, start, WINDOW))


@every_encoding
def test_every_token_as_a_text(name: str) -> None:
    ours, theirs = published(name), published_tiktoken(name)
    tokens = [
        token.decode() for token in ours.token_byte_values() if b"\xef\xbf\xbd" not in token and _is_text(token)
    ]
    assert len(tokens) > 40_000
    sample = tokens[:: 1 if minitok.BACKEND == "native" else 9]
    assert ours.encode_ordinary_batch(sample, num_threads=1) == theirs.encode_ordinary_batch(sample, num_threads=1)


def _is_text(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


@every_encoding
def test_spliced_tokens(name: str) -> None:
    choose = random.Random(name)
    tokens = published(name).token_byte_values()
    for _ in range(400):
        text = b"".join(choose.choices(tokens, k=choose.randint(1, 12))).decode("utf-8", "ignore")
        same_ids(name, text)


@functools.cache
def trained(pattern: str, backend: str) -> minitok.Encoding:
    text = corpus("multilingual", 0, 400_000) + corpus("english", 0, 400_000) + corpus("chinese", 0, 100_000)
    return minitok.train([text], vocab_size=2000, pattern=pattern, special_tokens=["<|endoftext|>"])


@pytest.mark.parametrize("pattern", ["r50k", "cl100k", "o200k", r"[\s\S]{1,5}", r"\s?\p{Lu}+\p{Ll}*|\p{Ll}+|[\s\S]"])
@given(text=texts)
def test_trained_vocabularies(pattern: str, text: str) -> None:
    ours = trained(pattern, minitok.BACKEND)
    theirs = to_tiktoken(ours)
    assert ours.encode_ordinary(text) == theirs.encode_ordinary(text)
    sample = corpus("multilingual", 20_000_000, 20_000)
    assert ours.encode(sample) == theirs.encode(sample)


# -- What tiktoken's own tests check ---------------------------------------------------------------------------------


def test_simple() -> None:
    r50k, cl100k = published("r50k_base"), published("cl100k_base")
    assert r50k.encode("hello world") == [31373, 995]
    assert r50k.decode([31373, 995]) == "hello world"
    assert r50k.encode("hello <|endoftext|>", allowed_special="all") == [31373, 220, 50256]
    assert cl100k.encode("hello world") == [15339, 1917]
    assert cl100k.decode([15339, 1917]) == "hello world"
    assert cl100k.encode("hello <|endoftext|>", allowed_special="all") == [15339, 220, 100257]
    assert cl100k.encode("") == []


@every_encoding
def test_the_first_tokens_are_themselves(name: str) -> None:
    encoding = published(name)
    for token in range(10_000):
        assert encoding.encode_single_token(encoding.decode_single_token_bytes(token)) == token


def test_repeated() -> None:
    for zeros in range(1, 18):
        same_ids("r50k_base", "0" * zeros)
    assert published("r50k_base").encode("0" * 17) == [8269, 10535, 830]


def test_long_repetition() -> None:
    encoding = published("o200k_base")
    assert encoding.decode(encoding.encode("x" * 100_000)) == "x" * 100_000


@pytest.mark.parametrize("text", ["rer", "'rer", "today\n ", "today\n \n", "today\n  \n", " \x850"], ids=ascii)
@every_encoding
def test_pattern_details(name: str, text: str) -> None:
    same_ids(name, text)


def test_known_ids() -> None:
    cl100k = published("cl100k_base")
    assert cl100k.encode("'rer") == [2351, 81]
    assert cl100k.encode("today\n  \n") == [31213, 14211]
    assert cl100k.encode(" \x850") == [220, 126, 227, 15]
    assert cl100k._encode_bytes(b" \xec\x8b\xa4\xed") == [62085]
    assert cl100k.encode("👍") == [9468, 239, 235]
    assert cl100k.encode("\ud83d\udc4d") == [9468, 239, 235]
    assert cl100k.encode("\ud83d") == cl100k.encode("\ufffd")


@pytest.mark.parametrize("unit", ["^", "0", "a", "'s", " ", "\n"], ids=ascii)
@every_encoding
def test_catastrophic_repetition(name: str, unit: str) -> None:
    for text in (unit * 10_000, " " + unit * 10_000, unit * 10_000 + "\n"):
        ids = same_ids(name, text)
        assert published(name).decode(ids) == text


def test_beyond_what_the_reference_takes() -> None:
    """A million characters of white space: one piece, whatever follows."""
    encoding = published("cl100k_base")
    for text in (" " * 1_000_000, " " * 1_000_000 + "a", "\n" * 1_000_000):
        assert encoding.decode(encoding.encode(text)) == text


@every_encoding
@given(batch=st.lists(texts, max_size=4))
def test_batches(name: str, batch: list[str]) -> None:
    ours = published(name)
    assert ours.encode_batch(batch, allowed_special="all") == [ours.encode(t, allowed_special="all") for t in batch]
    assert ours.decode_batch(ours.encode_ordinary_batch(batch)) == batch


@every_encoding
@given(text=texts)
def test_offsets_of_decoding(name: str, text: str) -> None:
    ours, theirs = published(name), published_tiktoken(name)
    ids = ours.encode_ordinary(text)
    assert ours.decode_with_offsets(ids) == theirs.decode_with_offsets(ids)


@pytest.mark.parametrize(
    "text", ["hello world", "我非常渴望与人工智能一起工作", "நடிகர் சூர்யா", " Ġ除", "ł", "<|endoftext|>"], ids=ascii
)
def test_known_offsets(text: str) -> None:
    ours, theirs = published("cl100k_base"), published_tiktoken("cl100k_base")
    ids = ours.encode(text, allowed_special="all")
    assert ours.decode_with_offsets(ids) == theirs.decode_with_offsets(ids)
