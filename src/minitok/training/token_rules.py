"""Named rules for which tokens may be learnt: pure functions from the bytes of a token to yes or no."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TOKEN_RULES", "find_token_rule", "whole_characters"]


def whole_characters(token: bytes) -> bool:
    r"""Whether a token is whole characters of UTF-8, or a part of a single one.

    So no token goes across a boundary between characters and ends, or begins, amidst one. A byte alone may be
    anything.

    >>> [whole_characters(token) for token in ("né".encode(), "é".encode()[:1], b"n\xc3", b"\xa9e")]
    [True, True, False, False]
    """
    try:
        token.decode("utf-8")
    except UnicodeDecodeError:
        return _is_part_of_one(token)
    return True


def _is_part_of_one(token: bytes) -> bool:
    """Whether these bytes, which are no UTF-8, stand within one character of it."""
    first = token[0]
    if first >= 0xC0:  # a lead byte, which says how many follow
        length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        rest = token[1:]
    else:
        length = 4
        rest = token
    return len(token) == 1 or (len(rest) < length and all(0x80 <= byte < 0xC0 for byte in rest))


#: By the names that `train(allowed=...)` knows.
TOKEN_RULES: dict[str, Callable[[bytes], bool]] = {"characters": whole_characters}


def find_token_rule(allowed: str | Callable[[bytes], bool] | None) -> Callable[[bytes], bool] | None:
    """The function for what a user gives as a rule: a name, a function, or None (all tokens).

    Raises:
        ValueError: no rule has that name.
        TypeError: neither a name nor a function.
    """
    if isinstance(allowed, str):
        if allowed not in TOKEN_RULES:
            raise ValueError(f"allowed is {allowed!r}; expected one of {', '.join(map(repr, TOKEN_RULES))}")
        return TOKEN_RULES[allowed]
    if allowed is not None and not callable(allowed):
        raise TypeError(f"allowed is a name or a function of bytes, not {type(allowed).__name__}")
    return allowed
