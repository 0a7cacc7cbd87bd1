"""encode_file(): the ids of files, on disk, in bounded memory.

What flows, one stage pulling from the one before:

    files       blocks of bytes (`input_files`)
    documents   short ones whole, a long one in parts (`input_documents`)
    batches     about `BLOCK` of text each: what is encoded at once, by one thread
    ids         in the order of the batches, into two files that appear when all is done (`id_files`)

A long document is cut where its ids do not change: between pieces, as `Pretokenizer.parts` finds them. With a custom
pattern those are the pieces themselves, which an encoder without a pattern takes whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minitok import _backend
from minitok.column_files import JoinedTexts
from minitok.files import open_together
from minitok.id_files import EncodedFile, IdType, IdWriter, index_path
from minitok.input_documents import Separators, json_documents, text_documents
from minitok.input_files import InputFile, InputSource, ReadSoFar, find_inputs, read_batches, read_blocks
from minitok.patterns import find_named_pattern
from minitok.pipeline import AnyEncoder, piece_encoder_of, takes_bytes
from minitok.pretokenizer import bytes_of, get_pretokenizer
from minitok.progress import progress_bar
from minitok.threads import map_ahead, thread_count
from minitok.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["BLOCK", "LONG", "BatchEncoder", "batches_of", "check_options", "encode_file"]

#: Bytes of text that are read, and encoded, at once; longer documents are cut. Half of it is some 10 % slower; twice
#: of it is no faster, and takes twice the memory for each thread, because glibc's heap frays.
BLOCK = 1 << 19
#: What is a long document if the pattern is a custom one, for which cutting is exact only within limits.
LONG = 1 << 20


#: `Documents`, or those of a column, which stay as they lie in memory.
_Items = Iterator[list[bytes] | list[str] | Iterator[bytes] | JoinedTexts]


@dataclass(frozen=True)
class Batch:
    """What is encoded at once.

    Attributes:
        texts: documents and parts of documents; or pieces, which are encoded as they are.
        ends: for each text, whether it ends a document; empty if these are pieces, or if all are documents.
        on_disk: how much of the input has been read when it is complete.
    """

    texts: Sequence[str | bytes] | JoinedTexts
    ends: Sequence[bool]
    on_disk: int


def encode_file(
    vocabulary: Vocabulary,
    encoder: AnyEncoder,
    source: InputSource,
    out: str | PathLike[str],
    *,
    dtype: Any,
    separator: str | None,
    append: str | None,
    field: str | None,
    num_threads: int | None,
    progress: bool | None,
) -> EncodedFile:
    """Encode files into a file of ids with a vocabulary and its encoder; for all else see `Encoding.encode_file`."""
    id_type, appended, separators = check_options(vocabulary, dtype=dtype, append=append, separator=separator)
    encode = BatchEncoder(vocabulary, encoder, appended)
    offsets_path = index_path(out)
    path = Path(out)
    inputs = find_inputs(source, field)
    _refuse_to_overwrite(inputs, (path, offsets_path))
    sizes = [file.size for file in inputs]
    total = None if None in sizes else sum(filter(None, sizes))
    threads = thread_count(num_threads, sys.maxsize if total is None else total)
    so_far = ReadSoFar()
    # What changes a text before it cuts it takes documents whole.
    pattern = vocabulary.pattern if takes_bytes(vocabulary) else None
    longest = BLOCK if find_named_pattern(pattern) else LONG
    batches = batches_of(_documents(inputs, separators, longest, so_far), pattern, so_far)
    show = sys.stderr.isatty() if progress is None else progress
    with (
        open_together([offsets_path, path]) as (index, ids_file),
        closing(map_ahead(encode, batches, threads)) as results,
        progress_bar(show, total=total, desc="encoding", unit="B", unit_scale=True) as bar,
    ):
        writer = IdWriter(ids_file, index, id_type, has_header=path.suffix == ".npy")
        for ids, ends, on_disk in results:
            writer.write(ids, ends)
            if bar is not None:
                bar.update(on_disk - bar.n)
        writer.finish()
    return EncodedFile(writer.documents, writer.tokens, so_far.content, id_type, path, offsets_path)


# -- Options -----------------------------------------------------------------------------------------------------


def check_options(
    vocabulary: Vocabulary, *, dtype: Any, append: str | None, separator: str | None
) -> tuple[IdType, int | None, Separators | None]:
    """What options of `Encoding.encode_file` mean for a vocabulary: the type of ids, the id behind each document, and
    what stands between documents.

    Raises:
        ValueError, TypeError: one of them does not fit; see `Encoding.encode_file`.
    """
    return _id_type(dtype, vocabulary), _special_id(append, vocabulary), _separators(separator)


def _id_type(dtype: Any, vocabulary: Vocabulary) -> IdType:
    if isinstance(dtype, str) and dtype == "auto":
        return "uint16" if vocabulary.n_vocab <= 1 << 16 else "uint32"
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = None
    if chosen == np.uint32:
        return "uint32"
    if chosen != np.uint16:
        raise ValueError(f"dtype is {dtype!r}; expected 'auto', 'uint16' or 'uint32'")
    if vocabulary.n_vocab > 1 << 16:
        raise ValueError(
            f"dtype is {dtype!r}, in which no id above 65535 fits, but those of {vocabulary.name} go up to "
            f"{vocabulary.n_vocab - 1}; use 'uint32' or 'auto'"
        )
    return "uint16"


def _special_id(append: str | None, vocabulary: Vocabulary) -> int | None:
    if append is None:
        return None
    if append not in vocabulary.special_tokens:
        there_are = ", ".join(map(repr, sorted(vocabulary.special_tokens))) or "none"
        raise ValueError(
            f"append is {append!r}, which is not a special token of {vocabulary.name}; those are: {there_are}. "
            "Pass one of them, or append=None (--append '')"
        )
    return vocabulary.special_tokens[append]


def _separators(separator: str | None) -> Separators | None:
    if separator is None:
        return None
    if not isinstance(separator, str):
        raise TypeError(f"separator is a str or None, not {type(separator).__name__}")
    if not separator:
        raise ValueError("separator is empty; pass None for a file that is one document")
    return Separators([separator.encode("utf-8")])


def _refuse_to_overwrite(inputs: Iterable[InputFile], outputs: Iterable[Path]) -> None:
    written = [path for path in outputs if path.exists()]
    for file in inputs:
        for path in written:
            if isinstance(file.file, Path) and file.file.samefile(path):
                raise ValueError(f"{path} would be overwritten with its own ids; give another name to write to")


# -- Stages ------------------------------------------------------------------------------------------------------


def _documents(inputs: Iterable[InputFile], separators: Separators | None, longest: int, so_far: ReadSoFar) -> _Items:
    for file in inputs:
        columns = file.columns
        if columns is not None:
            for batch in read_batches(columns, so_far):
                yield batch.texts
            continue
        blocks = read_blocks(file, BLOCK, so_far)
        if file.field is None:
            yield from text_documents(blocks, separators, longest)
        else:
            yield from json_documents(blocks, file.field, file.name)


def _texts(
    documents: _Items, pattern: str | None
) -> Iterator[tuple[Sequence[str | bytes] | JoinedTexts, Sequence[bool]]]:
    """Documents, parts and pieces, as a batch has them, in small numbers."""
    for item in documents:
        if isinstance(item, JoinedTexts):
            yield item, []
        elif isinstance(item, list):
            yield item, [True] * len(item)
        else:
            if pattern is None:
                yield [b"".join(item)], [False]
            else:
                for part in get_pretokenizer(pattern).parts(item):
                    yield ([part], [False]) if isinstance(part, bytes) else (part, [])
            yield [b""], [True]


def batches_of(documents: _Items, pattern: str | None, so_far: ReadSoFar) -> Iterator[Batch]:
    """What to encode at once, one after the other; `pattern` is None if documents must be whole."""
    texts: list[str | bytes] = []
    ends: list[bool] = []
    size = 0
    for more, more_ends in _texts(documents, pattern):
        is_alone = isinstance(more, JoinedTexts) or len(more_ends) < len(more)  # these, or pieces
        if texts and (is_alone or size >= BLOCK):
            yield Batch(texts, ends, so_far.on_disk)
            texts, ends, size = [], [], 0
        if is_alone:
            yield Batch(more, [], so_far.on_disk)
        else:
            texts += more
            ends += more_ends
            size += sum(map(len, more)) + len(more)  # also where many are empty
    if texts:
        yield Batch(texts, ends, so_far.on_disk)


class BatchEncoder:
    """Encodes batches, in any number of threads.

    Args:
        vocabulary: what to encode with.
        encoder: the same, ready.
        appended: the id that follows each document, or None.
    """

    def __init__(self, vocabulary: Vocabulary, encoder: AnyEncoder, appended: int | None) -> None:
        self._vocabulary = vocabulary
        self._encoder = encoder
        self._appended = appended

    def __call__(self, batch: Batch) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], int]:
        """The ids of a batch, where among them documents end, and how much of the input that is."""
        if isinstance(batch.texts, JoinedTexts):
            ids, lengths = self._encoder.encode_joined_uint32(batch.texts, self._appended)
            ends = np.cumsum(np.frombuffer(lengths, np.int64))
        elif batch.ends:
            following = iter([self._appended if end else None for end in batch.ends])
            ids, lengths = self._encoder.encode_many_uint32(
                batch.texts, None, lambda text: ((text, next(following)),)
            )
            ends = np.cumsum(np.frombuffer(lengths, np.int64))[np.flatnonzero(batch.ends)]
        else:
            # A piece that has bytes that are not UTF-8 is not ordinary text to the encoder.
            ids, _ = self._piece_encoder.encode_many_uint32(batch.texts, "", lambda piece: ((bytes_of(piece), None),))
            ends = np.zeros(0, np.int64)
        return np.frombuffer(ids, np.uint32), ends, batch.on_disk

    @cached_property
    def _piece_encoder(self) -> _backend.Encoder:
        """Takes each text for one piece."""
        return piece_encoder_of(self._vocabulary)
