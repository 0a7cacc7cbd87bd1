"""Mistral's `tekken.json`: ranked tokens behind a block of special ones.

    {"config": {"pattern": …, "default_vocab_size": …, "default_num_special_tokens": …, "version": …},
     "vocab": [{"rank": …, "token_bytes": base64, "token_str": …}, …],
     "special_tokens": [{"rank": …, "token_str": …, "is_control": …}, …]}

The first ids are those of special tokens, `default_num_special_tokens` of them; then come the tokens in the order of
their ranks, as many as `default_vocab_size` leaves room for: the file has more. Without a list of special tokens they
are those of version 7 and before (`mistral_common/tokens/tokenizers/tekken.py`).
"""

from __future__ import annotations

import json
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Any

from minitok.formats.json_documents import DAMAGED, check_all_bytes, field
from minitok.patterns import find_named_pattern
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["dump", "from_document", "is_document"]

#: More special tokens, each of which gets a name, are a sign of damage. (Files in use have 1,000.)
MOST_SPECIAL = 100_000

_EARLY_SPECIAL = (
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]"),
    *("[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]"),
    *("[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"),
)


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is of this format."""
    config = document.get("config")
    return isinstance(config, dict) and "pattern" in config and isinstance(document.get("vocab"), list)


def from_document(document: dict[str, Any], source: str, *, name: str) -> Vocabulary:
    """The vocabulary in a document.

    Raises:
        ValueError: it is damaged; the message names the place.
    """
    config: dict[str, Any] = document["config"]
    size = field(config, "default_vocab_size", int, source)
    count = field(config, "default_num_special_tokens", int, source)
    if not 0 <= count < size <= MAX_ID or count > MOST_SPECIAL:
        raise ValueError(f"{source}: {count} special tokens of {size}; {DAMAGED}")
    tokens = _tokens(document["vocab"], count, size, source)
    pattern = field(config, "pattern", str, source)
    named = find_named_pattern(pattern)
    try:
        vocabulary = Vocabulary(
            name,
            tokens,
            None,
            _special(document.get("special_tokens"), count, source),
            named.regex if named else pattern,
            metadata={"tekken": {"version": field(config, "version", str, source)}},
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None
    check_all_bytes(vocabulary, source)
    return vocabulary


def _tokens(listed: list[Any], count: int, size: int, source: str) -> dict[bytes, int]:
    if len(listed) < size - count:
        raise ValueError(f"{source}: {len(listed)} tokens, expected {size - count}; {DAMAGED}")
    tokens: dict[bytes, int] = {}
    for rank, item in enumerate(listed[: size - count]):
        try:
            token = a2b_base64(item["token_bytes"], strict_mode=True)
            if item["rank"] != rank:
                raise ValueError(f"the rank is {item['rank']!r}")
        except (Base64Error, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{source}: vocab[{rank}] is {str(item)[:80]!r} ({error}); {DAMAGED}") from None
        if token in tokens:
            raise ValueError(f"{source}: vocab[{rank}], {token!r}, stands there twice; {DAMAGED}")
        tokens[token] = rank + count
    return tokens


def _special(listed: Any, count: int, source: str) -> dict[str, int]:
    special: dict[str, int] = {}
    if listed is None:
        special = dict(zip(_EARLY_SPECIAL, range(count)))
    elif not isinstance(listed, list):
        raise ValueError(f"{source}: special_tokens is not a list; {DAMAGED}")
    else:
        for number, item in enumerate(listed):
            where = f"{source}: special_tokens[{number}]"
            if not isinstance(item, dict):
                raise ValueError(f"{where} is not an object; {DAMAGED}")
            special[field(item, "token_str", str, where)] = rank = field(item, "rank", int, where)
            if not 0 <= rank < count or len(special) <= number:
                raise ValueError(f"{where} is {str(item)[:80]!r}; {DAMAGED}")
    # The rest of the block is filled up, by number.
    taken = set(special.values())
    return special | {f"<SPECIAL_{i}>": i for i in range(len(special), count) if i not in taken}


def dump(vocabulary: Vocabulary) -> bytes:
    """The document of a vocabulary.

    Raises:
        ValueError: the format cannot hold it.
    """
    in_order = sorted(vocabulary.tokens.items(), key=lambda item: item[1])
    count = in_order[0][1]
    special = sorted(vocabulary.special_tokens.items(), key=lambda item: item[1])
    if not vocabulary.is_rank_file() or vocabulary.pattern is None:
        raise ValueError(
            f"a tekken.json cannot hold the vocabulary {vocabulary.name!r}: it is more than ranked tokens, a pattern"
        )
    if [i for _, i in in_order] != list(range(count, count + len(in_order))) or any(i >= count for _, i in special):
        raise ValueError(
            f"a tekken.json cannot hold the vocabulary {vocabulary.name!r}: its special tokens do not "
            "come first, or ids have a gap"
        )
    if count > MOST_SPECIAL:
        raise ValueError(
            f"a tekken.json cannot hold the vocabulary {vocabulary.name!r}: its tokens begin at the id {count}, "
            f"above {MOST_SPECIAL}"
        )
    document = {
        "config": {
            "pattern": vocabulary.pattern,
            "num_vocab_tokens": len(in_order),
            "default_vocab_size": count + len(in_order),
            "default_num_special_tokens": count,
            "version": vocabulary.metadata.get("tekken", {}).get("version", "v3"),
        },
        "vocab": [
            {"rank": i - count, "token_bytes": b64encode(token).decode("ascii"), "token_str": _readable(token)}
            for token, i in in_order
        ],
        "special_tokens": [{"rank": i, "token_str": token, "is_control": True} for token, i in special],
    }
    return (json.dumps(document, ensure_ascii=False) + "\n").encode("utf-8")


def _readable(token: bytes) -> str | None:
    try:
        return token.decode("utf-8")
    except UnicodeDecodeError:
        return None
