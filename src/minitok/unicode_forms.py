"""Unicode's normalization forms and small letters, pinned: the same whatever Python's own tables hold.

The reference for both is `tokenizers` 0.23, which normalizes by tables of Unicode 10 and makes letters small by those
of Unicode 17. What later versions of Unicode added to the first is listed here; a character of that list is one that
nothing is done with, and that nothing combines with. Everything else is stable by Unicode's own promise, so that
Python's `unicodedata` of any version does the work.

`tests/test_normalizers.py` holds both against `tokenizers`, for every code point.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from typing import Literal, get_args

from minitok.unicode_classes import class_ranges

__all__ = ["FORMS", "Form", "is_separate", "lowercase", "normalize"]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = get_args(Form)

#: Characters with a decomposition or a combining class that Unicode 10 did not have, and what such decompose to.
_NEWER = """
7fd 897-89f 8ca-8d3 9fe c3c d3b-d3c eba 1715 1abf-1ace 1df6-1dfa 32ff a7f2-a7f4 a82c ab69 105c9 105d2 105da
105e4 10781-10785 10787-107b0 107b2-107ba 10d24-10d27 10d69-10d6d 10eab-10eac 10efd-10eff 10f46-10f50
10f82-10f85 11070 1133b 11382-11385 1138b 1138e 11390-11391 113b8 113bb 113c2 113c5 113c7-113c9 113ce-113d0
1145e 11839-1183a 11930 11935 11938 1193d-1193e 11943 119e0 11a34 11a47 11a99 11d42 11d44-11d45 11d97
11f41-11f42 1611e-16129 1612f 16d63 16d67-16d6a 16ff0-16ff1 1ccd6-1ccf9 1e030-1e06d 1e08f 1e130-1e136 1e2ae
1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1f16c 1fbf0-1fbf9
"""

#: Capitals that Unicode 14 did not have, and their small letters, as ranges of the same length.
_NEWER_CAPITALS = """
1c89:1c8a a7cb:264 a7cc:a7cd a7ce:a7cf a7d2:a7d3 a7d4:a7d5 a7da:a7db a7dc:19b 10d50-10d65:10d70 16ea0-16eb8:16ebb
"""


#: As many characters are remembered not to be opaque.
MOST_REMEMBERED = 1 << 16


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first, 16), int(last or first, 16)


@lru_cache(maxsize=1)
def _opaque_spans() -> tuple[list[int], list[int]]:
    """Where runs of characters begin and end that Unicode 10 does not combine, or the pinned tables do not know."""
    spans = sorted([*map(_span, _NEWER.split()), *class_ranges("Cn")])
    return [first for first, _ in spans], [last for _, last in spans]


def _is_opaque(character: str) -> bool:
    firsts, lasts = _opaque_spans()
    at = bisect_right(firsts, ord(character)) - 1
    return at >= 0 and ord(character) <= lasts[at]


#: Characters that are not opaque, as far as they have been met. (No harm if threads add to it at once.)
_combining: set[str] = set()


def _opaque_in(text: str) -> list[str]:
    new = set(text) - _combining
    opaque = list(filter(_is_opaque, new))
    if len(_combining) < MOST_REMEMBERED:
        _combining.update(new.difference(opaque))
    return opaque


def normalize(form: Form, text: str) -> str:
    r"""A text in one of Unicode's normalization forms.

    >>> normalize("NFKC", "ﬁ")
    'fi'
    """
    if text.isascii():
        return text
    opaque = _opaque_in(text)
    if not opaque:
        return unicodedata.normalize(form, text)
    parts = re.split("([" + re.escape("".join(opaque)) + "]+)", text)
    return "".join(part if number % 2 else unicodedata.normalize(form, part) for number, part in enumerate(parts))


@lru_cache(maxsize=MOST_REMEMBERED)
def is_separate(character: str) -> bool:
    r"""Whether a text may be cut before a character, and each part normalized, in any form.

    So it may before one whose full decomposition begins with neither a mark nor a vowel or final of Hangul: only such
    are reordered, or combine with what is before them (Unicode Standard Annex 15, "Stable Code Points"). And before
    one that normalization here does not know.

    >>> is_separate("e"), is_separate("\u0301"), is_separate("\uac00"), is_separate("\u1161")
    (True, False, True, False)
    """
    if character.isascii() or _is_opaque(character):
        return True
    first = unicodedata.normalize("NFKD", character)[0]
    is_jamo = "\u1160" <= first <= "\u11ff"
    return not is_jamo and not unicodedata.combining(first) and unicodedata.category(first)[0] != "M"


class _Small(dict[int, str]):
    def __missing__(self, code_point: int) -> str:
        self[code_point] = small = chr(code_point).lower()
        return small


@lru_cache(maxsize=1)
def _small() -> _Small:
    table = _Small()
    for item in _NEWER_CAPITALS.split():
        capitals, _, small = item.partition(":")
        first, last = _span(capitals)
        table.update({c: chr(int(small, 16) + c - first) for c in range(first, last + 1)})
    return table


def lowercase(text: str) -> str:
    """A text in small letters, each character for itself: no sigma is final.

    >>> lowercase("ΟΔΟΣ")
    'οδοσ'
    """
    return text.lower() if text.isascii() else text.translate(_small())
