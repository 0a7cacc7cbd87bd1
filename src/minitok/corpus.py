"""Corpora: paths, globs, file objects and texts, as a stream of documents that are never held whole.

A corpus is a sequence of documents; a document is a sequence of chunks of text. No piece crosses from one document
to the next. A file is one document, unless special tokens stand in it: those separate documents, and are not part
of any.
"""

from __future__ import annotations

import codecs
import glob
import os
import re
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import IO, Any

__all__ = ["Documents", "Source", "documents_of", "split_documents", "total_bytes"]

#: A path or a glob; an open file; or texts, paths and open files in any order. A str among the latter is a text.
Source = str | PathLike[str] | IO[Any] | Iterable[Any]
Documents = Iterator[Iterator[str]]

BLOCK = 1 << 20


def expand(path: str | PathLike[str]) -> list[Path]:
    """The files that a path or a glob (`*`, `?`, `[]`, `**`) names, sorted.

    Raises:
        FileNotFoundError: there is none.
        IsADirectoryError: the path is a directory.
    """
    plain = Path(path)
    if plain.is_dir():
        example = str(plain / "**" / "*.txt")
        raise IsADirectoryError(f"{plain} is a directory; give its files, for example {example!r}")
    if plain.exists():
        return [plain]
    if isinstance(path, str) and glob.has_magic(path):
        found = sorted(p for p in map(Path, glob.glob(path, recursive=True)) if p.is_file())
        if found:
            return found
        raise FileNotFoundError(f"no file matches {path!r}")
    raise FileNotFoundError(f"there is no file {str(path)!r}")


def total_bytes(source: Source) -> int | None:
    """How many bytes a source has on disk; None where that is not known before reading."""
    if isinstance(source, (str, PathLike)):
        return sum(path.stat().st_size for path in expand(source))
    return None


def documents_of(source: Source, errors: str = "strict") -> Documents:
    """The documents of a source, before special tokens separate them further.

    Args:
        source: see `Source`.
        errors: what to do with bytes that are not valid UTF-8: "strict" or "replace".

    Raises:
        OSError: a file that is not there or cannot be read.
        ValueError: bytes that are not valid UTF-8; the message names file and place.
        TypeError: something that is none of the above.
    """
    if isinstance(source, (str, PathLike)):
        for path in expand(source):
            yield _file_chunks(path, errors)
    elif hasattr(source, "read"):
        yield _stream_chunks(source, str(getattr(source, "name", "the corpus")), errors)
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        for item in source:
            if isinstance(item, str):
                yield iter((item,))
            elif isinstance(item, PathLike) or hasattr(item, "read"):
                yield from documents_of(item, errors)
            else:
                raise TypeError(f"a corpus consists of str, paths and open files, not {type(item).__name__}")
    else:
        raise TypeError(
            "a corpus is a path, a glob, an open file, an iterable of str, or counts {piece: count}, "
            f"not {type(source).__name__}"
        )


def _file_chunks(path: Path, errors: str) -> Iterator[str]:
    with path.open("rb") as file:
        yield from _stream_chunks(file, os.fspath(path), errors)


def _stream_chunks(stream: Any, name: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    offset = 0  # of the bytes that the decoder has not taken yet
    while True:
        block = stream.read(BLOCK)
        if isinstance(block, str):
            if not block:
                return
            yield block
            continue
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name}: not valid UTF-8 at byte {offset - held + error.start} ({error.reason}); "
                "convert the file, or pass errors='replace' (--errors replace)"
            ) from None
        offset += len(block)
        if text:
            yield text
        if not block:
            return


def split_documents(chunks: Iterable[str], separators: re.Pattern[str] | None, longest: int) -> Documents:
    """The documents in a stream of text in which separators stand.

    Each document must be read to its end before the next is asked for.

    Args:
        chunks: the text, cut anywhere.
        separators: matches the separators, the longest first; None: there are none.
        longest: the length of the longest separator.
    """
    if separators is None:
        yield iter(chunks)
        return
    marked = _mark_separators(chunks, separators, longest)
    more = True

    def document() -> Iterator[str]:
        nonlocal more
        for part in marked:
            if part is None:
                return
            yield part
        more = False

    while more:
        yield document()


def _mark_separators(chunks: Iterable[str], separators: re.Pattern[str], longest: int) -> Iterator[str | None]:
    """The text, with None in the place of each separator."""
    held = ""
    for chunk in chunks:
        text = held + chunk
        # A separator that begins before this place is here to its end, and so is any longer one.
        certain = max(0, len(text) - longest + 1)
        start = 0
        for found in separators.finditer(text):
            if found.start() >= certain:
                break
            if start < found.start():
                yield text[start : found.start()]
            yield None
            start = found.end()
        if start < certain:
            yield text[start:certain]
        held = text[max(start, certain) :]
    start = 0
    for found in separators.finditer(held):
        if start < found.start():
            yield held[start : found.start()]
        yield None
        start = found.end()
    if start < len(held):
        yield held[start:]
