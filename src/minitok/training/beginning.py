"""What there is before the first merge, and the vocabulary after any number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

from minitok import _backend
from minitok.training.styles import TrainingStyle
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["Beginning", "Merge"]

#: Left id, right id, and how many places were replaced, by the counts of the words.
Merge = tuple[int, int, int]


@dataclass(frozen=True)
class Beginning:
    """Tokens and special tokens before the first merge.

    Attributes:
        base: the vocabulary that is extended; None: the tokens are the 256 bytes.
        ids: the tokens.
        special: the special tokens that have their ids already.
        last: those that get the ids behind all merges.
    """

    base: Vocabulary | None
    ids: Mapping[bytes, int]
    special: Mapping[str, int]
    last: Sequence[str]

    @classmethod
    def of(cls, base: Vocabulary | None, style: TrainingStyle, special_tokens: Sequence[str]) -> Beginning:
        """The beginning of a training in some style that extends a vocabulary, or none, by special tokens too."""
        if base is not None:
            new = [token for token in special_tokens if token not in base.special_tokens]
            return cls(base, base.tokens, base.special_tokens, new)
        first = special_tokens if style.special_tokens_first else ()
        ids = {bytes([byte]): len(first) + i for i, byte in enumerate(style.byte_order)}
        special = {token: i for i, token in enumerate(first)}
        return cls(None, ids, special, () if style.special_tokens_first else special_tokens)

    def tokens(self) -> list[bytes | None]:
        """The bytes of each id; None where it has none that pieces consist of."""
        if self.base is not None:
            return self.base.token_list()
        by_id: list[bytes | None] = [None] * (len(self.special) + len(self.ids))
        for token, i in self.ids.items():
            by_id[i] = token
        return by_id

    def tokens_after(self, merges: Sequence[Merge]) -> list[bytes | None]:
        """The same after merges, each of which makes the next id."""
        tokens = self.tokens()
        for left, right, _ in merges:
            tokens.append((tokens[left] or b"") + (tokens[right] or b""))
        return tokens

    def encoder_after(self, merges: Sequence[Merge]) -> _backend.Encoder | None:
        """What turns a piece into the symbols that it consists of after merges; None: its bytes."""
        if self.base is not None:
            return _backend.Encoder(self.base.tokens, self._explicit(merges), None, self.base.whole_piece)
        if not merges:
            return None
        return _backend.Encoder(self._ids_after(merges), self._numbered(merges), None, False)

    def checked_sizes(self, vocab_size: Any) -> list[int]:
        """The numbers of ids that are asked for: one, or several.

        Raises:
            ValueError: none, or one out of range.
            TypeError: not whole numbers.
        """
        several = list(vocab_size) if isinstance(vocab_size, (list, tuple, range)) else [vocab_size]
        tokens = len(self.tokens())
        if not several:
            raise ValueError("vocab_size is empty; give one number, or several")
        for size in several:
            try:
                in_range = tokens + len(self.last) <= index(size) <= MAX_ID + 1
            except TypeError:
                raise TypeError(f"vocab_size is a whole number or a list of them, not {size!r}") from None
            if not in_range:
                raise ValueError(
                    f"vocab_size is {size}; expected at least {tokens + len(self.last)} ({tokens} ids to begin with "
                    f"and {len(self.last)} special tokens) and at most {MAX_ID + 1}"
                )
        return [index(size) for size in several]

    def vocabulary(
        self, merges: Sequence[Merge], *, name: str, pattern: str | None, metadata: Mapping[str, Any]
    ) -> Vocabulary:
        """The vocabulary after merges. Its ids are its ranks, unless those of the vocabulary that it extends are not.

        That a rank file can hold it follows from how it was learnt: the bytes of a token go through the same states
        wherever its ends are boundaries, so exactly one pair ever makes it, and any other cut of it never occurs.
        """
        tokens = self._ids_after(merges)
        special = dict(self.special)
        following = len(self.tokens()) + len(merges)
        special.update({token: following + i for i, token in enumerate(self.last)})
        explicit = None if self.base is None else self._explicit(merges)
        whole_piece = True if self.base is None else self.base.whole_piece
        return Vocabulary(name, tokens, explicit, special, pattern, whole_piece, metadata)

    def _ids_after(self, merges: Sequence[Merge]) -> dict[bytes, int]:
        ids = dict(self.ids)
        first = len(self.tokens())
        for i, token in enumerate(self.tokens_after(merges)[first:], first):
            ids[token or b""] = i
        return ids

    def _explicit(self, merges: Sequence[Merge]) -> list[tuple[int, int, int]] | None:
        """All merges as a vocabulary lists them; None where ids are ranks."""
        if self.base is None or self.base.merges is None:
            return None
        return [*self.base.merges, *self._numbered(merges)]

    def _numbered(self, merges: Sequence[Merge]) -> list[tuple[int, int, int]]:
        return [(left, right, i) for i, (left, right, _) in enumerate(merges, len(self.tokens()))]
