"""Which tokens a text uses, and of which script they are.

A token is of the script of its first letter. Where that is not a whole character (a token may end, or begin,
inside of one), it is the character of the text that the token holds a part of. What a token is in every text alike
is known by its id beforehand, so that only tokens with parts of characters cost more than counting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from minitok import _backend
from minitok._errors import NO_PLACE
from minitok.pretokenizer import bytes_of
from minitok.scripts import SCRIPTS, script_table

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

__all__ = ["TokenUse"]

_MISSING = b""


class _Tally:
    """What was counted in some of the calls of `TokenUse.add`, no two of them at once."""

    def __init__(self, size: int) -> None:
        self.counts: Numbers = np.zeros(size, np.int64)
        self.parts: Numbers = np.zeros((2, len(SCRIPTS)), np.int64)  # tokens of each script, and their bytes


class TokenUse:
    """Counts tokens, in any number of threads at once; `reset` begins anew.

    A call of `add` writes to a tally that is its own meanwhile: it is taken from those there are, and put back, so
    that there are as many as there were calls at once. They are added up when a result is asked for, which nobody may
    do while others count.

    Args:
        tokens: the bytes of every id; None for an id that nothing has.
    """

    def __init__(self, tokens: list[bytes | None]) -> None:
        self._tokens = [_MISSING if token is None else token for token in tokens]
        self._table = script_table()
        lengths, scripts, places = _backend.classify_tokens(self._tokens, self._table)
        #: How many bytes each id spells.
        self.lengths = np.frombuffer(lengths, np.uint32)
        self._scripts = np.frombuffer(scripts, np.uint8)
        self._places = np.frombuffer(places, np.uint32)  # of the part of a character, in the token
        self._has_parts = bool((self._places != NO_PLACE).any())
        self._tallies: deque[_Tally] = deque()

    def reset(self) -> None:
        """Forget what was counted."""
        self._tallies.clear()

    def add(self, ids: npt.NDArray[np.uint32], texts: Iterable[str | bytes]) -> None:
        """Count ids.

        Args:
            ids: those of texts.
            texts: the texts, or their pieces.
        """
        try:
            tally = self._tallies.pop()
        except IndexError:
            tally = _Tally(len(self._tokens))
        try:
            self._add(ids, texts, tally)
        finally:
            self._tallies.append(tally)

    def _add(self, ids: npt.NDArray[np.uint32], texts: Iterable[str | bytes], tally: _Tally) -> None:
        size = _backend.count_ids(ids, self.lengths, tally.counts)
        if not self._has_parts:
            return
        text = b"".join([text if isinstance(text, bytes) else bytes_of(text) for text in texts])
        if size != len(text):  # the vocabulary changes texts: what counts is what the tokens spell
            spelled = b"".join([self._tokens[i] for i in ids.tolist()])
            # A byte that is not UTF-8 becomes one that is.
            text = spelled.decode("utf-8", "surrogateescape").encode("utf-8", "replace")
        _backend.count_parts(ids, self.lengths, self._places, text, self._table, *tally.parts)

    @property
    def counts(self) -> Numbers:
        """How often each id was used."""
        return sum((tally.counts for tally in self._tallies), np.zeros(len(self._tokens), np.int64))

    def by_script(self) -> list[tuple[str, int, int]]:
        """Name, tokens and bytes of each script that was used."""
        tokens, size = sum((tally.parts for tally in self._tallies), np.zeros((2, len(SCRIPTS)), np.int64))
        whole = self._places == NO_PLACE
        counts = self.counts[whole]
        np.add.at(tokens, self._scripts[whole], counts)
        np.add.at(size, self._scripts[whole], counts * self.lengths[whole])
        return [
            (name, count, n) for name, count, n in zip(SCRIPTS, tokens.tolist(), size.tolist(), strict=True) if count
        ]
