"""Protocol buffers' wire format, as far as SentencePiece's models need it: fields read and written one by one.

A message is a row of fields, each a key (its number and wire type, as one varint) and a value: 0 a varint, 1 eight
bytes, 2 a length and as many bytes, 5 four bytes (protobuf.dev, "Encoding").
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

__all__ = ["FIXED32", "FIXED64", "LENGTH", "VARINT", "fields", "float_field", "length_field", "varint_field"]

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

#: The number of a field, its wire type, and its value: an int, or bytes.
Field = tuple[int, int, int | bytes]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError(f"a number at byte {at} does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7


def fields(data: bytes, most: float = math.inf) -> Iterator[Field]:
    """The fields of a message, in order.

    Raises:
        ValueError: the data are no message, or end too early, or there are more than `most` fields; the message says
            where.
    """
    at = count = 0
    size = len(data)
    while at < size:
        start = at
        if count == most:
            raise ValueError(f"there are more than {most} fields, at byte {start}")
        count += 1
        key, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError(f"byte {start} begins no field")
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == LENGTH:
            length, at = (data[at], at + 1) if at < size and data[at] < 0x80 else _varint(data, at)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"the field at byte {start} is of the unknown wire type {wire}")
        if length > size - at:
            raise ValueError(f"the field at byte {start} has {length} bytes, but only {size - at} are left")
        yield number, wire, data[at : at + length]
        at += length


def _written(value: int) -> bytes:
    out = bytearray()
    value &= 0xFFFFFFFFFFFFFFFF
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_field(number: int, value: int) -> bytes:
    """A field with a number, which may be negative."""
    return _written(number << 3 | VARINT) + _written(value)


def length_field(number: int, value: bytes) -> bytes:
    """A field with bytes, or a message."""
    return _written(number << 3 | LENGTH) + _written(len(value)) + value


def float_field(number: int, value: float) -> bytes:
    """A field with a float of 32 bits."""
    return _written(number << 3 | FIXED32) + struct.pack("<f", value)
