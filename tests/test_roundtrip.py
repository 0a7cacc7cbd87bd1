"""Properties of `Encoding` that hold for every vocabulary."""

from __future__ import annotations

import functools
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import formats
from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records
from minitok.text import repair_surrogates
from tests.strategies import any_bytes, merge_lists, rank_files, surrogate_text, texts

SPECIAL = {"<|end|>": 5000, "<|end|>more": 5001, "é ": 5002}
CORPUS = [
    "the cat sat on the mat, the cat ate the rat. ",
    "été à la mer, l'été! ",
    "字字字 字典 字",
    "aaaa aaaaaaa aaa",
] * 3


@functools.cache
def _trained(pattern: str | None, backend: str) -> minitok.Encoding:
    return minitok.train(CORPUS, vocab_size=330, pattern=pattern, special_tokens=["<|end|>", "<|end|>more", "é "])


def trained(pattern: str | None = "o200k") -> minitok.Encoding:
    return _trained(pattern, minitok.BACKEND)


patterns = st.sampled_from(["r50k", "cl100k", "o200k", None, r"\w+"])


@given(patterns, st.one_of(texts, surrogate_text))
def test_any_text_comes_back(pattern: str | None, text: str) -> None:
    encoding = trained(pattern)
    assert encoding.decode(encoding.encode_ordinary(text), errors="strict") == repair_surrogates(text)


@given(patterns, any_bytes)
def test_any_bytes_come_back(pattern: str | None, data: bytes) -> None:
    encoding = trained(pattern)
    ids = encoding.encode(data, disallowed_special=())
    assert encoding.decode_bytes(ids) == data
    assert encoding.encode(bytearray(data), disallowed_special=()) == ids
    assert encoding.encode(memoryview(data), disallowed_special=()) == ids
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    assert encoding.encode_ordinary(text) == ids


@given(rank_files(), st.one_of(texts, any_bytes), st.sampled_from([None, r"\w+", PATTERNS["cl100k"].regex]))
def test_any_vocabulary(ranks: dict[bytes, int], text: str | bytes, pattern: str | None) -> None:
    encoding = minitok.Encoding("any", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    assert encoding.decode_bytes(encoding.encode(text)) == (text.encode() if isinstance(text, str) else text)


special_texts = st.lists(st.one_of(texts, st.sampled_from(sorted(SPECIAL)), st.just("<|end|>mor")), max_size=4).map(
    "".join
)
policies = st.sampled_from(["all", frozenset(), frozenset({"<|end|>"}), frozenset({"<|end|>more", "é "})])


@given(special_texts, policies)
@example("<|end|>more", frozenset({"<|end|>"}))
@example("<<|end|>", "all")
def test_every_way_of_asking_agrees(text: str, allowed: str | frozenset[str]) -> None:
    encoding = trained("cl100k")
    policy = {"allowed_special": allowed, "disallowed_special": ()}
    ids = encoding.encode(text, **policy)  # type: ignore[arg-type]
    assert encoding.decode(ids) == text
    assert encoding.encode(text.encode(), **policy) == ids  # type: ignore[arg-type]
    assert encoding.encode_to_numpy(text, **policy).tolist() == ids  # type: ignore[arg-type]
    assert encoding.count(text, allowed_special=allowed) == len(ids)  # type: ignore[arg-type]
    assert encoding.encode_with_offsets(text, **policy)[0] == ids  # type: ignore[arg-type]
    for limit in range(len(ids) + 2):
        assert encoding.fits(text, limit, allowed_special=allowed) == (len(ids) <= limit)  # type: ignore[arg-type]


@given(patterns, texts, st.integers(0, 12))
@example("o200k", "AAʰBBb", 2)
def test_truncate(pattern: str | None, text: str, limit: int) -> None:
    encoding = trained(pattern)
    prefix = encoding.truncate(text, limit)
    assert text.startswith(prefix)
    assert encoding.count(prefix) <= limit
    if encoding.count(text) <= limit:
        assert prefix == text


def test_truncate_keeps_what_fits() -> None:
    encoding = trained()
    text = "the cat sat on the mat"
    ids = encoding.encode(text)
    assert encoding.truncate(text, len(ids) - 1) == encoding.decode(ids[:-1])
    assert encoding.truncate(text, 0) == ""
    for wrong in (-1, -5):
        with pytest.raises(ValueError, match="max_tokens"):
            encoding.truncate(text, wrong)
        with pytest.raises(ValueError, match="max_tokens"):
            encoding.fits(text, wrong)


@given(patterns, st.one_of(texts, surrogate_text))
@example(None, "a\ud83d\udc4db")
@example(None, "é字😀")
def test_offsets_of_text(pattern: str | None, text: str) -> None:
    encoding = trained(pattern)
    ids, spans = encoding.encode_with_offsets(text, disallowed_special=())
    assert ids == encoding.encode_ordinary(text)
    covered = 0
    for i, (start, end) in zip(ids, spans, strict=True):
        assert 0 <= start < end <= len(text)
        assert start <= covered  # nothing is left out
        covered = end
        token = encoding.token_bytes(i)
        assert token in repair_surrogates(text[start:end]).encode()
    assert covered == len(text)


@given(any_bytes)
def test_offsets_of_bytes(data: bytes) -> None:
    encoding = trained("cl100k")
    ids, spans = encoding.encode_with_offsets(data, disallowed_special=())
    assert [data[start:end] for start, end in spans] == encoding.decode_tokens_bytes(ids)


@given(st.lists(special_texts, max_size=5), st.sampled_from([1, 2, 8]))
def test_batch_is_map(batch: list[str], num_threads: int) -> None:
    encoding = trained()
    ids = [encoding.encode(text, allowed_special="all") for text in batch]
    assert encoding.encode_batch(batch, num_threads=num_threads, allowed_special="all") == ids
    assert encoding.encode_ordinary_batch(batch, num_threads=num_threads) == list(
        map(encoding.encode_ordinary, batch)
    )
    assert encoding.decode_batch(ids, num_threads=num_threads) == list(map(encoding.decode, ids))
    assert encoding.decode_bytes_batch(ids, num_threads=num_threads) == list(map(encoding.decode_bytes, ids))
    flat, ends = encoding.encode_batch_to_numpy(batch, num_threads=num_threads, allowed_special="all")
    assert [flat[a:b].tolist() for a, b in pairwise(ends)] == ids
    assert (ends[0], ends[-1], len(ends)) == (0, len(flat), len(batch) + 1)


def test_batch_refuses() -> None:
    encoding = trained()
    with pytest.raises(ValueError, match="num_threads"):
        encoding.encode_batch(["a"], num_threads=0)
    with pytest.raises(ValueError, match="disallowed special"):
        encoding.encode_batch(["a", "<|end|>"])


def test_every_learnt_token_is_itself() -> None:
    for pattern in ("r50k", "cl100k", "o200k", None):
        encoding = trained(pattern)
        for token, i in encoding.vocabulary.tokens.items():
            assert encoding._encoder.merge_piece(token) == [i]


def test_tokens_in_the_order_of_ids() -> None:
    encoding = minitok.Encoding("gaps", pat_str=None, mergeable_ranks={b"a": 3, b"b": 1}, special_tokens={"<e>": 5})
    assert encoding.tokens == [None, b"b", None, b"a", None, b"<e>"]
    assert encoding.token_bytes(5) == b"<e>"
    with pytest.raises(KeyError):
        encoding.token_bytes(0)


@given(
    rank_files(),
    st.sampled_from([None, r"\w+|'\n\"", "字"]),
    st.dictionaries(st.text(min_size=1), st.integers(0, 9**9), max_size=3),
)
def test_a_saved_vocabulary_is_the_same(
    ranks: dict[bytes, int], pattern: str | None, special: dict[str, int]
) -> None:
    encoding = minitok.Encoding("näme", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
    data = formats.minitok_json.dump(encoding.vocabulary)
    loaded = formats.minitok_json.parse(data, "memory")
    assert loaded == encoding.vocabulary
    assert formats.minitok_json.dump(loaded) == data
    lines = formats.tiktoken_ranks.dump(encoding.vocabulary).splitlines(keepends=True)
    assert formats.tiktoken_ranks.parse_ranks(lines, "memory") == ranks


@given(merge_lists(), texts)
def test_saved_merges(vocabulary: tuple[dict[bytes, int], list[tuple[int, int, int]]], text: str) -> None:
    tokens, merges = vocabulary
    listed = minitok.Vocabulary("listed", tokens, merges, {}, PATTERNS["cl100k"].regex, whole_piece=False)
    loaded = formats.minitok_json.parse(formats.minitok_json.dump(listed), "memory")
    assert loaded == listed
    ids = minitok.Encoding.from_vocabulary(loaded).encode(text)
    assert ids == minitok.Encoding.from_vocabulary(listed).encode(text)


def test_listed_merges_give_the_ids_of_ranks() -> None:
    """What a learnt vocabulary leaves out, its list of merges, is implied by its ids."""
    counts = minitok.count_pieces(CORPUS)
    learner = minitok._backend.Learner([bytes([b]) for b in range(256)])
    learner.add(pack_records(counts.items()))
    merges = learner.learn(60)
    tokens = [bytes([b]) for b in range(256)]
    listed = []
    for left, right, _ in merges:
        listed.append((left, right, len(tokens)))
        tokens.append(tokens[left] + tokens[right])
    ids = {token: i for i, token in enumerate(tokens)}
    for whole_piece in (True, False):
        by_list = minitok.Encoding.from_vocabulary(
            minitok.Vocabulary("x", ids, listed, {}, PATTERNS["o200k"].regex, whole_piece)
        )
        by_rank = minitok.Encoding.from_vocabulary(
            minitok.Vocabulary("x", ids, None, {}, PATTERNS["o200k"].regex, whole_piece)
        )
        for text in CORPUS:
            assert by_list.encode(text) == by_rank.encode(text)


def test_save_and_load(tmp_path: Path) -> None:
    encoding = trained()
    encoding.save(tmp_path / "a.json")
    assert minitok.load(tmp_path / "a.json").vocabulary == encoding.vocabulary
    encoding.save(tmp_path / "a.ranks", format="tiktoken")
    loaded = minitok.load(tmp_path / "a.ranks", pattern="o200k", special_tokens=dict(encoding._special_tokens))
    assert loaded.tokens == encoding.tokens
    assert loaded.name == "a"
    with pytest.raises(ValueError, match="format"):
        encoding.save(tmp_path / "b", format="other")  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.ranks"]
