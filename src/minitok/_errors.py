"""Errors that both backends raise: written once, so that their messages cannot drift apart."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["MAX_COUNT", "check_counts", "counts_too_large", "missing_byte"]

#: Training counts are signed 64-bit numbers.
MAX_COUNT = 2**63 - 1


def missing_byte(byte: int) -> ValueError:
    """The text has a byte that the vocabulary can neither merge nor emit."""
    return ValueError(
        f"the vocabulary has no token for the byte 0x{byte:02x}, which the text contains: "
        "add a token for each of the 256 bytes, or leave that byte out of the text"
    )


def counts_too_large() -> ValueError:
    """A count of training does not fit into 64 bits."""
    return ValueError(
        f"the piece counts are too large: pieces times their lengths add up to more than {MAX_COUNT} (2**63 - 1); "
        "divide all counts by a common factor"
    )


def check_counts(words: Sequence[Sequence[int]], counts: Sequence[int]) -> None:
    """Make sure that no sum over places in these words can pass 64 bits.

    Raises:
        ValueError: it could.
    """
    if sum(count * len(word) for word, count in zip(words, counts)) > MAX_COUNT:
        raise counts_too_large()
