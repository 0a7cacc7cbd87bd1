"""Vocabulary files: one module for each format, and the choice between them by content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import IO, Literal, get_args

from minitok.files import write_all_atomically, write_atomically
from minitok.formats import minitok_json, tiktoken_ranks
from minitok.vocabulary import Vocabulary

__all__ = ["FORMATS", "Content", "Format", "dump", "format_of", "load", "open_file", "parse", "save"]

Format = Literal[
    "minitok",
    "tiktoken",
    "huggingface",
    "sentencepiece",
    "tekken",
    "compact",
    "vocab-merges",
    "gguf",
    "clip",
    "minbpe",
    "bpeasy",
]
FORMATS: tuple[Format, ...] = get_args(Format)

#: Larger files are refused before they are read. The largest vocabulary file in use is about 20 MB.
MAX_FILE_SIZE = 1 << 26
#: A compressed file that unpacks to more is no vocabulary: those in use have 3 MB, and a small one could fill memory.
MAX_UNPACKED_SIZE = 1 << 24
#: A text file with more lines is none, either: there are two for each of 500,000 tokens.
MAX_LINES = 1 << 20
_HEAD = 64
_GZIP, _GGUF = b"\x1f\x8b", b"GGUF"

#: What a folder's vocabulary may be called, the most telling first.
_IN_FOLDERS = (
    "tokenizer.json",
    "tekken.json",
    "tekken_*.json",
    "tokenizer.model*",
    "*.spm.model",
    "vocab.json",
    "encoder.json",
    "*.tiktoken",
    "bpe_simple_vocab*",
    "*.gguf",
)


@dataclass
class Content:
    """A vocabulary file that was opened, and what is found out while it is read.

    Attributes:
        path: the file.
        name: what the caller calls the encoding, or None.
        called: the name of a vocabulary whose file has none.
        head: the first bytes.
        data: all of them, unpacked; of a GGUF file, which may be of any size, none.
        is_alone: whether no other file belongs to it.
        names_itself: whether the file says what it is called.
    """

    path: Path
    name: str | None
    called: str
    head: bytes
    data: bytes
    is_alone: bool = True
    names_itself: bool = False

    @cached_property
    def sha256(self) -> bytes:
        """The hash of the data."""
        return hashlib.sha256(self.data).digest()


def load(
    path: str | PathLike[str],
    *,
    name: str | None = None,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Vocabulary:
    """Read a vocabulary file, or the one in a model's folder; the format is known by the content.

    Args:
        path: the file, or the folder.
        name: what to call the encoding; default: the name in the file, or the file's.
        pattern: for a rank file, which holds none: the name of a pattern, or a regular expression.
        special_tokens: for a rank file, which holds none: special token to id.

    Raises:
        ValueError: the file is of no known format or is damaged; the message names file and place.
        OSError: the file cannot be read.
    """
    return parse(open_file(path, name), pattern=pattern, special_tokens=special_tokens)


def open_file(path: str | PathLike[str], name: str | None = None) -> Content:
    """The content of a vocabulary file, or of the one in a model's folder; see `load`."""
    path = Path(path)
    if path.is_dir():
        path, name = _in_folder(path), name or path.resolve().name
    called = name or path.stem.removesuffix(".tokenizer")
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(0)
        data = b"" if head.startswith(_GGUF) else _content(file, head, path)
    return Content(path, name, called, data[:_HEAD] if head.startswith(_GZIP) else head, data)


def parse(
    content: Content, *, pattern: str | None = None, special_tokens: Mapping[str, int] | None = None
) -> Vocabulary:
    """The vocabulary of a file's content; see `load`."""
    path, head, data = content.path, content.head, content.data
    if not tiktoken_ranks.is_file(head):
        _refuse_more(path, pattern is not None or special_tokens is not None)
    if head.startswith(_GGUF):
        from minitok.formats import gguf

        with path.open("rb") as file:
            return gguf.read(file, str(path), name=content.name or path.stem)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        from minitok.formats import huggingface_file

        quickly = huggingface_file.parse_quickly(data, str(path), name=content.called)
        return _parse_document(content) if quickly is None else quickly
    from minitok.formats import clip_merges, minbpe_model, sentencepiece_model, vocab_merges

    if not sentencepiece_model.is_file(head) and data.count(b"\n") + data.count(b"\r") > MAX_LINES:
        raise ValueError(f"{path} has more than {MAX_LINES} lines; not a vocabulary file")
    if not tiktoken_ranks.is_file(head):
        for is_file, parse_data in (
            (clip_merges.is_file, clip_merges.parse),
            (minbpe_model.is_file, minbpe_model.parse),
            (sentencepiece_model.is_file, sentencepiece_model.parse),
        ):
            if is_file(head):
                return parse_data(data, str(path), name=content.called)
        if vocab_merges.is_file(head):
            content.is_alone = False
            ids = vocab_merges.beside(path, to_ids=True)
            return vocab_merges.parse(ids.read_bytes(), data, str(ids), str(path), name=content.called)
        # It is not; but what that reader says is the clearest.
    return tiktoken_ranks.parse(data, str(path), name=content.called, pattern=pattern, special_tokens=special_tokens)


def _refuse_more(path: Path, given: bool) -> None:
    if given:
        raise ValueError(f"{path} holds a pattern and special tokens of its own; do not pass others")


def _in_folder(folder: Path) -> Path:
    for wanted in _IN_FOLDERS:
        found = sorted(path for path in folder.glob(wanted) if path.is_file())
        if found:
            return found[0]
    raise ValueError(f"{folder} has no vocabulary file; expected one of {', '.join(_IN_FOLDERS)}")


def _content(file: IO[bytes], head: bytes, path: Path) -> bytes:
    size = file.seek(0, 2)
    file.seek(0)
    if not head:
        raise ValueError(f"{path} is empty; expected a vocabulary file")
    if size > MAX_FILE_SIZE:
        raise ValueError(f"{path} has {size} bytes; a vocabulary file has at most {MAX_FILE_SIZE}")
    if not head.startswith(_GZIP):
        return file.read()
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            data = unpacked.read(MAX_UNPACKED_SIZE + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is compressed and damaged ({error}); get it anew") from None
    if not 0 < len(data) <= MAX_UNPACKED_SIZE:
        raise ValueError(
            f"{path} unpacks to nothing, or to more than {MAX_UNPACKED_SIZE} bytes; not a vocabulary file, or one "
            "that has to be unpacked first"
        )
    return data


def _parse_document(content: Content) -> Vocabulary:
    from minitok.formats import bpeasy_json, compact_ranks, huggingface_json, tekken_json, vocab_merges
    from minitok.formats.json_documents import parse_json

    source, called = str(content.path), content.called
    document = parse_json(content.data, source)
    content.names_itself = minitok_json.is_document(document) or bpeasy_json.is_document(document)
    if minitok_json.is_document(document):
        return minitok_json.from_document(document, source, name=content.name)
    if bpeasy_json.is_document(document):
        return bpeasy_json.from_document(document, source, name=content.name)
    if huggingface_json.is_document(document):
        return huggingface_json.from_document(document, source, name=called)
    if tekken_json.is_document(document):
        return tekken_json.from_document(document, source, name=called)
    if compact_ranks.is_document(document):
        return compact_ranks.from_document(document, source, name=called)
    if vocab_merges.is_document(document):
        content.is_alone = False
        merges = vocab_merges.beside(content.path, to_ids=False)
        return vocab_merges.parse(content.data, merges.read_bytes(), source, str(merges), name=called)
    raise ValueError(f'{source}: a JSON document, but without "format": "minitok", and of no other format known here')


#: The module of each format whose files are one alone.
_MODULES: dict[Format, str] = {
    "minitok": "minitok_json",
    "tiktoken": "tiktoken_ranks",
    "huggingface": "huggingface_writer",
    "sentencepiece": "sentencepiece_model",
    "tekken": "tekken_json",
    "compact": "compact_ranks",
    "gguf": "gguf",
    "clip": "clip_merges",
    "minbpe": "minbpe_model",
    "bpeasy": "bpeasy_json",
}


def dump(vocabulary: Vocabulary, format: Format) -> dict[str, bytes]:
    """What a format's files have in them: by name of the file, if there are two, or by the empty name.

    Raises:
        ValueError: the format is not known, or cannot hold the vocabulary; the message says why.
    """
    if format == "vocab-merges":
        from minitok.formats import vocab_merges

        return dict(zip(vocab_merges.NAMES[0], vocab_merges.dump(vocabulary)))
    if format not in _MODULES:
        raise ValueError(f"unknown format {format!r}; expected one of {', '.join(map(repr, FORMATS))}")
    return {"": import_module(f"minitok.formats.{_MODULES[format]}").dump(vocabulary)}


def save(vocabulary: Vocabulary, path: str | PathLike[str], *, format: Format = "minitok") -> None:
    """Write a vocabulary file atomically; see `Encoding.save`."""
    files = dump(vocabulary, format)
    if "" in files:
        write_atomically(path, files[""])
        return
    folder = Path(path)
    folder.mkdir(exist_ok=True)
    write_all_atomically({folder / name: data for name, data in files.items()})


#: By the ending of a file's name, the longest that fits.
_BY_ENDING: dict[str, Format] = {
    "tokenizer.json": "huggingface",
    "tekken.json": "tekken",
    ".minitok.json": "minitok",
    ".tiktoken": "tiktoken",
    ".model": "sentencepiece",
    ".gguf": "gguf",
}


def format_of(path: str | PathLike[str]) -> Format:
    """The format that a file's name asks for.

    Raises:
        ValueError: it asks for none.
    """
    name = Path(path).name
    for ending, wanted in _BY_ENDING.items():
        if name.endswith(ending):
            return wanted
    raise ValueError(f"the name {name!r} does not say which format to write; pass one of {', '.join(FORMATS)}")
