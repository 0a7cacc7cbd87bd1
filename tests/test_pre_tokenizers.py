"""Pre-tokenizers of `tokenizer.json`, as they are read, held against `tokenizers` for every code point."""

from __future__ import annotations

import json
from typing import Any

import pytest
import tokenizers
from hypothesis import given

from minitok.formats import huggingface_file
from minitok.splits import Split, split_in_stages
from tests.strategies import class_text

pytestmark = pytest.mark.once

PRE_TOKENIZERS: dict[str, Any] = {
    name: getattr(tokenizers.pre_tokenizers, name)()
    for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "Digits")
}


def check(name: str, text: str) -> None:
    model = {"type": "BPE", "vocab": {"<unk>": 0}, "merges": [], "unk_token": "<unk>"}
    data = json.dumps({"model": model, "pre_tokenizer": {"type": name}}).encode()
    vocabulary = huggingface_file.parse(data, name, name=name)
    ours = split_in_stages(vocabulary.splits or [Split(vocabulary.pattern or "")])(text, True)
    assert ours == [piece for piece, _ in PRE_TOKENIZERS[name].pre_tokenize_str(text)]


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
def test_code_points(name: str) -> None:
    code_points = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for i in range(0, len(code_points), 4096):
        check(name, "".join(f"a{c}1" for c in code_points[i : i + 4096]))


@pytest.mark.parametrize("name", PRE_TOKENIZERS)
@given(text=class_text)
def test_texts(name: str, text: str) -> None:
    check(name, text)
