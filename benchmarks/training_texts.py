"""The files that trainers are measured with."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from benchmarks.large_corpus import CORPORA, large_corpus
from benchmarks.texts import one_run, shared_data
from benchmarks.trainers import SEPARATOR

__all__ = ["training_file"]


def training_file(text: str, megabytes: int | None, folder: Path) -> Path:
    """A file by the name of its text; what has to be written for the purpose is written to the folder, once."""
    if text in CORPORA:
        return shared_data() / "corpora" / f"{text}.txt"
    if text == "large":
        return large_corpus(megabytes or 0)
    path = folder / f"{text} {megabytes}.txt"
    if not path.exists():
        path.write_bytes(
            _source_code() if text == "code" else one_run(text, (megabytes or 0) * 1_000_000, 0).encode()
        )
    return path


def _source_code() -> bytes:
    """Python's own library, a document a file; bytes that are not UTF-8, in tests of that, are replaced."""
    library = Path(sysconfig.get_path("stdlib"))
    files = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    return SEPARATOR.join(path.read_bytes().decode("utf-8", "replace") for path in files).encode()
