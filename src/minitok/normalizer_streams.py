r"""Normalizers for a text that arrives in parts: what is given out is final, whatever follows.

The normalized parts, joined, are the normalized whole. For each normalizer something else has to be held back:

    UnicodeForm   from the last character on that neither is reordered nor combines with what is before it
    Replace       what may begin the string; of an expression, the run of those characters that its matches consist of
    Strip, Spaces white space at the end
    Prepend       nothing; with `once` the beginning of a text as long as it may be the prefix
    Charsmap      from where a string of the map, or one that is protected, may begin that is not complete
    Lowercase     nothing: each character is lowered for itself

An expression is known to match characters of one class alone if it is written as such: `\s+`, ` {2,}`, ` +\Z`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from minitok.normalizers import (
    Charsmap,
    Lowercase,
    Normalizer,
    Prepend,
    Replace,
    Spaces,
    Strip,
    UnicodeForm,
)
from minitok.pretokenizer import last_end
from minitok.unicode_forms import is_separate

__all__ = ["NormalizerStream", "PrependStream", "class_of", "normalizer_streams"]


class NormalizerStream(Protocol):
    """A text to another, part by part."""

    def feed(self, text: str) -> str:
        """What is certain with more text."""

    def finish(self) -> str:
        """What is held back, as the end of the text makes it."""


def normalizer_streams(normalizers: Sequence[Normalizer]) -> list[NormalizerStream]:
    """What normalizes a text, one behind the other.

    Raises:
        ValueError: a normalizer is a regular expression of which it is not known what its matches consist of.

    >>> [first, second] = normalizer_streams([Replace("ab", "x"), Prepend("_")])
    >>> second.feed(first.feed("1a")), second.feed(first.feed("b"))
    ('_1', 'x')
    """
    return [stream for normalizer in normalizers for stream in _streams_of(normalizer)]


def _streams_of(normalizer: Normalizer) -> list[NormalizerStream]:
    streams: list[NormalizerStream] = []
    match normalizer:
        case Lowercase():
            streams.append(_Each(normalizer.function()))
        case Prepend(text, once):
            streams.append(PrependStream(text, once=once))
        case Charsmap():
            streams.append(_CharsmapStream(normalizer))
        case UnicodeForm():
            streams.append(_UpTo(normalizer.function(), _last_separate))
        case Strip(left, right):
            if left:
                streams.append(_StripLeft(Strip(right=False).function()))
            if right:
                streams.append(_UpTo(str, _last_outside(r"\s"), rest=_nothing))
        case Spaces():
            outside = _last_outside(" ")
            streams.append(_StripLeft(lambda text: text.lstrip(" ")))
            streams.append(_UpTo(Replace("  +", " ", is_regex=True).function(), outside))
            streams.append(_UpTo(str, outside, rest=_nothing))
        case Replace(is_regex=True):
            streams.append(_replaced_runs(normalizer))
        case Replace(pattern, content):
            streams.append(_ReplaceString(pattern, content))
    return streams


def _replaced_runs(normalizer: Replace) -> NormalizerStream:
    found = _CLASS.fullmatch(normalizer.pattern)
    if found is None:
        raise ValueError(
            f"it replaces {normalizer.pattern!r}, and what such an expression matches in a part of a text may depend "
            "on what follows"
        )
    outside = _last_outside(found["characters"])
    if found["end"]:
        return _UpTo(str, outside, rest=normalizer.function())
    return _UpTo(normalizer.function(), outside)


#: A class or a character, once or more often, perhaps at the end of the text alone.
_CLASS = re.compile(
    r"(?P<characters>\[\^?(?:[^\[\]\\&|~^-]|(?<=[^\[^-])-(?=[^\]-])|\\[sdrnt]|\\[pP]\{\w+\})+\]"
    r"|\\[sdrnt.]|\\[pP]\{\w+\}|[^\\.^$*+?{}\[\]|()])"
    r"(?P<count>\+|\{[1-9]\d*,?\d*\}|)(?P<end>\\Z|)"
)


def class_of(pattern: str) -> str | None:
    r"""The class of which all characters of any match are, for an expression that looks at nothing else; else None.

    >>> class_of(r"\s+"), class_of(" {2,}"), class_of("a|b"), class_of("x*")
    ('\\s', ' ', None, None)
    """
    found = _CLASS.fullmatch(pattern)
    return found["characters"] if found and not found["end"] else None


def _last_outside(characters: str) -> Callable[[str], int]:
    """What tells the end of the last character that is not of a class; -1 if all are."""
    last = last_end(f"(?!{characters})(?s:.)")
    return lambda text: last(text) or -1


def _last_separate(text: str) -> int:
    """The place of the last character that has nothing to do with what is before it; -1 if there is none."""
    return next((at for at in range(len(text) - 1, -1, -1) if is_separate(text[at])), -1)


def _nothing(_: str) -> str:
    return ""


class _Each:
    """Each character for itself."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def feed(self, text: str) -> str:
        return self._function(text)

    def finish(self) -> str:
        return ""


class _UpTo:
    """Text up to the last place at which it may be cut.

    Args:
        function: what is done to each part.
        last_cut: tells the last such place in a text; -1 for none.
        rest: what is done to the last part, if it is something else.
    """

    def __init__(
        self,
        function: Callable[[str], str],
        last_cut: Callable[[str], int],
        *,
        rest: Callable[[str], str] | None = None,
    ) -> None:
        self._function = function
        self._last_cut = last_cut
        self._rest = rest or function
        self._held: list[str] = []

    def feed(self, text: str) -> str:
        cut = self._last_cut(text)
        if cut < 0:
            if text:
                self._held.append(text)
            return ""
        certain = "".join([*self._held, text[:cut]])
        self._held = [text[cut:]]
        return self._function(certain)

    def finish(self) -> str:
        return self._rest("".join(self._held))


class _StripLeft:
    """A text without what its beginning loses."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function
        self._is_past = False

    def feed(self, text: str) -> str:
        if not self._is_past:
            text = self._function(text)
            self._is_past = bool(text)
        return text

    def finish(self) -> str:
        return ""


class PrependStream:
    """Something before a text, unless that is empty; `once`: not if the text begins with it already."""

    def __init__(self, prefix: str, *, once: bool) -> None:
        self._prefix = prefix
        self._once = once
        self._held: str | None = ""  # None: the beginning is past

    def feed(self, text: str) -> str:
        """The text, behind the prefix if it begins here."""
        if self._held is None or not text:
            return text
        self._held += text
        if self._once and len(self._held) < len(self._prefix) and self._prefix.startswith(self._held):
            return ""
        return self.finish()

    def finish(self) -> str:
        """What was held back as it might have been the prefix."""
        held, self._held = self._held, None
        if not held:
            return ""
        return held if self._once and held.startswith(self._prefix) else self._prefix + held


class _ReplaceString:
    """A string becomes another one."""

    def __init__(self, pattern: str, content: str) -> None:
        self._pattern = pattern
        self._content = content
        self._held = ""

    def feed(self, text: str) -> str:
        *done, rest = (self._held + text).split(self._pattern)
        begun = min(len(self._pattern) - 1, len(rest))
        while not rest.endswith(self._pattern[:begun]):
            begun -= 1
        self._held = rest[len(rest) - begun :]
        return self._content.join([*done, rest[: len(rest) - begun]])

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held


class _CharsmapStream:
    """Text by SentencePiece's map."""

    def __init__(self, charsmap: Charsmap) -> None:
        self._replace = charsmap.replacer().replace_up_to
        self._held = ""

    def feed(self, text: str) -> str:
        text = self._held + text
        done, end = self._replace(text, is_last=False)
        self._held = text[end:]
        return done

    def finish(self) -> str:
        return self._replace(self._held, is_last=True)[0]
