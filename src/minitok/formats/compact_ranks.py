r"""Compact ranks: the JSON of js-tiktoken, and of Anthropic's tokenizer, which is the same.

    {"pat_str": …, "special_tokens": {…}, "bpe_ranks": "! 0 IQ== Ig== …\\n! 1000 …", …}

Each line of `bpe_ranks` has a mark, the first rank, and tokens in base64 with the ranks from there on (js-tiktoken,
`src/core.ts`).

Anthropic's own package normalizes each text to NFKC before it encodes it (`@anthropic-ai/tokenizer`, `index.ts`); the
file does not say so. It is known by its special tokens.
"""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from minitok.formats.json_documents import DAMAGED, check_all_bytes, field
from minitok.normalizers import Normalizer, UnicodeForm
from minitok.patterns import find_named_pattern
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["dump", "from_document", "is_document"]

#: A document with more tokens is damaged. (The largest in use has 200,000.)
MOST_TOKENS = 500_000

_NFKC = UnicodeForm("NFKC")
#: Among the special tokens of Anthropic's file.
_ANTHROPIC = "<META_START>"


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is of this format."""
    return isinstance(document.get("bpe_ranks"), str) and "pat_str" in document


def from_document(document: dict[str, Any], source: str, *, name: str) -> Vocabulary:
    """The vocabulary in a document.

    Raises:
        ValueError: it is damaged; the message names the place.
    """
    tokens = _ranks(document["bpe_ranks"], source)
    special: dict[str, int] = field(document, "special_tokens", dict, source, {})
    expected = document.get("explicit_n_vocab")
    # Anthropic's file counts neither the bytes nor the special tokens.
    if expected not in (None, len(tokens), len(tokens) + len(special), len(tokens) - 256):
        raise ValueError(f"{source}: {len(tokens)} tokens, but explicit_n_vocab is {expected!r}; {DAMAGED}")
    pattern = field(document, "pat_str", str, source)
    named = find_named_pattern(pattern)
    normalizers: tuple[Normalizer, ...] = (_NFKC,) if _ANTHROPIC in special else ()
    try:
        vocabulary = Vocabulary(
            name, tokens, None, special, named.regex if named else pattern, normalizers=normalizers
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None
    check_all_bytes(vocabulary, source)
    return vocabulary


def _ranks(text: str, source: str) -> dict[bytes, int]:
    tokens: dict[bytes, int] = {}
    lines = text.count("\n")
    if max(lines, text.count(" ") - lines) > MOST_TOKENS:
        raise ValueError(f"{source}: bpe_ranks has more than {MOST_TOKENS} tokens; {DAMAGED}")
    for number, line in enumerate(filter(None, text.split("\n")), 1):
        where = f"{source}: line {number} of bpe_ranks"
        mark, _, rest = line.partition(" ")
        first, *listed = rest.split(" ")
        if not mark or not first.isdecimal() or len(first) > 10 or int(first) + len(listed) > MAX_ID:
            raise ValueError(f"{where} begins with {line[:40]!r}, not with a mark and a rank; {DAMAGED}")
        for rank, spelt in enumerate(listed, int(first)):
            try:
                token = a2b_base64(spelt, strict_mode=True)
            except (Base64Error, ValueError):
                raise ValueError(f"{where}: bad base64 {spelt[:40]!r}; {DAMAGED}") from None
            if token in tokens:
                raise ValueError(f"{where}: the token {token!r} has the rank {tokens[token]} already; {DAMAGED}")
            tokens[token] = rank
    return tokens


def dump(vocabulary: Vocabulary) -> bytes:
    """The document of a vocabulary.

    Raises:
        ValueError: the format cannot hold it.
    """
    if not vocabulary.is_rank_file(but_for=(_NFKC,) if _ANTHROPIC in vocabulary.special_tokens else ()):
        raise ValueError(
            f"compact ranks cannot hold the vocabulary {vocabulary.name!r}: it is more than ranks and a pattern"
        )
    if vocabulary.pattern is None:
        raise ValueError(f"compact ranks cannot hold the vocabulary {vocabulary.name!r}: it has no pattern")
    if len(vocabulary.tokens) > MOST_TOKENS:
        raise ValueError(
            f"compact ranks cannot hold the vocabulary {vocabulary.name!r}: it has more than {MOST_TOKENS} tokens"
        )
    lines: list[list[str]] = []
    expected = -1
    for token, rank in sorted(vocabulary.tokens.items(), key=lambda item: item[1]):
        if rank != expected:
            lines.append(["!", str(rank)])
        lines[-1].append(b64encode(token).decode("ascii"))
        expected = rank + 1
    document = {
        "pat_str": vocabulary.pattern,
        "special_tokens": dict(vocabulary.special_tokens),
        "bpe_ranks": "\n".join(map(" ".join, lines)),
    }
    return (json.dumps(document) + "\n").encode("ascii")
