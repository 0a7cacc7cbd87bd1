"""View: the tokens of one text by one or several encodings."""

from __future__ import annotations

import html
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from minitok.colours import coloured, printable
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
#: How many tokens of an encoding are shown where no script runs.
PLAIN_TOKENS = 2_000


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
        self._title = title.encode("utf-8", "backslashreplace").decode("utf-8")  # a file's name may be no text

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
        return page(self.data(), self._plain())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page into a file, whole or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        write_atomically(path, self.html().encode("utf-8"))

    def terminal(self, *, colour: bool = True) -> str:
        """The tokens as text, in colours or with bars between them; first what they are."""
        return self._listing(colour, None)

    def _plain(self) -> str:
        return self._listing(False, PLAIN_TOKENS)

    def _listing(self, colour: bool, most: int | None) -> str:
        out = []
        for encoding, ids in zip(self._encodings, self.ids):
            mean = f", {self.bytes / len(ids):.2f} bytes a token" if ids else ""
            name = printable(encoding.name.encode("utf-8", "surrogatepass"))
            head = f"{name}: {len(ids):,} tokens, {self.characters:,} characters, {self.bytes:,} bytes{mean}"
            shown = coloured(encoding.decode_tokens_bytes(ids[:most]), colour=colour)
            rest = f"\n... and {len(ids) - most:,} tokens more" if most is not None and len(ids) > most else ""
            out.append(f"{head}\n{shown}{rest}")
        return "\n\n".join(out)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that neither its style nor its script reaches the notebook.

        A notebook that is not trusted has no frames, and no style sheets: there the text behind the frame, with bars
        between its tokens, is what one sees.
        """
        if self.bytes > NOTEBOOK_BYTES:
            return f"<p>{html.escape(repr(self))}: too long for a notebook; write a page with view.save(...).</p>"
        height = min(680, 360 + self.bytes // 4)
        return (
            f'<iframe class="minitok-view" srcdoc="{html.escape(self.html())}" sandbox="allow-scripts" '
            f'title="Tokens: {html.escape(repr(self))}" style="width:100%;height:{height}px;border:0"></iframe>'
            f'<pre dir="auto">{html.escape(self._plain())}</pre>'
            "<style>.minitok-view + pre { display: none }</style>"
        )
