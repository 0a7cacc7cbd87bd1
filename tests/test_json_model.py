"""The quick reader of a `tokenizer.json`: the same as the other, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok import _backend
from minitok.formats import huggingface_file
from minitok.formats.byte_alphabet import spell
from tests.json_models import check
from tests.model_shapes import SYSTEMS, train_tokenizer
from tests.oracle import rank_file

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
#: Tokens of more than one byte, each with the two that make it.
MADE = {
    b"ab": (b"a", b"b"),
    b"abc": (b"ab", b"c"),
    b" a": (b" ", b"a"),
    b" ab": (b" a", b"b"),
    b"\xc3\xa9": (b"\xc3", b"\xa9"),
    b'"\\': (b'"', b"\\"),
    b"\x00/": (b"\x00", b"/"),
    b" " * 300: (b" " * 150, b" " * 150),
    b" " * 150: (b" ", b" " * 149),
}
ADDED = ["<s>", "</s>", "\u00e9", "\uff5cx\uff5c", "\U0001f600", "merges", 'a"\\', "a\n"]


def document(
    made: dict[bytes, tuple[bytes, bytes]] = MADE, *, added: list[str] = ADDED[:2], pairs: bool = False, **model: Any
) -> dict[str, Any]:
    """A tokenizer of all bytes and of tokens that are made of two others each."""
    ids = {spell(bytes([b])): b + 1 for b in range(256)}
    ids |= {spell(token): 300 + i for i, token in enumerate(made)}
    merges = [
        [spell(left), spell(right)] for left, right in made.values() if {spell(left), spell(right)} <= ids.keys()
    ]
    ids |= {content: 1000 + i for i, content in enumerate(added[1:])}
    told = [{"id": 2000 + i, "content": content, "special": i % 2 == 0} for i, content in enumerate(added)]
    listed = merges if pairs else [" ".join(merge) for merge in merges]
    bpe = {"type": "BPE", "vocab": ids, "merges": listed}
    return {"version": "1.0", "added_tokens": told, "pre_tokenizer": BYTE_LEVEL, "model": bpe | model}


def encoded(of: dict[str, Any], **style: Any) -> bytes:
    return json.dumps(of, **{"ensure_ascii": False, **style}).encode()


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents in all their spellings."""
    made = [b"ab", *draw(st.lists(st.sampled_from(list(MADE)[1:]), unique=True))]  # so that there is a merge
    added = draw(st.lists(st.sampled_from(ADDED), unique=True))
    whole = document(
        {token: MADE[token] for token in made},
        added=added,
        pairs=draw(st.booleans()),
        ignore_merges=draw(st.booleans()),
    )
    model = whole["model"]
    order = draw(st.permutations(list(model)))
    whole["model"] = {key: model[key] for key in order}
    if draw(st.booleans()):
        names = draw(st.permutations(list(model["vocab"])))
        whole["model"]["vocab"] = {name: model["vocab"][name] for name in names}
    order = draw(st.permutations(list(whole)))
    whole = {key: whole[key] for key in order}
    return encoded(whole, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 2])))


#: Where, what is put there, and how many bytes it takes the place of.
changes = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=2), st.integers(0, 2)), min_size=1)


@given(documents())
def test_regular_files(backend: str, data: bytes) -> None:
    # A key with escapes of surrogates is left to the other reader.
    assert check(data) == (backend == "native" and b'\\ude00":' not in data)


@given(documents(), changes)
@example(encoded(document()).replace(b'"content"', b'"contents"'), [])
@example(encoded(document()).replace(b'"content": "<s>"', b'"content": 3'), [])
@example(encoded(document()).replace(b'"content": "<s>"', b'"content": "\\ud800"'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"ab": 1'), [])
@example(encoded(document()).replace(b'"</s>": 1000', b'"</s>": 98'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"ab": 0300'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"ab": 4294967295'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"ab": 300.0'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"": 300'), [])
@example(encoded(document()).replace(b'"ab": 300', b'"a\tb": 300'), [])
@example(encoded(document()).replace(b'"a b"', b'"a b","a b"'), [])
@example(encoded(document()).replace(b'"a b"', b'"a  b"'), [])
@example(encoded(document()).replace(b'"a b"', b'"</s> b"'), [])
@example(encoded(document()).replace(b'"merges"', b'"merges": [], "merges"'), [])
@example(encoded(document()).replace(b'"model"', b'"m\\u006fdel": 1, "model"'), [])
@example(encoded(document()).replace(b'"model"', b'"model": {"vocab": {}, "merges": []}, "model"'), [])
@example(encoded(document()) + b"}", [])
@example(b"\xef\xbb\xbf" + encoded(document()), [])
def test_damaged_files(backend: str, data: bytes, changes: list[tuple[int, bytes, int]]) -> None:
    for place, put, taken in changes:
        start = place % len(data)
        data = data[:start] + put + data[start + taken :]
    check(data)


def test_what_is_not_regular(native: Any) -> None:
    """What the examples above are about is not read here at all, or they would say nothing."""
    regular = encoded(document())
    assert check(regular)
    for old, new in (
        (b'"ab": 300', b'"ab": 1'),
        (b'"</s>": 1000', b'"</s>": 98'),
        (b'"ab": 300', b'"ab": 0300'),
        (b'"ab": 300', b'"\xef\xbd\x9c": 300'),
        (b'"a b"', b'"a b","a b"'),
        (b'"a b"', b'"</s> b"'),
        (b'"a b"', b'"a\\u0020b\\ud800"'),
    ):
        assert old in regular
        assert not check(regular.replace(old, new)), new
    assert not check(encoded(document(end_of_word_suffix="</w>")))
    assert not check(encoded(document() | {"pre_tokenizer": None}))
    assert not check(encoded(document(vocab={})))
    assert not check(encoded(document(merges=[])))
    assert check(regular.replace(b'"a b"', b'"a\\u0020b"'))
    with pytest.raises(ValueError, match="not in a document of 5 bytes"):
        native.RankTable.parse_json_model(b"{}{}{", (0, 2, 3, 9), [])


def test_only_the_compiled_core_has_it(backend: str) -> None:
    table = _backend.RankTable
    data = encoded(document())
    place = table.find_json_model(data)
    if backend == "python":
        assert place is None
        assert table.parse_json_model(data, (0, 0, 0, 0), []) is None
        return
    assert place is not None
    vocab, vocab_end, merges, merges_end = place
    model = json.loads(data)["model"]
    assert json.loads(data[vocab:vocab_end]) == model["vocab"]
    assert json.loads(data[merges:merges_end]) == model["merges"]
    for cut in range(1, len(data), 7):
        shorter = table.find_json_model(data[:cut])
        assert shorter in (None, place)


@pytest.mark.parametrize("system", SYSTEMS)
def test_shapes(system: str, native: Any) -> None:
    lines = ["the cat sat on the mat, and that is that: 1234 caf\u00e9 \u4f60\u597d"] * 20
    data = train_tokenizer(system, lines, 320).to_str().encode()
    assert check(data) == (system != "metaspace")


@pytest.mark.data
@pytest.mark.parametrize("name", ["gpt2", "claude", "deepseek"])
def test_published_files(name: str, native: Any) -> None:
    data = rank_file("r50k_base").with_name(f"{name}.tokenizer.json").read_bytes()
    assert check(data)
    assert isinstance(huggingface_file.parse(data, name, name=name).tokens, _backend.RankTable)
