"""Which tokens may be learnt."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitok
from minitok.training.token_rules import find_token_rule, whole_characters

#: Characters of one to four bytes, with the first and the last lead and continuation bytes among theirs.
SAMPLES = ["a", "\x7f", "é", "\x80", "\u07ff", "字", "\u0800", "\uffff", "😀", "\U00010000", "\U0010ffff"]


def test_parts_of_characters() -> None:
    """All substrings of one and of two characters: those within one, and whole ones."""
    for pair in product(SAMPLES, repeat=2):
        first, second = (character.encode() for character in pair)
        both = first + second
        for start in range(len(both)):
            for end in range(start + 1, len(both) + 1):
                within = end <= len(first) or start >= len(first)
                whole = {start, end} <= {0, len(first), len(both)}
                # What goes from one character into another, or into a part of one, is not allowed.
                assert whole_characters(both[start:end]) == (within or whole), (pair, start, end)


@given(st.text(min_size=1), st.data())
def test_cut_texts(text: str, data: st.DataObject) -> None:
    assert whole_characters(text.encode())
    encoded = (text + "x").encode()
    start = data.draw(st.integers(0, len(encoded) - 2))
    part = encoded[start:]
    assert whole_characters(part) == (encoded[start] & 0xC0 != 0x80)


@pytest.mark.parametrize(
    ("token", "expected"),
    [(b"\xff", True), (b"\xff\xff", False), (b"a\xff", False), (b"\x80" * 3, True), (b"\x80" * 4, False),
     (b"\xe5\xad\xad\xad", False), (b"\xc3\xc3", False), (b"\x80\xc3", False)],
    ids=repr,
)  # fmt: skip
def test_bytes_that_are_no_text(token: bytes, expected: bool) -> None:
    assert whole_characters(token) == expected


def test_training() -> None:
    texts = ["字典字典字典 é è ê ë à á 字é典é"] * 3
    free = minitok.train(texts, vocab_size=290, pattern=None)
    bound = minitok.train(texts, vocab_size=290, pattern=None, allowed="characters")
    own = minitok.train(texts, vocab_size=290, pattern=None, allowed=whole_characters)
    assert own.tokens == bound.tokens
    assert not all(whole_characters(token or b"") for token in free.tokens)
    assert all(whole_characters(token or b"") for token in bound.tokens)
    assert bound.encode(texts[0])
    assert bound.decode(bound.encode(texts[0])) == texts[0]


def test_rules_have_names() -> None:
    assert find_token_rule(None) is None
    with pytest.raises(ValueError, match="allowed is 'words'; expected one of 'characters'"):
        find_token_rule("words")
    with pytest.raises(TypeError, match="allowed is a name or a function"):
        find_token_rule(5)  # type: ignore[arg-type]
