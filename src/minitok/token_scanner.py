"""Special and added tokens, found in a text that arrives in parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from minitok.added_tokens import AddedToken, Finder, may_hide
from minitok.unicode_classes import WHITE_SPACE_CHARACTERS

__all__ = ["TokenScanner"]

#: Characters to what may follow them in some token, and so on.
_Beginnings = dict[str, Any]


@lru_cache(maxsize=32)
def _beginnings(names: frozenset[str]) -> tuple[_Beginnings, int]:
    """How some strings begin, as a tree, and the length of the longest."""
    root: _Beginnings = {}
    for name in names:
        node = root
        for character in name:
            node = node.setdefault(character, {})
    return root, max(map(len, names), default=0)


class TokenScanner:
    """Cuts tokens out of a text that arrives in parts; gives nothing out that later text could make part of one.

    Held back is what may begin a token, and no more than the longest of them; a token that is done, if a longer one
    begins so; and what flags of tokens make uncertain: white space that may belong to one, a token of which it is not
    known yet what stands behind it.

    Args:
        find: tells where tokens stand in a text.
        names: all that are looked for, also those that are not allowed.
        flagged: id to token, for those whose place depends on what is around them.

    Raises:
        ValueError: a token that counts as a single word alone overlaps another one.
    """

    def __init__(self, find: Finder, names: frozenset[str], flagged: Mapping[int, AddedToken]) -> None:
        self._find = find
        self._tree, self._longest = _beginnings(names)
        self._flagged = flagged
        self._takes_left = any(token.lstrip for token in flagged.values())
        for word in [token.content for token in flagged.values() if token.single_word]:
            if may_hide([word], [name for name in names if name != word]):
                raise ValueError(f"the token {word!r}, which has to be a single word, overlaps another one")
        self._held = ""
        self._before = ""  # the character before what is held, if there is any

    def feed(self, text: str, *, is_last: bool = False) -> list[tuple[str, int | None]]:
        """Text, and the token behind it; None if the text goes on.

        Args:
            text: more of the text.
            is_last: whether it is the end.
        """
        text = self._held + text
        places = self._find(text, self._before)
        limit = len(text) if is_last else self._certain_to(text)
        out: list[tuple[str, int | None]] = []
        at = 0
        for start, end, number in places:
            if start >= limit or (end == len(text) and number in self._flagged and not is_last):
                limit = min(start, limit)
                break
            out.append((text[at:start], number))
            at = end
        limit = max(at, limit)
        if at < limit:
            out.append((text[at:limit], None))
        self._held = text[limit:]
        if self._flagged:
            self._before = text[limit - 1 : limit] if limit else self._before
        return out

    def restart(self) -> None:
        """Begin another text."""
        self._held = self._before = ""

    def _certain_to(self, text: str) -> int:
        """Where the first token may begin that is not complete, and the white space that belongs to it."""
        limit = len(text)
        for start in range(max(0, len(text) - self._longest + 1), len(text)):
            node: _Beginnings | None = self._tree.get(text[start])
            at = start + 1
            while node and at < len(text):
                node = node.get(text[at])
                at += 1
            if node:
                limit = start
                break
        if self._takes_left:
            while limit and text[limit - 1] in WHITE_SPACE_CHARACTERS:
                limit -= 1
        return limit
