"""Where normalized text comes from: for each character, the part of the original that it stands for.

As in `tokenizers` (tokenizer/normalizer.rs): what is put before a text belongs to its first character, and what a
character becomes belongs to that character.
"""

from __future__ import annotations

from collections.abc import Sequence

from minitok.normalizers import Lowercase, Normalizer, Prepend, Replace
from minitok.unicode_forms import lowercase

__all__ = ["align", "can_align"]

#: Where a part of a text begins and ends.
Span = tuple[int, int]


def can_align(normalizers: Sequence[Normalizer]) -> bool:
    """Whether `align` knows all of these normalizers: it does those that look at one character at a time."""
    return all(
        isinstance(one, (Lowercase, Prepend))
        or (isinstance(one, Replace) and not one.is_regex and len(one.pattern) == len(one.content) == 1)
        for one in normalizers
    )


def align(normalizers: Sequence[Normalizer], text: str) -> tuple[str, list[Span]]:
    """Normalize a text.

    Args:
        normalizers: what is done, which `can_align` approves of.
        text: the text.

    Returns:
        The normalized text, and for each of its characters the (start, end) in characters of what it stands for.

    >>> align([Lowercase(), Prepend("_")], "AB")
    ('_ab', [(0, 1), (0, 1), (1, 2)])
    """
    spans = [(at, at + 1) for at in range(len(text))]
    for normalizer in normalizers:
        if isinstance(normalizer, Lowercase):
            small = [lowercase(character) for character in text]
            spans = [span for part, span in zip(small, spans) for _ in part]
            text = "".join(small)
        else:
            done = normalizer.function()(text)
            spans = spans[:1] * (len(done) - len(text)) + spans
            text = done
    return text, spans
