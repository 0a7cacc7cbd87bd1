"""How SentencePiece and its kin spell a space, and what that says about where text may be cut."""

from __future__ import annotations

from collections.abc import Iterable

from minitok.patterns import PATTERNS

__all__ = ["SPACE_MARK", "spaces_pattern"]

SPACE_MARK = "▁"


def spaces_pattern(tokens: Iterable[bytes]) -> str | None:
    """The pattern by which text may be cut that no pattern cuts, if tokens have spaces at the beginning alone.

    >>> spaces_pattern([b" a", b"   "]) == PATTERNS["spaces"].regex, spaces_pattern([b"a b"])
    (True, None)
    """
    return None if any(b" " in token.lstrip(b" ") for token in tokens) else PATTERNS["spaces"].regex
