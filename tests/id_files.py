"""What `encode_file` should write, in a third and plain implementation, and what it has written."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import minitok
from minitok import _backend
from minitok.patterns import PATTERNS

END = "<|endoftext|>"
TEXT = "the cat sat on the mat, the cat ate the rat; 字字。été 1234567 \r\n\r\n  Other's WORDS...\n" * 4


@cache
def _encoding(pattern: str | None, backend: str) -> minitok.Encoding:
    ranks = dict(minitok.train([TEXT], vocab_size=330, pattern="gpt2")._mergeable_ranks)
    return minitok.Encoding("small", pat_str=pattern, mergeable_ranks=ranks, special_tokens={END: 400, "<|x|>": 401})


def encoding(pattern: str | None = PATTERNS["o200k"].regex) -> minitok.Encoding:
    return _encoding(pattern, _backend.BACKEND)


def with_largest_id(largest: int) -> minitok.Encoding:
    ranks = {bytes([b]): b for b in range(256)}
    return minitok.Encoding("wide", pat_str=None, mergeable_ranks=ranks, special_tokens={END: largest})


def naive(enc: Any, documents: Iterable[str | bytes], append: int | None = 400) -> tuple[list[int], list[int]]:
    """The ids and the offsets of documents, one after the other."""
    ids: list[int] = []
    offsets = [0]
    for document in documents:
        ids += enc.encode_ordinary(document)
        if append is not None:
            ids.append(append)
        offsets.append(len(ids))
    return ids, offsets


def split(data: bytes, separator: str | None = END) -> list[bytes]:
    """The documents of a text that are not empty."""
    return [document for document in ([data] if separator is None else data.split(separator.encode())) if document]


def written(result: minitok.EncodedFile) -> tuple[list[int], list[int]]:
    """What is in the files, which must be what the result says."""
    if result.path.suffix == ".npy":
        ids = np.load(result.path, mmap_mode="r")
    else:
        ids = np.fromfile(result.path, dtype={"uint16": "<u2", "uint32": "<u4"}[result.dtype])
    offsets = np.load(result.offsets_path, mmap_mode="r")
    assert (ids.dtype, offsets.dtype) == (np.dtype(result.dtype).newbyteorder("<"), np.dtype("<i8"))
    assert (len(ids), len(offsets)) == (result.tokens, result.documents + 1)
    return ids.tolist(), offsets.tolist()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
