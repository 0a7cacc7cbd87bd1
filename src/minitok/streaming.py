"""Streams: ids of a text that arrives in parts, text of ids that do, and the count of a text that grows.

What is given out is certain: nothing that comes later changes it. A `StreamDecoder` holds back bytes of a character
that is not complete, at most three. A `StreamEncoder` holds back the first half of a pair of surrogates; what else it
does, and holds back, is in `span_streams`. A feed that raises changes nothing: it can be repeated with what is right.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import TYPE_CHECKING, TypeVar

from minitok.span_streams import SpanStream
from minitok.special_tokens import Allowed, Disallowed
from minitok.text import has_surrogates, repair_surrogates

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["StreamDecoder", "StreamEncoder", "TokenCounter", "decode_stream", "encode_stream"]

_Item = TypeVar("_Item")


class StreamDecoder:
    """Ids to text, as they come; made by `Encoding.stream_decoder`. One object for each stream.

    >>> import minitok
    >>> enc = minitok.get_encoding("minitok_32k")
    >>> decoder = enc.stream_decoder()
    >>> decoder.feed(enc.encode("streams")), decoder.flush()
    ('streams', '')
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._prefix = encoding._decoded_prefix
        self._start: bytes | None = b"" if self._prefix else None  # None: the beginning is past
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_open = True

    def feed(self, ids: int | Iterable[int]) -> str:
        """The text that is certain with one more id, or several.

        Raises:
            KeyError, OverflowError, TypeError: as `Encoding.decode_bytes`; none of these ids is taken then.
            ValueError: the stream was flushed.
        """
        _check_open(self._is_open, "decoder")
        # Most calls give one id; to find out whether something can be iterated takes longer than to decode it.
        some = (ids,) if isinstance(ids, int) or not isinstance(ids, Iterable) else ids
        data = self._encoding._joined_bytes(some)
        if self._start is not None:
            data = self._start + data
            if len(data) < len(self._prefix) and self._prefix.startswith(data):
                self._start = data
                return ""
            data = data.removeprefix(self._prefix)
            self._start = None
        return self._characters.decode(data)

    def flush(self) -> str:
        """The rest, U+FFFD for a character that is not complete; the stream has ended.

        Raises:
            ValueError: the stream was flushed before.
        """
        _check_open(self._is_open, "decoder")
        self._is_open = False
        return self._characters.decode(self._start or b"", final=True)


class StreamEncoder:
    """Text to ids, as it comes; made by `Encoding.stream_encoder`. One object for each stream.

    Raises:
        ValueError: the vocabulary does something to a text of which no part is certain before the end.
        TypeError: as `Encoding.encode`.

    >>> import minitok
    >>> enc = minitok.get_encoding("minitok_32k")
    >>> encoder = enc.stream_encoder()
    >>> encoder.feed("hello wor") + encoder.feed("ld") == enc.encode("hello")
    True
    >>> encoder.flush() == enc.encode(" world")
    True
    """

    def __init__(self, encoding: Encoding, allowed_special: Allowed, disallowed_special: Disallowed) -> None:
        self._special = special = encoding._special
        allowed, self._disallowed = special.policy(allowed_special, disallowed_special)
        self._checked = max(map(len, self._disallowed), default=1) - 1
        self._is_quickly_checked = self._disallowed <= special.names
        self._spans = SpanStream(encoding.vocabulary, encoding._encoder, special, allowed)
        self._half = ""  # the first half of a pair of surrogates
        self._seen = ""  # the end of the text, in which a disallowed special token may begin
        self._is_open = True

    def feed(self, text: str) -> list[int]:
        """The ids that are certain with more text.

        Raises:
            TypeError: it is not a str.
            ValueError: a disallowed special token, of which the beginning may be in earlier text; a byte that the
                vocabulary lacks; or the stream was flushed. Nothing of this text is taken then.
        """
        _check_open(self._is_open, "encoder")
        if not isinstance(text, str):
            raise TypeError(f"expected a str to encode, not {type(text).__name__}")
        seen = ""
        if self._checked or self._disallowed:
            seen = self._seen + text
            if not (self._is_quickly_checked and self._special.are_absent(seen)):
                self._special.check(seen, self._disallowed)
        whole = self._half + text
        half = whole[-1] if "\ud800" <= whole[-1:] <= "\udbff" else ""
        ids = self._spans.feed(_repaired(whole[:-1] if half else whole))
        self._half = half
        self._seen = seen[-self._checked :] if self._checked else ""
        return ids

    def flush(self) -> list[int]:
        """The remaining ids; the stream has ended.

        Raises:
            ValueError: the stream was flushed before; or a byte that the vocabulary lacks.
        """
        _check_open(self._is_open, "encoder")
        ids = self._spans.finish(_repaired(self._half))
        self._is_open = False
        return ids

    def _count_held(self) -> int:
        """How many ids are to come if no text does."""
        return self._spans.count_held(_repaired(self._half))


def _repaired(text: str) -> str:
    return repair_surrogates(text) if has_surrogates(text) else text


class TokenCounter:
    """How many ids a growing text has; made by `Encoding.token_counter`.

    Each append encodes the new text and what is held back of the old, never the whole.

    Args:
        encoder: a stream that nothing was fed to.
    """

    def __init__(self, encoder: StreamEncoder) -> None:
        self._encoder = encoder
        self._certain = 0
        self._count = 0

    def append(self, text: str) -> int:
        """Add text, and tell how many ids the whole has now.

        Raises:
            TypeError, ValueError: as `StreamEncoder.feed`; nothing is added then.
        """
        self._certain += len(self._encoder.feed(text))
        self._count = self._certain + self._encoder._count_held()
        return self._count

    @property
    def count(self) -> int:
        """How many ids the text has."""
        return self._count


def _check_open(is_open: bool, kind: str) -> None:
    if not is_open:
        raise ValueError(f"the stream has ended: flush() was called; make a new one with stream_{kind}()")


async def _items(source: AsyncIterable[_Item] | Iterable[_Item]) -> AsyncIterator[_Item]:
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


async def encode_stream(
    encoder: StreamEncoder, texts: AsyncIterable[str] | Iterable[str]
) -> AsyncIterator[list[int]]:
    """The ids of texts that arrive, as soon as they are certain; no list is empty."""
    async for text in _items(texts):
        if ids := encoder.feed(text):
            yield ids
    if ids := encoder.flush():
        yield ids


async def decode_stream(
    decoder: StreamDecoder, ids: AsyncIterable[int | Iterable[int]] | Iterable[int | Iterable[int]]
) -> AsyncIterator[str]:
    """The text of ids that arrive, as soon as it is certain; no text is empty."""
    async for some in _items(ids):
        if text := decoder.feed(some):
            yield text
    if text := decoder.flush():
        yield text
