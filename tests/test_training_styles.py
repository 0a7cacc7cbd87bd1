"""`train(like=...)` beside the trainers that it is like: the same merges, one by one, and the same ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import rustbpe
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st
from tiktoken._educational import bpe_train
from tokenizers import models, pre_tokenizers, trainers

import minitok
from minitok.patterns import PATTERNS, resolve_pattern
from minitok.training.styles import STYLES, find_style
from tests import reference
from tests.oracle import real_text

#: The character that stands for each byte.
STAND_INS = dict(zip(STYLES["huggingface"].byte_order, sorted(pre_tokenizers.ByteLevel.alphabet())))
BYTE_OF = {character: byte for byte, character in STAND_INS.items()}

#: Few letters, so that most pairs tie; of one, two and three bytes.
tied_texts = st.lists(
    st.one_of(
        st.text(alphabet="ab ", max_size=30),
        st.text(alphabet="abcdefgh' \n", max_size=40),
        st.text(alphabet="aéè字典 1!\u00a0", max_size=20),
        st.builds(lambda unit, n: unit * n, st.sampled_from(["a", "ab", "aab", " a", "字"]), st.integers(1, 40)),
    ),
    max_size=6,
)
sizes = st.integers(0, 60)


def merges_of(encoding: minitok.Encoding) -> list[tuple[bytes, bytes]]:
    """The merges that make each token that is longer than a byte, in order; told by the tokens before it."""
    merges = []
    tokens = sorted(encoding.vocabulary.tokens.items(), key=lambda item: item[1])
    token_of = dict(item[::-1] for item in tokens)
    ranks = {token: rank for token, rank in tokens if len(token) == 1}
    for token, rank in tokens:
        if len(token) > 1:
            # What the token is before its own merge: merged by those before it, two tokens are left.
            left, right = reference.merge_piece(token, ranks)
            merges.append((token_of[left], token_of[right]))
            ranks[token] = rank
    return merges


# -- Hugging Face ----------------------------------------------------------------------------------------------------


def by_hugging_face(
    texts: Sequence[str], size: int, split: str | None = None, special: Sequence[str] = (), **options: Any
) -> tokenizers.Tokenizer:
    """Train a `BpeTrainer`; `split` None: with the pattern of ByteLevel itself."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    if split is None:
        tokenizer.pre_tokenizer = byte_level
    else:
        cut = pre_tokenizers.Split(tokenizers.Regex(split), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, byte_level])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        **options,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def spelled(token: str) -> bytes:
    """The bytes that stand-in characters stand for."""
    return bytes(BYTE_OF[character] for character in token)


def like_hugging_face(
    texts: Sequence[str], size: int, pattern: str | None = None, special: Sequence[str] = (), **options: Any
) -> None:
    """Train with both, and compare all: vocabulary, merges, and the ids of the texts."""
    theirs = by_hugging_face(texts, size, pattern and resolve_pattern(pattern), special, **options)
    cut: dict[str, Any] = {} if pattern is None else {"pattern": pattern}
    ours = minitok.train(texts, vocab_size=size, special_tokens=special, like="huggingface", **cut, **options)
    assert ours._special_tokens == {token: theirs.token_to_id(token) for token in special}
    model = json.loads(theirs.to_str())["model"]
    vocabulary = {spelled(token): i for token, i in model["vocab"].items() if token not in special}
    assert ours.vocabulary.tokens == vocabulary
    assert merges_of(ours) == [(spelled(left), spelled(right)) for left, right in model["merges"]]
    if not special:
        for text in texts:
            assert ours.encode(text) == theirs.encode(text).ids


@given(tied_texts, sizes, st.sampled_from([None, "gpt2", "cl100k", "o200k"]))
@example(["aaaa", "aaa aaa"], 5, None)
def test_like_hugging_face(texts: list[str], more: int, pattern: str | None) -> None:
    like_hugging_face(texts, 256 + more, pattern)


@given(tied_texts, sizes, st.integers(0, 4), st.sampled_from([None, 1, 2, 3, 4, 7]))
def test_options_like_hugging_face(texts: list[str], more: int, min_frequency: int, longest: int | None) -> None:
    special = ["<|end|>", "<pad>"][: more % 3]
    options: dict[str, Any] = {"max_token_length": longest} if longest else {}
    texts = [*texts, "ab<|end|>ab"]  # which is text like any other
    like_hugging_face(
        texts, 256 + len(special) + more, special=special, min_frequency=max(1, min_frequency), **options
    )


def test_zero_is_the_least_frequency_of_hugging_face() -> None:
    texts = ["ab cd ab"]
    assert len(by_hugging_face(texts, 300, min_frequency=0).get_vocab()) == 260
    assert minitok.train(texts, vocab_size=300, like="huggingface").n_vocab == 260


def test_their_stand_ins() -> None:
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for text in ("".join(map(chr, range(0x80))), "é\u00a0\u00ad字😀\u07ff"):
        assert spelled(theirs.pre_tokenize_str(text)[0][0]) == text.encode()


# -- rustbpe ---------------------------------------------------------------------------------------------------------


def by_rustbpe(texts: Sequence[str], size: int, pattern: str | None) -> dict[bytes, int]:
    """Token to id."""
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter(texts), size, pattern=pattern)
    return {bytes(token): rank for token, rank in tokenizer.get_mergeable_ranks()}


def like_rustbpe(texts: Sequence[str], size: int, pattern: str | None) -> None:
    cut: dict[str, Any] = {} if pattern is None else {"pattern": pattern}
    ours = minitok.train(texts, vocab_size=size, like="rustbpe", **cut)
    assert ours.vocabulary.tokens == by_rustbpe(texts, size, pattern and resolve_pattern(pattern))


@given(tied_texts, sizes, st.sampled_from([None, "gpt2", "cl100k", "o200k"]))
@example(["a\n  ", "a\n  "], 5, None)  # white space at the end of a text
def test_like_rustbpe(texts: list[str], more: int, pattern: str | None) -> None:
    like_rustbpe(texts, 256 + more, pattern)


def test_the_pattern_of_rustbpe() -> None:
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter([]), 256)
    assert tokenizer.get_pattern() == STYLES["rustbpe"].pattern


# -- tiktoken's educational trainer ----------------------------------------------------------------------------------


def like_tiktoken(text: str, size: int, pattern: str) -> None:
    ours = minitok.train([text], vocab_size=size, pattern=pattern, like="tiktoken-educational")
    regex = resolve_pattern(pattern)
    assert regex is not None
    assert ours.vocabulary.tokens == bpe_train(text, ours.n_vocab, regex, visualise=None)
    if ours.n_vocab < size:  # no pair is left
        with pytest.raises(ValueError, match="empty"):
            bpe_train(text, ours.n_vocab + 1, regex, visualise=None)


@given(tied_texts, sizes, st.sampled_from(["gpt2", "cl100k", "o200k"]))
@example(["bcab bcab xy xy"], 9, "gpt2")
def test_like_the_educational_trainer(texts: list[str], more: int, pattern: str) -> None:
    like_tiktoken("\n".join(texts), 256 + more, pattern)


# -- All of them -----------------------------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize("name", ["english", "multilingual", "chinese"])
@pytest.mark.parametrize(
    "compare",
    [
        lambda texts: like_hugging_face(texts, 2000),
        lambda texts: like_hugging_face(texts, 1500, "o200k", ["<a>"], max_token_length=8, min_frequency=2),
        lambda texts: like_rustbpe(texts, 2000, "cl100k"),
        lambda texts: like_tiktoken("".join(texts)[:12_000], 400, "gpt2"),
    ],
    ids=["huggingface", "huggingface, options", "rustbpe", "tiktoken"],
)
def test_real_text(name: str, compare: Callable[[Sequence[str]], None]) -> None:
    text = real_text(f"{name}", 0, 200_000)
    compare([text[start : start + 5000] for start in range(0, len(text), 5000)])


def test_styles_have_names() -> None:
    with pytest.raises(ValueError, match="like is 'other'; expected one of 'minitok', 'huggingface', "):
        find_style("other")
    base = minitok.train(["abab"], vocab_size=257)
    with pytest.raises(ValueError, match="initial"):
        minitok.train(["abab"], vocab_size=258, like="rustbpe", initial=base)
    assert {style.pattern for style in STYLES.values()} - set(PATTERNS) == {STYLES["rustbpe"].pattern}
