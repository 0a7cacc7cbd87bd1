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

__all__ = ["pack_records", "unpack_records"]


def pack_records(counted: Iterable[tuple[bytes, int]]) -> bytes:
    r"""Pieces and their counts as one block.

    >>> pack_records([(b"to", 2), (b" be", 300)])
    b'\x02\x02to\x03\xac\x02 be'
    """
    block = bytearray()
    for piece, count in counted:
        for number in (len(piece), count):
            while number >= 0x80:
                block.append(number & 0x7F | 0x80)
                number >>= 7  # noqa: PLW2901
            block.append(number)
        block += piece
    return bytes(block)


def unpack_records(block: bytes) -> Iterator[tuple[bytes, int]]:
    r"""The pieces of a block and their counts, in its order. The block is one that `pack_records` made, or its like.

    >>> list(unpack_records(b"\x02\x02to\x03\xac\x02 be"))
    [(b'to', 2), (b' be', 300)]
    """
    at = 0
    while at < len(block):
        numbers = []
        for _ in range(2):
            number = shift = 0
            while (byte := block[at]) >= 0x80:
                number |= (byte & 0x7F) << shift
                shift += 7
                at += 1
            numbers.append(number | byte << shift)
            at += 1
        length, count = numbers
        yield block[at : at + length], count
        at += length
