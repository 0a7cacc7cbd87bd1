"""What is done to a text before it is cut into pieces, as data: a vocabulary has a chain of these.

Each is a frozen dataclass whose `function()` is the work itself, str to str. They do what the normalizers of the same
names in `tokenizers` do, and what SentencePiece's one does (`Charsmap`, `Spaces`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from minitok.pretokenizer import compile_pattern
from minitok.unicode_classes import pin_classes
from minitok.unicode_forms import FORMS, Form, lowercase, normalize

__all__ = [
    "Charsmap",
    "Lowercase",
    "Normalizer",
    "Prepend",
    "Replace",
    "Spaces",
    "Strip",
    "UnicodeForm",
    "compose",
]

Function = Callable[[str], str]


@dataclass(frozen=True)
class UnicodeForm:
    """One of Unicode's normalization forms.

    Raises:
        ValueError: another form than NFC, NFD, NFKC and NFKD.
    """

    form: Form

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"the normalization form is {self.form!r}; expected one of {', '.join(FORMS)}")

    def function(self) -> Function:
        """Text to text in that form."""
        return lambda text: normalize(self.form, text)


@dataclass(frozen=True)
class Lowercase:
    """Small letters."""

    def function(self) -> Function:
        """Text to text in small letters."""
        return lowercase


@dataclass(frozen=True)
class Strip:
    """White space at the ends goes."""

    left: bool = True
    right: bool = True

    def function(self) -> Function:
        """Text to text without white space at its ends."""
        white = pin_classes(r"\s")
        sides = [rf"\A{white}+"] * self.left + [rf"(?<!{white}){white}+\Z"] * self.right
        regex = re.compile("|".join(sides) or r"(?!)")
        return lambda text: regex.sub("", text)


@dataclass(frozen=True)
class Replace:
    """Each occurrence becomes something else.

    Attributes:
        pattern: what is replaced: a string, or a regular expression.
        content: what stands there instead, literally.
        is_regex: whether the pattern is a regular expression.

    Raises:
        ValueError: the expression does not compile; nothing is to be replaced.
    """

    pattern: str
    content: str
    is_regex: bool = False

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ValueError("a Replace without a pattern")
        if self.is_regex:
            compile_pattern(self.pattern)

    def function(self) -> Function:
        """Text to text with the replacements."""
        if not self.is_regex:
            return lambda text: text.replace(self.pattern, self.content)
        regex = compile_pattern(self.pattern)
        return lambda text: str(regex.sub(lambda _: self.content, text))


@dataclass(frozen=True)
class Prepend:
    """Something before a text, unless that is empty.

    Attributes:
        text: what.
        once: not if the text begins with it already.
    """

    text: str
    once: bool = False

    def function(self) -> Function:
        """Text to text with the prefix."""
        return lambda text: text if not text or (self.once and text.startswith(self.text)) else self.text + text


@dataclass(frozen=True)
class Spaces:
    """Spaces as SentencePiece leaves them if it is told to remove extra ones: one at a time, none at the ends."""

    def function(self) -> Function:
        """Text to text without extra spaces."""
        runs = re.compile("  +")
        return lambda text: runs.sub(" ", text).strip(" ")


@dataclass(frozen=True)
class Charsmap:
    """SentencePiece's compiled map from strings to strings (`precompiled_charsmap`).

    At each place of the text the longest string that the map has is replaced; what is `protected` is left alone, the
    longest first.

    The map is a double array of the library darts-clone, behind its size in bytes (32 bits, little-endian), and then
    the replacements, each ended by a zero (`src/normalizer.cc` of SentencePiece, `DecodePrecompiledCharsMap`).

    Raises:
        ValueError: the map is not what it should be.
    """

    blob: bytes
    protected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        charsmap_entries(self.blob)

    def function(self) -> Function:
        """Text to text by the map."""
        entries = charsmap_entries(self.blob)
        rules = entries | dict.fromkeys((text for text in self.protected if text), None)
        return _longest_match_replacer(rules)


def _longest_match_replacer(rules: dict[str, str | None]) -> Function:
    by_first: dict[str, list[int]] = {}
    for key in rules:
        lengths = by_first.setdefault(key[0], [])
        if len(key) not in lengths:
            lengths.append(len(key))
    for lengths in by_first.values():
        lengths.sort(reverse=True)
    if not by_first:
        return lambda text: text
    candidates = re.compile("[" + "".join(map(re.escape, sorted(by_first))) + "]")

    def replace(text: str) -> str:
        out: list[str] = []
        done = 0
        found = candidates.search(text)
        while found:
            at = found.start()
            behind = at + 1
            for length in by_first[text[at]]:
                key = text[at : at + length]
                if key in rules:
                    value = rules[key]
                    behind = at + length
                    if value is not None:
                        out += (text[done:at], value)
                        done = behind
                    break
            found = candidates.search(text, behind)
        return "".join([*out, text[done:]]) if out else text

    return replace


@lru_cache(maxsize=8)
def charsmap_entries(blob: bytes) -> dict[str, str | None]:
    """All strings of a compiled map, with what they become.

    Raises:
        ValueError: the map is damaged.
    """
    size = struct.unpack_from("<I", blob)[0] if len(blob) >= 4 else 0
    if size == 0 or size % 4 or size > len(blob) - 4:
        raise ValueError(
            f"a compiled character map of {len(blob)} bytes says that its trie has {size}; it is damaged"
        )
    units = struct.unpack_from(f"<{size // 4}I", blob, 4)
    replacements = blob[4 + size :]
    entries: dict[str, str | None] = {}
    seen = 0
    waiting: list[tuple[int, bytes]] = [(0, b"")]
    while waiting:
        node, key = waiting.pop()
        unit = units[node]
        base = node ^ ((unit >> 10) << ((unit & 0x200) >> 6))
        for label in range(256):
            child = base ^ label
            if child >= len(units) or units[child] & 0x800000FF != label:
                continue
            if label == 0:
                if unit >> 8 & 1:
                    entries[_decoded(key)] = _decoded(_replacement(replacements, units[child] & 0x7FFFFFFF))
                continue
            seen += 1
            if seen > len(units):
                raise ValueError("the trie of a compiled character map has a cycle; it is damaged")
            waiting.append((child, key + bytes([label])))
    return entries


def _replacement(replacements: bytes, at: int) -> bytes:
    end = replacements.find(b"\0", at)
    if at >= len(replacements) or end < 0:
        raise ValueError(f"a compiled character map points to byte {at} of {len(replacements)}; it is damaged")
    return replacements[at:end]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"a compiled character map holds {data!r}, which is not UTF-8; it is damaged") from None


Normalizer = UnicodeForm | Lowercase | Strip | Replace | Prepend | Spaces | Charsmap


def compose(normalizers: Sequence[Normalizer]) -> Function | None:
    """All of a chain, one behind the other; None for an empty chain.

    >>> compose([Lowercase(), Replace(" ", "_")])("A B")
    'a_b'
    """
    functions = [normalizer.function() for normalizer in normalizers]
    if not functions:
        return None

    def apply(text: str) -> str:
        for function in functions:
            text = function(text)
        return text

    return apply
