"""Frozen dataclasses of plain data as JSON objects, and back: {"type": class, field: value, …}.

Tuples are lists, bytes are base64. What has its field's default is left out.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_type_hints

__all__ = ["from_plain", "to_plain"]


def to_plain(item: Any) -> dict[str, Any]:
    """The object of a dataclass.

    >>> from minitok.splits import Split
    >>> to_plain(Split("a", "removed"))
    {'type': 'Split', 'pattern': 'a', 'behavior': 'removed'}
    """
    out: dict[str, Any] = {"type": type(item).__name__}
    for field in fields(item):
        value = getattr(item, field.name)
        if value == field.default and field.default is not MISSING:
            continue
        if isinstance(value, bytes):
            value = b64encode(value).decode("ascii")
        out[field.name] = list(value) if isinstance(value, tuple) else value
    return out


def from_plain(data: Any, classes: Iterable[type]) -> Any:
    """The dataclass, one of `classes`, whose object this is.

    Raises:
        ValueError: it is none of them, or a field is missing, unknown or of the wrong type.
    """
    kinds = {kind.__name__: kind for kind in classes}
    name = data.get("type") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in kinds:
        raise ValueError(f"expected an object whose type is one of {', '.join(kinds)}, found {str(data)[:60]!r}")
    kind: Any = kinds[name]
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in data:
            values[field.name] = _value(data[field.name], str(hints[field.name]), f"{field.name!r} of {name}")
        elif field.default is MISSING:
            raise ValueError(f"{field.name!r} of {name} is missing")
    unknown = data.keys() - values.keys() - {"type"}
    if unknown:
        raise ValueError(f"{name} has no field {min(unknown)!r}")
    return kind(**values)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(value: Any, hint: str, where: str) -> Any:
    if "bytes" in hint and isinstance(value, str):
        try:
            return a2b_base64(value, strict_mode=True)
        except ValueError as error:
            raise ValueError(f"{where} is bad base64 ({error})") from None
    if "tuple" in hint and isinstance(value, list):
        items = [int] * ("int" in hint) + [str] * ("str" in hint)
        if all(type(item) in items for item in value):
            return tuple(value)
    elif value is None and "None" in hint:
        return None
    elif type(value).__name__ in hint or ("Literal" in hint and isinstance(value, str)):
        return value
    raise ValueError(f"{where} is {str(value)[:60]!r}, expected {hint}")
