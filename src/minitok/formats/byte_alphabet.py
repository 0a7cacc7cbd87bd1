"""GPT-2's spelling of bytes as printable characters, which most vocabulary files use (`bytes_to_unicode`).

Printable characters of Latin-1 stand for themselves; the other bytes are the characters from U+0100 on, in order.
"""

from __future__ import annotations

import codecs

__all__ = ["BYTE_OF", "CHARACTER_OF", "spell", "unspell", "unspell_all"]

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]

#: The character of each byte.
CHARACTER_OF: dict[int, str] = {b: chr(b) for b in _PRINTABLE} | {
    b: chr(0x100 + i) for i, b in enumerate(b for b in range(256) if b not in _PRINTABLE)
}
#: The byte of each character.
BYTE_OF: dict[str, int] = {character: b for b, character in CHARACTER_OF.items()}

_TABLE = "".join(CHARACTER_OF[b] for b in range(256))
_TO_BYTES = codecs.charmap_build(_TABLE)
# The codec is a multiple as fast if the first character is the zero: so that one stands between tokens, and the
# character for the byte zero is read on its own.
_ZERO = CHARACTER_OF[0]
_TO_BYTES_FAST = codecs.charmap_build("\0" + _TABLE[1:])


def spell(token: bytes) -> str:
    """The spelling of a token.

    >>> spell(b" the")
    'Ġthe'
    """
    return codecs.charmap_decode(token, "strict", _TABLE)[0]


def unspell(spelt: str) -> bytes | None:
    """The bytes that a spelling stands for; None if a character of it stands for none.

    >>> unspell("Ġthe")
    b' the'
    """
    try:
        return codecs.charmap_encode(spelt, "strict", _TO_BYTES)[0]
    except UnicodeEncodeError:
        return None


def unspell_all(spelt: list[str]) -> list[bytes] | None:
    """The same for many at once; None if it is for any of them."""
    joined = "\0".join(spelt)
    odd = [place for place, token in enumerate(spelt) if _ZERO in token] if _ZERO in joined else []
    if odd:
        joined = "\0".join("" if _ZERO in token else token for token in spelt)
    try:
        tokens = codecs.charmap_encode(joined, "strict", _TO_BYTES_FAST)[0].split(b"\0")
        for place in odd:
            tokens[place] = codecs.charmap_encode(spelt[place], "strict", _TO_BYTES)[0]
    except UnicodeEncodeError:
        return None
    return tokens if len(tokens) == len(spelt) else None
