"""The demo: train on the running Python's standard library, save, load, encode, check, show."""

from __future__ import annotations

import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minitok._backend import BACKEND
from minitok.encoding import Encoding
from minitok.registry import load
from minitok.training import train

__all__ = ["run", "standard_library"]

VOCAB_SIZE = 4096
_SHOWN_TOKENS = 120


def standard_library() -> list[Path]:
    """The source files of the running Python's standard library, without tests and installed packages."""
    root = Path(sysconfig.get_path("stdlib"))
    left_out = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    return sorted(path for path in root.rglob("*.py") if left_out.isdisjoint(path.relative_to(root).parts))


def run(corpus: Sequence[Path], *, progress: bool | None = None) -> tuple[dict[str, Any], list[bytes]]:
    """Do it all.

    Args:
        corpus: the files to train on; one of them is encoded afterwards.
        progress: as for `minitok.train`.

    Returns:
        The figures, and the first tokens of the file that was encoded.

    Raises:
        ValueError: no files, or the round trip gave something else.
    """
    if not corpus:
        raise ValueError("the demo has no files to train on")
    start = time.perf_counter()
    trained = train(corpus, vocab_size=VOCAB_SIZE, errors="replace", name="demo", progress=progress)
    train_seconds = time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.minitok.json"
        trained.save(path)
        encoding = load(path)
        file_bytes = path.stat().st_size

    sample = max(corpus, key=lambda path: path.stat().st_size)
    data = sample.read_bytes()
    start = time.perf_counter()
    ids = encoding.encode(data, disallowed_special=())
    encode_seconds = time.perf_counter() - start
    _check(encoding, trained, ids, data, sample)
    figures = {
        "backend": BACKEND,
        "files": len(corpus),
        "corpus_bytes": sum(path.stat().st_size for path in corpus),
        "vocab_size": encoding.n_vocab,
        "train_seconds": round(train_seconds, 3),
        "vocabulary_file_bytes": file_bytes,
        "sample": str(sample),
        "sample_bytes": len(data),
        "sample_tokens": len(ids),
        "bytes_per_token": round(len(data) / max(1, len(ids)), 3),
        "encode_seconds": round(encode_seconds, 6),
        "encode_megabytes_per_second": round(len(data) / 1e6 / max(encode_seconds, 1e-9), 2),
        "round_trip": True,
    }
    return figures, encoding.decode_tokens_bytes(ids[:_SHOWN_TOKENS])


def _check(encoding: Encoding, trained: Encoding, ids: list[int], data: bytes, sample: Path) -> None:
    if encoding.tokens != trained.tokens:
        raise ValueError("the vocabulary that was loaded is not the one that was saved")
    if encoding.decode_bytes(ids) != data:
        raise ValueError(f"decoding the ids of {sample} did not give the file back")
