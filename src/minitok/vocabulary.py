"""Vocabulary: all that defines a tokenizer, and its check of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from minitok import _backend
from minitok.added_tokens import AddedToken
from minitok.normalizers import Normalizer
from minitok.patterns import find_named_pattern
from minitok.pretokenizer import get_pretokenizer
from minitok.splits import Stage
from minitok.symbols import BYTES, Symbols
from minitok.table_merges import TableMerges
from minitok.templates import Template

__all__ = ["MAX_ID", "SpelledMerges", "Vocabulary"]

#: Ids are unsigned 32-bit numbers; the highest are reserved for bytes that a vocabulary lacks.
MAX_ID = 2**32 - 1025

#: The highest rank of a token in `Vocabulary.ranks`.
MAX_RANK = 2**31 - 1

Merge = tuple[int, int, int]


class SpelledMerges(list[Merge]):
    """Merges each of which makes its token for certain: because a file spells the token as the two others joined."""


@dataclass(frozen=True)
class Vocabulary:
    """All that defines a tokenizer: tokens, merges, special tokens, and what is done to a text before it is merged.

    A text goes this way: special tokens that the caller allows, and added tokens, are cut out; what is between them
    is normalized; added tokens that are looked for in normalized text are cut out; the rest is cut into pieces, by
    the pattern or in stages; each piece becomes symbols, which merge.

    Attributes:
        name: what the encoding is called.
        tokens: token bytes to id.
        merges: (left id, right id, new id) in order of rank; None if ids are ranks, as in tiktoken's files: then
            every pair of tokens whose concatenation is a token is a merge, at that token's id.
        special_tokens: strings outside of the vocabulary, to their ids.
        pattern: the regular expression that cuts text into pieces; None: a text is one piece.
        whole_piece: whether a piece that is a token is taken whole, even where merges would not make it.
        metadata: anything that JSON can hold.
        ranks: if `merges` is None and ids are not ranks: the rank of each token, in the order of the tokens' ids.
            Several may have the same one: among them the leftmost pair merges first.
        symbols: what a piece begins as; default: its bytes.
        normalizers: what is done to a text first, one behind the other.
        splits: how text is cut if not by a `pattern`, stage by stage.
        added_tokens: strings that are tokens wherever they stand; and special tokens with flags of such.
        template: what a model expects around the ids of a text; applied by `Encoding.apply_template` alone.
        decoded_prefix: what is taken off the beginning of decoded text, if it is there.
        only_decoded: ids that no text encodes to, with the bytes that they decode to; and what added tokens decode to
            that are another text.

    Raises:
        ValueError: two tokens with one id, an id out of range, a merge that does not make its token, a pattern
            that does not compile, ranks for other than all tokens, a pattern and splits at once.
        TypeError: a token that is not bytes, a special token that is not a str, an id that is not an int.
    """

    name: str
    tokens: Mapping[bytes, int]
    merges: Sequence[Merge] | None
    special_tokens: Mapping[str, int]
    pattern: str | None
    whole_piece: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ranks: Sequence[int] | None = None
    symbols: Symbols = BYTES
    normalizers: tuple[Normalizer, ...] = ()
    splits: tuple[Stage, ...] = ()
    added_tokens: tuple[AddedToken, ...] = ()
    template: Template | None = None
    decoded_prefix: str = ""
    only_decoded: Mapping[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"the name of a vocabulary is a str, not {type(self.name).__name__}")
        if not self.tokens:
            raise ValueError(f"vocabulary {self.name!r} has no tokens")
        if not isinstance(self.tokens, _backend.RankTable):  # those are checked when they are read
            _check_ids(self.tokens, bytes, self.name)
            self._check_unique()
        _check_ids(self.special_tokens, str, self.name)
        if self.merges is not None and not self._has_checked_merges():
            self._check_merges(self.merges)
        self._check_extras()
        # Compiling a named pattern would tell nothing and take time.
        if find_named_pattern(self.pattern) is None:
            get_pretokenizer(self.pattern)

    def _has_checked_merges(self) -> bool:
        if isinstance(self.merges, TableMerges):
            return isinstance(self.tokens, _backend.RankTable) and self.merges.table is self.tokens
        return isinstance(self.merges, SpelledMerges)

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

    def _check_extras(self) -> None:
        if self.ranks is not None:
            if self.merges is not None:
                raise ValueError(
                    f"vocabulary {self.name!r} has merges and ranks; ranks are for tokens without merges"
                )
            if len(self.ranks) != len(self.tokens):
                raise ValueError(
                    f"vocabulary {self.name!r} has {len(self.tokens)} tokens, but {len(self.ranks)} ranks; "
                    "each token needs one"
                )
            checked = isinstance(self.tokens, _backend.RankTable) and self.ranks is self.tokens.ranks
            if not checked and not all(type(rank) is int and 0 <= rank <= MAX_RANK for rank in self.ranks):
                raise ValueError(f"vocabulary {self.name!r}: ranks are numbers from 0 to {MAX_RANK}")
        if self.symbols.characters and not isinstance(self.tokens, _backend.RankTable):
            for token in self.tokens:
                try:
                    token.decode("utf-8")
                except UnicodeDecodeError:
                    raise ValueError(
                        f"vocabulary {self.name!r}: pieces begin as characters, but the token {token!r} is not UTF-8"
                    ) from None
        if self.splits and self.pattern is not None:
            raise ValueError(f"vocabulary {self.name!r} has a pattern and splits; text is cut by one of them")
        ids = (self.symbols.byte_ids or (), [self.symbols.unknown_id], [t.id for t in self.added_tokens])
        for i in chain(*ids, self.only_decoded):
            if i is not None and not (type(i) is int and 0 <= i <= MAX_ID):
                raise ValueError(f"vocabulary {self.name!r}: an id is {i!r}, expected 0 to {MAX_ID}")

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
        byte_ids = self.symbols.byte_ids or ()
        added = (token.id for token in self.added_tokens)
        return max(chain(tokens, self.special_tokens.values(), byte_ids, added, self.only_decoded)) + 1

    @property
    def pattern_name(self) -> str | None:
        """The name of the pattern, if it is a named one."""
        named = find_named_pattern(self.pattern)
        return named.name if named else None

    def is_plain(self, but_for: tuple[Normalizer, ...] = ()) -> bool:
        """Whether tokens, merges, special tokens and a pattern say it all, `but_for` some normalizers."""
        extras = (self.ranks, self.splits, self.added_tokens, self.template, self.decoded_prefix, self.only_decoded)
        return not any(extras) and self.symbols == BYTES and self.normalizers == but_for

    def is_rank_file(self, but_for: tuple[Normalizer, ...] = ()) -> bool:
        """Whether tokens ranked by their ids, special tokens and a pattern say it all, `but_for` some normalizers."""
        return self.is_plain(but_for) and self.merges is None and self.whole_piece

    def missing_bytes(self) -> list[int]:
        """The bytes that have no token."""
        return [b for b in range(256) if bytes([b]) not in self.tokens]

    def other_ids(self) -> dict[int, bytes]:
        """What the ids that `tokens` does not have decode to: special and added tokens, and bytes."""
        out = {token.id: token.content.encode("utf-8", "surrogatepass") for token in self.added_tokens}
        out.update(self.only_decoded)
        out.update({i: special.encode("utf-8", "surrogatepass") for special, i in self.special_tokens.items()})
        out.update({i: bytes([b]) for b, i in enumerate(self.symbols.byte_ids or ())})
        return out

    def token_list(self) -> list[bytes | None]:
        """The bytes of every id in order, special tokens included; None for an id that nothing has."""
        out: list[bytes | None] = [None] * self.n_vocab
        for i, other in self.other_ids().items():
            out[i] = other
        ending = self.symbols.end_of_word.encode()
        for token, i in self.tokens.items():
            out[i] = token.removesuffix(ending) + b" " if ending and token.endswith(ending) else token
        return out


def _check_ids(ids: Mapping[Any, int], kind: type, name: str) -> None:
    # What is right is found to be so without a look at each.
    numbers = ids.values()
    right = set(map(type, ids)) <= {kind} and set(map(type, numbers)) <= {int} and all(ids)
    if right and (not ids or (min(numbers) >= 0 and max(numbers) <= MAX_ID)):
        return
    for token, i in ids.items():
        if type(token) is not kind:
            raise TypeError(f"vocabulary {name!r}: {token!r} is {type(token).__name__}, expected {kind.__name__}")
        if not token:
            raise ValueError(f"vocabulary {name!r}: a token is empty (id {i!r})")
        if type(i) is not int:
            raise TypeError(f"vocabulary {name!r}: the id of {token!r} is {i!r}, expected an int")
        if not 0 <= i <= MAX_ID:
            raise ValueError(f"vocabulary {name!r}: the id of {token!r} is {i}, expected 0 to {MAX_ID}")
