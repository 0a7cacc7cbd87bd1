"""A run that makes a dataset: what to do, a folder to do it in, and the manifest in the end.

plan      files to portions, one for each shard (`spans`); nothing is written
begin     the folder holds the vocabulary, and the plan that a run that begins again is held to
shards    each portion is encoded (`shards`), here one after the other, or on many machines
finish    the manifest is written, which makes the folder a dataset
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, get_args

from minitok.column_files import has_columns, pyarrow
from minitok.datasets.manifest import FORMAT, MANIFEST, VOCABULARY, manifest_of, vocabulary_file
from minitok.datasets.shards import ShardFormat, ShardJob, encode_shard
from minitok.datasets.spans import CutRule, Span, plan_portions, plan_spans
from minitok.datasets.storage import Paths, Storage, StoredFile
from minitok.progress import ProgressOption, progress_of

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["SHARD", "DatasetRun", "encode_dataset"]

#: Bytes of input for a shard, about.
SHARD = 1 << 28
#: The name of the file with the plan's hash.
_PLAN = "plan"


@dataclass(frozen=True)
class DatasetRun:
    """What is to be done.

    Attributes:
        job: what all shards have in common.
        portions: of the input, one for each shard.
        described: what the manifest says of the input and the options.
        vocabulary: its file.
    """

    job: ShardJob
    portions: Sequence[Sequence[Span]]
    described: Mapping[str, Any]
    vocabulary: bytes

    @staticmethod
    def plan(
        paths: Paths,
        out: str | PathLike[str],
        encoding: Encoding,
        *,
        dtype: Literal["auto", "uint16", "uint32"],
        shard_format: ShardFormat,
        separator: str | None,
        append: str | None,
        field: str | None,
        shard_size: int,
        storage_options: Mapping[str, Any] | None,
    ) -> DatasetRun:
        """Find the files, and cut them; for the arguments see `encode_dataset`."""
        from minitok.encode_file import check_options  # with numpy, which is not imported before it is needed

        if type(shard_size) is not int or shard_size < 1:
            raise ValueError(f"shard_size is {shard_size!r}; expected a number of bytes, 1 or more")
        if shard_format not in get_args(ShardFormat):
            raise ValueError(f"shard_format is {shard_format!r}; expected 'bin', 'npy' or 'parquet'")
        storage = Storage(dict(storage_options or {}))
        files = storage.find(paths)
        _check_packages(files, shard_format)
        id_type, _, _ = check_options(encoding.vocabulary, dtype=dtype, append=append, separator=separator)
        vocabulary, digest = vocabulary_file(encoding)
        rule = CutRule.of(None, [] if separator is None else [separator], "strict")
        portions = plan_portions(plan_spans(files, field, rule, shard_size), lambda _: shard_size)
        described: dict[str, Any] = {
            "format": FORMAT,
            "vocabulary": {"file": VOCABULARY, "name": encoding.name, "sha256": digest},
            "dtype": id_type,
            "shard_format": shard_format,
            "separator": separator,
            "append": append,
            "inputs": [{"url": file.url, "size": file.size, "version": file.version} for file in files],
        }
        spans = [[[span.url, span.start, span.stop, span.field] for span in portion] for portion in portions]
        plan = hashlib.sha256(json.dumps({**described, "spans": spans}).encode()).hexdigest()
        job = ShardJob(storage, _folder_url(out), digest, id_type, shard_format, separator, append, plan, rule)
        return DatasetRun(job, portions, described, vocabulary)

    @property
    def size(self) -> int:
        """Bytes of input, as they are stored."""
        return sum(map(self.size_of, range(len(self.portions))))

    def size_of(self, number: int) -> int:
        """Bytes of input of a shard."""
        return sum(span.stop - span.start for span in self.portions[number])

    def begin(self) -> None:
        """Make the folder, or make sure that it is one to go on in.

        Raises:
            ValueError: it holds a dataset that is complete, or the beginning of another one.
            OSError: it cannot be written.
        """
        job = self.job
        job.storage.make_folder(job.out)
        there = job.storage.read_if_there(job.url(MANIFEST))
        if there is not None:
            done = "this dataset" if _plan_in(there) == job.plan else "another dataset"
            raise ValueError(f"{job.out} holds {done}, which is complete; give another folder, or remove it first")
        there = job.storage.read_if_there(job.url(_PLAN))
        if there is not None and there.decode("ascii", "replace") != job.plan:
            raise ValueError(
                f"{job.out} holds the beginning of a dataset from other files, options or another vocabulary (or the "
                "files have changed); give another folder, or remove it first"
            )
        job.storage.remove_temporary(job.out)
        job.storage.write(job.url(VOCABULARY), self.vocabulary)
        job.storage.write(job.url(_PLAN), job.plan.encode("ascii"))

    def finish(self, results: Iterable[tuple[int, Mapping[str, Any]]], progress: ProgressOption) -> dict[str, Any]:
        """Write the manifest when all shards are there.

        Args:
            results: the number of each portion and the entry of its shard, in any order, as they come.
            progress: see `encode_dataset`.

        Returns:
            The manifest.
        """
        entries: list[Mapping[str, Any]] = [{}] * len(self.portions)
        with progress_of(progress, "encoding", self.size, "B") as update:
            for number, entry in results:
                entries[number] = entry
                if update is not None:
                    update(self.size_of(number))
        self.job.storage.remove_temporary(self.job.out)
        manifest = manifest_of(self.described, self.job.plan, entries)
        self.job.storage.write(self.job.url(MANIFEST), json.dumps(manifest, indent=1).encode())
        return manifest


def encode_dataset(
    paths: Paths,
    out: str | PathLike[str],
    *,
    encoding: Encoding,
    dtype: Literal["auto", "uint16", "uint32"] = "auto",
    shard_format: ShardFormat = "bin",
    separator: str | None = "<|endoftext|>",
    append: str | None = "<|endoftext|>",
    field: str | None = None,
    shard_size: int = SHARD,
    num_threads: int | None = None,
    storage_options: Mapping[str, Any] | None = None,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Encode files into a folder of shards, which numpy or pyarrow read, and `open_dataset`.

    Files are text, JSON Lines (`.jsonl`, `.ndjson`), either compressed (`.gz`, `.zst`), Parquet (`.parquet`) or Arrow
    (`.arrow`, `.feather`; with `minitok[arrow]`). The shards one behind the other are what `Encoding.encode_file`
    writes for the same files. Text files are cut at separators, JSON Lines between lines, files with columns between
    groups of rows; compressed files, and text without separators, are not cut.

    If the run is killed, the same call goes on: shards that are whole by their checksums are kept, the others are
    made again. It is refused if the files, an option or the vocabulary have changed. A folder that has a
    `manifest.json` is complete. See docs/datasets.md.

    Args:
        paths: a path, a URL that fsspec knows, a glob of either, or several of these.
        out: the folder; a path or a URL.
        encoding: what to encode with.
        dtype: of the ids: "uint16", "uint32", or "auto": the first if all ids of the vocabulary fit.
        shard_format: "bin" or "npy", each with an index, as `Encoding.encode_file` writes them; or "parquet": a row
            for each document, with its ids in the column `ids`.
        separator: what stands between documents in a text file; None: a file is one document.
        append: the special token whose id follows each document; None: nothing does.
        field: the column, or the field of JSON Lines, that holds the text; if given, all files that have no columns
            are JSON Lines. Default: "text".
        shard_size: bytes of input for a shard, about.
        num_threads: how many threads to use; default: one for each processor.
        storage_options: for fsspec's file systems.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The manifest, which is in the folder too, as `manifest.json`.

    Raises:
        ValueError: an option that does not fit; what `Encoding.encode_file` refuses in a file, such as a row that is
            null; a folder with another dataset, or one that is done.
        OSError: a file cannot be read or written.

    >>> import minitok, pathlib, tempfile
    >>> enc = minitok.get_encoding("minitok_32k")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = pathlib.Path(folder, "corpus.jsonl")
    ...     _ = text.write_text('{"text": "hello world"}')
    ...     manifest = encode_dataset(text, pathlib.Path(folder, "ids"), encoding=enc)
    >>> manifest["documents"], manifest["ids"], manifest["dtype"]
    (1, 3, 'uint16')
    """
    run = DatasetRun.plan(
        paths,
        out,
        encoding,
        dtype=dtype,
        shard_format=shard_format,
        separator=separator,
        append=append,
        field=field,
        shard_size=shard_size,
        storage_options=storage_options,
    )
    run.begin()
    encode = partial(encode_shard, run.job, encoding=encoding, num_threads=num_threads)
    return run.finish(((number, encode(number, portion)) for number, portion in enumerate(run.portions)), progress)


def _check_packages(files: Sequence[StoredFile], shard_format: str) -> None:
    if shard_format == "parquet":
        pyarrow("a shard that is Parquet")
    for file in files:
        if has_columns(file.url):
            pyarrow(file.url)


def _folder_url(out: str | PathLike[str]) -> str:
    url = os.fspath(out)
    return url.rstrip("/") if "://" in url else os.path.abspath(url)  # noqa: PTH100 (the URL of a file, not a Path)


def _plan_in(manifest: bytes) -> Any:
    try:
        return json.loads(manifest).get("plan")
    except (ValueError, AttributeError):
        return None
