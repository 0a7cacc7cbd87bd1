"""What the quick reader of a `tokenizer.json` gives, held against the one that reads it as any JSON."""

from __future__ import annotations

from dataclasses import fields

import minitok
from minitok.formats import huggingface_file, huggingface_json
from minitok.formats.json_documents import parse_json
from minitok.vocabulary import Vocabulary
from tests.agreement import outcome

#: Words that merges make, and what added tokens begin with.
TEXT = "abc ab  abcab\u00e9 <s>ba\x00\u00ff </s><s>\U0001f600 \uff5cx\uff5c aab"


def read_slowly(data: bytes) -> Vocabulary | None:
    """None: it is refused."""
    try:
        return huggingface_json.from_document(parse_json(data, "x"), "x", name="x")
    except ValueError:
        return None


def check(data: bytes) -> bool:
    """An AssertionError if the readers differ. Whether the quick one has read it."""
    quick, slow = huggingface_file.parse_quickly(data, "x", name="x"), read_slowly(data)
    if quick is None:
        return False
    assert slow is not None, "read quickly, and refused otherwise"
    for field in fields(Vocabulary):
        assert getattr(quick, field.name) == getattr(slow, field.name), field.name
    ours, theirs = (minitok.Encoding.from_vocabulary(vocabulary) for vocabulary in (quick, slow))
    encoded = outcome(lambda: ours.encode(TEXT, allowed_special="all"))
    assert encoded == outcome(lambda: theirs.encode(TEXT, allowed_special="all"))
    ids = list(slow.other_ids()) + list(slow.tokens.values())
    assert ours.decode_bytes(ids) == theirs.decode_bytes(ids)
    return True
