"""Special tokens: what the policy says, where they are found, which one wins."""

from __future__ import annotations

import pytest

import minitok
from minitok.special_tokens import SpecialTokens

SINGLE = {bytes([b]): b for b in range(256)}


def encoding(*special: str, pattern: str | None = None) -> minitok.Encoding:
    ids = {token: 1000 + i for i, token in enumerate(special)}
    return minitok.Encoding("x", pat_str=pattern, mergeable_ranks=SINGLE, special_tokens=ids)


def test_the_longest_wins() -> None:
    for order in (("<a>", "<a>b"), ("<a>b", "<a>")):
        enc = encoding(*order)
        assert enc.encode("<a>b", allowed_special="all") == [enc._special_tokens["<a>b"]]
        assert enc.encode("<a>c", allowed_special="all") == [enc._special_tokens["<a>"], ord("c")]


def test_one_that_is_not_allowed_hides_none_inside() -> None:
    enc = encoding("abc", "bcd")
    assert enc.encode("abcd", allowed_special={"bcd"}, disallowed_special=()) == [ord("a"), 1001]
    assert enc.encode("abcd", allowed_special={"abc"}, disallowed_special=()) == [1000, ord("d")]
    assert enc.encode("abcd", allowed_special="all") == [1000, ord("d")]
    # At the same place the longer one is what the text says, and it is not allowed.
    enc = encoding("<a>", "<a>b")
    assert enc.encode("<a>b", allowed_special={"<a>"}, disallowed_special=()) == list(b"<a>b")


@pytest.mark.parametrize("token", [".*", "a|b", "[x]", "(", "\\", "a b", "\n\n", "é字", "^", "$", " ", "{1,2}"])
def test_any_string(token: str) -> None:
    enc = encoding(token)
    text = f"x{token}y{token}"
    assert enc.encode(text, allowed_special="all") == [ord("x"), 1000, ord("y"), 1000]
    assert enc.encode(text, disallowed_special=()) == list(text.encode())
    with pytest.raises(ValueError, match="disallowed special token"):
        enc.encode(text)
    assert enc.decode([1000]) == token
    assert enc.is_special_token(1000)
    assert not enc.is_special_token(5)


def test_bytes() -> None:
    enc = encoding("<é>")
    data = b"\xff<\xc3\xa9>\xc3"
    assert enc.encode(data, allowed_special="all") == [0xFF, 1000, 0xC3]
    assert enc.encode(data, disallowed_special=()) == list(data)
    assert enc.encode_to_numpy(data, allowed_special="all").tolist() == [0xFF, 1000, 0xC3]
    with pytest.raises(ValueError, match="disallowed"):
        enc.encode(data)


def test_patterns_do_not_see_across() -> None:
    enc = encoding("<e>", pattern=minitok.patterns.PATTERNS["cl100k"].regex)
    # Before a special token white space ends as it does at the end of a text: in one piece.
    assert enc._encoder.split("a  ") == [b"a", b"  "]
    assert enc.encode("a  <e>b", allowed_special="all") == [97, 32, 32, 1000, 98]


def test_the_message() -> None:
    with pytest.raises(ValueError, match="Encountered") as caught:
        encoding("<'e'>").encode("a<'e'>")
    assert str(caught.value) == (
        "Encountered text corresponding to disallowed special token \"<'e'>\".\n"
        "If you want this text to be encoded as a special token, "
        "pass it to `allowed_special`, e.g. `allowed_special={\"<'e'>\", ...}`.\n"
        "If you want this text to be encoded as normal text, disable the check for this token "
        "by passing `disallowed_special=(enc.special_tokens_set - {\"<'e'>\"})`.\n"
        "To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    )


def test_places() -> None:
    tokens = SpecialTokens({"<a>": 1, "<b>": 2})
    allowed, disallowed = tokens.policy({"<a>"}, "all")
    assert set(allowed) == {"<a>"}
    assert set(disallowed) == {"<b>"}
    assert list(tokens.places("x<a><a>y<b>", allowed)) == [(1, 4, 1), (4, 7, 1)]
    assert list(tokens.places("", allowed)) == []


def test_a_mergeable_token_hides_a_special_one_of_the_same_id() -> None:
    enc = minitok.Encoding("x", pat_str=None, mergeable_ranks={b"a": 0}, special_tokens={"<s>": 0})
    assert enc.decode_bytes([0]) == b"a"
    assert enc.encode("<s>", allowed_special="all") == [0]
