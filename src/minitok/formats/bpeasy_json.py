"""bpeasy's JSON: ranks by tokens in base64, a pattern, a list of special tokens (`bpeasy/tokenizer.py`).

    {"name": …, "regex_pattern": …, "special_tokens": […], "vocab": {base64: rank, …}}

Special tokens have the ids behind those of the tokens.
"""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from minitok.formats.json_documents import DAMAGED, check_all_bytes, field
from minitok.patterns import find_named_pattern
from minitok.vocabulary import Vocabulary

__all__ = ["dump", "from_document", "is_document"]


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is of this format."""
    return isinstance(document.get("vocab"), dict) and "regex_pattern" in document


def from_document(document: dict[str, Any], source: str, *, name: str | None) -> Vocabulary:
    """The vocabulary in a document.

    Raises:
        ValueError: it is damaged; the message names the place.
    """
    tokens: dict[bytes, int] = {}
    for spelt, rank in document["vocab"].items():
        try:
            tokens[a2b_base64(spelt, strict_mode=True)] = rank
        except (Base64Error, ValueError):
            raise ValueError(f"{source}: bad base64 {spelt[:40]!r}; {DAMAGED}") from None
    listed = field(document, "special_tokens", list, source, [])
    if not all(isinstance(token, str) for token in listed) or len(set(listed)) < len(listed):
        raise ValueError(f"{source}: special_tokens are not different strings; {DAMAGED}")
    pattern = field(document, "regex_pattern", str, source)
    named = find_named_pattern(pattern)
    try:
        vocabulary = Vocabulary(
            field(document, "name", str, source) if name is None else name,
            tokens,
            None,
            {token: len(tokens) + number for number, token in enumerate(listed)},
            named.regex if named else pattern,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None
    check_all_bytes(vocabulary, source)
    return vocabulary


def dump(vocabulary: Vocabulary) -> bytes:
    """The document of a vocabulary.

    Raises:
        ValueError: the format cannot hold it.
    """
    special = sorted(vocabulary.special_tokens, key=vocabulary.special_tokens.__getitem__)
    ids = [*sorted(vocabulary.tokens.values()), *sorted(vocabulary.special_tokens.values())]
    if not vocabulary.is_rank_file() or vocabulary.pattern is None or ids != list(range(len(ids))):
        raise ValueError(
            f"bpeasy's JSON cannot hold the vocabulary {vocabulary.name!r}: it is for ranked tokens from 0 on, with "
            "special tokens behind them and a pattern"
        )
    in_order = sorted(vocabulary.tokens.items(), key=lambda item: item[1])
    document = {
        "name": vocabulary.name,
        "regex_pattern": vocabulary.pattern,
        "special_tokens": special,
        "vocab": {b64encode(token).decode("ascii"): rank for token, rank in in_order},
    }
    return (json.dumps(document) + "\n").encode("ascii")
