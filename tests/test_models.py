"""The published vocabulary files: ids are those of the implementation that each file is for.

`python -m tests.heavy models` does the same with 5 MB of each corpus, and writes the table of docs/models.md.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from tests.conftest import examples
from tests.models import BY_FILE, encoding, reference
from tests.oracle import corpus
from tests.strategies import any_text, class_text, runs, texts

pytestmark = pytest.mark.data

FILES = sorted(BY_FILE)
CORPORA = ("english", "chinese", "multilingual")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", CORPORA)
def test_real_text(file: str, name: str) -> None:
    text = corpus(name, 3_000_000, 60_000)
    enc = encoding(file)
    ids = enc.encode_ordinary(text)
    assert ids == list(reference(file)(text))
    assert enc.count(text) == len(ids)
    assert enc.encode_to_numpy(text, disallowed_special=()).tolist() == ids
    assert enc.encode_batch([text, "a"], disallowed_special=()) == [ids, enc.encode_ordinary("a")]
    if BY_FILE[file].lossless or file.startswith("mistral"):
        assert enc.decode(ids) == text
        assert enc.encode_ordinary(text.encode()) == ids


@pytest.mark.parametrize("file", FILES)
@given(text=st.one_of(texts, any_text, class_text, runs))
@example("")
@example(" a  b\n\n\n 'S 'ſ İ ΑΣ \u0344\u0301 ﬁ ½ \u1e9b\u0323 가\u11a8")
@example("\ufffd\U0010ffff\x00")
def test_generated_text(file: str, text: str) -> None:
    if file.startswith("clip") and "ſ" in text:
        return  # the original's expression takes no note of case, and so takes this for an s
    assert encoding(file).encode_ordinary(text) == list(reference(file)(text))


@pytest.mark.parametrize("file", FILES)
def test_code_points(file: str) -> None:
    """Each code point, with a letter and a space beside it; some of them on the pure backend."""
    step = 3 if minitok.BACKEND == "native" else 41
    several = ["".join(f"a{chr(c)} {chr(c)}1" for c in range(c, c + 16)) for c in range(0, 0x110000, 16)]
    theirs, enc = reference(file), encoding(file)
    for text in examples(several[::step]):
        if not any("\ud800" <= c <= "\udfff" for c in text) and not (file.startswith("clip") and "ſ" in text):
            assert enc.encode_ordinary(text) == list(theirs(text)), ascii(text)


@pytest.mark.parametrize("file", FILES)
def test_tokens_as_texts(file: str) -> None:
    enc = encoding(file)
    step = 7 if minitok.BACKEND == "native" else 53
    theirs = reference(file)
    for token in enc.token_byte_values()[::step]:
        text = token.decode("utf-8", "replace")
        assert enc.encode_ordinary(text) == list(theirs(text)), token
