"""Streams give what the whole gives, however it is cut."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import normalizers, patterns, pretokenizer
from minitok.added_tokens import AddedToken
from minitok.normalizer_streams import normalizer_streams
from minitok.splits import PrefixPieces, Split
from minitok.stage_cutters import last_boundary
from minitok.symbols import Symbols
from minitok.token_scanner import TokenScanner
from minitok.unicode_forms import is_separate, normalize
from tests.models import BY_FILE

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


# -- Vocabularies that change a text -----------------------------------------------------------------------------

#: What normalizers, splits and added tokens have to do with, whole and in halves.
CHANGED = [
    "e",
    "\u0301",
    "\u0327",
    "é",
    "\u0344",
    "\u1112",
    "\u1161",
    "\u11ab",
    "\ud55c",
    "\u09c7",
    "\u09be",
    "ﬁ",
    "½",
]
CHANGED += [
    "Σ",
    "İ",
    "A",
    "THE",
    "'s",
    " ",
    "  ",
    "\n",
    "\t",
    "1",
    "23",
    "▁",
    "ab",
    "abab",
    "b",
    ".",
    "好",
    "\ud83d",
    "\udc4d",
]
CHANGED += ["<a>", "<ab", "<", "a", ">", "word", "wo", "rd", " word ", "Zz", "Z", "z", "<m", "ask>", "</s>"]
changed = st.lists(st.sampled_from(CHANGED), max_size=20)

NORMALIZERS: list[normalizers.Normalizer] = [
    *(normalizers.UnicodeForm(form) for form in ("NFC", "NFD", "NFKC", "NFKD")),
    normalizers.Lowercase(),
    normalizers.Strip(),
    normalizers.Strip(left=False),
    normalizers.Strip(right=False),
    normalizers.Spaces(),
    normalizers.Prepend("▁"),
    normalizers.Prepend("ab", once=True),
    normalizers.Replace("ab", "b"),
    normalizers.Replace("aba", " "),
    normalizers.Replace("  ", " "),
    normalizers.Replace(r"\s+", " ", is_regex=True),
    normalizers.Replace(" {2,}", "▁", is_regex=True),
    normalizers.Replace(r" +\Z", "", is_regex=True),
    normalizers.Replace("[a-bA]", "", is_regex=True),
]


@pytest.mark.once
@pytest.mark.parametrize("normalizer", NORMALIZERS, ids=str)
def test_normalizers_in_parts(normalizer: normalizers.Normalizer) -> None:
    whole = normalizer.function()

    @given(changed)
    @example(["ab", "ab", "a"])
    @example(["a", "b", "ab"])
    @example([" ", " ", "a", " "])
    @example(["e", "\u0301", "\u0327", "e"])
    def check(parts: list[str]) -> None:
        streams = normalizer_streams([normalizer])
        out = ""
        for part in [*parts, None]:
            text = part or ""
            for stream in streams:
                text = stream.feed(text)
                if part is None:
                    text += stream.finish()
            out += text
        assert out == whole("".join(parts))

    check()


@pytest.mark.once
def test_characters_that_combine_with_those_before_are_not_separate() -> None:
    for code_point in range(0x110000):
        character = chr(code_point)
        split = unicodedata.decomposition(character)
        if split and not split.startswith("<") and " " in split:
            first, second = (chr(int(part, 16)) for part in split.split())
            if normalize("NFC", first + second) != first + second:
                assert not is_separate(second), hex(code_point)
        if unicodedata.combining(character) and normalize("NFC", "\u0315" + character) != "\u0315" + character:
            assert not is_separate(character), hex(code_point)


TOKENS = [AddedToken("<ab", 401), AddedToken("word", 402, single_word=True)]
TOKENS += [AddedToken("Zz", 403, rstrip=True, normalized=True), AddedToken("<mask>", 305, lstrip=True)]
CHARACTERS = Symbols(characters=True, unknown_id=500, fuse_unknown=True)
LETTERS = {
    text.encode(): i for i, text in enumerate(["a", "b", "A", "ab", " ", "▁", "▁a", "e", "é", "1", ".", "好", "Σ"])
}


def changing(name: str) -> minitok.Encoding:
    special = {"<a>": 300, "<mask>": 305, "</s>": 306, "<unk>": 500}
    nfc, lower = normalizers.UnicodeForm("NFC"), normalizers.Lowercase()
    gpt2, spaces = patterns.PATTERNS["gpt2"].regex, patterns.PATTERNS["spaces"].regex
    options: dict[str, dict[str, Any]] = {
        "qwen": {"pattern": patterns.PATTERNS["qwen2"].regex, "normalizers": (nfc,), "added_tokens": TOKENS},
        "tokens": {"pattern": gpt2, "added_tokens": TOKENS},
        "lower": {"pattern": gpt2, "normalizers": (normalizers.UnicodeForm("NFKD"), lower, normalizers.Strip())},
        "marks": {"pattern": spaces, "normalizers": (normalizers.Replace("▁", " "), normalizers.Prepend(" "))},
        "stages": {"splits": (PrefixPieces(" "), Split(r"\p{N}"), Split(gpt2)), "added_tokens": TOKENS},
        "words": {"splits": (Split(r"\s", "removed"), Split("a", "merged_with_next"), PrefixPieces("▁"))},
        "mark first": {"splits": (PrefixPieces("▁", only_first=True), Split("▁", "merged_with_next"))},
        "previous": {"splits": (Split(" +", "merged_with_previous"),), "normalizers": (lower,)},
        "inverted": {"splits": (Split("[a-bA]+", "merged_with_next", invert=True), Split(" ", "contiguous"))},
        "custom": {"pattern": r"\w+|\s+|.", "normalizers": (nfc,)},
        "unknown": {"pattern": spaces, "symbols": CHARACTERS, "normalizers": (normalizers.Spaces(),)},
        "endings": {"pattern": gpt2, "symbols": Symbols(end_of_word="</w>"), "normalizers": (lower,)},
        "unknown in stages": {"splits": (Split(" ", "merged_with_next"),), "symbols": CHARACTERS},
    }
    chosen = options[name]
    tokens, merges = RANKS, None
    if chosen.get("symbols") == CHARACTERS:
        tokens = LETTERS
        merges = [(LETTERS[a], LETTERS[b], LETTERS[a + b]) for a, b in ((b"a", b"b"), ("▁".encode(), b"a"))]
    elif name == "endings":
        tokens = {bytes([b]) + end: b + at for at, end in ((0, b""), (1000, b"</w>")) for b in range(256)}
        tokens[b"he</w>"], merges = 2000, [(ord("h"), 1000 + ord("e"), 2000)]
    vocabulary = minitok.Vocabulary(
        name,
        tokens,
        merges,
        special,
        chosen.get("pattern"),
        normalizers=chosen.get("normalizers", ()),
        splits=chosen.get("splits", ()),
        symbols=chosen.get("symbols", Symbols()),
        added_tokens=tuple(chosen.get("added_tokens", ())),
    )
    return minitok.Encoding.from_vocabulary(vocabulary)


def check_cuts(enc: minitok.Encoding, parts: list[str], allowed: Any) -> None:
    """Ids and counts of a text in parts are those of the whole; ids decode one by one to what they do together."""
    options: dict[str, Any] = {"allowed_special": allowed, "disallowed_special": ()}
    encoder = enc.stream_encoder(**options)
    counter = enc.token_counter(allowed_special=allowed)
    ids: list[int] = []
    text = ""
    whole: list[int] = []
    for part in parts:
        ids += encoder.feed(part)
        text += part
        whole = enc.encode(text, **options)
        assert counter.append(part) == len(whole)
        assert ids == whole[: len(ids)]
    assert ids + encoder.flush() == whole
    decoder = enc.stream_decoder()
    assert "".join([decoder.feed(i) for i in whole]) + decoder.flush() == enc.decode(whole)


CHANGING = ["qwen", "tokens", "lower", "marks", "stages", "words", "mark first", "previous", "inverted", "custom"]


@pytest.mark.parametrize("name", [*CHANGING, "unknown", "unknown in stages", "endings"])
def test_vocabularies_that_change_a_text(name: str) -> None:
    enc = changing(name)

    @given(changed, st.sampled_from([frozenset(), "all"]))
    @example(["wo", "rd", "word"], frozenset())
    @example(["a", " ", "<m", "ask>", " "], "all")
    @example(["Z", "z", " ", " ", "a"], frozenset())
    @example(["<a>", "好", "Σ", "<a>", "Σ"], "all")
    def check(parts: list[str], allowed: Any) -> None:
        check_cuts(enc, parts, allowed)

    check()


@cache
def published(file: str) -> minitok.Encoding:
    return BY_FILE[file].load()


FILES = ["mistral_v3.spm.model", "claude.tokenizer.json", "gpt2.tokenizer.json", "deepseek.tokenizer.json"]


@pytest.mark.data
@pytest.mark.parametrize("file", [*FILES, "clip_bpe_simple_vocab_16e6.txt.gz", "tekken_240911.json"])
def test_published_vocabularies(file: str) -> None:
    enc = published(file)
    some = sorted(enc.special_tokens_set)[:3]
    tokens = st.sampled_from([*CHANGED, *PARTS, *some, *(token[:3] for token in some)])

    @given(st.lists(tokens, max_size=15), st.sampled_from([frozenset(), "all"]))
    def check(parts: list[str], allowed: Any) -> None:
        check_cuts(enc, parts, allowed)

    check()


@pytest.mark.once
def test_a_vocabulary_of_which_nothing_is_certain_is_refused_by_name() -> None:
    def refused(message: str, pattern: str | None = None, **options: Any) -> None:
        enc = minitok.Encoding.from_vocabulary(minitok.Vocabulary("odd", RANKS, None, {}, pattern, **options))
        for make in (enc.stream_encoder, enc.token_counter):
            make_any: Callable[[], Any] = make
            with pytest.raises(ValueError, match=f"'odd' cannot encode a text that arrives in parts: {message}"):
                make_any()

    refused("it takes a text for one piece", normalizers=(normalizers.Lowercase(),))
    refused(
        "it replaces 'a.ab'",
        pattern=patterns.PATTERNS["gpt2"].regex,
        normalizers=(normalizers.Replace("a.ab", "", is_regex=True),),
    )
    refused("it first cuts a text by '(.*)'", splits=(Split("a(?=b)"),))
    refused("it puts something", splits=(Split(" "), PrefixPieces("_", only_first=True)))
    overlapping = (AddedToken("ab", 400, single_word=True), AddedToken("bc", 401))
    refused("the token 'ab', which has to be a single word, overlaps", added_tokens=overlapping)


@pytest.mark.once
def test_a_known_boundary_of_stages() -> None:
    assert last_boundary((Split("a|b"),)) is None
    for stage in (Split(" {2}"), Split(r" +\Z"), Split("x*")):
        assert last_boundary((stage,)) is None


@pytest.mark.once
def test_what_is_held_back_does_not_grow_with_the_number_of_tokens() -> None:
    class Counting(dict[str, Any]):
        looked_up = 0

        def get(self, key: Any, default: Any = None) -> Any:
            Counting.looked_up += 1
            return super().get(key, default)

    names = frozenset(f"<{i:04}>" for i in range(5000))
    scanner = TokenScanner(lambda text, before="": (), names, {})
    scanner._tree = Counting(scanner._tree)
    assert scanner.feed("a" * 1000 + "<00") == [("a" * 1000, None)]
    assert Counting.looked_up < 6
    assert scanner.feed("", is_last=True) == [("<00", None)]


def test_a_feed_that_fails_changes_nothing() -> None:
    ranks = {bytes([b]): b for b in range(256) if b != ord("x")}
    enc = minitok.Encoding("lacks", pat_str=patterns.PATTERNS["gpt2"].regex, mergeable_ranks=ranks, special_tokens={})
    encoder = enc.stream_encoder()
    ids = encoder.feed("ab c")
    for _ in range(2):
        with pytest.raises(ValueError, match="no token for the byte 0x78"):
            encoder.feed("d x e")
    assert ids + encoder.feed("d e") + encoder.flush() == enc.encode("ab cd e")
