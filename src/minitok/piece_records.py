"""Counted pieces as bytes: what goes from a counter to a learner, and to files.

A block is any number of records one behind the other, each whole:

    length of the piece in bytes    as a varint
    how often it occurs             as a varint
    the piece

A varint has seven bits a byte, the lowest first; the high bit says that more follow (LEB128, as in DWARF and
Protocol Buffers). A count is below 2**63.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minitok._errors import MAX_COUNT, counts_too_large

__all__ = [
    "BLOCK_SIZE",
    "check_order",
    "check_parts",
    "damaged_records",
    "pack_blocks",
    "pack_records",
    "unpack_records",
    "unsorted_records",
]

#: A block of a stream ends with the record that brings it to this size.
BLOCK_SIZE = 1 << 20


def pack_records(counted: Iterable[tuple[bytes, int]]) -> bytes:
    r"""Pieces and their counts as one block.

    >>> pack_records([(b"to", 2), (b" be", 300)])
    b'\x02\x02to\x03\xac\x02 be'
    """
    return b"".join(_blocks(counted, None))


def pack_blocks(counted: Iterable[tuple[bytes, int]]) -> Iterator[bytes]:
    """Pieces and their counts as a stream of blocks; none is empty.

    Raises:
        ValueError: a count above 2**63 - 1.
    """
    return _blocks(counted, BLOCK_SIZE)


def _blocks(counted: Iterable[tuple[bytes, int]], size: int | None) -> Iterator[bytes]:
    block = bytearray()
    for piece, count in counted:
        if count > MAX_COUNT:
            raise counts_too_large()
        for number in (len(piece), count):
            while number >= 0x80:
                block.append(number & 0x7F | 0x80)
                number >>= 7  # noqa: PLW2901
            block.append(number)
        block += piece
        if size is not None and len(block) >= size:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def unpack_records(block: bytes) -> Iterator[tuple[bytes, int]]:
    r"""The pieces of a block and their counts, in its order.

    Raises:
        ValueError: this is no block of records.

    >>> list(unpack_records(b"\x02\x02to\x03\xac\x02 be"))
    [(b'to', 2), (b' be', 300)]
    """
    at = 0
    while at < len(block):
        numbers = []
        for _ in range(2):
            number = shift = 0
            while True:
                if at == len(block) or shift > 56:
                    raise damaged_records()
                byte = block[at]
                at += 1
                number |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            numbers.append(number)
        length, count = numbers
        if length > len(block) - at:
            raise damaged_records()
        yield block[at : at + length], count
        at += length


def check_order(order: str) -> None:
    """Make sure that an order of records is one.

    Raises:
        ValueError: it is not.
    """
    if order not in ("bytes", "first"):
        raise ValueError(f"order is {order!r}; expected 'bytes' or 'first'")


def check_parts(parts: int) -> None:
    """Make sure that records can be shared out among so many parts.

    Raises:
        ValueError: they cannot.
    """
    if parts < 1:
        raise ValueError(f"parts is {parts}; expected 1 or more")


def damaged_records() -> ValueError:
    """A block holds something else than records."""
    return ValueError("a block of counted pieces is damaged: it holds something else than whole records")


def unsorted_records() -> ValueError:
    """The pieces of a stream do not ascend."""
    return ValueError("counted pieces are not in order: each must come once, sorted by its bytes")
