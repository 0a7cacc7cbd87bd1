"""Streams give what the whole gives, however it is cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import patterns, pretokenizer

RANKS = {bytes([b]): b for b in range(256)} | {b"  ": 256, b"he": 257, b"'s": 258, b"\n\n": 259, b" a": 260}
SPECIAL = {"<|end|>": 300, "<|end|>x": 301, "<|e": 302}
NAMED = sorted(patterns.PATTERNS) if hasattr(patterns, "PATTERNS") else ["r50k", "cl100k", "o200k", "llama3", "qwen2"]
PARTS = [
    "a",
    "he",
    "B",
    "'",
    "s",
    "'LL",
    " ",
    "   ",
    "\n",
    "\r\n",
    "12",
    "3",
    "é",
    "你好",
    "\U0001f44d",
    "/",
    ".",
    "\u3000",
]
PARTS += ["\ud83d", "\udc4d", "<|", "<|e", "nd|>", "<|end|>", "x", "\ufffd", "\u0301"]
parts = st.lists(st.sampled_from(PARTS), max_size=30)


def encoding(pattern: str | None) -> minitok.Encoding:
    named = patterns.find_named_pattern(pattern)
    regex = named.regex if named else pattern
    return minitok.Encoding("tiny", pat_str=regex, mergeable_ranks=RANKS, special_tokens=SPECIAL)


@pytest.mark.parametrize("margin", [4, 1 << 16])
@pytest.mark.parametrize("pattern", [*NAMED, None, r"\w+|\s+|."])
def test_cut_text_gives_the_ids_of_the_whole(pattern: str | None, margin: int, monkeypatch: Any) -> None:
    if margin == 4 and pattern == r"\w+|\s+|.":
        margin = 64  # exact within it alone
    monkeypatch.setattr(pretokenizer, "MARGIN", margin)
    enc = encoding(pattern)

    @given(parts, st.sampled_from([frozenset(), frozenset({"<|end|>"}), "all"]))
    @example(["a", " ", " ", "a"], "all")
    @example(["\ud83d", "\udc4d", " ", "\ud83d"], "all")
    @example(["<|", "e", "nd|>", "x"], "all")
    @example(["a", "'", "s"], frozenset())
    def check(texts: list[str], allowed: Any) -> None:
        options: dict[str, Any] = {"allowed_special": allowed, "disallowed_special": ()}
        encoder = enc.stream_encoder(**options)
        counter = enc.token_counter(allowed_special=allowed)
        ids: list[int] = []
        text = ""
        for part in texts:
            ids += encoder.feed(part)
            text += part
            whole = enc.encode(text, **options)
            assert counter.append(part) == len(whole)
        assert ids + encoder.flush() == enc.encode(text, **options)

    check()


@given(st.lists(st.sampled_from([*range(250, 261), 300, 0xE4, 0xBD, 0xA0, 0xF0, 0x9F, 0x80, 0xC0, 97]), max_size=30))
def test_decoding_one_by_one(ids: list[int]) -> None:
    enc = encoding("cl100k")
    decoder = enc.stream_decoder()
    assert "".join([decoder.feed(i) for i in ids]) + decoder.flush() == enc.decode(ids)


@pytest.mark.once
@pytest.mark.parametrize("ids", [[32], [32, 97], [97, 32], [], [0xE4, 32], [260]])
def test_decoded_prefix(ids: list[int]) -> None:
    vocabulary = minitok.Vocabulary("marks", RANKS, None, {}, None, decoded_prefix=" ")
    enc = minitok.Encoding.from_vocabulary(vocabulary)
    decoder = enc.stream_decoder()
    assert "".join([decoder.feed(i) for i in ids]) + decoder.flush() == enc.decode(ids)


@pytest.mark.once
def test_bad_input_loses_nothing() -> None:
    enc = encoding("cl100k")
    decoder = enc.stream_decoder()
    assert decoder.feed(0xC3) == ""
    for bad, error in (([97, 299], KeyError), (-1, OverflowError), ("a", TypeError), (None, TypeError)):
        with pytest.raises(error):
            decoder.feed(bad)  # type: ignore[arg-type]
    assert decoder.feed(0xA9) + decoder.flush() == "é"
    with pytest.raises(ValueError, match="flush"):
        decoder.feed(97)
    encoder = enc.stream_encoder()
    ids = encoder.feed("a <|")
    with pytest.raises(ValueError, match="disallowed special token"):
        encoder.feed("end|>")
    with pytest.raises(TypeError, match="expected a str"):
        encoder.feed(b"a")  # type: ignore[arg-type]
    assert ids + encoder.feed("b") + encoder.flush() == enc.encode("a <|b")
    with pytest.raises(ValueError, match="flush"):
        encoder.flush()


@pytest.mark.once
def test_asyncio() -> None:
    enc = encoding("cl100k")
    text = "he said: 你好 <|end|> and so on"

    async def round_trip() -> str:
        ids = [i async for some in enc.encode_stream(list(text), allowed_special="all") for i in some]
        assert ids == enc.encode(text, allowed_special="all")

        async def later() -> Any:
            for i in ids:
                yield i

        return "".join([t async for t in enc.decode_stream(later())])

    assert asyncio.run(round_trip()) == text
