"""The unit of work: a portion of the input becomes one shard.

A shard is a file of ids and an index of its documents, as `Encoding.encode_file` writes them, or a Parquet file
with a list of ids for each document; and an entry, a small JSON file that tells what they are. Its name and its
content depend on the input and the options alone, and its entry is written last: so a task that is done twice
writes the same again, a run that begins again keeps the shards that are whole, and what has no entry was never
there. `encode_shard` needs nothing but its arguments: it runs on this machine, or on any that reaches the input and
the folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minitok.column_files import pyarrow
from minitok.datasets.checked_input import CheckedInput, check_same_input
from minitok.datasets.manifest import VOCABULARY, check_file, files_of
from minitok.datasets.spans import CutRule, Span
from minitok.datasets.storage import Storage
from minitok.files import TemporaryFolder, open_atomically
from minitok.id_files import EncodedFile

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["ShardFormat", "ShardJob", "encode_shard"]

#: ".bin" or ".npy" with an index, as `Encoding.encode_file` writes them; or Parquet, with a column of lists.
ShardFormat = Literal["bin", "npy", "parquet"]
#: Ids that a row group of Parquet has, about.
_GROUP = 1 << 20


@dataclass(frozen=True)
class ShardJob:
    """What all shards of a dataset have in common.

    Attributes:
        storage: where the input and the dataset are.
        out: the folder of the dataset.
        vocabulary: the hash of the file of the vocabulary.
        dtype: of the ids.
        shard_format: of the shards.
        separator: what stands between documents in text.
        append: the special token behind each document.
        plan: a hash of all that shards depend on.
        rule: where text may be cut.
    """

    storage: Storage
    out: str
    vocabulary: str
    dtype: Any
    shard_format: ShardFormat
    separator: str | None
    append: str | None
    plan: str
    rule: CutRule | None

    def url(self, name: str) -> str:
        """A file of the dataset."""
        return f"{self.out}/{name}"


def encode_shard(
    job: ShardJob,
    number: int,
    portion: Sequence[Span],
    *,
    encoding: Encoding | None = None,
    num_threads: int | None = 1,
) -> dict[str, Any]:
    """Encode a portion into its shard, unless that is there and whole.

    Args:
        job: what all shards have in common.
        number: of the shard.
        portion: what to encode.
        encoding: what with; None: the vocabulary that lies in the dataset's folder.
        num_threads: how many threads to use; None: one for each processor.

    Returns:
        The entry of the shard.

    Raises:
        ValueError: what `Encoding.encode_file` refuses in a file; the vocabulary in the folder is another one; the
            input has changed since the shard was made, or changes meanwhile.
        OSError: a file cannot be read or written.
    """
    name = f"shard-{number:05}"
    kept = _kept(job, f"{name}.json", len(portion))
    if kept is not None:
        check_same_input(job.storage, portion, job.rule, kept, name)
        return kept
    if encoding is None:
        options = json.dumps(dict(job.storage.options), sort_keys=True)
        encoding = _encoding(job.url(VOCABULARY), job.vocabulary, options)
    # What is on this machine is written where it is to be; the rest goes there when it is whole.
    is_here = job.storage.is_local(job.out) and job.shard_format != "parquet"
    temporary = TemporaryFolder()
    try:
        folder = Path(job.storage.open(job.out)[1]) if is_here else temporary.path
        suffix = "bin" if job.shard_format == "parquet" else job.shard_format
        checked = CheckedInput(job.storage, portion, job.rule)
        written = encoding.encode_file(
            checked.files,
            folder / f"{name}.{suffix}",
            dtype=job.dtype,
            separator=job.separator,
            append=job.append,
            field=portion[0].field,
            num_threads=num_threads,
            progress=False,
        )
        entry: dict[str, Any] = {
            "plan": job.plan,
            "documents": written.documents,
            "ids": written.tokens,
            "bytes": written.bytes_read,
            "inputs": checked.described(),
        }
        files = {"ids_file": written.path, "offsets_file": written.offsets_path}
        if job.shard_format == "parquet":
            files = {"ids_file": _as_parquet(written, temporary.path / f"{name}.parquet")}
        for kind, path in files.items():
            if written.documents:
                entry[kind] = _described(path)
                if not is_here:
                    job.storage.put(path, job.url(path.name))
            elif is_here:  # there is nothing to map into memory
                path.unlink()
        # One that a power failure damages is made again.
        job.storage.write(job.url(f"{name}.json"), json.dumps(entry).encode(), durable=False)
        return entry
    finally:
        temporary.close()


@lru_cache(maxsize=2)
def _encoding(url: str, expected: str, options: str) -> Encoding:
    """The encoding that lies beside the shards, if it is the one that is expected."""
    from minitok.registry import load

    data = Storage(json.loads(options)).read_if_there(url)
    if data is None:
        raise ValueError(f"there is no {url} for this worker; give a folder that all machines read and write")
    if hashlib.sha256(data).hexdigest() != expected:
        raise ValueError(
            f"{url} is another vocabulary than the one to encode with; do not change it, and begin again"
        )
    folder = TemporaryFolder()
    try:
        (folder.path / VOCABULARY).write_bytes(data)
        return load(folder.path / VOCABULARY)
    finally:
        folder.close()


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}


def _kept(job: ShardJob, name: str, spans: int) -> dict[str, Any] | None:
    """The entry of a shard that is whole."""
    data = job.storage.read_if_there(job.url(name))
    if data is None:
        return None
    try:
        entry: dict[str, Any] = json.loads(data)
        if entry["plan"] != job.plan or len(list(entry["inputs"])) != spans:
            return None
        if any(check_file(job.storage, job.out, file) for file in files_of(entry)):
            return None
    except (KeyError, TypeError, ValueError):  # it was damaged: as if it were not there
        return None
    return entry


def _as_parquet(written: EncodedFile, path: Path) -> Path:
    """The ids of each document as a row of a Parquet file, in the column `ids`."""
    import numpy as np

    arrow = pyarrow(path.name)
    offsets = np.load(written.offsets_path, mmap_mode="r")
    code = written.dtype
    ids = np.memmap(written.path, code, "r") if written.tokens else np.zeros(0, code)
    schema = arrow.schema([("ids", arrow.large_list(arrow.from_numpy_dtype(np.dtype(code))))])
    with open_atomically(path) as file, arrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for first, last in _groups(offsets, written.documents):
            places = np.asarray(offsets[first : last + 1])
            values = arrow.array(np.asarray(ids[places[0] : places[-1]]))
            lists = arrow.LargeListArray.from_arrays(arrow.array(places - places[0]), values)
            writer.write_table(arrow.table([lists.cast(schema.field(0).type)], schema=schema))
    return path


def _groups(offsets: Any, documents: int) -> Iterator[tuple[int, int]]:
    """Documents that make a row group: the first, and the one behind the last."""
    first = 0
    while first < documents:
        last = int(offsets.searchsorted(int(offsets[first]) + _GROUP, "right")) - 1
        last = min(max(last, first + 1), first + _GROUP, documents)
        yield first, last
        first = last
