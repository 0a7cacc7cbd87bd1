"""The specification of counting, in plain Python that is also fast Python.

What the compiled twin `_fastlearn` does before anything is learnt is specified here, in the same names:

    PieceCounter    texts -> how often each piece occurs
    merge_records   several sorted streams of counted pieces -> one

and, beside them, what shares counted pieces out among machines, `partition_records`, and what checks texts and
counted pieces that come from files: `utf8_prefix`, `measure_records`. What a vocabulary makes of a text is counted by
`classify_tokens`, `count_ids` and `count_parts`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Literal, TypeAlias
from zlib import crc32

from minitok._errors import MAX_COUNT, NO_PLACE, counts_too_large, unknown_ids
from minitok.piece_records import (
    check_order,
    check_parts,
    pack_blocks,
    pack_records,
    unpack_records,
    unsorted_records,
)
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of
from minitok.text import characters_of

#: Arrays of unsigned 32-bit and of signed 64-bit numbers: whatever has a buffer of them.
Numbers: TypeAlias = Any
Totals: TypeAlias = Any

__all__ = [
    "PieceCounter",
    "classify_tokens",
    "count_ids",
    "count_parts",
    "measure_records",
    "merge_records",
    "partition_records",
    "utf8_prefix",
]

#: What a piece and its count take, about, in CPython: their places in a dict, their headers, and some letters.
_BYTES_OF_PIECE = 170


class PieceCounter:
    r"""How often each piece occurs in the texts that were fed; the map and the reduce of training.

    Args:
        pattern: the regular expression that cuts texts into pieces; None: a text is one piece.

    >>> counter = PieceCounter(r"\w+| ")
    >>> counter.feed("to be or not to be")
    >>> counter.counts()[b"to"]
    2
    """

    def __init__(self, pattern: str | None) -> None:
        self._pretokenizer = get_pretokenizer(pattern)
        self._counts: Counter[str] = Counter()

    def feed(self, text: str | bytes) -> None:
        """Count the pieces of a text.

        Raises:
            UnicodeEncodeError: a lone surrogate in a str.
        """
        if isinstance(text, str):
            text.encode("utf-8")
        for chunk in self._pretokenizer.chunks(text_of(text)):
            self._counts.update(self._pretokenizer.split(chunk))

    def feed_all(self, texts: Sequence[str | bytes]) -> None:
        """Count the pieces of several texts."""
        for text in texts:
            self.feed(text)

    def add(self, pieces: Iterable[str]) -> None:
        """Count pieces that were cut elsewhere."""
        self._counts.update(pieces)

    def add_records(self, block: bytes, factor: int = 1) -> None:
        """Add the counts of a block of records, each times `factor`.

        Raises:
            ValueError: a count above 2**63 - 1; or something that is no block of records.
        """
        for piece, count in unpack_records(block):
            self._add(text_of(piece), count * factor)

    def merge(self, other: PieceCounter) -> None:
        """Add what another counter counted, which is empty afterwards.

        Raises:
            ValueError: a count above 2**63 - 1.
        """
        counts, other._counts = other._counts, Counter()
        for piece, count in counts.items():
            self._add(piece, count)

    def _add(self, piece: str, count: int) -> None:
        total = self._counts[piece] + count
        if total > MAX_COUNT:
            raise counts_too_large()
        self._counts[piece] = total

    def records(self, order: Literal["bytes", "first"] = "bytes") -> Iterator[bytes]:
        """The pieces and their counts as a stream of blocks of records; the counter is empty from now on.

        Args:
            order: by their bytes, or as they were first seen.

        Raises:
            ValueError: another order; or, from the stream, a count above 2**63 - 1.
        """
        check_order(order)
        counts, self._counts = self._counts, Counter()
        pieces = ((bytes_of(piece), count) for piece, count in counts.items())
        return pack_blocks(sorted(pieces) if order == "bytes" else pieces)

    def counts(self) -> dict[bytes, int]:
        """Piece to count; in the order in which they were first seen."""
        return {bytes_of(piece): count for piece, count in self._counts.items()}

    @property
    def total(self) -> int:
        """How many pieces were counted."""
        return sum(self._counts.values())

    @property
    def nbytes(self) -> int:
        """How much memory the counts take, about."""
        return _BYTES_OF_PIECE * len(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


def merge_records(streams: Sequence[Iterator[bytes]]) -> Iterator[bytes]:
    """One stream of blocks of records from several, each sorted by the bytes of its pieces; equal pieces add up.

    Raises:
        ValueError: from the stream: a count above 2**63 - 1; or something that is no block of records.
    """
    merged = merge(*(chain.from_iterable(map(unpack_records, stream)) for stream in streams), key=itemgetter(0))
    groups = groupby(merged, key=itemgetter(0))
    return pack_blocks((piece, sum(count for _, count in equal)) for piece, equal in groups)


def measure_records(block: bytes, after: bytes | None) -> tuple[int, int, bytes | None]:
    """What a block of records in order holds: how many, the sum of their counts, and the last piece.

    Args:
        block: the records.
        after: the piece that comes before the first; None: there is none.

    Raises:
        ValueError: something that is no block of records, or whose pieces do not ascend.
    """
    number = total = 0
    for piece, count in unpack_records(block):
        if after is not None and piece <= after:
            raise unsorted_records()
        number += 1
        total += count
        after = piece
    return number, total, after


def partition_records(block: bytes, parts: int) -> list[bytes]:
    r"""The records of a block in `parts` blocks, each in the order of the whole; some may be empty.

    A record goes by its piece alone: to the part whose number is the piece's CRC-32 modulo `parts`. So equal pieces
    come together, whoever shares them out.

    Raises:
        ValueError: fewer than one part; something that is no block of records.

    >>> partition_records(pack_records([(b"be", 1), (b"not", 2), (b"to", 3)]), 2)
    [b'\x02\x03to', b'\x02\x01be\x03\x02not']
    """
    check_parts(parts)
    shares: list[list[tuple[bytes, int]]] = [[] for _ in range(parts)]
    for piece, count in unpack_records(block):
        shares[crc32(piece) % parts].append((piece, count))
    return list(map(pack_records, shares))


def utf8_prefix(text: bytes) -> int:
    r"""How many bytes there are before the first that is not part of a whole character of valid UTF-8.

    >>> utf8_prefix("é".encode() + b"\xc3"), utf8_prefix(b"ab\xff")
    (2, 2)
    """
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return len(text)


def classify_tokens(tokens: Sequence[bytes], scripts: bytes) -> tuple[bytes, bytes, bytes]:
    """What tells the scripts of tokens.

    A token is of the script of its first character that has one. Where what comes before that is not a whole
    character, only a text tells.

    Args:
        tokens: their bytes.
        scripts: for each code point the number of its script; 0 is none.

    Returns:
        Three arrays with an item for each token: its length as an unsigned 32-bit number; the number of its script in
        a byte; where in it the part of a character is that the script depends on, as an unsigned 32-bit number, or
        0xFFFFFFFF if its bytes alone tell.
    """
    found = bytearray()
    places = array("I")
    for token in tokens:
        script, place = _classified(token, scripts)
        found.append(script)
        places.append(place)
    return array("I", map(len, tokens)).tobytes(), bytes(found), places.tobytes()


def _classified(token: bytes, scripts: bytes) -> tuple[int, int]:
    place = 0
    for character in characters_of(token):
        try:
            script = scripts[ord(character.decode())]
        except UnicodeDecodeError:
            return 0, place
        if script:
            return script, NO_PLACE
        place += len(character)
    return 0, NO_PLACE


def count_ids(ids: Numbers, lengths: Numbers, counts: Totals) -> int:
    """Count ids.

    Args:
        ids: unsigned 32-bit numbers.
        lengths: for each id of the vocabulary how many bytes it spells; likewise.
        counts: for each id a signed 64-bit number, to which is added how often it occurs.

    Returns:
        How many bytes the ids spell together.

    Raises:
        ValueError: an id that is not in the vocabulary; nothing was counted.
    """
    its_lengths, its_counts = memoryview(lengths), memoryview(counts)
    found = Counter(memoryview(ids))
    _check_ids(found, min(len(its_lengths), len(its_counts)))
    size = 0
    for number, count in found.items():
        its_counts[number] += count
        size += count * its_lengths[number]
    return size


def count_parts(
    ids: Numbers, lengths: Numbers, places: Numbers, text: bytes, scripts: bytes, tokens: Totals, sizes: Totals
) -> None:
    """Count those ids of a text of which it tells the script: they hold parts of characters.

    Args:
        ids: unsigned 32-bit numbers.
        lengths: for each id of the vocabulary how many bytes it spells; likewise.
        places: for each id where among its bytes the part of a character is that tells the script; likewise, or
            0xFFFFFFFF for an id that is not counted.
        text: what the ids spell; valid UTF-8.
        scripts: for each code point the number of its script.
        tokens: for each script a signed 64-bit number, to which is added how many ids are of it.
        sizes: the same for the bytes of these ids.

    Raises:
        ValueError: an id that is not in the vocabulary; nothing was counted.
    """
    numbers = memoryview(ids)
    its_lengths, its_places = memoryview(lengths), memoryview(places)
    its_tokens, its_sizes = memoryview(tokens), memoryview(sizes)
    _check_ids(numbers, min(len(its_lengths), len(its_places)))
    at = 0
    for number in numbers:
        length, place = its_lengths[number], its_places[number]
        if place != NO_PLACE:
            first = at + place
            while text[first] & 0xC0 == 0x80:
                first -= 1
            character = text[first : first + 4].decode("utf-8", "ignore")[0]
            script = scripts[ord(character)]
            its_tokens[script] += 1
            its_sizes[script] += length
        at += length


def _check_ids(ids: Iterable[int], known: int) -> None:
    if max(ids, default=-1) >= known:
        raise unknown_ids(known)
