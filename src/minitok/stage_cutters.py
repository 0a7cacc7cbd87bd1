"""Where a text that arrives in parts may be cut if it is split in stages.

A place is certain if the first stage cuts there whatever is around it; or if nothing that the first stage matches is
beside it, each match is one character or a run of such, and the stages behind it cut there whatever is around.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from minitok.normalizer_streams import class_of
from minitok.patterns import find_named_pattern
from minitok.pretokenizer import last_end
from minitok.splits import Split, Stage

__all__ = ["last_boundary"]

#: Begins with one of these: none of its alternatives has white space in it, or looks around.
_WITHOUT_WHITE_SPACE = re.compile(
    r"\(\?i:'s\|'t\|'re\|'ve\|'m\|'ll\|'d\)\|\[\\p\{L\}\]\+\|\[\\p\{N\}\]\|\[\^\\s\\p\{L\}\\p\{N\}\]\+"
)


@lru_cache(maxsize=16)
def last_boundary(stages: Sequence[Stage]) -> Callable[[str], int] | None:
    """What tells the last place where a text may be cut, 0 for none; None if no place is known.

    >>> last_boundary((Split(" ", "merged_with_next"),))("one two three")
    7
    """
    known = _boundaries(stages)
    return last_end("|".join(known)) if known else None


def _boundaries(stages: Sequence[Stage]) -> list[str]:
    """Expressions that match one character, behind which the text may be cut."""
    first, rest = (stages[0], stages[1:]) if stages else (None, ())
    if not isinstance(first, Split):
        return []
    if first.behavior == "isolated" and not first.invert and (named := find_named_pattern(first.pattern)):
        return [f"{before}(?={behind})" for before, behind in named.boundaries]
    if _WITHOUT_WHITE_SPACE.fullmatch(first.pattern) and first.behavior in ("isolated", "removed"):
        return [r"\S(?=\s)"]
    characters = class_of(first.pattern)
    if characters is None or first.pattern not in (characters, characters + "+"):
        return []
    return [*_own(first, characters), *(f"(?!{characters}){one}(?!{characters})" for one in _boundaries(rest))]


def _own(stage: Split, characters: str) -> list[str]:
    """Where the stage itself cuts: between a character of its class and one that is not."""
    into, out_of = rf"(?!{characters})(?s:.)(?={characters})", rf"{characters}(?!{characters}|\Z)"
    match stage.behavior:
        case "merged_with_next":
            return [out_of if stage.invert else into]
        case "merged_with_previous":
            return [into if stage.invert else out_of]
        case _:
            return [into, out_of]
