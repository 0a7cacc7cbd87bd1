"""What an input of fuzz.py asks of both backends, and how it is read."""

from __future__ import annotations

import functools
import json
import random
import sys
from base64 import b64encode
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from minitok.formats.byte_alphabet import spell
from minitok.formats.tiktoken_ranks import parse_ranks
from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records
from minitok.text import repair_surrogates
from tests.agreement import outcome
from tests.conftest import installed_seams
from tests.joined import joined
from tests.json_models import check as check_json_model
from tests.pieces import BYTES
from tests.special_rounds import run_round
from tests.strategies import CLASS_CHARACTERS

BACKENDS_HERE = installed_seams()
NAMED = sorted({pattern.regex for pattern in PATTERNS.values()})
PATTERN_CHOICES: list[str | None] = [*NAMED, *NAMED, None, r"\w+|\W", r"a*|(b)"]
LETTERS = [b"a", b"ab", b"abc", "aé".encode(), "字a".encode(), "éè字典".encode(), b" \n'sa", bytes(range(256))]
CHARACTERS = [*CLASS_CHARACTERS, "\ud83d", "\udc4d"]


@functools.cache
def byte_encoder(module: Any, pattern: str) -> Any:
    """An encoder that is there to split."""
    return module.Encoder(BYTES, None, pattern)


class Source:
    """Takes numbers, bytes and texts from the front of an input; at its end there is nothing but zeros.

    Args:
        data: the input.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, below: int) -> int:
        """A number from 0 to `below` - 1, which is at most 256."""
        at, self._at = self._at, self._at + 1
        return self._data[at] % below if at < len(self._data) else 0

    def some(self, longest: int) -> bytes:
        """Some bytes."""
        length = self.number(min(longest, 255) + 1)
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        taken = self._data[self._at :]
        self._at = len(self._data)
        return taken

    def repeated(self, data: bytes) -> bytes:
        """Mostly as it is; else so often that it is long."""
        return data * (1, 1, 1, 2, 9, 40, 200, 1000)[self.number(8)]

    def text(self) -> str:
        """What is left as characters, surrogates included: one for each byte, or two, or as UTF-8 says."""
        kind = self.number(4)
        data = self.repeated(self.rest())
        if kind == 0:
            return "".join(CHARACTERS[b % len(CHARACTERS)] for b in data)
        if kind == 1:
            return data.decode("latin-1")
        if kind == 2:
            return "".join(chr(a << 8 | b) for a, b in zip(data[::2], data[1::2]))
        return data.decode("utf-8", "replace")

    def any_text(self) -> str | bytes:
        """A text of either kind."""
        return self.text() if self.number(2) else self.repeated(self.rest())

    def pattern(self) -> str | None:
        """A split pattern, mostly a named one."""
        return PATTERN_CHOICES[self.number(len(PATTERN_CHOICES))]

    def letters(self) -> bytes:
        """The bytes that a vocabulary and its text are mostly made of: few, so that they meet again."""
        return LETTERS[self.number(len(LETTERS))]

    def spelled(self, letters: bytes, data: bytes) -> bytes:
        """Bytes as letters."""
        return bytes(letters[b % len(letters)] for b in data)

    def tokens(self, letters: bytes) -> dict[bytes, int]:
        """A small vocabulary: all bytes or a few, longer tokens of the letters, in an order that says nothing."""
        tokens = [bytes([b]) for b in (range(256) if self.number(8) else sorted(set(letters)))]
        known = [bytes([b]) for b in sorted(set(letters))]
        for _ in range(self.number(32)):
            if self.number(4):
                # Most are made of two others, as those that are learnt are.
                token = known[self.number(len(known))] + known[self.number(len(known))]
            else:
                length = (2, 3, 4, 5, 8, 15, 16, 40)[self.number(8)]
                token = self.spelled(letters, bytes(self.number(256) for _ in range(length)))
            if token not in tokens and len(token) <= 64:
                known.append(token)
                tokens.insert(len(tokens) if self.number(4) else self.number(min(256, len(tokens))), token)
        step = (1, 1, 1, 7, 10_000_000)[self.number(5)]
        return {token: 3 + step * i for i, token in enumerate(tokens)}

    def text_over(self, letters: bytes) -> str | bytes:
        """A text of the letters, or any."""
        if self.number(4) == 0:
            return self.any_text()
        data = self.repeated(self.spelled(letters, self.rest()))
        return data if self.number(2) else data.decode("utf-8", "replace")


Question = Callable[[Any], Any]


def encoding(source: Source) -> Question:
    """A vocabulary, a pattern and a text: every way to ask an `Encoder`."""
    letters = source.letters()
    tokens, pattern, whole_piece = source.tokens(letters), source.pattern(), source.number(4) > 0
    merges = merges_over(tokens, source) if source.number(3) == 0 else None
    limit, threads = source.number(20), 1 + source.number(4)
    text = source.text_over(letters)
    if isinstance(text, str) and len(set(BYTES) - set(tokens)):
        text = repair_surrogates(text)  # which of two errors comes first is not promised

    def ask(module: Any) -> Any:
        encoder = module.Encoder(tokens, merges, pattern, whole_piece)
        ids = encoder.encode(text)
        again = encoder.encode(text, None, threads), encoder.count(text), bytes(encoder.encode_uint32(text, threads))
        assert again == (ids, len(ids), b"".join(i.to_bytes(4, sys.byteorder) for i in ids)), again
        some = encoder.encode(text, limit)
        assert some == ids[: len(some)]
        assert len(some) == len(ids) or len(some) > limit
        plain = encoder.encode_plain(text, "<")
        assert plain is None or plain == ids
        assert encoder.count_plain(text, "<") == (None if plain is None else len(ids))
        many = encoder.encode_many_uint32([text, text], None, lambda text: [(text, 3), (text, None)])
        as_bytes = joined([text, text])
        also = encoder.encode_joined_uint32(as_bytes, 3)
        assert [bytes(part) for part in also] == [
            bytes(part) for part in encoder.encode_many_uint32(list(as_bytes), None, lambda text: [(text, 3)])
        ]
        return ids, encoder.split(text), [bytes(part) for part in many]

    return ask


def merges_over(tokens: dict[bytes, int], source: Source) -> list[tuple[int, int, int]]:
    """Some of the merges that make a token of two others, in some order."""
    merges = [
        (tokens[token[:cut]], tokens[token[cut:]], number)
        for token, number in tokens.items()
        for cut in range(1, len(token))
        if token[:cut] in tokens and token[cut:] in tokens
    ]
    random.Random(source.number(256)).shuffle(merges)
    return merges[: 1 + source.number(64)]


def one_piece(source: Source) -> Question:
    """A vocabulary and a piece of any length."""
    letters = source.letters()
    tokens = source.tokens(letters)
    piece = source.repeated(source.spelled(letters, source.rest()))

    def ask(module: Any) -> Any:
        encoder = module.Encoder(tokens, None, None)
        return encoder.encode_piece(piece), encoder.merge_piece(piece)

    return ask


def splitting(source: Source) -> Question:
    """A text and a named pattern: every splitter of the compiled backend."""
    pattern = NAMED[source.number(len(NAMED))]
    text = source.any_text()

    def ask(module: Any) -> Any:
        pieces = byte_encoder(module, pattern).split(text)
        if hasattr(module, "split_with"):
            for splitter in (None, *module.CLASSIFIERS):
                assert module.split_with(pattern, splitter, text) == pieces, splitter
        return pieces

    return ask


def counting(source: Source) -> Question:
    """Texts that are counted apart and together."""
    pattern = source.pattern()
    texts = source.text().split("\0")

    def ask(module: Any) -> Any:
        whole, merged = module.PieceCounter(pattern), module.PieceCounter(pattern)
        for text in texts:
            part = module.PieceCounter(pattern)
            part.feed(text)
            whole.feed(text)
            merged.merge(part)
        assert merged.counts() == whole.counts()
        return whole.counts()

    return ask


def learning(source: Source) -> Question:
    """Words with counts, with and without tokens to begin with."""
    options: dict[str, Any] = {
        "min_frequency": 1 + source.number(4),
        "max_token_length": (None, 2, 3, 8)[source.number(4)],
        "ties": ("ids", "first")[source.number(2)],
        "allowed": (None, None, lambda token: sum(token) % 5 > 0)[source.number(3)],
    }
    first, more = source.number(64), source.number(64)
    begins = source.number(3) == 0
    letters = b"abcd"
    tokens = source.tokens(letters) if begins else {}
    counts: dict[bytes, int] = {}
    for _ in range(source.number(20)):
        word = source.spelled(letters, source.some(24))
        counts[word] = source.number(5) * source.number(200)
    single = {bytes([b]): b for b in range(256)}
    tokens = single | {token: 256 + i for i, token in enumerate(t for t in tokens if len(t) > 1)}

    def ask(module: Any) -> Any:
        encoder = module.Encoder(tokens, None, None) if begins else None
        learner = module.Learner(list(tokens), encoder=encoder, **options)
        learner.add(pack_records(counts.items()))
        before = learner.total
        merges = learner.learn(first) + learner.learn(more)
        assert before - learner.total == sum(count for _, _, count in merges)
        return before, merges

    return ask


def decoding(source: Source) -> Question:
    """Ids, some of which no token has."""
    tokens, special = source.tokens(source.letters()), {5: b"<five>", 2_000_000: b"<far>"}
    known = [*tokens.values(), *special]
    ids = [known[(a << 8 | b) % len(known)] if a < 250 else b - 3 for a, b in pairwise(source.rest())]

    def ask(module: Any) -> Any:
        return module.Decoder(tokens, special).decode(ids)

    return ask


def rank_file(source: Source) -> Question:
    """Lines that are, or are nearly, those of a rank file: read in C only if they are as they should be."""
    lines = [b"%s %d\n" % (b64encode(token), number) for token, number in source.tokens(source.letters()).items()]
    data = b"".join(lines)
    for _ in range(source.number(3)):
        place, kind = source.number(256) * 256 + source.number(256), source.number(3)
        place %= len(data)
        data = data[:place] + bytes([source.number(256)])[: kind > 0] + data[place + (kind != 1) :]

    def ask(module: Any) -> Any:
        table = module.RankTable.parse(data)
        if table is None:
            return None
        expected = parse_ranks(data.splitlines(), "fuzz")
        assert table.as_dict() == expected
        assert module.Encoder(table, None, None).merge_piece(data[:100]) == (
            module.Encoder(expected, None, None).merge_piece(data[:100])
        )
        return None

    return ask


def json_model(source: Source) -> Question:
    """A document that is, or is nearly, a tokenizer.json: read quickly only if the other reader says the same."""
    tokens = source.tokens(source.letters())
    spelled = {spell(token): number for token, number in tokens.items()}
    merges = [
        [spell(token[:cut]), spell(token[cut:])]
        for token in tokens
        for cut in range(1, len(token))
        if token[:cut] in tokens and token[cut:] in tokens
    ]
    added = [{"id": 7, "content": "<s>", "special": True}]
    level = {"type": "ByteLevel", "add_prefix_space": False}
    model = {"vocab": spelled, "merges": merges if source.number(2) else [" ".join(merge) for merge in merges]}
    whole = {"added_tokens": added, "pre_tokenizer": level, "model": model}
    data = json.dumps(whole, ensure_ascii=source.number(2) == 0).encode()
    for _ in range(source.number(3)):
        place = (source.number(256) * 256 + source.number(256)) % len(data)
        data = data[:place] + bytes([source.number(256)]) + data[place + source.number(2) :]
    check_json_model(data)
    return lambda module: None


def special_tokens(source: Source) -> Question:
    """A round of special_rounds.py."""
    seed = int.from_bytes(source.rest()[:8], "little")
    run_round(seed, BACKENDS_HERE)
    return lambda module: None


QUESTIONS = (
    encoding,
    encoding,
    encoding,
    one_piece,
    splitting,
    splitting,
    counting,
    learning,
    decoding,
    rank_file,
    json_model,
)


def one_input(data: bytes) -> None:
    """Ask both backends what an input says; an AssertionError if they differ."""
    source = Source(data)
    number = source.number(32)
    question = special_tokens(source) if number == 31 else QUESTIONS[number % len(QUESTIONS)](source)
    outcomes = [outcome(lambda: question(module)) for module in BACKENDS_HERE]
    assert all(other == outcomes[0] for other in outcomes), outcomes
    assert outcomes[0][0] not in ("AssertionError", "SystemError"), outcomes
