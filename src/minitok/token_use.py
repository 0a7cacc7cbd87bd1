"""Which tokens a text uses, and of which script they are.

A token is of the script of its first letter. Where that is not a whole character (a token may end, or begin,
inside of one), it is the character of the text that the token holds a part of. What a token is in every text alike
is known by its id beforehand, so that only tokens with parts of characters cost more than counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minitok import _backend
from minitok.pretokenizer import bytes_of
from minitok.scripts import SCRIPTS, script_table
from minitok.text import characters_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

__all__ = ["TokenUse"]

#: The place of a token whose bytes alone tell its script.
_NO_PLACE = 0xFFFFFFFF
_MISSING = b""


class TokenUse:
    """Counts tokens; `reset` begins anew.

    Args:
        tokens: the bytes of every id; None for an id that nothing has.
    """

    def __init__(self, tokens: list[bytes | None]) -> None:
        self._tokens = [_MISSING if token is None else token for token in tokens]
        #: How many bytes each id spells.
        self.lengths = np.array(list(map(len, self._tokens)), np.uint32)
        self._table = script_table()
        self._scripts = np.zeros(len(tokens), np.uint8)
        self._places = np.full(len(tokens), _NO_PLACE, np.uint32)  # of the part of a character, in the token
        self._classify()
        self._has_parts = bool((self._places != _NO_PLACE).any())
        self.reset()

    def reset(self) -> None:
        """Forget what was counted."""
        #: How often each id was used.
        self.counts: Numbers = np.zeros(len(self._tokens), np.int64)
        self._part_tokens, self._part_sizes = np.zeros((2, len(SCRIPTS)), np.int64)

    def add(self, ids: npt.NDArray[np.uint32], texts: Sequence[str | bytes]) -> None:
        """Count ids.

        Args:
            ids: those of texts.
            texts: the texts, or their pieces.
        """
        size = _backend.count_ids(ids, self.lengths, self.counts)
        if not self._has_parts:
            return
        text = b"".join([text if isinstance(text, bytes) else bytes_of(text) for text in texts])
        if size != len(text):  # the vocabulary changes texts: what counts is what the tokens spell
            spelled = b"".join([self._tokens[i] for i in ids.tolist()])
            # A byte that is not UTF-8 becomes one that is.
            text = spelled.decode("utf-8", "surrogateescape").encode("utf-8", "replace")
        _backend.count_parts(ids, self.lengths, self._places, text, self._table, self._part_tokens, self._part_sizes)

    def by_script(self) -> list[tuple[str, int, int]]:
        """Name, tokens and bytes of each script that was used."""
        tokens, size = self._part_tokens.copy(), self._part_sizes.copy()
        whole = self._places == _NO_PLACE
        counts = self.counts[whole]
        np.add.at(tokens, self._scripts[whole], counts)
        np.add.at(size, self._scripts[whole], counts * self.lengths[whole])
        return [
            (name, count, n) for name, count, n in zip(SCRIPTS, tokens.tolist(), size.tolist(), strict=True) if count
        ]

    def _classify(self) -> None:
        """Find the scripts of tokens that are whole characters, all at once, and the places of the others."""
        whole: list[int] = []
        texts: list[str] = []
        for number, token in enumerate(self._tokens):
            try:
                texts.append(token.decode())
                whole.append(number)
            except UnicodeDecodeError:
                self._classify_partial(number, token)
        table = np.frombuffer(self._table, np.uint8)
        scripts = table[np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)]
        ends = np.cumsum(np.array(list(map(len, texts)), np.int64))
        letters = np.flatnonzero(scripts)  # places of letters; the last one stands for none
        first = np.append(letters, len(scripts))[np.searchsorted(letters, np.append(0, ends[:-1]))]
        self._scripts[whole] = np.where(first < ends, np.append(scripts, 0)[first], 0)

    def _classify_partial(self, number: int, token: bytes) -> None:
        place = 0
        for character in characters_of(token):
            try:
                script = self._table[ord(character.decode())]
            except UnicodeDecodeError:
                self._places[number] = place
                return
            if script:
                self._scripts[number] = script
                return
            place += len(character)
