"""Where tokens lie in a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

__all__ = ["byte_offsets", "character_offsets", "start_offsets"]


def byte_offsets(lengths: Iterable[int]) -> list[tuple[int, int]]:
    """The (start, end) of consecutive tokens of the given lengths.

    >>> byte_offsets([2, 3])
    [(0, 2), (2, 5)]
    """
    ends = list(accumulate(lengths))
    return list(zip([0, *ends], ends))


def character_offsets(text: str, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """The (start, end), in characters of `text`, of consecutive tokens that have these lengths in UTF-8.

    A character that several tokens share belongs to each. Surrogates count as the encoder reads them: a pair is
    one character of four bytes, a lone one is U+FFFD, of three.

    >>> character_offsets("a字", [2, 2])
    [(0, 2), (1, 2)]
    """
    spans = byte_offsets(lengths)
    if text.isascii():
        return spans
    # For each byte, the character that it belongs to; and where each character ends.
    owner: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        pair = "\ud800" <= text[at] <= "\udbff" and "\udc00" <= text[at + 1 : at + 2] <= "\udfff"
        size = 4 if pair else _utf8_length(text[at])
        owner.extend([len(ends)] * size)
        at += 1 + pair
        ends.append(at)
    starts = [0, *ends]
    return [(starts[owner[first]], ends[owner[last - 1]]) for first, last in spans]


def _utf8_length(char: str) -> int:
    return 1 if char < "\x80" else 2 if char < "\u0800" else 3 if char < "\U00010000" else 4


def start_offsets(token_bytes: Sequence[bytes]) -> list[int]:
    """The index of the character in which each of the consecutive tokens begins.

    >>> start_offsets([b"a", "字".encode()[:2], "字".encode()[2:], b"b"])
    [0, 1, 1, 2]
    """
    offsets = []
    characters = 0
    for token in token_bytes:
        begins_inside = token[:1] and 0x80 <= token[0] < 0xC0
        offsets.append(max(0, characters - bool(begins_inside)))
        characters += sum(1 for byte in token if not 0x80 <= byte < 0xC0)
    return offsets
