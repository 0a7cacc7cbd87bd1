"""encode_dataset(): files to shards of ids, encoded by the machines of a cluster.

A portion of the input (`spans`, cut between documents only) becomes one shard: a file of ids and an index of its
documents, as `Encoding.encode_file` writes them, and an entry that tells what they are. A shard's name and content
depend on the input and the options alone, and its entry is written last: so a task that is done twice writes the same
again, a run that begins again keeps the shards that are whole, and what has no entry was never there. The manifest,
written when all is done, holds all entries in the order of the input. The vocabulary lies beside the shards: that is
where workers get it, by its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minitok.distributed.cluster import check_workers, find_client, results
from minitok.distributed.spans import CutRule, Span, open_span, plan_portions, plan_spans
from minitok.distributed.storage import Paths, RangeReader, Storage
from minitok.files import TemporaryFolder
from minitok.id_files import index_path
from minitok.progress import ProgressOption, progress_of

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["MANIFEST", "VOCABULARY", "encode_dataset"]

#: The names of files in a dataset's folder.
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.minitok.json"
#: Bytes of input for a shard, about.
SHARD = 1 << 28
#: Bytes that are copied or hashed at once.
_STEP = 1 << 22


@dataclass(frozen=True)
class _Job:
    """What all tasks of a call know.

    Attributes:
        storage: where the input and the dataset are.
        out: the folder of the dataset.
        vocabulary: the hash of the file of the vocabulary.
        dtype: of the ids.
        separator: what stands between documents in text.
        append: the special token behind each document.
        plan: a hash of all that shards depend on.
        rule: where text may be cut.
    """

    storage: Storage
    out: str
    vocabulary: str
    dtype: str
    separator: str | None
    append: str | None
    plan: str
    rule: CutRule | None

    def url(self, name: str) -> str:
        """A file of the dataset."""
        return f"{self.out}/{name}"


def encode_dataset(
    paths: Paths,
    out: str | PathLike[str],
    *,
    encoding: Encoding,
    client: Any = None,
    dtype: Literal["auto", "uint16", "uint32"] = "auto",
    separator: str | None = "<|endoftext|>",
    append: str | None = "<|endoftext|>",
    field: str | None = None,
    shard_size: int = SHARD,
    storage_options: Mapping[str, Any] | None = None,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Encode files into a folder of shards, by the workers of a Dask cluster.

    The shards one behind the other are what `Encoding.encode_file` writes for the same files. Text files are cut at
    separators, JSON Lines between lines; compressed files, and text without separators, are not cut. If the run is
    killed, the same call goes on with what is whole.

    Args:
        paths: a path, a URL that fsspec knows, a glob of either, or several of these.
        out: a folder that all machines reach; a path or a URL.
        encoding: what to encode with.
        client: a `distributed.Client`; None: the one that the program made last.
        dtype: of the ids; see `Encoding.encode_file`, also for what follows.
        separator: what stands between documents in a text file.
        append: the special token whose id follows each document.
        field: the field with the text: all files are JSON Lines.
        shard_size: bytes of input for a shard, about.
        storage_options: for fsspec's file systems.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The manifest, which is in the folder too, as `manifest.json`.

    Raises:
        ValueError: an option that does not fit; what `Encoding.encode_file` refuses in a file; a folder with another
            dataset, or one that is done; a worker without minitok, or with another one.
        OSError: a file cannot be read or written; no workers, or workers that die again and again.
    """
    if type(shard_size) is not int or shard_size < 1:
        raise ValueError(f"shard_size is {shard_size!r}; expected a number of bytes, 1 or more")
    client = find_client(client)
    storage = Storage(dict(storage_options or {}))
    files = storage.find(paths)
    vocabulary, id_type = _prepared(encoding, {"separator": separator, "append": append, "dtype": dtype})
    check_workers(client)
    rule = CutRule.of(None, [] if separator is None else [separator], "strict")
    spans = plan_spans(files, field, rule, shard_size)
    portions = plan_portions(spans, shard_size)
    described: dict[str, Any] = {
        "format": "minitok dataset 1",
        "vocabulary": {"file": VOCABULARY, "name": encoding.name, "sha256": hashlib.sha256(vocabulary).hexdigest()},
        "dtype": id_type,
        "separator": separator,
        "append": append,
        "inputs": [{"url": file.url, "size": file.size} for file in files],
        "spans": [[[span.url, span.start, span.stop, span.field] for span in portion] for portion in portions],
    }
    plan = hashlib.sha256(json.dumps(described).encode()).hexdigest()
    described.pop("spans")
    job = _Job(storage, _folder_url(out), described["vocabulary"]["sha256"], id_type, separator, append, plan, rule)
    _begin(job, vocabulary)
    entries: list[dict[str, Any]] = [{}] * len(portions)
    with progress_of(progress, "encoding", sum(file.size for file in files), "B") as update:
        for number, entry in results(client, _encode, [(job, i, portion) for i, portion in enumerate(portions)]):
            entries[number] = {key: value for key, value in entry.items() if key != "plan"}
            if update is not None:
                update(sum(span.stop - span.start for span in portions[number]))
    manifest = {**described, "plan": plan}
    for total in ("documents", "ids", "bytes"):
        manifest[total] = sum(entry[total] for entry in entries)
    manifest["shards"] = [entry for entry in entries if entry["documents"]]
    storage.write(job.url(MANIFEST), json.dumps(manifest, indent=1).encode())
    return manifest


def _prepared(encoding: Encoding, options: Mapping[str, Any]) -> tuple[bytes, str]:
    """The file of a vocabulary, and the type of ids; what does not fit is told in the words of one machine."""
    folder = TemporaryFolder()
    try:
        encoding.save(folder.path / VOCABULARY)
        nothing = folder.path / "nothing.txt"
        nothing.touch()
        written = encoding.encode_file(nothing, folder.path / "ids.bin", progress=False, **options)
        return (folder.path / VOCABULARY).read_bytes(), written.dtype
    finally:
        folder.close()


def _folder_url(out: str | PathLike[str]) -> str:
    url = os.fspath(out)
    return url.rstrip("/") if "://" in url else os.path.abspath(url)  # noqa: PTH100 (the URL of a file, not a Path)


def _begin(job: _Job, vocabulary: bytes) -> None:
    """Make the folder, or make sure that it is one to go on in."""
    job.storage.make_folder(job.out)
    there = job.storage.read_if_there(job.url(MANIFEST))
    if there is not None:
        done = "this dataset" if json.loads(there).get("plan") == job.plan else "another dataset"
        raise ValueError(f"{job.out} holds {done}, which is complete; give another folder, or remove it first")
    there = job.storage.read_if_there(job.url("plan"))
    if there is not None and there.decode("ascii", "replace") != job.plan:
        raise ValueError(
            f"{job.out} holds the beginning of a dataset from other files, options or another vocabulary; give "
            "another folder, or remove it first"
        )
    job.storage.write(job.url(VOCABULARY), vocabulary)
    job.storage.write(job.url("plan"), job.plan.encode("ascii"))


# -- Tasks ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _encoding(url: str, expected: str, options: str) -> Encoding:
    """The encoding that the driver put beside the shards, if it is that."""
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


def _encode(job: _Job, number: int, portion: list[Span]) -> dict[str, Any]:
    """Encode a portion into its shard, unless that is there; its entry."""
    name = f"shard-{number:05}.json"
    kept = _kept(job, name)
    if kept is not None:
        return kept
    encoding = _encoding(job.url(VOCABULARY), job.vocabulary, json.dumps(dict(job.storage.options), sort_keys=True))
    folder = TemporaryFolder()
    try:
        ids = folder.path / f"shard-{number:05}.bin"
        written = encoding.encode_file(
            [open_span(job.storage, span, job.rule) for span in portion],
            ids,
            dtype=job.dtype,
            separator=job.separator,
            append=job.append,
            field=portion[0].field,
            num_threads=1,
            progress=False,
        )
        entry: dict[str, Any] = {
            "plan": job.plan,
            "documents": written.documents,
            "ids": written.tokens,
            "bytes": written.bytes_read,
        }
        if written.documents:  # else there is nothing to map into memory
            entry["ids_file"] = _described(job, ids)
            entry["offsets_file"] = _described(job, index_path(ids))
        job.storage.write(job.url(name), json.dumps(entry).encode())
        return entry
    finally:
        folder.close()


def _described(job: _Job, path: Path) -> dict[str, Any]:
    """Put a file into the dataset; what it is."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    job.storage.put(path, job.url(path.name))
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}


def _kept(job: _Job, name: str) -> dict[str, Any] | None:
    """The entry of a shard that is whole."""
    data = job.storage.read_if_there(job.url(name))
    if data is None:
        return None
    entry: dict[str, Any] = json.loads(data)
    if entry["plan"] != job.plan:
        return None
    for file in filter(None, (entry.get("ids_file"), entry.get("offsets_file"))):
        try:
            if job.storage.size(job.url(file["name"])) != file["size"]:
                return None
        except FileNotFoundError:
            return None
        digest = hashlib.sha256()
        reader = RangeReader(job.storage, job.url(file["name"]), 0, file["size"], step=_STEP)
        while block := reader.read():
            digest.update(block)
        if digest.hexdigest() != file["sha256"]:
            return None
    return entry
