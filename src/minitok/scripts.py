"""Scripts: which of the world's writing systems a character belongs to, roughly.

A letter belongs to the script of its block; the blocks are those of the Unicode Standard (Blocks.txt of the pinned
version), the few that hold most text. What is a letter or a mark is told by the pinned tables. Letters of other
blocks are "Other"; whatever is no letter (digits, punctuation, symbols, white space, marks that any letter may bear)
is of no script.
"""

from __future__ import annotations

from functools import lru_cache

from minitok.unicode_classes import class_ranges

__all__ = ["NO_SCRIPT", "OTHER", "SCRIPTS", "script_table"]

#: First and last code point of blocks.
_BLOCKS = {
    "Latin": (
        *((0x41, 0x2AF), (0x1D00, 0x1DBF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF)),
        *((0xAB30, 0xAB6F), (0xFB00, 0xFB06), (0xFF21, 0xFF5A)),
    ),
    "Greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Cyrillic": ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
    "Armenian": ((0x530, 0x58F), (0xFB13, 0xFB17)),
    "Hebrew": ((0x590, 0x5FF), (0xFB1D, 0xFB4F)),
    "Arabic": ((0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "Devanagari": ((0x900, 0x97F), (0xA8E0, 0xA8FF)),
    "Bengali": ((0x980, 0x9FF),),
    "Gurmukhi": ((0xA00, 0xA7F),),
    "Gujarati": ((0xA80, 0xAFF),),
    "Oriya": ((0xB00, 0xB7F),),
    "Tamil": ((0xB80, 0xBFF),),
    "Telugu": ((0xC00, 0xC7F),),
    "Kannada": ((0xC80, 0xCFF),),
    "Malayalam": ((0xD00, 0xD7F),),
    "Sinhala": ((0xD80, 0xDFF),),
    "Thai": ((0xE00, 0xE7F),),
    "Lao": ((0xE80, 0xEFF),),
    "Tibetan": ((0xF00, 0xFFF),),
    "Myanmar": ((0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)),
    "Georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)),
    "Ethiopic": ((0x1200, 0x139F), (0x2D80, 0x2DDF), (0xAB00, 0xAB2F)),
    "Khmer": ((0x1780, 0x17FF),),
    "Hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC)),
    "Kana": ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "Han": ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
}
OTHER = "Other"
NO_SCRIPT = "no letters"
#: All scripts; a script's number is its place here.
SCRIPTS = (NO_SCRIPT, OTHER, *_BLOCKS)


@lru_cache(maxsize=1)
def script_table() -> bytes:
    """For each code point the number of its script.

    >>> [SCRIPTS[script_table()[ord(c)]] for c in "aж字, "]
    ['Latin', 'Cyrillic', 'Han', 'no letters', 'no letters']
    """
    blocks = bytearray(0x110000)
    for number, name in enumerate(SCRIPTS):
        for first, last in _BLOCKS.get(name, ()):
            blocks[first : last + 1] = bytes([number]) * (last + 1 - first)
    table = bytearray(0x110000)
    for first, last in class_ranges("L"):
        table[first : last + 1] = blocks[first : last + 1].replace(b"\0", bytes([SCRIPTS.index(OTHER)]))
    for first, last in class_ranges("M"):
        table[first : last + 1] = blocks[first : last + 1]
    return bytes(table)
