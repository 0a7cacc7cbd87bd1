"""Vocabulary: all that defines a tokenizer, and its check of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from minitok import _backend
from minitok.patterns import find_named_pattern
from minitok.pretokenizer import get_pretokenizer

__all__ = ["MAX_ID", "Vocabulary"]

#: Ids are unsigned 32-bit numbers; the highest are reserved for bytes that a vocabulary lacks.
MAX_ID = 2**32 - 1025

Merge = tuple[int, int, int]


@dataclass(frozen=True)
class Vocabulary:
    """Tokens, merges, special tokens and pattern together.

    Attributes:
        name: what the encoding is called.
        tokens: token bytes to id.
        merges: (left id, right id, new id) in order of rank; None if ids are ranks, as in tiktoken's files: then
            every pair of tokens whose concatenation is a token is a merge, at that token's id.
        special_tokens: strings outside of the vocabulary, to their ids.
        pattern: the regular expression that cuts text into pieces; None: a text is one piece.
        whole_piece: whether a piece that is a token is taken whole, even where merges would not make it.
        metadata: anything that JSON can hold.

    Raises:
        ValueError: two tokens with one id, an id out of range, a merge that does not make its token, a pattern
            that does not compile.
        TypeError: a token that is not bytes, a special token that is not a str, an id that is not an int.
    """

    name: str
    tokens: Mapping[bytes, int]
    merges: Sequence[Merge] | None
    special_tokens: Mapping[str, int]
    pattern: str | None
    whole_piece: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"the name of a vocabulary is a str, not {type(self.name).__name__}")
        if not self.tokens:
            raise ValueError(f"vocabulary {self.name!r} has no tokens")
        if not isinstance(self.tokens, _backend.RankTable):  # those are checked when they are read
            _check_ids(self.tokens, bytes, self.name)
            self._check_unique()
        _check_ids(self.special_tokens, str, self.name)
        if self.merges is not None:
            self._check_merges(self.merges)
        # Compiling a named pattern would tell nothing and take time.
        if find_named_pattern(self.pattern) is None:
            get_pretokenizer(self.pattern)

    def _check_unique(self) -> None:
        if len(set(self.tokens.values())) == len(self.tokens):
            return
        seen: dict[int, bytes] = {}
        for token, i in self.tokens.items():
            if i in seen:
                raise ValueError(
                    f"vocabulary {self.name!r}: the tokens {seen[i]!r} and {token!r} have the same id {i}; "
                    "each token needs an id of its own"
                )
            seen[i] = token

    def _check_merges(self, merges: Sequence[Merge]) -> None:
        token_of = {i: token for token, i in self.tokens.items()}
        for rank, (left, right, new) in enumerate(merges):
            try:
                made, wanted = token_of[left] + token_of[right], token_of[new]
            except KeyError as error:
                raise ValueError(
                    f"vocabulary {self.name!r}: merge {rank} ({left}, {right}) -> {new} names the id "
                    f"{error.args[0]}, which no token has"
                ) from None
            if made != wanted:
                raise ValueError(
                    f"vocabulary {self.name!r}: merge {rank} ({left}, {right}) -> {new} makes {made!r}, "
                    f"but the token {new} is {wanted!r}"
                )

    @property
    def n_vocab(self) -> int:
        """The largest id, of special tokens too, plus one."""
        tokens = (self.tokens.largest,) if isinstance(self.tokens, _backend.RankTable) else self.tokens.values()
        return max(chain(tokens, self.special_tokens.values())) + 1

    @property
    def pattern_name(self) -> str | None:
        """The name of the pattern, if it is a named one."""
        named = find_named_pattern(self.pattern)
        return named.name if named else None

    def missing_bytes(self) -> list[int]:
        """The bytes that have no token."""
        return [b for b in range(256) if bytes([b]) not in self.tokens]

    def token_list(self) -> list[bytes | None]:
        """The bytes of every id in order, special tokens included; None for an id that nothing has."""
        out: list[bytes | None] = [None] * self.n_vocab
        for special, i in self.special_tokens.items():
            out[i] = special.encode("utf-8", "surrogatepass")
        for token, i in self.tokens.items():
            out[i] = token
        return out


def _check_ids(ids: Mapping[Any, int], kind: type, name: str) -> None:
    for token, i in ids.items():
        if type(token) is not kind:
            raise TypeError(f"vocabulary {name!r}: {token!r} is {type(token).__name__}, expected {kind.__name__}")
        if not token:
            raise ValueError(f"vocabulary {name!r}: a token is empty (id {i!r})")
        if type(i) is not int:
            raise TypeError(f"vocabulary {name!r}: the id of {token!r} is {i!r}, expected an int")
        if not 0 <= i <= MAX_ID:
            raise ValueError(f"vocabulary {name!r}: the id of {token!r} is {i}, expected 0 to {MAX_ID}")
