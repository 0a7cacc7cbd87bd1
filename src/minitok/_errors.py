"""Errors that both backends raise, and limits that they share: written once, so that they cannot drift apart."""

from __future__ import annotations

__all__ = [
    "MAX_COUNT",
    "NO_PLACE",
    "PROGRESS_STEP",
    "bad_offsets",
    "counts_too_large",
    "learner_in_use",
    "missing_byte",
    "unknown_ids",
    "words_too_late",
]

#: Training counts are signed 64-bit numbers.
MAX_COUNT = 2**63 - 1
#: The place of a token whose bytes alone tell its script.
NO_PLACE = 0xFFFFFFFF
#: A learner tells of its progress after as many merges.
PROGRESS_STEP = 64


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


def learner_in_use() -> ValueError:
    """A callback of a learner, or another thread, calls it while it works."""
    return ValueError("the learner is at work: a callback or another thread must not use it meanwhile")


def words_too_late() -> ValueError:
    """Pieces came after the first merge was learnt."""
    return ValueError("pieces are added after learning has begun: add all of them before the first call of learn")


def bad_offsets() -> ValueError:
    """Texts would be where the memory that they are said to be in is not."""
    return ValueError("the offsets of joined texts descend, or are outside of the data: give those that belong to it")


def unknown_ids(known: int) -> ValueError:
    """Ids are counted that the vocabulary does not have."""
    return ValueError(f"an id to count is not below {known}: count ids of the vocabulary they were encoded with")
