"""The texts and vocabulary files that the benchmarks are about, from the folder that MINITOK_TEST_DATA names."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

__all__ = ["ENCODINGS", "TEXTS", "rank_file", "sample", "shared_data"]

#: English novels; about a hundred languages; classical Chinese; the source code of Python's own library.
TEXTS = ("english", "code", "multilingual", "chinese")
ENCODINGS = ("r50k_base", "cl100k_base", "o200k_base")


def shared_data() -> Path:
    """The folder with vocabularies and corpora."""
    return Path(os.environ["MINITOK_TEST_DATA"])


def rank_file(encoding: str) -> Path:
    """The published vocabulary file of an encoding."""
    return shared_data() / "vocabularies" / f"{encoding}.tiktoken"


def sample(name: str, size: int, start: int = 0) -> str:
    """`size` bytes of a text from a place in it, less what is no whole character; repeated if there are fewer."""
    if name == "code":
        library = Path(sysconfig.get_path("stdlib"))
        files = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
        data = b"".join(path.read_bytes() for path in files)[start : start + size]
    else:
        with (shared_data() / "corpora" / f"{name}.txt").open("rb") as file:
            file.seek(start)
            data = file.read(size)
    whole = data * (size // len(data)) + data[: size % len(data)]
    return whole.decode("utf-8", "ignore")
