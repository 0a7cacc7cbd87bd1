r"""Character classes by general category, from the pinned Unicode tables.

`pin_classes` rewrites `\p{L}`, `\s` and the like in a regular expression to explicit ranges, so that the
engine that runs the expression cannot bring its own Unicode version along.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise

from minitok._unicode_data import CATEGORY_RUNS, UNICODE_VERSION, WHITE_SPACE

__all__ = ["UNICODE_VERSION", "WHITE_SPACE_CHARACTERS", "class_ranges", "pin_classes", "stand_in"]

Ranges = tuple[tuple[int, int], ...]

#: Those with the property White_Space, which is `char::is_whitespace` of Rust, and `\s`.
WHITE_SPACE_CHARACTERS = frozenset(map(chr, WHITE_SPACE))

_LAST_CODE_POINT = 0x10FFFF
_LAST_BMP = 0xFFFF


@lru_cache(maxsize=1)
def _category_runs() -> tuple[list[int], list[str]]:
    """Where runs of code points of one general category begin, the end of all too, and their categories."""
    starts, categories = [0], []
    for run in CATEGORY_RUNS.split():
        starts.append(starts[-1] + int(run[2:], 16))
        categories.append(run[:2])
    return starts, categories


@lru_cache(maxsize=1)
def _category_ranges() -> dict[str, list[tuple[int, int]]]:
    ranges: dict[str, list[tuple[int, int]]] = {}
    starts, categories = _category_runs()
    for category, (start, end) in zip(categories, pairwise(starts), strict=True):
        ranges.setdefault(category, []).append((start, end - 1))
    return ranges


@lru_cache(maxsize=1)
def _stand_ins() -> dict[str, str]:
    """For each general category its first character that is neither of Latin-1 nor above U+FFFF."""
    firsts = {
        category: next((max(first, 0x100) for first, last in ranges if last > 0xFF), _LAST_CODE_POINT)
        for category, ranges in _category_ranges().items()
    }
    return {category: chr(first) for category, first in firsts.items() if first <= _LAST_BMP}


@lru_cache(maxsize=1 << 12)
def stand_in(character: str) -> str:
    """A character up to U+FFFF of the same general category.

    >>> stand_in("\U0001f999") == stand_in("\u2713")
    True
    """
    starts, categories = _category_runs()
    return _stand_ins()[categories[bisect_right(starts, ord(character)) - 1]]


def _joined(ranges: list[tuple[int, int]]) -> Ranges:
    """Sorted ranges with neighbours united."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if out and out[-1][1] + 1 >= first:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


def _complement(ranges: Ranges) -> Ranges:
    out = []
    start = 0
    for first, last in ranges:
        if start < first:
            out.append((start, first - 1))
        start = last + 1
    if start <= _LAST_CODE_POINT:
        out.append((start, _LAST_CODE_POINT))
    return tuple(out)


@lru_cache(maxsize=64)
def class_ranges(name: str) -> Ranges:
    """The code points of a class, as sorted, disjoint, inclusive ranges.

    Args:
        name: a general category (`"Lu"`), its first letter (`"L"`), or `"White_Space"`.

    Raises:
        KeyError: no such class in the pinned tables.

    >>> class_ranges("Nd")[0]
    (48, 57)
    """
    if name == "White_Space":
        return _joined([(c, c) for c in WHITE_SPACE])
    categories = _category_ranges()
    wanted = [c for c in categories if c == name or (len(name) == 1 and c[0] == name)]
    if not wanted:
        raise KeyError(f"no Unicode class {name!r}: expected a general category such as 'L' or 'Lu'")
    return _joined([r for c in wanted for r in categories[c]])


def _class_body(ranges: Ranges, last_code_point: int) -> str:
    r"""The inside of a bracketed class: `\U00000030-\U00000039...`, and letters as they are."""
    kept = [(a, min(b, last_code_point)) for a, b in ranges if a <= last_code_point]
    return "".join(_spelled(a) if a == b else f"{_spelled(a)}-{_spelled(b)}" for a, b in kept)


def _spelled(code_point: int) -> str:
    """A code point in a class. `re` reads a character many times faster than an escape, of which there are thousands.

    What could mean something to an engine is escaped: ASCII, white space, surrogates.
    """
    character = chr(code_point)
    is_plain = character.isalnum() and code_point > 0xFF
    return character if is_plain else f"\\U{code_point:08x}"


#: The escapes that `regex` and `re` would look up in Unicode tables of their own.
_SHORT_ESCAPES = {"s": "White_Space", "d": "Nd"}


def _read_escape(pattern: str, at: int) -> tuple[str, bool, int] | None:
    """The class named by the escape at `pattern[at:]`: (name, negated, end); None: not a pinned class."""
    letter = pattern[at + 1 : at + 2]
    if letter.lower() in _SHORT_ESCAPES and letter:
        return _SHORT_ESCAPES[letter.lower()], letter.isupper(), at + 2
    if letter not in ("p", "P"):
        return None
    negated = letter == "P"
    if pattern[at + 2 : at + 3] == "{":
        close = pattern.find("}", at)
        if close < 0:
            return None
        name, end = pattern[at + 3 : close], close + 1
        if name.startswith("^"):
            name, negated = name[1:], not negated
    else:
        name, end = pattern[at + 2 : at + 3], at + 3
    try:
        class_ranges(name)
    except KeyError:
        return None
    return name, negated, end


def pin_classes(pattern: str, *, bmp_only: bool = False) -> str:
    r"""The same regular expression with its Unicode classes written out as ranges.

    Rewritten are general categories (`\p{Lu}`, `\P{L}`, `\pN`), `\s`, `\S`, `\d` and `\D`, inside and outside
    of bracketed classes. Scripts and other properties stay as they are.

    Args:
        pattern: a regular expression.
        bmp_only: leave out all code points above U+FFFF. Python's `re` turns a class without them into one
            bitmap, which makes it several times faster; right only for texts that have no such character.

    >>> pin_classes(r"\d+[\s_]") == r"[%s]+[%s_]" % (pin_classes(r"[\d]")[1:-1], pin_classes(r"[\s]")[1:-1])
    True
    """
    last_code_point = _LAST_BMP if bmp_only else _LAST_CODE_POINT
    out: list[str] = []
    depth = 0  # of bracketed classes
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            found = _read_escape(pattern, at)
            if found is None:
                out.append(pattern[at : at + 2])
                at += 2
                continue
            name, negated, at = found
            ranges = class_ranges(name)
            if depth:
                out.append(_class_body(_complement(ranges) if negated else ranges, last_code_point))
            else:
                out.append(f"[{'^' * negated}{_class_body(ranges, last_code_point)}]")
            continue
        if char == "[":
            depth += 1
            # A closing bracket in first place is a member of the class, not its end.
            lead = 1 + (pattern[at + 1 : at + 2] == "^")
            if pattern[at + lead : at + lead + 1] == "]":
                lead += 1
            out.append(pattern[at : at + lead])
            at += lead
            continue
        if char == "]" and depth:
            depth -= 1
        out.append(char)
        at += 1
    return "".join(out)
