"""Documents in blocks of bytes: text that is cut at a separator, or JSON Lines.

Most documents are short, and many come in one block: they are handed over whole, in lists. A text that goes on for
longer is handed over as it comes, so that it is never held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any

from minitok.text import has_surrogates, repair_surrogates

__all__ = ["Documents", "Separators", "json_documents", "text_documents"]

_JSON_SPACE = " \t\r\n"
#: `json.loads` without what it does beside: with short lines half of the time.
_raw_decode = json.JSONDecoder().raw_decode

#: Whole documents; or the parts of one that is long, which must be taken to their end before the next item.
Documents = Iterator[list[bytes] | list[str] | Iterator[bytes]]


class Separators:
    """What stands between documents, and belongs to none: one of these strings, the longest where several fit.

    Args:
        separators: at least one; none is empty.
    """

    def __init__(self, separators: Collection[bytes]) -> None:
        self.longest = max(map(len, separators))
        by_length = sorted(separators, key=lambda separator: (-len(separator), separator))
        self._regex = re.compile(b"|".join(map(re.escape, by_length)))
        #: The one that there is: `bytes.split` looks for it several times faster than the regular expression.
        self._only = by_length[0] if len(by_length) == 1 else None

    def first(self, text: bytes, *, ended: bool = False) -> re.Match[bytes] | None:
        """The first separator in a text; unless the text has ended, only if it is one whatever follows."""
        found = self._regex.search(text)
        return found if found is None or ended or self._is_certain(found) else None

    def split(self, text: bytes, *, ended: bool = False) -> list[bytes]:
        """What stands between the separators; unless the text has ended, between those that are certain."""
        if self._only is not None:  # no other fits where it does
            return text.split(self._only)
        texts = []
        start = 0
        for found in self._regex.finditer(text):
            if not (ended or self._is_certain(found)):
                break
            texts.append(text[start : found.start()])
            start = found.end()
        texts.append(text[start:])
        return texts

    def _is_certain(self, found: re.Match[bytes]) -> bool:
        """Whether there is room for the longest: if it were there, it would have been found."""
        return found.start() + self.longest <= len(found.string)


def text_documents(blocks: Iterator[bytes], separators: Separators | None, longest: int) -> Documents:
    """The documents of a text; those that are empty are left out.

    Args:
        blocks: the text, cut anywhere.
        separators: what stands between documents; None: the text is one document.
        longest: documents of more bytes come in parts.
    """
    if separators is None:
        yield from _one_document(blocks, longest)
        return
    held = b""  # of a document whose end has not been seen
    ended = False

    def long_document() -> Iterator[bytes]:
        """What is held, and on to the next separator; what follows that is held afterwards."""
        nonlocal held, ended
        overlap = separators.longest - 1  # so much of what is held may be the beginning of a separator
        for block in chain(blocks, (None,)):
            if block is None:
                ended = True
            else:
                yield held[: len(held) - overlap]
                held = held[len(held) - overlap :] + block
            found = separators.first(held, ended=ended)
            if found:
                yield held[: found.start()]
                held = held[found.end() :]
                return
        yield held
        held = b""

    for block in blocks:
        held += block
        while True:
            *whole, held = separators.split(held)
            if whole:
                yield [document for document in whole if document]
            if len(held) <= longest + separators.longest or ended:
                break
            yield long_document()
    yield [document for document in separators.split(held, ended=True) if document]


def _one_document(blocks: Iterator[bytes], longest: int) -> Documents:
    held = b""
    for block in blocks:
        held += block
        if len(held) > longest:
            yield chain((held,), blocks)
            return
    if held:
        yield [held]


def json_documents(blocks: Iterable[bytes], field: str, name: str) -> Documents:
    """The documents of JSON Lines: one for each line that is not blank, empty ones included.

    Args:
        blocks: the file, cut anywhere.
        field: where in the object of a line the text is.
        name: of the file, for messages.

    Raises:
        ValueError: a line that is not such an object; the message names file, line and remedy.
    """
    held: list[bytes] = []  # of a line whose end has not been seen
    done = 0  # lines
    for block in blocks:
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = b"".join([*held, lines[0]])
            held.clear()
            yield _texts_of(lines, done, field, name)
            done += len(lines)
        held.append(rest)
    yield _texts_of([b"".join(held)], done, field, name)


def _texts_of(lines: Iterable[bytes], done: int, field: str, name: str) -> list[str]:
    texts = []
    for number, line in enumerate(lines, done + 1):
        try:
            # Strictly, where `json` itself would let surrogates through. Some tools put a mark before the first line.
            text = str(line, "utf-8" if number > 1 else "utf-8-sig").strip(_JSON_SPACE)
            if not text:
                continue
            found, end = _raw_decode(text)
            if end < len(text):
                raise json.JSONDecodeError("Extra data", text, end)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{name}, line {number}: not JSON ({error}); each line has to be one JSON object with a text in the "
                f"field {field!r}"
            ) from None
        document = found.get(field) if isinstance(found, dict) else None
        if not isinstance(document, str):
            raise _no_text(found, field, f"{name}, line {number}")
        # Only an escape can spell a surrogate.
        texts.append(repair_surrogates(document) if "\\u" in text and has_surrogates(document) else document)
    return texts


def _no_text(found: Any, field: str, where: str) -> ValueError:
    if not isinstance(found, dict):
        return ValueError(f"{where}: {_kind(found)}, not an object with a text in the field {field!r}")
    if field in found:
        return ValueError(
            f"{where}: the field {field!r} is {_kind(found[field])}, not a string; name the field with the text "
            "(field=..., or --field), or mend the line"
        )
    names = ", ".join(map(repr, list(found)[:10])) or "none"
    return ValueError(
        f"{where}: there is no field {field!r}; the fields are {names}: name the one with the text (field=..., or "
        "--field)"
    )


def _kind(value: object) -> str:
    """What JSON calls a value that is no text where one is expected."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (dict, list, str)):
        return {dict: "an object", list: "a list", str: "a string"}[type(value)]
    return "a number"
