"""Which tokens a text uses, and of which script they are.

A token is of the script of its first letter. Where that is not a whole character (a token may end, or begin,
inside of one), it is the character of the text that the token holds a part of. What a token is in every text alike
is looked up by its id, so that only tokens with parts of characters cost more than counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minitok.pretokenizer import bytes_of
from minitok.scripts import SCRIPTS, script_table
from minitok.text import characters_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

__all__ = ["TokenUse"]

_UNKNOWN = -2
#: It depends on the text.
_PARTIAL = -1
_MISSING = b""


class TokenUse:
    """Counts tokens; `reset` begins anew.

    Args:
        tokens: the bytes of every id; None for an id that nothing has.
    """

    def __init__(self, tokens: list[bytes | None]) -> None:
        self._tokens = [_MISSING if token is None else token for token in tokens]
        self._lengths: Numbers = np.array([len(token) for token in self._tokens], np.int64)
        self._scripts = np.full(len(tokens), _UNKNOWN, np.int64)
        self._places = np.zeros(len(tokens), np.int64)  # of the part of a character, in the token
        self._table = np.frombuffer(script_table(), np.uint8)
        self.reset()

    def reset(self) -> None:
        """Forget what was counted."""
        #: How often each id was used.
        self.counts: Numbers = np.zeros(len(self._tokens), np.int64)
        self._partial = np.zeros((2, len(SCRIPTS)), np.int64)  # tokens and bytes

    def add(self, used: npt.NDArray[np.uint32], texts: Sequence[str | bytes]) -> None:
        """Count ids.

        Args:
            used: the ids of texts.
            texts: the texts, or their pieces.
        """
        ids = used.astype(np.int64)
        counts = np.bincount(ids, minlength=len(self._tokens))
        for i in np.flatnonzero((counts > 0) & (self._scripts == _UNKNOWN)).tolist():
            self._scripts[i], self._places[i] = self._classified(self._tokens[i])
        self.counts += counts
        if (counts[self._scripts == _PARTIAL] > 0).any():
            self._add_partial(ids, b"".join([text if isinstance(text, bytes) else bytes_of(text) for text in texts]))

    def by_script(self) -> list[tuple[str, int, int]]:
        """Name, tokens and bytes of each script that was used."""
        tokens, size = self._partial.copy()
        whole = (self.counts > 0) & (self._scripts >= 0)
        counts = self.counts[whole]
        np.add.at(tokens, self._scripts[whole], counts)
        np.add.at(size, self._scripts[whole], counts * self._lengths[whole])
        return [
            (name, count, n) for name, count, n in zip(SCRIPTS, tokens.tolist(), size.tolist(), strict=True) if count
        ]

    def _classified(self, token: bytes) -> tuple[int, int]:
        place = 0
        for character in characters_of(token):
            try:
                script = int(self._table[ord(character.decode())])
            except UnicodeDecodeError:
                return _PARTIAL, place
            if script:
                return script, 0
            place += len(character)
        return 0, 0

    def _add_partial(self, ids: Numbers, text: bytes) -> None:
        is_partial = (self._scripts == _PARTIAL).take(ids)
        lengths = self._lengths.take(ids)
        starts = np.cumsum(lengths)
        size = int(starts[-1])
        starts -= lengths
        if size != len(text):  # the vocabulary changes texts: what counts is what the tokens spell
            text = b"".join([self._tokens[i] for i in ids.tolist()])
        lengths = lengths[is_partial]
        places = starts[is_partial] + self._places.take(ids[is_partial])
        scripts = self._scripts_at(text, places)
        self._partial[0] += np.bincount(scripts, minlength=len(SCRIPTS))
        self._partial[1] += np.bincount(scripts, lengths, minlength=len(SCRIPTS)).astype(np.int64)

    def _scripts_at(self, text: bytes, places: Numbers) -> npt.NDArray[np.uint8]:
        """The scripts of the characters of which these places are a byte."""
        try:
            characters = text.decode()
        except UnicodeDecodeError:  # of what tokens spell; a byte that is not UTF-8 becomes one that is
            characters = text.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
            text = characters.encode()
        code_points = np.frombuffer(characters.encode("utf-32-le"), np.uint32)
        is_first = (np.frombuffer(text, np.uint8) & 0xC0) != 0x80
        numbers = np.cumsum(is_first, dtype=np.int32)  # of the character that a byte belongs to, from 1
        return self._table[code_points].take(numbers.take(places) - 1)
