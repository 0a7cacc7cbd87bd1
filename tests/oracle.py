"""The published vocabularies, as minitok's encodings and as tiktoken's."""

from __future__ import annotations

import os
import sysconfig
from functools import cache
from pathlib import Path

import tiktoken

import minitok
from minitok import _backend
from minitok.formats.tiktoken_ranks import parse_ranks
from minitok.patterns import PATTERNS

#: Name to (pattern, special tokens), for each rank file of the test data.
PUBLISHED = {
    "r50k_base": ("r50k", {"<|endoftext|>": 50256}),
    "p50k_base": ("p50k", {"<|endoftext|>": 50256}),
    "cl100k_base": (
        "cl100k",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": ("o200k", {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
}


def corpus(name: str, start: int = 0, size: int = -1) -> str:
    """A part of a corpus of the test data, cut at bytes; what is cut in two is dropped."""
    with (Path(os.environ["MINITOK_TEST_DATA"]) / "corpora" / f"{name}.txt").open("rb") as file:
        file.seek(start)
        return file.read(size).decode("utf-8", "ignore")


#: The corpora of the test data, and the source code of Python's own library.
TEXTS = ("english", "chinese", "multilingual", "code")


@cache
def _source_code() -> bytes:
    library = Path(sysconfig.get_path("stdlib"))
    files = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    return b"".join(path.read_bytes() for path in files)


def real_text(name: str, start: int = 0, size: int = -1) -> str:
    """A part of one of TEXTS, cut at bytes; what is not whole characters is dropped."""
    if name != "code":
        return corpus(name, start, size)
    data = _source_code()[start:]
    return (data if size < 0 else data[:size]).decode("utf-8", "ignore")


def rank_file(name: str) -> Path:
    """The rank file of a published vocabulary."""
    return Path(os.environ["MINITOK_TEST_DATA"]) / "vocabularies" / f"{name}.tiktoken"


@cache
def published_ranks(name: str) -> dict[bytes, int]:
    """The tokens of a published vocabulary."""
    return parse_ranks(rank_file(name).read_bytes().splitlines(), name)


@cache
def _minitok_encoding(name: str, backend: str) -> minitok.Encoding:
    pattern, special_tokens = PUBLISHED[name]
    return minitok.Encoding(
        name, pat_str=PATTERNS[pattern].regex, mergeable_ranks=published_ranks(name), special_tokens=special_tokens
    )


def published(name: str) -> minitok.Encoding:
    """A published encoding, on the present backend."""
    return _minitok_encoding(name, _backend.BACKEND)


@cache
def published_tiktoken(name: str) -> tiktoken.Encoding:
    """The same encoding in tiktoken."""
    pattern, special_tokens = PUBLISHED[name]
    return tiktoken.Encoding(
        name, pat_str=PATTERNS[pattern].regex, mergeable_ranks=published_ranks(name), special_tokens=special_tokens
    )


def to_tiktoken(encoding: minitok.Encoding) -> tiktoken.Encoding:
    """tiktoken's encoding for the same tokens, pattern and special tokens."""
    return tiktoken.Encoding(
        encoding.name,
        pat_str=encoding._pat_str or r"[\s\S]+",
        mergeable_ranks=dict(encoding._mergeable_ranks),
        special_tokens=dict(encoding._special_tokens),
    )
