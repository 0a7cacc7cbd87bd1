"""Tokens in colour, for terminals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO

__all__ = ["coloured", "printable", "wants_colour"]

#: Background colours of the 256-colour palette on which black text is read well; neighbours are told apart.
_BACKGROUNDS = (153, 223, 157, 218, 229, 189)


def wants_colour(when: str, stream: IO[str] | None = None) -> bool:
    """Whether to colour: "always", "never", or "auto": on a terminal, unless NO_COLOR is set."""
    if when != "auto":
        return when == "always"
    return (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")


def coloured(tokens: Iterable[bytes], *, colour: bool = True) -> str:
    r"""Tokens as one string, each on a background of its own; without colour, with bars between them.

    Bytes that are not text, and control characters but newlines, are shown as escapes.

    >>> coloured([b"to", b"ken\xff"], colour=False)
    'to|ken\\xff'
    """
    cache: dict[bytes, str] = {}
    shown = [cache.get(token) or cache.setdefault(token, printable(token)) for token in tokens]
    if not colour:
        return "|".join(shown)
    parts = []
    for number, text in enumerate(shown):
        start = f"\x1b[48;5;{_BACKGROUNDS[number % len(_BACKGROUNDS)]};30m"
        # A background that runs over the end of a line would fill it.
        parts.append(start + text.replace("\n", f"\x1b[0m\n{start}") + "\x1b[0m")
    return "".join(parts)


def printable(token: bytes) -> str:
    r"""Bytes as text that does nothing to a terminal: what is no text, and what is not seen, as escapes.

    >>> printable(b"\xff\x1b[0m")
    '\\xff\\x1b[0m'
    """
    text = token.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
