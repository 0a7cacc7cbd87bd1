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
from minitok.text import check_no_surrogates
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
        ValueError: the expression does not compile; nothing is to be replaced; what is put there has a surrogate.
    """

    pattern: str
    content: str
    is_regex: bool = False

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ValueError("a Replace without a pattern")
        check_no_surrogates(self.content, "the content of a Replace,")
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

    Raises:
        ValueError: it has a surrogate.
    """

    text: str
    once: bool = False

    def __post_init__(self) -> None:
        check_no_surrogates(self.text, "what is prepended,")

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
        ValueError: the map is not what it should be. (What is damaged inside of it is found when it is used.)
    """

    blob: bytes
    protected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _Trie(self.blob)

    def function(self) -> Function:
        """Text to text by the map."""
        return self.replacer()

    def replacer(self) -> CharsmapReplacer:
        """The same, which also takes a text of which more is to come."""
        return _replacer(self.blob, self.protected)


class _Trie:
    """A compiled character map, looked into as it is."""

    def __init__(self, blob: bytes) -> None:
        size = struct.unpack_from("<I", blob)[0] if len(blob) >= 4 else 0
        if size == 0 or size % 4 or size > len(blob) - 4 or blob[-1:] != b"\0":
            raise ValueError(f"a compiled character map of {len(blob)} bytes says its trie has {size}; it is damaged")
        self._units: tuple[int, ...] = struct.unpack_from(f"<{size // 4}I", blob, 4)
        self._replacements = blob[4 + size :]

    def _step(self, node: int, byte: int) -> int:
        """The node behind a byte, or that of the value for a zero; -1 if there is none."""
        unit = self._units[node]
        child = node ^ ((unit >> 10) << ((unit & 0x200) >> 6)) ^ byte
        if child >= len(self._units) or (byte and self._units[child] & 0x800000FF != byte):
            return -1
        return child

    def begins(self, character: str) -> bool:
        """Whether any string of the map may begin with a character."""
        node = 0
        for byte in character.encode("utf-8", "surrogatepass"):
            node = self._step(node, byte)
            if node < 0:
                return False
        return True

    def longest(self, text: str, at: int) -> tuple[int, str, bool]:
        """The longest string of the map that stands in a text at a place.

        Returns:
            Where it ends (`at`: there is none), what it becomes, and whether a longer one may if the text goes on.
        """
        node = 0
        end_found, value_found = at, -1
        for end in range(at, len(text)):
            for byte in text[end].encode("utf-8", "surrogatepass"):
                node = self._step(node, byte) if byte else -1
                if node < 0:
                    break
            if node < 0:
                break
            if self._units[node] >> 8 & 1 and (value := self._step(node, 0)) >= 0:
                end_found, value_found = end + 1, self._units[value] & 0x7FFFFFFF
        return end_found, "" if end_found == at else self._replacement(value_found), node >= 0

    def _replacement(self, at: int) -> str:
        end = self._replacements.find(b"\0", at)
        try:
            if end >= 0:
                return self._replacements[at:end].decode("utf-8")
        except UnicodeDecodeError:
            pass
        raise ValueError(f"a compiled character map has no string at {at}; it is damaged")


class CharsmapReplacer:
    """Text to text by a map. What characters do is remembered: most do nothing.

    (Threads may add to what is remembered at once: they add the same.)
    """

    def __init__(self, trie: _Trie, protected: Sequence[str]) -> None:
        self._trie = trie
        self._protected: dict[str, list[str]] = {}
        for text in sorted(protected, key=len, reverse=True):
            self._protected.setdefault(text[:1], []).append(text)
        self._inert: set[str] = set()

    def __call__(self, text: str) -> str:
        return self.replace_up_to(text, is_last=True)[0]

    def replace_up_to(self, text: str, *, is_last: bool) -> tuple[str, int]:
        """What a text becomes, up to a place which is told: its end, if `is_last`.

        Else the place is where a string begins that is longer if more text follows, or may be.
        """
        new = set(text) - self._inert
        active = {c for c in new if c in self._protected or self._trie.begins(c)}
        self._inert |= new - active
        if not active:
            return text, len(text)
        candidates = re.compile("[" + "".join(map(re.escape, sorted(active))) + "]")
        out: list[str] = []
        done = 0
        limit = len(text)
        found = candidates.search(text)
        while found:
            at = found.start()
            behind = at + 1
            protected = self._protected.get(text[at], ())
            kept = next((k for k in protected if text.startswith(k, at)), None)
            if not is_last and any(len(k) > len(text) - at and k.startswith(text[at:]) for k in protected):
                limit = at
                break
            if kept is not None:
                behind = at + len(kept)
            else:
                end, replacement, may_be_longer = self._trie.longest(text, at)
                if may_be_longer and not is_last:
                    limit = at
                    break
                if end > at:
                    out += (text[done:at], replacement)
                    done = behind = end
            found = candidates.search(text, behind)
        return ("".join([*out, text[done:limit]]) if out else text[:limit]), limit


@lru_cache(maxsize=4)
def _replacer(blob: bytes, protected: tuple[str, ...]) -> CharsmapReplacer:
    return CharsmapReplacer(_Trie(blob), protected)


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
