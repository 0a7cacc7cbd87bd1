"""JSON files as all readers want them: checked, with messages that name the file and the place."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from minitok.vocabulary import Vocabulary

__all__ = ["DAMAGED", "check_all_bytes", "field", "parse_json"]

_Value = TypeVar("_Value")

#: A document with more values is no vocabulary: the largest in use (Gemma 3's) has 1,900,000.
MOST_VALUES = 2_500_000

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
