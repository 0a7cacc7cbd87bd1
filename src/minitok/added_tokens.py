"""Added tokens: strings that are tokens wherever they stand in a text, before it is cut and merged.

Where several begin at the same place the longest counts. The flags are those of `AddedToken` in `tokenizers`, and so
is their meaning (tokenizer/added_vocabulary.rs, `find_matches`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from minitok import _backend
from minitok.unicode_classes import WHITE_SPACE_CHARACTERS, pin_classes

__all__ = ["WORD", "AddedToken", "Finder", "Place", "finder", "may_hide", "with_flags"]

#: Where a token begins and ends in a text, and its id.
Place = tuple[int, int, int]


@dataclass(frozen=True)
class AddedToken:
    """A string that is a token wherever it stands.

    Attributes:
        content: the string.
        id: the id.
        lstrip: white space before it belongs to it.
        rstrip: white space behind it belongs to it.
        single_word: it counts only where no letter, digit or underscore is beside it.
        normalized: it is looked for in the normalized text, not in the text as it is.

    Raises:
        ValueError: there is no content.
    """

    content: str
    id: int
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    normalized: bool = False

    def __post_init__(self) -> None:
        if not self.content:
            raise ValueError(f"the added token with the id {self.id} is empty")

    @property
    def has_flags(self) -> bool:
        """Whether its place depends on what is around it."""
        return self.lstrip or self.rstrip or self.single_word


def with_flags(places: Sequence[Place], text: str, tokens: Mapping[int, AddedToken], before: str = "") -> list[Place]:
    """Places of tokens in a text, wider or fewer as the flags of these tokens say.

    Args:
        places: start, end and id of each, in order.
        text: the text.
        tokens: id to token, for those with flags.
        before: the character before the text, if it is a part of a longer one.
    """
    out: list[Place] = []
    done = 0
    for start, end, number in places:
        token = tokens.get(number)
        if token is not None:
            beside = text[start - 1] if start else before
            if token.single_word and (_word().match(beside) or _word().match(text, end)):
                continue
            while token.lstrip and start > done and text[start - 1] in WHITE_SPACE_CHARACTERS:
                start -= 1  # noqa: PLW2901
            while token.rstrip and end < len(text) and text[end] in WHITE_SPACE_CHARACTERS:
                end += 1  # noqa: PLW2901
        # What this one begins with may have gone to the one before, as white space.
        start, end = max(start, done), max(end, done)  # noqa: PLW2901
        out.append((start, end, number))
        done = end
    return out


#: Up to this sum of squared lengths `may_hide` looks at all beginnings.
_MOST_TO_COMPARE = 10_000_000


def may_hide(ones: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one of some strings may overlap one of the others in a text, and not begin behind it.

    Then, if all are looked for at once, the one may be what is found of both. With very many or very long strings
    they are not compared: they may.

    >>> may_hide(["<a>"], ["b", "a"]), may_hide(["ab"], ["bc"]), may_hide(["bc"], ["ab"])
    (True, True, False)
    """
    if sum(len(text) ** 2 for text in (*ones, *others)) > _MOST_TO_COMPARE:
        return True
    beginnings = {other[:end] for other in others for end in range(1, len(other) + 1)}
    first = {other[0] for other in others}
    if any(c in first and one[at:] in beginnings for one in ones for at, c in enumerate(one)):
        return True
    inside = finder([AddedToken(other, i) for i, other in enumerate(others)])
    return inside is not None and any(inside(one) for one in ones)


#: What `\w` is to Rust's engine: letters and what is used as such (circled ones, too), marks, digits, connectors.
WORD = (
    "[\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\u200c\u200d\u24b6-\u24e9"
    "\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189]"
)


@cache
def _word() -> re.Pattern[str]:
    """Compiled when it is first asked for: that takes longer than all of `import minitok`."""
    return re.compile(pin_classes(WORD))


class Finder(Protocol):
    """Finds tokens in a text; `before` is the character before it, if it is a part of a longer one."""

    def __call__(self, text: str, before: str = "") -> Sequence[Place]:
        """Where tokens stand."""


def finder(tokens: Sequence[AddedToken]) -> Finder | None:
    """What finds these tokens in a text; None if there are none."""
    if not tokens:
        return None
    ids = {token.content: token.id for token in tokens}
    found = _backend.SpecialFinder(ids)
    names = frozenset(ids)
    flagged = {token.id: token for token in tokens if token.has_flags}
    if not flagged:
        return lambda text, before="": found.places(text, names)
    return lambda text, before="": with_flags(found.places(text, names), text, flagged, before)
