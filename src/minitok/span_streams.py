"""Ids of a text that arrives in parts, for any vocabulary: what `pipeline` does to a whole text, done piecemeal.

    the text        is cut by a `TokenScanner` at the tokens that are looked for in it as it is
    what is left    goes through one object for each normalizer (`normalizer_streams`), and is cut at the tokens that
                    are looked for in normalized text
    what is left    is cut where its pieces end whatever follows (`Pretokenizer.text_cutter`, `stage_cutters`), and
                    encoded

Each level gives on what is certain, and holds back the rest. The end of a level's text makes it give on the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import TypeVar

from minitok.added_tokens import AddedToken, finder
from minitok.normalizer_streams import PrependStream, normalizer_streams
from minitok.pipeline import AnyEncoder, PipelineEncoder
from minitok.pretokenizer import PieceCutter, SafeCutter, WholeText, get_pretokenizer
from minitok.special_tokens import SpecialTokens
from minitok.splits import PrefixPieces, Split, Stage, split_in_stages
from minitok.stage_cutters import last_boundary
from minitok.token_scanner import TokenScanner
from minitok.vocabulary import Vocabulary

__all__ = ["SpanStream"]

_Cutter = WholeText[str] | SafeCutter[str] | PieceCutter
_Part = str | list[str]
_State = TypeVar("_State")


def _copy_of(state: _State) -> _State:
    """An object of its own, whose lists are its own; what they hold never changes."""
    other = copy(state)
    for name, value in vars(other).items():
        if type(value) is list:
            setattr(other, name, value.copy())
    return other


class _Stretches:
    """Ids of text in which no token is looked for any more."""

    def __init__(self, vocabulary: Vocabulary, encoder: AnyEncoder) -> None:
        is_pipeline = isinstance(encoder, PipelineEncoder)
        self._core = encoder.core if isinstance(encoder, PipelineEncoder) else encoder
        self._ending = encoder.ending if isinstance(encoder, PipelineEncoder) else b""
        self._fused = encoder.fused if isinstance(encoder, PipelineEncoder) else None
        self._last: int | None = None  # the last id, if unknown ones are fused
        self._is_first = True  # nothing is before this stretch, not even a token
        self._prefixes: list[PrefixPieces] = []
        self._cut: Callable[[str, bool], list[str]] | None = None
        stages = list(vocabulary.splits)
        while stages and isinstance(first := stages[0], PrefixPieces):
            self._prefixes.append(first)
            del stages[0]
        if stages:
            self._new_cutter = _stage_cutter(tuple(stages))
            self._cut = split_in_stages(stages)
        else:
            pretokenizer = get_pretokenizer(vocabulary.pattern)
            self._new_cutter = pretokenizer.text_cutter
            if is_pipeline and vocabulary.pattern is None:
                raise ValueError("it takes a text for one piece, and merges may join whatever stands in it")
            if self._ending:
                self._cut = lambda text, _: pretokenizer.split(text)
        self._cutter: _Cutter | None = None  # None: the stretch has no text yet
        self._starts: list[PrependStream] = []

    def _begin(self) -> _Cutter:
        self._starts = [
            PrependStream(p.text, once=True) for p in self._prefixes if self._is_first or not p.only_first
        ]
        self._cutter = self._new_cutter()
        return self._cutter

    def feed(self, text: str) -> list[int]:
        """The ids that are certain with more text."""
        if not text:
            return []
        cutter = self._cutter or self._begin()
        for start in self._starts:
            text = start.feed(text)
        return self._ids(cutter.feed(text))

    def finish(self) -> list[int]:
        """The ids of the rest; another stretch begins."""
        cutter = self._cutter
        if cutter is None:
            return []
        ids: list[int] = []
        text = ""
        for start in self._starts:
            text = start.feed(text) + start.finish()
        if text:
            ids += self._ids(cutter.feed(text))
        ids += self._ids(cutter.rest())
        self._cutter = None
        self._is_first = False
        if self._cut is not None:
            self._last = None  # unknown ids are fused in each stretch alone
        return ids

    def token(self, number: int) -> list[int]:
        """The ids of the rest, and that of a token."""
        ids = self.finish()
        self._is_first = False
        if self._fused is None or self._cut is not None:
            return [*ids, number]
        return ids + self._fuse([number])

    def _ids(self, part: _Part) -> list[int]:
        if not part:
            return []
        if self._cut is not None and isinstance(part, str):
            part = self._cut(part, self._is_first)
        if isinstance(part, str):
            ids = self._core.encode_plain(part, "")
            if ids is None:
                ids = self._core.encode(part)
        else:
            ids = self._core.encode_pieces([piece.encode("utf-8") + self._ending for piece in part])
        return ids if self._fused is None else self._fuse(ids)

    def _fuse(self, ids: list[int]) -> list[int]:
        out = []
        for i in ids:
            if i != self._fused or i != self._last:
                out.append(i)
            self._last = i
        return out

    def copy(self) -> _Stretches:
        """The same in a state of its own."""
        other = _copy_of(self)
        other._starts = [_copy_of(start) for start in self._starts]
        other._cutter = None if self._cutter is None else _copy_of(self._cutter)
        return other


class SpanStream:
    """Ids of a text without surrogates that arrives in parts.

    A `feed` or `finish` that raises because the vocabulary lacks a byte changes nothing.

    Args:
        vocabulary: the vocabulary.
        encoder: what encodes whole texts with it.
        special: its special tokens.
        allowed: those that become their ids.

    Raises:
        ValueError: no part of a text is certain before the end.
    """

    def __init__(
        self, vocabulary: Vocabulary, encoder: AnyEncoder, special: SpecialTokens, allowed: frozenset[str]
    ) -> None:
        self._normalizers_are = vocabulary.normalizers
        self._scanner: TokenScanner | None = None
        self._inner: TokenScanner | None = None
        try:
            if allowed:
                self._scanner = TokenScanner(
                    lambda text, before="": special.places(text, allowed, before),
                    special.looked_for(allowed),
                    special.flagged,
                )
            if isinstance(encoder, PipelineEncoder):
                encoder = encoder.behind(allowed & special.in_normalized, has_found=bool(allowed))
                self._scanner = self._scanner or _scanner_of(encoder.raw_tokens)
                self._inner = _scanner_of(encoder.normalized_tokens)
            self._stretches = _Stretches(vocabulary, encoder)
            self._normalizers = normalizer_streams(self._normalizers_are)
        except ValueError as error:
            raise ValueError(f"{vocabulary.name!r} cannot encode a text that arrives in parts: {error}") from None
        # Where nothing can go wrong there is no need to remember what was: that takes time for all that is held.
        self._may_fail = _lacks_bytes(vocabulary)

    def feed(self, text: str) -> list[int]:
        """The ids that are certain with more text."""
        return self._safely(text, is_last=False)

    def finish(self, text: str) -> list[int]:
        """The ids of the rest, if the text ends with this."""
        return self._safely(text, is_last=True)

    def count_held(self, text: str) -> int:
        """How many ids `finish` would give."""
        return len(self.copy()._take(text, is_last=True))

    def copy(self) -> SpanStream:
        """The same in a state of its own."""
        other = copy(self)
        other._scanner = self._scanner and copy(self._scanner)
        other._inner = self._inner and copy(self._inner)
        other._normalizers = [_copy_of(normalizer) for normalizer in self._normalizers]
        other._stretches = self._stretches.copy()
        return other

    def _safely(self, text: str, *, is_last: bool) -> list[int]:
        if not self._may_fail:
            return self._take(text, is_last=is_last)
        after = self.copy()
        ids = after._take(text, is_last=is_last)
        vars(self).update(vars(after))
        return ids

    def _take(self, text: str, *, is_last: bool) -> list[int]:
        if self._scanner is None:
            return self._span(text, is_last=is_last)
        ids: list[int] = []
        for part, number in self._scanner.feed(text, is_last=is_last):
            ids += self._span(part, is_last=number is not None)
            if number is not None:
                ids += self._stretches.token(number)
        return ids + self._span("", is_last=True) if is_last else ids

    def _span(self, text: str, *, is_last: bool) -> list[int]:
        """Text between tokens of the text as it is; the end of one begins another."""
        for normalizer in self._normalizers:
            text = normalizer.feed(text)
            if is_last:
                text += normalizer.finish()
        if is_last:
            self._normalizers = normalizer_streams(self._normalizers_are)
        if self._inner is None:
            ids = self._stretches.feed(text)
        else:
            ids = []
            for part, number in self._inner.feed(text, is_last=is_last):
                ids += self._stretches.feed(part)
                if number is not None:
                    ids += self._stretches.token(number)
            if is_last:
                self._inner.restart()
        return ids + self._stretches.finish() if is_last else ids


def _lacks_bytes(vocabulary: Vocabulary) -> bool:
    """Whether there are texts that the vocabulary cannot encode."""
    if vocabulary.symbols.characters:
        return False
    ending = vocabulary.symbols.end_of_word.encode()
    # A byte may stand at the end of a piece, too.
    at_end = (bytes([b]) + ending for b in range(256))
    return bool(vocabulary.missing_bytes()) or not all(token in vocabulary.tokens for token in at_end)


def _scanner_of(tokens: Sequence[AddedToken]) -> TokenScanner | None:
    find = finder(tokens)
    if find is None:
        return None
    flagged = {token.id: token for token in tokens if token.has_flags}
    return TokenScanner(find, frozenset(token.content for token in tokens), flagged)


def _stage_cutter(stages: tuple[Stage, ...]) -> Callable[[], _Cutter]:
    """What makes the cutters for a text that is split in stages.

    Raises:
        ValueError: no place is known where such a text may be cut.
    """
    if any(isinstance(stage, PrefixPieces) and stage.only_first for stage in stages):
        raise ValueError("it puts something before the first piece alone, between stages of its splits")
    last = last_boundary(stages)
    if last is None:
        first = stages[0]
        pattern = first.pattern if isinstance(first, Split) else ""
        raise ValueError(f"it first cuts a text by {pattern!r}, and no place is known where that is certain to cut")
    return lambda: SafeCutter("", last)
