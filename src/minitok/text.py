"""What callers give as text, brought into one of two forms: a str without surrogates, or bytes."""

from __future__ import annotations

__all__ = [
    "Text",
    "characters_of",
    "check_no_surrogates",
    "decoded_text",
    "has_surrogates",
    "plain_text",
    "repair_surrogates",
]

#: What can be encoded: a str, or anything that gives its bytes. They need not be valid UTF-8.
Text = str | bytes | bytearray | memoryview


def plain_text(text: Text) -> str | bytes:
    """A str as it is, and any buffer as bytes.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(text, (str, bytes)):
        return text
    try:
        return bytes(memoryview(text))
    except TypeError:
        raise TypeError(f"expected a str or bytes to encode, not {type(text).__name__}") from None


def decoded_text(text: bytes) -> str:
    r"""Bytes as text, each byte that is not valid UTF-8 as U+FFFD.

    >>> decoded_text(b"a\xe5\xadb") == "a\ufffd\ufffdb"
    True
    """
    decoded = text.decode("utf-8", "surrogateescape")
    return decoded if decoded.isascii() else decoded.translate(_ESCAPED)


_ESCAPED = dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd")


def characters_of(text: bytes) -> list[bytes]:
    r"""The characters of UTF-8, each as its bytes; a byte that is not valid is one of its own.

    >>> characters_of("aé".encode())
    [b'a', b'\xc3\xa9']
    """
    return [c.encode("utf-8", "surrogateescape") for c in text.decode("utf-8", "surrogateescape")]


def has_surrogates(text: str) -> bool:
    """Whether a str has surrogates, which no UTF-8 can spell."""
    if text.isascii():
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def check_no_surrogates(text: str, what: str) -> None:
    """Check a str that is put into texts; `what` it is called.

    Raises:
        ValueError: it has surrogates.
    """
    if has_surrogates(text):
        raise ValueError(f"{what} {text!r} has a surrogate, which no text can")


def repair_surrogates(text: str) -> str:
    r"""Join the pairs of surrogates in a text, and replace the lone ones by U+FFFD, as tiktoken does.

    >>> ascii(repair_surrogates("\ud83d\udc4d \ud83d"))
    "'\\U0001f44d \\ufffd'"
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
