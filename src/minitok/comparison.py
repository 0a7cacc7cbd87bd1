"""compare(): what several vocabularies make of the same files, in figures.

Each vocabulary reads the files anew, in blocks: a few for each thread are held, as in `encode_file`, whose batches
these are. Only a vocabulary that changes texts before it cuts them, or that does not cut them, takes
documents whole. A thread encodes a batch and counts its tokens; how many threads there are is the rule of `threads`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from minitok.corpus import Corpus
from minitok.encoding import Encoding
from minitok.input_documents import Documents
from minitok.input_files import InputFile, InputSource, find_inputs
from minitok.patterns import find_named_pattern
from minitok.pipeline import takes_bytes
from minitok.registry import find_encoding
from minitok.threads import map_ahead, thread_count

if TYPE_CHECKING:
    from minitok.encode_file import Batch
    from minitok.token_use import TokenUse

__all__ = ["ComparedEncoding", "ComparedFile", "Comparison", "ScriptFigures", "compare"]


@dataclass(frozen=True)
class ScriptFigures:
    """The tokens of one script. A token is of the script of its first letter, or of "no letters".

    Attributes:
        script: its name.
        tokens: how many there are.
        bytes: how many bytes they have together.
    """

    script: str
    tokens: int
    bytes: int

    @property
    def bytes_per_token(self) -> float:
        """Bytes for each token."""
        return self.bytes / self.tokens


@dataclass(frozen=True)
class ComparedFile:
    """What one vocabulary makes of one file, or of all together.

    Attributes:
        file: its path; "all files" for all.
        bytes: of the text as UTF-8, after decompression; of JSON Lines, of the texts alone.
        characters: code points.
        words: what white space of ASCII separates, as `bytes.split()` does; it says little of Chinese or Thai.
        tokens: how many tokens the text has. What spells a special token is ordinary text.
        seconds: how long it took to read, to encode and to count, by the clock, in as many threads as `encode_file`.
        scripts: by script, the one with the most bytes first.
    """

    file: str
    bytes: int
    characters: int
    words: int
    tokens: int
    seconds: float
    scripts: tuple[ScriptFigures, ...]

    @property
    def bytes_per_token(self) -> float:
        """Bytes for each token."""
        return self.bytes / self.tokens

    @property
    def words_per_token(self) -> float:
        """Words for each token."""
        return self.words / self.tokens


@dataclass(frozen=True)
class ComparedEncoding:
    """What one vocabulary makes of the files.

    Attributes:
        encoding: its name, or its path as it was given.
        ids: how many ids it has, special tokens included.
        files: the figures of each file, in order.
        total: those of all files.
        vocabulary_lengths: how many tokens of the vocabulary have how many bytes.
        used_lengths: how many tokens of the texts have how many bytes.
        unused: the ids of the tokens that no text used; special tokens are not among them.
    """

    encoding: str
    ids: int
    files: tuple[ComparedFile, ...]
    total: ComparedFile
    vocabulary_lengths: dict[int, int]
    used_lengths: dict[int, int]
    unused: tuple[int, ...]

    @property
    def multi_byte_share(self) -> float:
        """The share of the texts' tokens that have more than one byte."""
        return 1 - self.used_lengths.get(1, 0) / self.total.tokens

    @property
    def unused_share(self) -> float:
        """The share of the vocabulary's tokens that no text used."""
        return len(self.unused) / sum(self.vocabulary_lengths.values())


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns.

    Attributes:
        encodings: the figures of each vocabulary, in order.
    """

    encodings: tuple[ComparedEncoding, ...]

    def as_dict(self) -> dict[str, Any]:
        """All figures as JSON has them; of unused tokens their number."""
        return {"encodings": [_encoding_dict(one) for one in self.encodings]}


def compare(
    files: InputSource,
    encodings: Iterable[str | PathLike[str] | Encoding],
    *,
    pattern: str | None = None,
    errors: Literal["strict", "replace"] = "strict",
) -> Comparison:
    """Compare vocabularies on files: tokens, bytes and words for each token, scripts, use of the vocabulary, time.

    Args:
        files: paths and globs of UTF-8 text, JSON Lines (.jsonl, .ndjson; the field "text"), .gz and .zst; and
            files of UTF-8 text that are open for reading bytes, which can be read from their beginning again.
        encodings: names of encodings, paths of vocabulary files, or encodings.
        pattern: for rank files, which hold none: a name or an expression.
        errors: what to do with bytes that are not valid UTF-8: "strict" raises, "replace" puts U+FFFD for them.

    Raises:
        ValueError: a file without text, a pipe, a file that is not text; no files, no encodings; a vocabulary file
            that is not good.
        OSError: a file that is not there or cannot be read; a name that is neither an encoding nor a file.
        TypeError: something that is neither.

    >>> import minitok, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = pathlib.Path(folder, "a.txt")
    ...     _ = text.write_text("hello world, привет")
    ...     found = minitok.compare(text, ["minitok_32k"])
    >>> total = found.encodings[0].total
    >>> total.bytes, total.characters, total.words
    (25, 19, 3)
    >>> [script.script for script in total.scripts]
    ['Cyrillic', 'Latin', 'no letters']
    """
    if errors not in ("strict", "replace"):
        raise ValueError(f"errors is {errors!r}; expected 'strict' or 'replace'")
    if isinstance(encodings, (str, PathLike, Encoding)):
        raise TypeError(f"encodings are several, in a list, not {type(encodings).__name__}")
    inputs = find_inputs(files, None)
    named = [
        (one.name, one) if isinstance(one, Encoding) else (str(one), find_encoding(one, pattern=pattern))
        for one in encodings
    ]
    if not inputs or not named:
        raise ValueError(f"there are no {'encodings' if inputs else 'files'} to compare; give at least one")
    for file in inputs:
        if not (file.file.is_file() if isinstance(file.file, Path) else cast("IO[bytes]", file.file).seekable()):
            raise ValueError(f"{file.name} is a pipe or a device, which cannot be read again; compare a file")
    texts = [(file, _text_figures(file, errors)) for file in inputs]
    return Comparison(tuple(_compared(name, one, texts, errors) for name, one in named))


def _documents(file: InputFile, corpus: Corpus) -> Documents:
    """The documents of a file from its beginning on."""
    if not isinstance(file.file, Path):
        cast("IO[bytes]", file.file).seek(0)
    return corpus.documents(cast("Path | IO[bytes]", file.file))


def _compared(
    name: str,
    encoding: Encoding,
    texts: Iterable[tuple[InputFile, tuple[int, int, int]]],
    errors: Literal["strict", "replace"],
) -> ComparedEncoding:
    import numpy as np

    from minitok.token_use import TokenUse

    tokens = encoding.tokens
    ordinary = np.array(sorted(set(encoding.vocabulary.tokens.values())), np.int64)
    use = TokenUse(tokens)
    counts = np.zeros(len(tokens), np.int64)
    files = []
    for file, text in texts:
        use.reset()
        files.append(_file_figures(file, text, encoding, use, errors))
        counts += use.counts
    return ComparedEncoding(
        name,
        encoding.n_vocab,
        tuple(files),
        _sum(files),
        _histogram(np.bincount(use.lengths[ordinary])),
        _histogram(np.bincount(use.lengths, counts)),
        tuple(ordinary[counts[ordinary] == 0].tolist()),
    )


def _histogram(counts: Any) -> dict[int, int]:
    return {length: int(count) for length, count in enumerate(counts.tolist()) if count}


@dataclass(frozen=True)
class _Stretch:
    """A part of a document that is not empty; or short documents with a line end between them, which is no text."""

    text: bytes
    begins_document: bool
    line_ends: int


def _stretches(documents: Documents) -> Iterator[_Stretch]:
    for document in documents:
        begins = True
        if isinstance(document, list):
            blocks: Iterable[bytes] = [b"\n".join(cast("list[bytes]", document))]
            line_ends = max(len(document) - 1, 0)
        else:
            blocks, line_ends = document, 0
        for block in filter(None, blocks):
            yield _Stretch(block, begins, line_ends)
            begins = False


def _text_figures(file: InputFile, errors: Literal["strict", "replace"]) -> tuple[int, int, int]:
    """Bytes, characters and words of a file."""
    import numpy as np

    from minitok.encode_file import BLOCK

    def figures(stretch: _Stretch) -> tuple[_Stretch, int, int, bool, bool]:
        """Characters, words that begin behind the first byte, and which ends are white."""
        if errors == "strict" and b"\0" in stretch.text:
            raise ValueError(
                f"{file.name} has bytes that are zero: it is binary, not text; pass errors='replace' to use it"
            )
        data = np.frombuffer(stretch.text, np.uint8)
        characters = int(np.count_nonzero(data.view(np.int8) >= -64))  # the other bytes go on with a character
        white = (data == ord(" ")) | ((data - 9) < 5)  # below 9 the difference wraps around
        return stretch, characters, int(np.count_nonzero(white[:-1] > white[1:])), bool(white[0]), bool(white[-1])

    size = characters = words = 0
    ends_white = True
    stretches = _stretches(_documents(file, Corpus([], errors, None, BLOCK)))
    threads = thread_count(None, sys.maxsize if file.size is None else file.size)
    with closing(map_ahead(figures, stretches, threads)) as found:
        for stretch, some_characters, some_words, begins_white, ends_next_white in found:
            size += len(stretch.text) - stretch.line_ends
            characters += some_characters - stretch.line_ends
            words += some_words + (not begins_white and (ends_white or stretch.begins_document))
            ends_white = ends_next_white
    if not size:
        raise ValueError(f"{file.name} has no text, so there is nothing to compare; leave it out")
    return size, characters, words


def _file_figures(
    file: InputFile,
    text: tuple[int, int, int],
    encoding: Encoding,
    use: TokenUse,
    errors: Literal["strict", "replace"],
) -> ComparedFile:
    from minitok.encode_file import BLOCK, LONG, BatchEncoder, batches_of

    vocabulary = encoding.vocabulary
    pattern = vocabulary.pattern if takes_bytes(vocabulary) else None
    corpus = Corpus([], errors, None, BLOCK if find_named_pattern(pattern) else LONG)
    encode = BatchEncoder(vocabulary, encoding._encoder, None)

    def tokens_of(batch: Batch) -> int:
        ids, _, _ = encode(batch)
        use.add(ids, batch.texts)
        return len(ids)

    begin = perf_counter()
    batches = batches_of(_documents(file, corpus), pattern, corpus.so_far)
    with closing(map_ahead(tokens_of, batches, thread_count(None, text[0]))) as counted:
        tokens = sum(counted)
    seconds = perf_counter() - begin
    if not tokens:
        raise ValueError(
            f"{file.name} has no tokens in {encoding.name}, so there is nothing to compare; leave it out"
        )
    scripts = sorted((ScriptFigures(*figures) for figures in use.by_script()), key=lambda one: -one.bytes)
    return ComparedFile(file.name, *text, tokens, seconds, tuple(scripts))


def _sum(files: Iterable[ComparedFile]) -> ComparedFile:
    files = list(files)
    scripts: dict[str, tuple[int, int]] = {}
    for script in (script for file in files for script in file.scripts):
        tokens, size = scripts.get(script.script, (0, 0))
        scripts[script.script] = tokens + script.tokens, size + script.bytes
    return ComparedFile(
        "all files",
        sum(file.bytes for file in files),
        sum(file.characters for file in files),
        sum(file.words for file in files),
        sum(file.tokens for file in files),
        sum(file.seconds for file in files),
        tuple(
            ScriptFigures(name, *figures) for name, figures in sorted(scripts.items(), key=lambda item: -item[1][1])
        ),
    )


def _encoding_dict(one: ComparedEncoding) -> dict[str, Any]:
    return {
        "encoding": one.encoding,
        "ids": one.ids,
        "total": _file_dict(one.total),
        "files": [_file_dict(file) for file in one.files],
        "multi_byte_share": round(one.multi_byte_share, 6),
        "unused": len(one.unused),
        "unused_share": round(one.unused_share, 6),
        "vocabulary_lengths": one.vocabulary_lengths,
        "used_lengths": one.used_lengths,
    }


def _file_dict(file: ComparedFile) -> dict[str, Any]:
    return {
        "file": file.file,
        "bytes": file.bytes,
        "characters": file.characters,
        "words": file.words,
        "tokens": file.tokens,
        "bytes_per_token": round(file.bytes_per_token, 4),
        "words_per_token": round(file.words_per_token, 4),
        "seconds": round(file.seconds, 6),
        "scripts": [
            {"script": s.script, "tokens": s.tokens, "bytes": s.bytes, "bytes_per_token": round(s.bytes_per_token, 4)}
            for s in file.scripts
        ],
    }
