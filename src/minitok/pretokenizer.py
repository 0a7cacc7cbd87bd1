"""Text to pieces, in plain Python: the specification of splitting.

A piece is what the split pattern cuts from a text. `Pretokenizer.split` loses nothing: what a pattern leaves
between its matches is a piece of its own, and joined together the pieces are the text.

Bytes that are not valid UTF-8 come here as lone surrogates (Python's error handler `surrogateescape`): each
such byte is a character of its own, and the pinned tables class surrogates as neither letter, number nor
white space. `text_of` and `bytes_of` go from the one to the other.

Engine. Python's `re` turns a class of explicit ranges into a bitmap and is then as fast as `regex`, without
bringing its own Unicode version; so every pattern whose classes can be pinned and that `re` understands runs
there, and the rest in `regex`. A class with characters above U+FFFF is no longer one bitmap: most texts have
none, so such classes are compiled twice, and each chunk of text takes the narrow one where it can.

Chunks. A long text is cut at boundaries that the pattern makes anyway (`NamedPattern.boundaries`), which bounds the
memory of the intermediate lists of pieces. Only named patterns have such boundaries.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any, AnyStr, Generic

from minitok.patterns import find_named_pattern, is_known_to_compile
from minitok.unicode_classes import pin_classes, stand_in

__all__ = [
    "PieceCutter",
    "Pretokenizer",
    "SafeCutter",
    "WholeText",
    "bytes_of",
    "check_pattern",
    "compile_pattern",
    "get_pretokenizer",
    "last_end",
    "text_of",
]

#: Characters of text split at once. Small enough that a chunk's pieces stay in the processor's cache.
CHUNK = 1 << 15
#: How far before the end of what has been read a piece is certain, for patterns without known boundaries.
MARGIN = 1 << 16
#: How many pieces at the end of what has been read may be others when more follows, for named patterns. Two is the
#: most that was found in all texts of a few classes: what is left of white space behind a newline, or of letters
#: behind a caseless one, and an apostrophe that begins a contraction.
UNCERTAIN = 4

_ABOVE_BMP = re.compile("[\U00010000-\U0010ffff]")


def text_of(text: str | bytes) -> str:
    """Bytes as text, each byte that is not valid UTF-8 as a lone surrogate; a str as it is."""
    return text if isinstance(text, str) else bytes(text).decode("utf-8", "surrogateescape")


def bytes_of(piece: str) -> bytes:
    """The bytes that a piece of `text_of(...)` stands for."""
    return piece.encode("utf-8", "surrogateescape")


def _whole_characters(data: bytes) -> str:
    """Bytes as `text_of` gives them, without those at the end that may be the beginning of a character."""
    return codecs.utf_8_decode(data, "surrogateescape", False)[0]


def _has_nested_class(pattern: str) -> bool:
    """Whether a class stands in a class, where `re` would take its bracket for a character, without a word."""
    depth = 0
    at = 0
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if c == "\\":
            at += 1
        elif c == "[":
            if depth and pattern[at : at + 1] != ":":  # not the name of a class, as [:alpha:]
                return True
            depth += 1
            # A bracket that closes at once is a character.
            at += 1 if pattern[at : at + 1] == "^" else 0
            at += 1 if pattern[at : at + 1] == "]" else 0
        elif c == "]":
            depth = max(0, depth - 1)
    return False


#: A longer expression, its classes written out, takes a second to compile or many: 400 µs for `\p{L}`, which is 2,400
#: characters. (The longest in use, DeepSeek's in one, has 93,000.)
LONGEST_PATTERN = 300_000


def pinned_length(pattern: str) -> int:
    """How long an expression is with its classes written out; of one that is known, or too long anyway, at least."""
    is_told = len(pattern) > LONGEST_PATTERN or is_known_to_compile(pattern)
    return len(pattern if is_told else pin_classes(pattern))


@lru_cache(maxsize=64)
def compile_pattern(pattern: str, *, bmp_only: bool = False) -> Any:
    """A regular expression compiled with pinned classes, by the engine that takes it.

    Args:
        pattern: the expression.
        bmp_only: leave out what is above U+FFFF in the classes.

    Raises:
        ValueError: no engine takes it, or it is too long.
    """
    pinned = pattern if len(pattern) > LONGEST_PATTERN else pin_classes(pattern, bmp_only=bmp_only)
    if len(pinned) > LONGEST_PATTERN:
        raise ValueError(
            f"the split pattern {pattern[:60]!r}... is too long: with its classes written out it has more than "
            f"{LONGEST_PATTERN} characters"
        )
    set_operations = _has_nested_class(pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            if not set_operations:
                return re.compile(pinned)
        except FutureWarning:
            # Set operations (nested classes, `&&`, `--`): `re` does not have them, Rust's engines do.
            set_operations = True
        except (re.error, RecursionError, OverflowError, DeprecationWarning):
            pass
    import regex

    try:
        return regex.compile(pinned, regex.VERSION1 if set_operations else regex.VERSION0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the split pattern {pattern!r} does not compile: {error}") from error


def check_pattern(pattern: str) -> None:
    """Raise a ValueError if an expression does not compile. What is known to is compiled when it is used."""
    if not is_known_to_compile(pattern):
        compile_pattern(pattern)


def last_end(expression: str, compiled: Callable[[str], Any] = compile_pattern) -> Callable[[str], int]:
    """What tells where the last match of an expression in a text ends; 0 if there is none.

    It takes time only for what is behind that: to match all up to the last one the engine goes back from the end.

    >>> last_end("an|b")("bananas")
    5
    """
    regex = compiled(f"(?s:.*)(?:{expression})")

    def last(text: str) -> int:
        found = regex.match(text)
        return int(found.end()) if found else 0

    return last


def _in_bmp(text: str) -> str:
    """A text with other characters for those above U+FFFF, which the named patterns cut alike.

    They tell them apart by general categories alone. To see whether one is in a class, `re` looks at each range of
    the class above U+FFFF, of which there are hundreds; for those up to there it has a bitmap.
    """
    if text.isascii() or not _ABOVE_BMP.search(text):
        return text
    return _ABOVE_BMP.sub(lambda found: stand_in(found[0]), text)


@lru_cache(maxsize=16)
def _any_boundary(boundaries: tuple[tuple[str, str], ...]) -> str:
    """An expression whose matches end at safe boundaries; its classes are pinned."""
    # A boundary may be missed (the search is only for the BMP), never wrong: the class of what follows is a negated
    # one, so it is written with all code points.
    return "|".join(f"{pin_classes(a, bmp_only=True)}(?={pin_classes(b)})" for a, b in boundaries)


class Pretokenizer:
    r"""Cuts texts into pieces by one pattern.

    Args:
        pattern: a regular expression, or None: a text is one piece.

    Raises:
        ValueError: the expression does not compile.

    >>> Pretokenizer(r"\w+").split("two words!")
    ['two', ' ', 'words', '!']
    """

    def __init__(self, pattern: str | None) -> None:
        self.pattern = pattern
        named = find_named_pattern(pattern)
        self._is_named = named is not None
        self._boundaries = () if named is None else named.boundaries
        if pattern is not None:
            check_pattern(pattern)

    @cached_property
    def _regex(self) -> Any:
        """What splits texts; of a named pattern those that `_in_bmp` gives."""
        return None if self.pattern is None else compile_pattern(self.pattern, bmp_only=self._is_named)

    # To compile these takes some 10 ms each, and few need both.

    @cached_property
    def _boundary(self) -> Any:
        """What finds a safe boundary; for named patterns."""
        return re.compile(_any_boundary(self._boundaries))

    @cached_property
    def _last_boundary(self) -> Callable[[str], int]:
        """What tells the last safe boundary in a text, 0 if there is none; for named patterns."""
        return last_end(_any_boundary(self._boundaries), re.compile)

    def chunks(self, text: str, size: int = CHUNK) -> Iterator[str]:
        """Parts of a text, of about `size` characters, whose pieces are together those of the text.

        Only named patterns are cut; with others the text is one part, as it is if it has no safe boundary.
        """
        start = 0
        if self._is_named:
            while start + size < len(text):
                found = self._boundary.search(text, start + size)
                if found is None:
                    break
                yield text[start : found.end()]
                start = found.end()
        if start < len(text):
            yield text[start:] if start else text

    def parts(self, blocks: Iterable[bytes]) -> Iterator[bytes | list[str]]:
        """Cut a document that arrives in blocks of bytes, without holding it.

        Yields:
            For a named pattern (and None), texts whose pieces are together those of the document. For other
            patterns the pieces themselves, in lists: exact for every pattern of which no piece and no look-around
            spans more than `MARGIN` characters.
        """
        if self.pattern is not None and not self._is_named:
            pieces = PieceCutter(self._spans)
            characters = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            for block in blocks:
                yield pieces.feed(characters.decode(block))
            yield pieces.feed(characters.decode(b"", final=True))
            yield pieces.rest()
            return
        cutter: SafeCutter[bytes] | WholeText[bytes] = WholeText(b"")
        if self._is_named:
            cutter = SafeCutter(b"", self._last_boundary_of_bytes, self._certain_end_of_bytes)
        for block in blocks:
            part = cutter.feed(block)
            if part:
                yield part
        yield cutter.rest()

    def text_cutter(self) -> WholeText[str] | SafeCutter[str] | PieceCutter:
        """What cuts a text without surrogates that is fed to it in parts, as `parts` does."""
        if self.pattern is None:
            return WholeText("")
        if not self._is_named:
            return PieceCutter(self._spans)
        return SafeCutter("", self._last_boundary, self._certain_end)

    def _certain_end(self, text: str) -> int:
        """A boundary that is one whatever follows the text, and also if nothing does; 0 if none is found."""
        ends: deque[int] = deque((found.end() for found in self._regex.finditer(_in_bmp(text))), maxlen=4 * UNCERTAIN)
        start, *kept = [*ends][:-UNCERTAIN] or [0]
        while len(kept) > UNCERTAIN:
            # White space at the end of a text is one piece, and may be several where something follows.
            pieces = self.split(text[start : kept[-1]])
            if [start + end for end in accumulate(map(len, pieces))] == kept:
                return kept[-1]
            kept.pop()
        return 0

    def _certain_end_of_bytes(self, data: bytes) -> int:
        text = _whole_characters(data)
        return len(bytes_of(text[: self._certain_end(text)]))

    def _last_boundary_of_bytes(self, data: bytes) -> int:
        window = 64
        while True:
            start = max(0, len(data) - window)
            # It may begin inside of a character, whose bytes then are characters that follow no letter.
            text = _whole_characters(data[start:])
            last = self._last_boundary(text)
            if last:
                return start + len(bytes_of(text[:last]))
            if not start:
                return 0
            window *= 16

    def boundaries(self, data: bytes) -> Iterator[int]:
        """Places at which a text can be cut, whatever stands before and behind it, in order.

        Args:
            data: a stretch of the text, which may begin and end inside of a character. Behind a byte that is not
                UTF-8 there is no such place.
        """
        if not self._is_named:
            return
        text = _whole_characters(data)
        last = place = 0
        for found in self._boundary.finditer(text):
            place += len(bytes_of(text[last : found.end()]))
            last = found.end()
            if not "\ud800" <= text[found.start()] <= "\udfff":
                yield place

    def split(self, text: str) -> list[str]:
        """The pieces of a text, in order; joined together they are the text."""
        if self.pattern is None:
            return [text] if text else []
        if not self._is_named:
            return [text[first:last] for first, last in self._spans(text, 0)]
        # Named patterns match every character and have no groups.
        in_bmp = _in_bmp(text)
        pieces: list[str] = self._regex.findall(in_bmp)
        if in_bmp is text:
            return pieces
        return [text[first:last] for first, last in pairwise(accumulate(map(len, pieces), initial=0))]

    def _spans(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """Where the pieces are from `start` on; what lies between matches is a piece too."""
        end = start
        for found in self._regex.finditer(text, start):
            first, last = found.span()
            if end < first:
                yield end, first
            if first < last:
                yield first, last
            end = last
        if end < len(text):
            yield end, len(text)


class WholeText(Generic[AnyStr]):
    """Where a text is one piece it is not cut."""

    def __init__(self, empty: AnyStr) -> None:
        self._empty: AnyStr = empty
        self._blocks: list[AnyStr] = []

    def feed(self, block: AnyStr) -> AnyStr:
        """Nothing, yet."""
        self._blocks.append(block)
        return self._empty

    def rest(self) -> AnyStr:
        """What was fed."""
        return self._empty.join(self._blocks)


class SafeCutter(Generic[AnyStr]):
    """Cuts a text, or its bytes, where its pieces end whatever follows.

    Args:
        empty: a text of no length.
        last_boundary: tells the last place in a text where it may be cut whatever is around it; 0 for none.
        certain_end: tells where a text that begins with a piece may be cut whatever follows it; 0 for nowhere. It
            costs more, and is asked where no boundary is found for long.
    """

    def __init__(
        self,
        empty: AnyStr,
        last_boundary: Callable[[AnyStr], int],
        certain_end: Callable[[AnyStr], int] | None = None,
    ) -> None:
        self._empty: AnyStr = empty
        self._before: AnyStr = empty
        self._last_boundary: Callable[[AnyStr], int] = last_boundary
        self._certain_end: Callable[[AnyStr], int] | None = certain_end
        self._held: list[AnyStr] = []  # no boundary was found in it
        self._size = 0
        self._wanted = MARGIN

    def feed(self, block: AnyStr) -> AnyStr:
        """The text up to the last certain end of a piece; empty if there is none."""
        # The block may begin at a boundary: whether it does tells the last character before it.
        joined = self._before + block
        end = self._last_boundary(joined) - len(self._before)
        self._before = joined[-4:]
        given = self._empty
        if end > 0 or (end == 0 and self._size):
            self._held.append(block[:end])
            given = self._empty.join(self._held)
            self._held, self._size, self._wanted = [], 0, MARGIN
        else:
            end = 0
        self._held.append(block[end:])
        self._size += len(block) - end
        if self._size >= self._wanted and self._certain_end is not None:
            # Much text without a word's end: where do its pieces end?
            text = self.rest()
            end = self._certain_end(text)
            given += text[:end]
            self._held, self._size = [text[end:]], len(text) - end
            # A piece longer than all that is here: look again when there is twice as much.
            self._wanted = MARGIN if end else 2 * self._size
        return given

    def rest(self) -> AnyStr:
        """What was fed and not given."""
        return self._empty.join(self._held)


class PieceCutter:
    """Cuts a text into pieces by a custom pattern, exact within `MARGIN`.

    Args:
        spans: tells where the pieces of a text are, from a place on.
    """

    def __init__(self, spans: Callable[[str, int], Iterator[tuple[int, int]]]) -> None:
        self._spans = spans
        self._parts: list[str] = []  # what came since pieces were looked for
        self._size = 0
        self._text = ""
        self._start = 0  # what is before it is done, and kept for patterns that look behind
        self._wanted = MARGIN

    def feed(self, block: str) -> list[str]:
        """The pieces that are certain."""
        self._parts.append(block)
        self._size += len(block)
        if self._size < 2 * self._wanted:
            return []
        text, start = self._joined(), self._start
        pieces = []
        for first, last in self._spans(text, start):
            if last > len(text) - MARGIN:
                break
            pieces.append(text[first:last])
            start = last
        # A piece longer than all that is here: look again when there is twice as much.
        self._wanted = MARGIN if pieces else len(text) - start
        self._size = len(text) - start
        self._text = text[max(0, start - MARGIN) :]
        self._start = min(start, MARGIN)
        return pieces

    def _joined(self) -> str:
        if self._parts:
            self._text += "".join(self._parts)
            self._parts = []
        return self._text

    def rest(self) -> list[str]:
        """The pieces of what is held."""
        text = self._joined()
        return [text[first:last] for first, last in self._spans(text, self._start)]


@lru_cache(maxsize=32)
def get_pretokenizer(pattern: str | None) -> Pretokenizer:
    """The pretokenizer of a pattern; compiled once, shared."""
    return Pretokenizer(pattern)
