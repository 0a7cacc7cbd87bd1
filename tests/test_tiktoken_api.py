"""`Encoding` does what tiktoken's does: names, signatures, results, errors."""

from __future__ import annotations

import array
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tiktoken
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from tests.agreement import outcome
from tests.oracle import published, published_tiktoken, to_tiktoken
from tests.strategies import class_text, rank_files, surrogate_text, texts

pytestmark = pytest.mark.data

END, FIM = "<|endoftext|>", "<|fim_prefix|>"

#: Where minitok's signature is wider on purpose: the parameter's default or kind differs, never its name.
WIDENED = {"allowed_special", "disallowed_special", "num_threads"}


def both(call: Callable[[Any], Any], name: str = "cl100k_base") -> Any:
    """Do the same with both libraries; what they return, or the type of what they raise and its message, is equal."""
    ours, theirs = outcome(lambda: call(published(name))), outcome(lambda: call(published_tiktoken(name)))
    assert ours == theirs
    return ours[1]


def both_raise(call: Callable[[Any], Any], kind: str, name: str = "cl100k_base") -> None:
    """Both raise this type; the words may differ."""
    assert outcome(lambda: call(published(name)))[0] == kind
    assert outcome(lambda: call(published_tiktoken(name)))[0] == kind


def test_every_public_name_and_parameter() -> None:
    for name, theirs in inspect.getmembers(tiktoken.Encoding):
        if name.startswith("_") and name != "__init__":
            continue
        ours = getattr(minitok.Encoding, name)
        if not inspect.isfunction(theirs):
            assert not inspect.isfunction(ours), name
            continue
        their_parameters = inspect.signature(theirs).parameters
        our_parameters = inspect.signature(ours).parameters
        assert list(our_parameters)[: len(their_parameters)] == list(their_parameters), name
        for more in list(our_parameters)[len(their_parameters) :]:
            assert more in WIDENED or our_parameters[more].kind == inspect.Parameter.KEYWORD_ONLY, (name, more)
        for parameter, their in their_parameters.items():
            our = our_parameters[parameter]
            if parameter in WIDENED:
                assert our.kind in (their.kind, inspect.Parameter.POSITIONAL_OR_KEYWORD), (name, parameter)
            else:
                assert our.kind == their.kind, (name, parameter)
            assert parameter in WIDENED or our.default == their.default, (name, parameter)
    assert inspect.signature(minitok.get_encoding).parameters.keys() == {"encoding_name"}
    assert inspect.signature(minitok.encoding_for_model).parameters.keys() == {"model_name"}


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"allowed_special": "all"},
        {"disallowed_special": ()},
        {"allowed_special": {END}},
        {"allowed_special": {FIM}},
        {"allowed_special": {END, FIM}},
        {"allowed_special": {END}, "disallowed_special": ()},
        {"allowed_special": {END}, "disallowed_special": {FIM}},
        {"allowed_special": {END}, "disallowed_special": {END}},
        {"allowed_special": "all", "disallowed_special": ()},
        {"allowed_special": "all", "disallowed_special": "all"},
        {"allowed_special": set(), "disallowed_special": [FIM, "no special token", "hello"]},
        {"allowed_special": {"no special token"}, "disallowed_special": frozenset()},
        {"allowed_special": frozenset({END}), "disallowed_special": "all"},
        {"disallowed_special": {"x"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("text", [END, f"hello {END} world", f"{FIM}{END}{FIM} ", "hello", "", f"a{END[:-1]}"])
def test_special_token_policies(text: str, policy: dict[str, Any]) -> None:
    both(lambda e: e.encode(text, **policy))
    both(lambda e: e.encode_to_numpy(text, **policy).tolist())
    both(lambda e: e.encode_batch([text, text], **policy))
    both(lambda e: e.encode_ordinary(text))


def test_special_tokens_separate() -> None:
    """White space before one ends as it ends a text."""
    for text in (f"a  {END}  b", f"a \n {END}\n b", f"x{END}'s", f"{END}{END}"):
        both(lambda e: e.encode(text, allowed_special="all"))


def test_wrong_types() -> None:
    for wrong in (None, 5, ["a"], 1.5):
        both_raise(lambda e: e.encode(wrong), "TypeError")
        both_raise(lambda e: e.encode_ordinary(wrong), "TypeError")
        both_raise(lambda e: e.encode(wrong, disallowed_special=()), "TypeError")
    both_raise(lambda e: e.encode("a", allowed_special=[END], disallowed_special=()), "TypeError")


@pytest.mark.parametrize(
    "ids",
    [
        [],
        [15339, 1917],
        (15339, 1917),
        [100257],
        array.array("I", [15339, 1917]),
        np.array([15339, 1917], dtype=np.uint32),
        [np.int64(15339), np.uint16(5)],
        [True],
        [100256],  # a gap
        [200000],
        [15339, 4294967295],
    ],
    ids=repr,
)
def test_decoding(ids: Any) -> None:
    both(lambda e: e.decode(ids))
    both(lambda e: e.decode_bytes(ids))
    both(lambda e: e.decode_tokens_bytes(ids))
    both(lambda e: e.decode_batch([ids, ids]))
    both(lambda e: e.decode_bytes_batch([ids, ids]))
    both(lambda e: e.decode_with_offsets(ids))


@pytest.mark.parametrize(
    ("ids", "kind"),
    [([-1], "OverflowError"), ([2**32], "OverflowError"), ([2**70], "OverflowError"), ([1.5], "TypeError"),
     ([15339.0], "TypeError"), (["a"], "TypeError"), ([None], "TypeError"), (5, "TypeError")],
    ids=repr,
)  # fmt: skip
def test_ids_that_are_none(ids: Any, kind: str) -> None:
    both_raise(lambda e: e.decode(ids), kind)
    both_raise(lambda e: e.decode_bytes(ids), kind)
    if isinstance(ids, list):
        both_raise(lambda e: e.decode_single_token_bytes(ids[0]), kind)


def test_single_tokens() -> None:
    for token in ("hello", b"hello", " world", END, END.encode(), "no such token", b"\xff", b"\xff\xff\xff", "", "é"):
        both(lambda e: e.encode_single_token(token))
    for token_id in (0, 255, 15339, 100255, 100256, 100257, 100276, 100277):
        both(lambda e: e.decode_single_token_bytes(token_id))
        both(lambda e: e.is_special_token(token_id))
    with pytest.raises(TypeError):
        published("cl100k_base").is_special_token("a")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"])
def test_properties(name: str) -> None:
    both(lambda e: e.n_vocab, name)
    both(lambda e: e.max_token_value, name)
    both(lambda e: e.eot_token, name)
    both(lambda e: sorted(e.special_tokens_set), name)
    both(lambda e: e.token_byte_values(), name)
    both(lambda e: e.name, name)
    both(repr, name)
    both(lambda e: (e._pat_str, dict(e._mergeable_ranks), dict(e._special_tokens)), name)
    both(lambda e: e._special_token_values, name)


def test_no_end_of_text() -> None:
    encoding = minitok.Encoding("x", pat_str="a", mergeable_ranks={b"a": 0}, special_tokens={})
    assert outcome(lambda: encoding.eot_token) == outcome(lambda: to_tiktoken(encoding).eot_token)


def test_constructor_refuses() -> None:
    good: dict[str, Any] = {"pat_str": r"\w", "mergeable_ranks": {b"a": 0, b"b": 1}, "special_tokens": {"<e>": 2}}
    assert minitok.Encoding("x", **good, explicit_n_vocab=3).n_vocab == 3
    wrong: dict[str, Any]
    for wrong in (
        {"explicit_n_vocab": 4},
        {"mergeable_ranks": {b"a": 0, b"b": 0}},
        {"mergeable_ranks": {}},
        {"mergeable_ranks": {b"a": -1}},
        {"mergeable_ranks": {b"a": 2**32}},
        {"mergeable_ranks": {b"": 0}},
        {"pat_str": "("},
        {"special_tokens": {"": 5}},
    ):
        with pytest.raises(ValueError, match=r"."):
            minitok.Encoding("x", **{**good, **wrong})
    for mistyped in ({"mergeable_ranks": {"a": 0}}, {"mergeable_ranks": {b"a": "0"}}, {"special_tokens": {b"a": 3}}):
        with pytest.raises(TypeError):
            minitok.Encoding("x", **{**good, **mistyped})


@pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
@given(text=st.one_of(texts, surrogate_text))
@example(text="\ud83d\udc4d")
@example(text="\udc80 \ud83d a")
def test_surrogates_are_repaired_everywhere(name: str, text: str) -> None:
    ids = both(lambda e: e.encode(text, disallowed_special=()), name)
    encoding = published(name)
    assert encoding.encode_to_numpy(text, disallowed_special=()).tolist() == ids
    assert encoding.count(text) == len(ids)
    assert encoding.encode_with_offsets(text)[0] == ids
    assert encoding.encode_batch_to_numpy([text])[0].tolist() == ids


UNSTABLE_TEXTS = [
    "", "h", "hello fanta", "hello\n", "a\n\n", " ", "  ", "a  ", " \t", "1234", "'l", "don'", "naï", "字", "😀",
    "a\n ", f"a{END}", f"{END} b", "\x85", "x \u3000",
]  # fmt: skip


@pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
@pytest.mark.parametrize("text", UNSTABLE_TEXTS, ids=ascii)
def test_encode_with_unstable(name: str, text: str) -> None:
    def call(encoding: Any) -> Any:
        stable, completions = encoding.encode_with_unstable(text, allowed_special="all")
        return stable, sorted(map(list, completions))

    both(call, name)


@given(rank_files(), class_text)
def test_encode_with_unstable_of_any_vocabulary(ranks: dict[bytes, int], text: str) -> None:
    pattern = published("cl100k_base")._pat_str
    ours = minitok.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    stable, completions = to_tiktoken(ours).encode_with_unstable(text)
    assert ours.encode_with_unstable(text) == (stable, sorted(map(list, completions)))


@pytest.mark.parametrize("name", ["r50k_base", "cl100k_base", "o200k_base"])
@given(data=st.one_of(st.binary(max_size=30), texts.map(str.encode), texts.map(lambda t: t.encode()[:-1])))
@example(data=b" \xec\x8b\xa4\xed")
@example(data=b"\x80\x80\x80")
def test_private_methods(name: str, data: bytes) -> None:
    both(lambda e: e._encode_bytes(data), name)
    if data:
        both(lambda e: e._encode_single_piece(data), name)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    # tiktoken splits here with the package `regex`, whose Unicode version is another.
    assert published(name)._encode_only_native_bpe(text) == published_tiktoken(name).encode_ordinary(text)
