"""GPT-2's spelling of bytes as printable characters, which most vocabulary files use (`bytes_to_unicode`).

Printable characters of Latin-1 stand for themselves; the other bytes are the characters from U+0100 on, in order.
"""

from __future__ import annotations

__all__ = ["BYTE_OF", "CHARACTER_OF", "spell", "unspell"]

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]

#: The character of each byte.
CHARACTER_OF: dict[int, str] = {b: chr(b) for b in _PRINTABLE} | {
    b: chr(0x100 + i) for i, b in enumerate(b for b in range(256) if b not in _PRINTABLE)
}
#: The byte of each character.
BYTE_OF: dict[str, int] = {character: b for b, character in CHARACTER_OF.items()}

_TO_LATIN = {ord(character): b for character, b in BYTE_OF.items()} | {
    c: None for c in range(256) if chr(c) not in BYTE_OF
}
_FROM_LATIN = dict(CHARACTER_OF)


def spell(token: bytes) -> str:
    """The spelling of a token.

    >>> spell(b" the")
    'Ġthe'
    """
    return token.decode("latin-1").translate(_FROM_LATIN)


def unspell(spelt: str) -> bytes | None:
    """The bytes that a spelling stands for; None if a character of it stands for none.

    >>> unspell("Ġthe")
    b' the'
    """
    try:
        out = spelt.translate(_TO_LATIN).encode("latin-1")
    except UnicodeEncodeError:
        return None
    return out if len(out) == len(spelt) else None
