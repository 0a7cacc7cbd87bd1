"""How merges make a token out of its bytes.

A token's bytes, taken alone, are merged as a piece is: always the adjacent pair of the lowest rank, the leftmost
among equals. What this comes to is the token itself, or, for a token that only a whole piece can be (`whole_piece`),
several shorter ones.

The steps inside of a symbol that is made on the way are those that make that symbol alone. (No step crosses its ends,
and whichever step comes next is of the lowest rank everywhere, so of the lowest inside as well.) Therefore the steps
of many tokens can be told as one table of who is made of which two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal

from minitok.text import characters_of
from minitok.vocabulary import Vocabulary

__all__ = ["MergeStep", "MergeSteps", "TokenHistory"]

Kind = Literal["token", "special", "added", "byte", "other"]


@dataclass(frozen=True)
class MergeStep:
    """Two symbols become one.

    Attributes:
        start: where the left one begins, in bytes from the beginning of the token.
        left: the bytes of the left symbol.
        right: those of the right one.
        rank: the rank of the merge.
        id: the id of what is made.
    """

    start: int
    left: bytes
    right: bytes
    rank: int
    id: int

    @property
    def made(self) -> bytes:
        """The bytes of what is made."""
        return self.left + self.right


@dataclass(frozen=True)
class TokenHistory:
    """What a token is, and how merges make it.

    Attributes:
        id: its id.
        token: its bytes as the vocabulary spells them (with the mark of a word's end, where tokens have such).
        kind: "token", one of the vocabulary; "special" or "added", a string that is looked for in the text; "byte",
            what stands for a byte of a character that is no token; "other", an id that is only ever decoded.
        rank: its rank; None if no merge makes it and the vocabulary does not rank it.
        steps: the merges, first to last.
        parts: what the merges come to: the token alone, or what they leave of a token that they do not make.
    """

    id: int
    token: bytes
    kind: Kind
    rank: int | None
    steps: tuple[MergeStep, ...]
    parts: tuple[bytes, ...]


class MergeSteps:
    """The steps to the tokens of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tokens = vocabulary.tokens
        self._characters = vocabulary.symbols.characters
        self._ending = vocabulary.symbols.end_of_word.encode()
        self._kinds: dict[int, Kind] = dict.fromkeys(vocabulary.only_decoded, "other")
        self._kinds.update(dict.fromkeys(vocabulary.symbols.byte_ids or (), "byte"))
        self._kinds.update((token.id, "added") for token in vocabulary.added_tokens)
        self._kinds.update(dict.fromkeys(vocabulary.special_tokens.values(), "special"))
        #: Of a vocabulary with merges: rank and product of each pair of ids; the first merge of a pair counts.
        self._merges: dict[tuple[int, int], tuple[int, int]] | None = None
        if vocabulary.merges is not None:
            ranked = reversed(list(enumerate(vocabulary.merges)))
            self._merges = {(left, right): (rank, made) for rank, (left, right, made) in ranked}
        #: Of a vocabulary whose ranks are not its ids.
        self._ranks: dict[int, int] | None = None
        if vocabulary.ranks is not None:
            self._ranks = dict(zip(sorted(self._tokens.values()), vocabulary.ranks, strict=True))

    def history(self, number: int, decoded: bytes) -> TokenHistory:
        """The history of an id, and of the bytes that it decodes to."""
        token = self._spelt(number, decoded)
        if token is None:
            return TokenHistory(number, decoded, self._kinds.get(number, "other"), None, (), (decoded,))
        steps, parts = self._run(self._symbols(token))
        rank = None
        if self._merges is None:
            rank = self._rank(number)
        elif len(parts) == 1 and steps:
            rank = steps[-1].rank
        return TokenHistory(number, token, self._kinds.get(number, "token"), rank, tuple(steps), tuple(parts))

    def _spelt(self, number: int, decoded: bytes) -> bytes | None:
        """A token as the vocabulary has it; None if it is outside of it."""
        if self._ending and decoded.endswith(b" "):
            marked = decoded[:-1] + self._ending
            if self._tokens.get(marked) == number:
                return marked
        return decoded if self._tokens.get(decoded) == number else None

    def _symbols(self, token: bytes) -> list[bytes]:
        """What the bytes of a token begin as."""
        if self._characters:
            return characters_of(token)
        marked = self._ending and token.endswith(self._ending)
        plain = token.removesuffix(self._ending) if marked else token
        symbols = [bytes([b]) for b in plain]
        if marked and symbols:
            symbols[-1] += self._ending
        return symbols

    def _rank(self, number: int) -> int:
        return number if self._ranks is None else self._ranks[number]

    def _merge(self, left: bytes, right: bytes) -> tuple[int, int] | None:
        """Rank and product of a pair; None if it does not merge."""
        if self._merges is not None:
            # (No merge has the id -1.)
            return self._merges.get((self._tokens.get(left, -1), self._tokens.get(right, -1)))
        made = self._tokens.get(left + right)
        if made is None or not (self._can_merge(left) and self._can_merge(right)):
            return None
        return self._rank(made), made

    def _can_merge(self, symbol: bytes) -> bool:
        # A byte that is no token may still merge into one.
        return symbol in self._tokens or (len(symbol) == 1 and not self._characters)

    def _run(self, symbols: Sequence[bytes]) -> tuple[list[MergeStep], list[bytes]]:
        """All steps from these symbols, and what is left in the end; n log n."""
        at_place = list(symbols)  # b"": gone into the one before
        count = len(symbols)
        before, behind = list(range(-1, count - 1)), list(range(1, count + 1))
        starts = [0]
        for symbol in symbols:
            starts.append(starts[-1] + len(symbol))

        def candidate(place: int) -> tuple[int, int, bytes, bytes, int] | None:
            left, right = at_place[place], at_place[behind[place]]
            merge = self._merge(left, right)
            return None if merge is None else (merge[0], place, left, right, merge[1])

        heap = [found for place in range(count - 1) if (found := candidate(place)) is not None]
        heapify(heap)
        steps: list[MergeStep] = []
        while heap:
            rank, place, left, right, made = heappop(heap)
            other = behind[place]
            if at_place[place] != left or other >= count or at_place[other] != right:
                continue  # one of the two has become something else
            steps.append(MergeStep(starts[place], left, right, rank, made))
            at_place[place], at_place[other] = left + right, b""
            behind[place] = behind[other]
            if behind[place] < count:
                before[behind[place]] = place
            for changed in (before[place], place):
                if changed >= 0 and behind[changed] < count:
                    found = candidate(changed)
                    if found is not None:
                        heappush(heap, found)
        return steps, [symbol for symbol in at_place if symbol]
