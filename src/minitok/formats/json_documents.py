"""JSON files as all readers want them: checked, with messages that name the file and the place."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import accumulate
from typing import Any, TypeVar

from minitok.pretokenizer import LONGEST_PATTERN, pinned_length
from minitok.vocabulary import Vocabulary

__all__ = ["DAMAGED", "check_all_bytes", "check_parts", "field", "parse_json"]

_Value = TypeVar("_Value")

#: A document with more values is no vocabulary: the largest in use (Gemma 3's) has 1,900,000.
MOST_VALUES = 2_500_000

#: A tokenizer with more normalizers, or more stages that cut text, is none. (Those in use have up to ten.)
MOST_PARTS = 100

DAMAGED = "the file is damaged or was edited; get it anew"


def parse_json(data: bytes, source: str, remedy: str = DAMAGED) -> dict[str, Any]:
    """The object that a JSON document is.

    Args:
        data: the whole document.
        source: the file's name, for messages.
        remedy: what to do about a document that is damaged, for messages.

    Raises:
        ValueError: it is not JSON, a key occurs twice in one object, it is no object, or much too large.
    """
    # (Those in strings count, too: it is but a bound.)
    if len(data) > MOST_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError(f"{source}: JSON with more than {MOST_VALUES} values; not a vocabulary file")
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: not UTF-8 at byte {error.start}; {remedy}") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{source}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}); {remedy}"
        ) from None
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{source}: not JSON that minitok reads ({error}); {remedy}") from None
    if not isinstance(document, dict):
        raise ValueError(f"{source}: JSON, but not an object; {remedy}")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} occurs twice")
            seen.add(key)
    return document


def field(
    document: dict[str, Any], key: str, kind: type[_Value], source: str, default: _Value | None = None
) -> _Value:
    """The value of a key, which must be of a kind; if there is a default, it may be missing or null.

    Raises:
        ValueError: it is missing, or of another kind.
    """
    value = document.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        what = "is missing" if key not in document else f"is {str(value)[:60]!r}, expected {kind.__name__}"
        raise ValueError(f"{source}: the field {key!r} {what}; {DAMAGED}")
    return value


def check_all_bytes(vocabulary: Vocabulary, source: str) -> None:
    """Raise a ValueError, which names the file, if a byte has no token: these formats have one for each."""
    missing = vocabulary.missing_bytes()
    if missing:
        raise ValueError(f"{source}: {len(missing)} bytes have no token, 0x{missing[0]:02x} is the first; {DAMAGED}")


def check_parts(parts: Collection[Any], source: str) -> None:
    """Look at the normalizers or the stages of a document as a whole, before any expression in them is compiled.

    Raises:
        ValueError: they are too many, or have expressions that are too long together.
    """
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{source}: more than {MOST_PARTS} normalizers or stages that cut text; {DAMAGED}")
    patterns = [part.get("pattern") for part in parts if isinstance(part, dict)]
    # (An expression as it is here, or as it is in `tokenizer.json`.)
    expressions = [pattern.get("Regex") if isinstance(pattern, dict) else pattern for pattern in patterns]
    lengths = (pinned_length(expression) for expression in expressions if isinstance(expression, str))
    if any(together > LONGEST_PATTERN for together in accumulate(lengths)):  # no more are looked at than needed
        raise ValueError(
            f"{source}: the expressions are too long: with their classes written out they have more than "
            f"{LONGEST_PATTERN} characters together"
        )
