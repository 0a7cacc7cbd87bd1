"""Corpora: paths, globs, open files and texts, as a stream of documents that are never held whole.

A corpus is a sequence of documents. No piece crosses from one document to the next. A text file is one document, and
so is each text, each line of JSON Lines and each row of a column, unless special tokens stand in it: those separate
documents, and are not part of any. From here on all text is valid UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from os import PathLike
from typing import IO, Any, Literal, cast

from minitok import _backend
from minitok.column_files import ColumnTexts
from minitok.input_documents import Documents, Separators, json_documents, text_documents
from minitok.input_files import InputFile, ReadSoFar, find_inputs, read_batches, read_blocks
from minitok.text import has_surrogates, repair_surrogates

__all__ = ["Corpus", "Source", "total_bytes"]

#: A path or a glob; an open file; or texts, paths and open files in any order. A str among the latter is a text.
Source = str | PathLike[str] | IO[Any] | Iterable[Any]

#: Bytes that are read at once, and of texts that are handed over together.
BLOCK = 1 << 19
#: Texts that are handed over together, at most.
TEXTS = 1 << 12


def total_bytes(source: Source) -> int | None:
    """How many bytes a source has on disk; None where that is not known before reading.

    Raises:
        OSError: a file that is not there.
    """
    is_path = isinstance(source, (str, PathLike))
    are_paths = isinstance(source, (list, tuple)) and all(isinstance(item, PathLike) for item in source)
    if not (is_path or are_paths):  # a str among several is a text
        return None
    sizes = [file.size for file in find_inputs(source, None)]
    return None if None in sizes else sum(filter(None, sizes))


class Corpus:
    """The documents of sources.

    Args:
        special_tokens: what separates documents.
        errors: what to do with bytes in text files that are not valid UTF-8: "strict" or "replace".
        field: the field with the text, if files are JSON Lines; None: their names tell.
        longest: documents of more bytes come in parts.
    """

    def __init__(
        self, special_tokens: Sequence[str], errors: Literal["strict", "replace"], field: str | None, longest: int
    ) -> None:
        tokens = [token.encode("utf-8", "surrogatepass") for token in special_tokens]
        self._separators = Separators(tokens) if tokens else None
        self._errors = errors
        self._field = field
        self._longest = longest
        #: What has been read.
        self.so_far = ReadSoFar()

    def documents(self, source: Source) -> Documents:
        """The documents of a source: short ones whole, in lists, and long ones in parts.

        Raises:
            OSError: a file that is not there or cannot be read.
            ValueError: bytes that are not valid UTF-8, a line that is not JSON with a text in it, a compressed file
                that is damaged; the message names file and place.
            TypeError: something that is no source.
        """
        if isinstance(source, (str, PathLike)):
            for file in find_inputs(source, self._field):
                yield from self._documents_in(file)
        elif hasattr(source, "read"):
            yield from self._documents_in(InputFile(cast("IO[Any]", source), self._field))
        elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
            yield from self._documents_among(source)
        else:
            raise TypeError(
                "a corpus is a path, a glob, an open file, an iterable of str, or counts {piece: count}, "
                f"not {type(source).__name__}"
            )

    def _documents_among(self, items: Iterable[Any]) -> Documents:
        texts: list[bytes] = []
        size = 0
        for item in items:
            is_text = isinstance(item, str)
            if is_text:
                texts.append(_utf8(item))
                size += len(texts[-1])
            if not is_text or size >= BLOCK or len(texts) >= TEXTS:
                self._read(size)
                yield from self._separated(texts)
                texts, size = [], 0
            if isinstance(item, ColumnTexts):
                yield from self._documents_in(InputFile(item, item.field))
            elif isinstance(item, PathLike) or hasattr(item, "read"):
                yield from self.documents(item)
            elif not is_text:
                raise TypeError(f"a corpus consists of str, paths and open files, not {type(item).__name__}")
        self._read(size)
        yield from self._separated(texts)

    def _documents_in(self, file: InputFile) -> Documents:
        columns = file.columns
        if columns is not None:
            for batch in read_batches(columns, self.so_far):
                yield from self._separated(
                    [self._valid_row(text, columns, row) for row, text in enumerate(batch.texts, batch.row)]
                )
            return
        blocks = self._blocks(file)
        if file.field is None:
            yield from text_documents(_valid(blocks, file.name, self._errors), self._separators, self._longest)
            return
        for texts in json_documents(blocks, file.field, file.name):
            yield from self._separated([_utf8(text) for text in texts])

    def _valid_row(self, text: bytes, columns: ColumnTexts, row: int) -> bytes:
        if _backend.utf8_prefix(text) == len(text):
            return text
        return b"".join(_valid([text], f"{columns.name}, row {row} (from 0)", self._errors))

    def _separated(self, documents: Iterable[bytes]) -> Documents:
        """Documents in which special tokens may stand."""
        short: list[bytes] = []
        for document in documents:
            if len(document) > self._longest:
                yield short
                short = []
                blocks = (document[start : start + BLOCK] for start in range(0, len(document), BLOCK))
                yield from text_documents(blocks, self._separators, self._longest)
            elif self._separators is None:
                short.append(document)
            else:
                short += self._separators.split(document, ended=True)
        yield short

    def _blocks(self, file: InputFile) -> Iterator[bytes]:
        if not hasattr(file.file, "read"):
            yield from read_blocks(file, BLOCK, self.so_far)
            return
        while block := cast("IO[Any]", file.file).read(BLOCK):
            data = _utf8(block) if isinstance(block, str) else bytes(block)
            self._read(len(data))
            yield data

    def _read(self, size: int) -> None:
        self.so_far.content += size
        self.so_far.on_disk += size


def _utf8(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    return (repair_surrogates(text) if has_surrogates(text) else text).encode("utf-8")


def _valid(blocks: Iterable[bytes], name: str, errors: Literal["strict", "replace"]) -> Iterator[bytes]:
    """A text that is valid UTF-8; no character goes from one block to the next."""
    rest = b""  # the beginning of a character
    offset = 0  # of `rest` in the file
    for block in chain(blocks, (b"",)):
        data = rest + block if rest else block
        end = _backend.utf8_prefix(data)
        if end == len(data):
            yield data
            rest = b""
            offset += end
            continue
        try:
            text, taken = codecs.utf_8_decode(data[end:], errors, not block)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name}: not valid UTF-8 at byte {offset + end + error.start} ({error.reason}); "
                "convert the file, or pass errors='replace' (--errors replace)"
            ) from None
        yield data[:end] + text.encode("utf-8")
        rest = data[end + taken :]
        offset += end + taken
