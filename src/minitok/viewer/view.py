"""View: the tokens of one text by one or several encodings."""

from __future__ import annotations

import html
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from minitok.colours import coloured
from minitok.files import write_atomically
from minitok.text import Text, decoded_text, has_surrogates, plain_text, repair_surrogates
from minitok.viewer.data import encoding_data
from minitok.viewer.page import page

if TYPE_CHECKING:
    from minitok.encoding import Encoding
    from minitok.special_tokens import Allowed

__all__ = ["View"]

#: The longest text, in bytes, that is put into a notebook.
NOTEBOOK_BYTES = 1_000_000


class View:
    """The tokens of a text by one or several encodings; see `Encoding.view`.

    Attributes:
        characters: how many characters the text has.
        bytes: how many bytes it has in UTF-8.
        ids: the ids by each encoding.
    """

    def __init__(
        self,
        text: Text,
        encodings: Sequence[Encoding],
        *,
        allowed_special: Allowed = frozenset(),
        title: str = "",
    ) -> None:
        plain = plain_text(text)
        if isinstance(plain, str) and has_surrogates(plain):
            plain = repair_surrogates(plain)
        self.characters = len(plain if isinstance(plain, str) else decoded_text(plain))
        self.bytes = len(plain.encode("utf-8") if isinstance(plain, str) else plain)
        self.ids = [
            encoding.encode(plain, allowed_special=allowed_special, disallowed_special=()) for encoding in encodings
        ]
        self._encodings = list(encodings)
        self._title = title

    def __repr__(self) -> str:
        counts = ", ".join(f"{e.name} {len(ids)} tokens" for e, ids in zip(self._encodings, self.ids))
        return f"<View of {self.characters} characters: {counts}>"

    def data(self, *, live: bool = False) -> dict[str, Any]:
        """What a page shows, for JSON."""
        return {
            "title": self._title,
            "characters": self.characters,
            "bytes": self.bytes,
            "live": live,
            "encodings": [encoding_data(e, ids) for e, ids in zip(self._encodings, self.ids)],
        }

    def html(self) -> str:
        """A page that shows the tokens and loads nothing."""
        return page(self.data())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page into a file, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        write_atomically(path, self.html().encode("utf-8"))

    def terminal(self, *, colour: bool = True) -> str:
        """The tokens as text, in colours or with bars between them; first what they are."""
        out = []
        for encoding, ids in zip(self._encodings, self.ids):
            mean = f", {self.bytes / len(ids):.2f} bytes a token" if ids else ""
            head = f"{encoding.name}: {len(ids):,} tokens, {self.characters:,} characters, {self.bytes:,} bytes{mean}"
            out.append(f"{head}\n{coloured(encoding.decode_tokens_bytes(ids), colour=colour)}")
        return "\n\n".join(out)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither its style nor its script reaches the notebook."""
        if self.bytes > NOTEBOOK_BYTES:
            return f"<p>{html.escape(repr(self))}: too long for a notebook; write a page with view.save(...).</p>"
        height = min(680, 360 + self.bytes // 4)
        return (
            f'<iframe srcdoc="{html.escape(self.html())}" sandbox="allow-scripts" title="Tokens" '
            f'style="width:100%;height:{height}px;border:0"></iframe>'
        )
