"""`PieceCounter` and `merge_records`: both backends and plain dicts agree."""

from __future__ import annotations

from array import array
from collections import Counter
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok import piece_records
from minitok.patterns import PATTERNS
from minitok.piece_records import BLOCK_SIZE, pack_blocks, pack_records, unpack_records
from minitok.pretokenizer import get_pretokenizer
from tests.agreement import agree, agree_to_raise, outcome
from tests.strategies import any_bytes, texts

pytestmark = pytest.mark.once  # each test asks both backends

MAX_COUNT = 2**63 - 1
#: Lengths around those of keys, of the bytes that are sorted by, and of varints; bytes that are like padding.
pieces = st.one_of(
    st.builds(
        lambda unit, n, end: (unit * n)[:n] + end,
        st.sampled_from([b"a", b"ab", b"\0", b"\xff", "字".encode()]),
        st.sampled_from([0, 1, 6, 7, 8, 9, 13, 14, 15, 16, 17, 21, 22, 127, 128, 300]),
        st.sampled_from([b"", b"a", b"b", b"\0", b"\0\0", b"\xff"]),
    ),
    st.binary(max_size=3),
)
counted = st.dictionaries(pieces, st.one_of(st.integers(1, 300), st.integers(1, 2**40)), max_size=60)
#: Beginnings and ends of the ranges that UTF-8 allows, and what is just outside of them.
UTF8_EDGES = [
    bytes.fromhex("61"),
    bytes.fromhex("7f"),
    bytes.fromhex("80"),
    bytes.fromhex("bf"),
    bytes.fromhex("c0"),
    bytes.fromhex("c1"),
    bytes.fromhex("c2"),
    bytes.fromhex("c280"),
    bytes.fromhex("dfbf"),
    bytes.fromhex("e080"),
    bytes.fromhex("e0a080"),
    bytes.fromhex("e09f80"),
    bytes.fromhex("e18080"),
    bytes.fromhex("ecbfbf"),
    bytes.fromhex("ed9fbf"),
    bytes.fromhex("eda080"),
    bytes.fromhex("edbf"),
    bytes.fromhex("ee8080"),
    bytes.fromhex("efbfbf"),
    bytes.fromhex("f0808080"),
    bytes.fromhex("f08fbfbf"),
    bytes.fromhex("f0908080"),
    bytes.fromhex("f3bfbfbf"),
    bytes.fromhex("f48fbfbf"),
    bytes.fromhex("f4908080"),
    bytes.fromhex("f5808080"),
    bytes.fromhex("ff"),
    bytes.fromhex("e5ad"),
    bytes.fromhex("e18041"),
    bytes.fromhex("e1c080"),
    bytes.fromhex("f09f98"),
    bytes.fromhex("c241"),
]
PATTERN_CHOICES = st.sampled_from([None, *(PATTERNS[n].regex for n in ("o200k", "cl100k", "gpt2")), r"\w+|\s"])


def unpacked(blocks: Any) -> list[tuple[bytes, int]]:
    return [record for block in blocks for record in unpack_records(block)]


@given(st.lists(texts, max_size=4), PATTERN_CHOICES, st.booleans())
def test_texts(documents: list[str], pattern: str | None, as_bytes: bool) -> None:
    expected = Counter(
        piece.encode() for document in documents for piece in get_pretokenizer(pattern).split(document)
    )

    def count(module: Any) -> Any:
        counter = module.PieceCounter(pattern)
        for document in documents:
            counter.feed(document.encode() if as_bytes else document)
        assert counter.total == sum(expected.values())
        assert len(counter) == len(expected)
        assert counter.nbytes > 0 or not expected
        first = list(counter.counts().items())
        blocks = list(counter.records())
        assert len(counter) == counter.total == 0
        assert not list(counter.records())
        return first, unpacked(blocks), blocks

    first, records, blocks = agree(count)
    assert first == list(expected.items())
    assert records == sorted(expected.items())
    assert b"".join(blocks) == pack_records(records)


@given(st.lists(counted, max_size=4), st.integers(1, 5))
@example([{b"\0" * n: 1 for n in range(1, 40)}], 2)
@example([{b"a" * n + b"b": 1 for n in range(1, 40)}, {b"a" * n: 1 for n in range(1, 40)}], 1)
def test_records(parts: list[dict[bytes, int]], factor: int) -> None:
    """Records come back as they went in, in either order; and counters that are merged are one."""
    expected: Counter[bytes] = Counter()
    for part in parts:
        expected.update({piece: count * factor for piece, count in part.items()})

    def count(module: Any) -> Any:
        counters = [module.PieceCounter(None) for _ in range(3)]
        for number, part in enumerate(parts):
            counters[0].add_records(pack_records(part.items()), factor)
            counters[1 + number % 2].add_records(pack_records(part.items()), factor)
        counters[1].merge(counters[2])
        assert len(counters[2]) == 0
        assert counters[1].counts() == counters[0].counts()
        assert counters[0].total == sum(expected.values())
        streams = [iter([pack_records(sorted(part.items()))] * factor) for part in parts[:1]]
        return unpacked(counters[1].records()), unpacked(counters[0].records("first")), unpacked(streams[:0])

    by_bytes, first, _ = agree(count)
    assert by_bytes == sorted(expected.items())
    assert first == list(expected.items())


@given(st.lists(counted, max_size=6), st.integers(1, 40))
def test_merged_streams(parts: list[dict[bytes, int]], size: int) -> None:
    """Streams are cut into blocks anywhere, and some are empty."""
    expected: Counter[bytes] = Counter()
    for part in parts:
        expected.update(part)
    streams = []
    for part in parts:
        items = sorted(part.items())
        streams.append([pack_records(items[at : at + size]) for at in range(0, len(items) + 1, size)])
    merged = agree(lambda m: list(m.merge_records([iter(stream) for stream in streams])))
    assert b"".join(merged) == pack_records(sorted(expected.items()))


def test_blocks_have_the_same_bounds() -> None:
    """Also where a record is larger than a block."""
    counts = {b"%07d" % i * (1 + i % 40): i for i in range(1, 30_000)} | {b"x" * (3 * BLOCK_SIZE): 1, b"y": 1}

    def count(module: Any) -> Any:
        counter = module.PieceCounter(None)
        counter.add_records(pack_records(counts.items()))
        blocks = list(counter.records())
        halves = [iter(blocks[:2]), iter(blocks[2:]), iter(())]
        assert list(module.merge_records(halves)) == blocks
        return blocks

    blocks = agree(count)
    assert blocks == list(pack_blocks(sorted(counts.items())))
    assert len(blocks) > 3


def test_many_pieces() -> None:
    """So many that all tables grow several times."""
    text = " ".join(f"{i * i:x} {'long' * 5}{i % 777}" for i in range(60_000))
    expected = Counter(piece.encode() for piece in text.split(" "))

    def count(module: Any) -> Any:
        counter = module.PieceCounter(r"[^ ]+")
        counter.add(text.split(" "))
        other = module.PieceCounter(None)
        other.merge(counter)
        return unpacked(other.records())

    assert agree(count) == sorted(expected.items())


def test_counts_have_63_bits() -> None:
    def most(module: Any) -> Any:
        counter = module.PieceCounter(None)
        counter.add_records(pack_records([(b"a", 2**33), (b"b", 1)]), 2**29)
        counter.add_records(pack_records([(b"a", 2**62 - 1)]))
        total = counter.total
        return total, list(counter.records())

    total, blocks = agree(most)
    assert total == MAX_COUNT + 2**29
    assert unpacked(blocks) == [(b"a", MAX_COUNT), (b"b", 2**29)]

    def by_factor(module: Any) -> None:
        module.PieceCounter(None).add_records(blocks[0], 2)

    def by_huge_factor(module: Any) -> None:
        module.PieceCounter(None).add_records(pack_records([(b"a", 1)]), 2**70)

    def by_sum(module: Any) -> None:
        one, other = module.PieceCounter(None), module.PieceCounter(None)
        one.add_records(blocks[0])
        other.add(["a"])
        one.merge(other)

    def by_text(module: Any) -> None:
        counter = module.PieceCounter(None)
        counter.add_records(blocks[0])
        counter.feed("a")
        list(counter.records())

    def in_streams(module: Any) -> None:
        list(module.merge_records([iter(blocks), iter([pack_records([(b"a", 1)])])]))

    for call in (by_factor, by_huge_factor, by_sum, by_text, in_streams):
        kind, message = agree_to_raise(call)
        assert (kind, "too large" in message) == ("ValueError", True), call


@given(st.binary(max_size=30))
@example(b"\x02\x01a")
@example(b"\x80" * 9 + b"\x01")
@example(b"\x01" + b"\xff" * 8 + b"\x7fa")
@example(b"\x81\x00\x01a")
def test_damaged_records(block: bytes) -> None:
    """Whatever bytes there are: both backends read the same, or raise the same."""

    def add(module: Any) -> Any:
        counter = module.PieceCounter(None)
        counter.add_records(block)
        return unpacked(counter.records())

    def merge(module: Any) -> Any:
        return unpacked(module.merge_records([iter([block])]))

    for call in (add, merge):
        kind, found = outcome(lambda: list(unpack_records(block)))
        if kind != "returned":
            assert agree_to_raise(call) == (kind, found)
        elif call is add and sum(count for _, count in found) <= MAX_COUNT:
            expected: Counter[bytes] = Counter()
            for piece, count in found:
                expected[piece] += count
            assert agree(call) == sorted(expected.items())


def test_orders() -> None:
    assert agree_to_raise(lambda m: m.PieceCounter(None).records("size")) == (
        "ValueError",
        "order is 'size'; expected 'bytes' or 'first'",
    )


def test_surrogates_are_refused() -> None:
    assert agree_to_raise(lambda m: m.PieceCounter(None).feed("\ud800"))[0] == "UnicodeEncodeError"


def test_packing_refuses_large_counts() -> None:
    with pytest.raises(ValueError, match="too large"):
        piece_records.pack_records([(b"a", 2**63)])


@given(st.one_of(any_bytes, st.lists(st.sampled_from(UTF8_EDGES), max_size=8).map(b"".join)))
@example("é字😀".encode() * 3)
def test_utf8_prefix(data: bytes) -> None:
    def naive() -> int:
        for end in range(len(data), -1, -1):
            try:
                data[:end].decode("utf-8")
            except UnicodeDecodeError:
                continue
            return end
        raise AssertionError

    agree(lambda m: m.utf8_prefix(data), naive)


@given(st.lists(st.one_of(any_bytes, st.sampled_from(UTF8_EDGES)), max_size=12), st.data())
@example([], None)
def test_counting_of_tokens(tokens: list[bytes], data: Any) -> None:
    """Each character's script is its code point modulo 5; the text is what the ids spell, made valid."""
    scripts = bytes(i % 5 for i in range(0x110000))
    lengths, found, places = agree(lambda m: m.classify_tokens(tokens, scripts))
    assert array("I", lengths).tolist() == list(map(len, tokens))
    assert len(found) == len(places) // 4 == len(tokens)
    text = "aé字😀".encode() * 3
    # Tokens that cut a valid text anywhere.
    ends = sorted({0, len(text), *(data.draw(st.sets(st.integers(0, len(text)))) if data else ())})
    cut = [text[a:b] for a, b in pairwise(ends)]
    known = sorted(set(cut))
    ids = array("I", map(known.index, cut))

    def counted(module: Any) -> Any:
        tables = [array("I", table) for table in module.classify_tokens(known, scripts)[::2]]
        counts, tokens_of, sizes = (array("q", bytes(8 * n)) for n in (len(known), 5, 5))
        size = module.count_ids(ids, tables[0], counts)
        module.count_parts(ids, *tables, text, scripts, tokens_of, sizes)
        return size, counts.tolist(), tokens_of.tolist(), sizes.tolist()

    size, counts, _, _ = agree(counted)
    assert (size, counts) == (len(text), [cut.count(token) for token in known])


def test_ids_that_are_not_in_the_vocabulary() -> None:
    ids, few = array("I", [0, 5]), array("I", [1] * 5)
    agree_to_raise(lambda m: m.count_ids(ids, few, array("q", bytes(40))))
    agree_to_raise(lambda m: m.count_parts(ids, few, few, b"ab", bytes(9), array("q", [0]), array("q", [0])))


def measure(module: Any, block: bytes, after: bytes) -> Any:
    return module.measure_records(block, after)


@given(counted, st.booleans(), st.randoms())
def test_measure_records(part: dict[bytes, int], ordered: bool, random: Any) -> None:
    items = sorted(part.items())
    if not ordered:
        random.shuffle(items)
    block = pack_records(items)
    if items == sorted(items):
        last = items[-1][0] if items else None
        assert agree(lambda m: m.measure_records(block, None)) == (len(items), sum(part.values()), last)
        for after, _ in items[:3]:
            assert "not in order" in agree_to_raise(partial(measure, block=block, after=after))[1]
    else:
        assert "not in order" in agree_to_raise(lambda m: m.measure_records(block, None))[1]


def naive_crc32(data: bytes) -> int:
    """A bit at a time, by the polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@given(counted, st.sampled_from([1, 2, 3, 7, 128, 1000]), st.randoms())
def test_partition_records(part: dict[bytes, int], parts: int, random: Any) -> None:
    items = list(part.items())
    random.shuffle(items)
    shares: list[list[tuple[bytes, int]]] = [[] for _ in range(parts)]
    for piece, count in items:
        shares[naive_crc32(piece) % parts].append((piece, count))
    block = pack_records(items)
    assert agree(lambda m: m.partition_records(block, parts)) == list(map(pack_records, shares))


def test_partition_records_of_something_else() -> None:
    def share(module: Any, block: bytes, parts: int) -> Any:
        return module.partition_records(block, parts)

    assert agree(partial(share, block=b"", parts=3)) == [b"", b"", b""]
    for parts in (0, -1):
        message = f"parts is {parts}; expected 1 or more"
        assert agree_to_raise(partial(share, block=b"", parts=parts))[:2] == ("ValueError", message)
    for block in (b"\x01", b"\x05\x01ab", pack_records([(b"ab", 3)]) + b"\xff" * 12):
        assert "damaged" in agree_to_raise(partial(share, block=block, parts=2))[1]


def test_texts_that_are_kept() -> None:
    """Many at once, short and long ones, str and bytes."""
    some: list[str | bytes] = ["a b", "é".encode(), "", "字" * 500, "x" * 200, b"a b"]

    def count(module: Any) -> Any:
        counter = module.PieceCounter(PATTERNS["o200k"].regex)
        counter.feed_all(some * 3)
        return counter.counts()

    assert agree(count) == {b"a": 6, b" b": 6, "é".encode(): 3, "字".encode() * 500: 3, b"x" * 200: 3}
    assert agree_to_raise(lambda m: m.PieceCounter(None).feed_all(["a", "\ud800"]))[0] == "UnicodeEncodeError"
