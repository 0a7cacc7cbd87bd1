"""Without memory: MemoryError, or the same result by another way; nothing is lost or freed twice; all works after.

The core has to be built with the allocator of `tools/failing_allocator.c`, which `tools/sanitize.py` sees to. Each
operation is done with its first request for memory failing, then with its second, and so on until it makes no more
requests than that; once with that request alone failing, and once with all behind it.
"""

from __future__ import annotations

from array import array
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from minitok.patterns import PATTERNS
from tests.failing_allocator import Allocator, allocator_of, survives
from tests.joined import joined

TOKENS = ["aa", "ab", "aaaa", "ba", "abab", "é", "字", "字字", " the", "  ", " " * 20, "aaaaaaaaaaaaaaaaaaaaaaaa"]
RANKS = {bytes([b]): b for b in range(256)} | {token.encode(): 256 + i for i, token in enumerate(TOKENS)}
RANK_FILE = b"".join(b"%s %d\n" % (b64encode(token), rank) for token, rank in RANKS.items())
MERGES = [(97, 97, RANKS[b"aa"]), (97, 98, RANKS[b"ab"]), (RANKS[b"aa"], RANKS[b"aa"], RANKS[b"aaaa"])]
CL100K = PATTERNS["cl100k"].regex
SINGLE = [bytes([b]) for b in range(256)]

#: Each makes the core ask for memory of another kind.
TEXTS: dict[str, str | bytes] = {
    "short": "the aab",
    "pieces for both caches": "".join(f"{i} w{i} abcdefghijklmnopqrst{i} " for i in range(200)),
    "a cache that grows": "".join(f"x{i}" for i in range(3000)) * 8,
    "long pieces": "a" * 70 + " " + "ab" * 3000 + " " + "字" * 3000,
    "many ids": b"x" * 2_200_000,
    "no place to cut": "字" * 100_000,
    "four bytes": "😀a b " * 4000,
    "not UTF-8": b"\xff\xe5\xad a" * 100,
}


class Core:
    """The compiled module, and tables that lie ready in it.

    Args:
        native: the module.
    """

    def __init__(self, native: Any) -> None:
        self.native = native
        self.table = native.RankTable.parse(RANK_FILE)

    def encoder(self, pattern: str | None = CL100K) -> Any:
        """An encoder that has encoded nothing yet, made without asking for memory."""
        return self.native.Encoder(self.table, None, pattern)

    def shown(self, *arguments: Any) -> tuple[list[int], list[bytes]]:
        """What a new encoder can do."""
        encoder = self.native.Encoder(*arguments)
        return encoder.encode("aab 字字"), encoder.split("aab 字字")


@pytest.fixture(scope="session")
def allocator(native: Any) -> Allocator:
    return allocator_of(native)


@pytest.fixture(scope="module")
def core(allocator: Allocator, native: Any) -> Core:
    return Core(native)


#: Ways to an encoder.
BUILDS: dict[str, Callable[[Core], Any]] = {
    "tokens": lambda core: core.shown(RANKS, None, CL100K),
    "tokens and merges": lambda core: core.shown(RANKS, MERGES, CL100K, False),
    "another pattern": lambda core: core.shown(RANKS, None, r"\w+|\W"),
    "bytes that are no tokens": lambda core: core.native.Encoder({b"ab": 0, b"a": 7}, None, None).encode("aabab"),
    "many tokens": lambda core: core.shown(RANKS | {b"%05d" % i: 1000 + i for i in range(3000)}, None, None),
    "a rank file": lambda core: core.shown(core.native.RankTable.parse(RANK_FILE), None, CL100K),
    "an irregular rank file": lambda core: core.native.RankTable.parse(RANK_FILE + b"x"),
}


@pytest.mark.parametrize("name", BUILDS)
def test_building_an_encoder(allocator: Allocator, core: Core, name: str) -> None:
    assert survives(allocator, lambda: BUILDS[name](core)) >= 4


#: Ways to ask.
CALLS: dict[str, Callable[[Any, str | bytes], Any]] = {
    "encode": lambda encoder, text: encoder.encode(text),
    "limit": lambda encoder, text: encoder.encode(text, 100)[:101],
    "threads": lambda encoder, text: encoder.encode(text, None, 3),
    "array": lambda encoder, text: bytes(encoder.encode_uint32(text)),
    "count": lambda encoder, text: encoder.count(text),
    "plain": lambda encoder, text: encoder.encode_plain(text, "|"),
    "plain count": lambda encoder, text: encoder.count_plain(text, "|"),
    "many": lambda encoder, text: [
        bytes(part) for part in encoder.encode_many_uint32([text, text], None, lambda text: [(text, 5)])
    ],
    "joined": lambda encoder, text: [bytes(part) for part in encoder.encode_joined_uint32(joined([text, text]), 5)],
    "piece": lambda encoder, text: encoder.encode_piece(text),
    "merges": lambda encoder, text: encoder.merge_piece(text),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", TEXTS)
def test_encoding(allocator: Allocator, core: Core, name: str, call: str) -> None:
    """With a new encoder each time, whose caches are empty."""
    assert survives(allocator, lambda: CALLS[call](core.encoder(), TEXTS[name])) >= 1 or call.startswith("plain")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("pattern", [None, r"\w+|\W"])
def test_patterns_that_the_scanner_does_not_know(
    allocator: Allocator, core: Core, name: str, pattern: str | None
) -> None:
    survives(allocator, lambda: core.encoder(pattern).encode(TEXTS[name]))


def test_an_encoder_that_goes_on(allocator: Allocator, core: Core) -> None:
    """The same encoder and its caches through all failures."""
    expected = {name: core.encoder().encode(text) for name, text in TEXTS.items()}
    encoder = core.encoder()
    for first in range(1, 15):
        for name, text in TEXTS.items():
            allocator.fail(first % 7 + 1, 1 + first % 3)
            try:
                assert encoder.encode(text) == expected[name]
            except MemoryError:
                pass
            allocator.relent()
            assert encoder.encode(text) == expected[name]
            assert encoder.count(text) == len(expected[name])


def test_decoding(allocator: Allocator, core: Core) -> None:
    ids = core.encoder().encode(TEXTS["long pieces"])
    special = {5000: b"<end>"}

    def decode(tokens: Any) -> Any:
        decoder = core.native.Decoder(tokens, special)
        return (
            decoder.decode(ids),
            decoder.decode(array("I", ids)),
            decoder.decode(array("q", ids)),
            decoder.token(97),
        )

    for tokens in (RANKS, core.table):
        assert survives(allocator, lambda: decode(tokens)) >= 2
