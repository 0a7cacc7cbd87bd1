"""The texts and vocabulary files that the benchmarks are about, from the folder that MINITOK_TEST_DATA names."""

from __future__ import annotations

import os
import random
import string
import sysconfig
from pathlib import Path

__all__ = ["ENCODINGS", "TEXTS", "one_run", "rank_file", "sample", "shared_data"]

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


def one_run(kind: str, length: int, seed: int) -> str:
    """A text that is one long run of something."""
    alphabet = {"base64": string.ascii_letters + string.digits + "+/", "DNA": "ACGT"}.get(kind)
    return kind * length if alphabet is None else "".join(random.Random(seed).choices(alphabet, k=length))
