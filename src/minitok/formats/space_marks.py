"""How SentencePiece and its kin spell a space, and what that says about where text may be cut."""

from __future__ import annotations

import re
from collections.abc import Iterable

from minitok.patterns import PATTERNS

__all__ = ["SPACE_MARK", "cuts_no_token", "spaces_pattern"]

SPACE_MARK = "▁"

_LETTER_BESIDE_SIGN = re.compile(rb"[A-Za-z][\x00-\x1f!-@\[-`{-\x7f]|[\x00-\x1f!-@\[-`{-\x7f][A-Za-z]")


def spaces_pattern(tokens: Iterable[bytes]) -> str | None:
    """The pattern by which text may be cut that no pattern cuts: it cuts no token, so that no merge crosses it.

    >>> spaces_pattern([b" a", b"   "]) == PATTERNS["spaces_signs"].regex, spaces_pattern([b"a b"])
    (True, None)
    """
    listed = list(tokens)
    if any(b" " in token.lstrip(b" ") for token in listed):
        return None
    # What stands between them is neither letter nor sign.
    apart = _LETTER_BESIDE_SIGN.search(b" ".join(listed)) is None
    return PATTERNS["spaces_signs" if apart else "spaces"].regex


def cuts_no_token(pattern: str | None, tokens: Iterable[bytes]) -> bool:
    """Whether a pattern makes no difference, as it cuts no token in two."""
    if pattern == PATTERNS["spaces"].regex:
        return not any(b" " in token.lstrip(b" ") for token in tokens)
    return pattern is None or (pattern == PATTERNS["spaces_signs"].regex and spaces_pattern(tokens) == pattern)
