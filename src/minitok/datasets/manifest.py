"""What a dataset's folder holds: the manifest, an entry for each shard, the vocabulary, which is told by its hash.

The hash is the SHA-256 of the vocabulary's file in minitok's own format, the same for the same vocabulary. Its name
is no part of what it does, so a vocabulary that differs in it alone is the same for reading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minitok.datasets.storage import RangeReader, Storage
from minitok.formats import minitok_json

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = [
    "FORMAT",
    "MANIFEST",
    "VOCABULARY",
    "check_file",
    "check_vocabulary",
    "files_of",
    "manifest_of",
    "parse_manifest",
    "vocabulary_file",
]

#: The names of files in a dataset's folder.
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.minitok.json"
FORMAT = "minitok dataset 1"
#: Bytes that are hashed at once.
_STEP = 1 << 22
_TOTALS = ("documents", "ids", "bytes")


def vocabulary_file(encoding: Encoding, name: str | None = None) -> tuple[bytes, str]:
    """The file of a vocabulary, and its hash in hexadecimal.

    Args:
        encoding: of the vocabulary.
        name: what to call it there; None: as it is called.
    """
    vocabulary = encoding.vocabulary
    data = minitok_json.dump(vocabulary if name in (None, vocabulary.name) else replace(vocabulary, name=name))
    return data, hashlib.sha256(data).hexdigest()


def manifest_of(described: Mapping[str, Any], plan: str, entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest of a dataset, when all is done.

    Args:
        described: what the dataset is made of and how.
        plan: the hash of all that shards depend on.
        entries: one for each shard, in the order of the input; those without documents are left out.
    """
    shards = [{key: value for key, value in entry.items() if key != "plan"} for entry in entries]
    totals = {total: sum(shard[total] for shard in shards) for total in _TOTALS}
    return {**described, "plan": plan, **totals, "shards": [shard for shard in shards if shard["documents"]]}


def parse_manifest(data: bytes, where: str) -> dict[str, Any]:
    """A manifest that was read.

    Raises:
        ValueError: it is none, or of a later version.
    """
    remedy = "make the dataset anew"
    try:
        manifest: Any = json.loads(data)
    except ValueError as error:
        raise ValueError(f"{where} is damaged ({error}); {remedy}") from None
    if not isinstance(manifest, dict) or not str(manifest.get("format", "")).startswith("minitok dataset"):
        raise ValueError(f"{where} is not the manifest of a dataset of minitok")
    if manifest["format"] != FORMAT:
        raise ValueError(
            f"{where} is of the format {manifest['format']!r}, and this reads {FORMAT!r}; upgrade minitok"
        )
    try:
        for total in _TOTALS:
            int(manifest[total])
        for shard in manifest["shards"]:
            int(shard["documents"]), int(shard["ids"]), [file["sha256"] for file in files_of(shard)]
        str(manifest["vocabulary"]["sha256"]), str(manifest["dtype"]), str(manifest["shard_format"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged ({type(error).__name__}: {error}); {remedy}") from None
    return manifest


def files_of(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What an entry says of the files of its shard: name, size, sha256."""
    return [entry[kind] for kind in ("ids_file", "offsets_file") if kind in entry]


def check_file(storage: Storage, folder: str, file: Mapping[str, Any], *, content: bool = True) -> str | None:
    """What is wrong with a file of a shard, or None.

    Args:
        storage: where it is.
        folder: the dataset.
        file: what its entry says of it.
        content: whether to read it all; else its size must do.
    """
    url = f"{folder}/{file['name']}"
    try:
        size = storage.size(url)
    except FileNotFoundError:
        return "is not there"
    if size != file["size"]:
        return f"has {size} bytes, not {file['size']}"
    if content:
        digest = hashlib.sha256()
        reader = RangeReader(storage, url, 0, size, step=_STEP)
        while block := reader.read():
            digest.update(block)
        if digest.hexdigest() != file["sha256"]:
            return "has another checksum than was written"
    return None


def check_vocabulary(manifest: Mapping[str, Any], encoding: Encoding, where: str) -> None:
    """Make sure that a dataset was encoded with a vocabulary.

    Raises:
        ValueError: it was another one.
    """
    known = manifest["vocabulary"]
    _, found = vocabulary_file(encoding, known["name"])
    if found != known["sha256"]:
        raise ValueError(
            f"{where} was encoded with the vocabulary {known['name']!r} (sha256 {known['sha256'][:16]}...), not with "
            f"{encoding.name!r} ({found[:16]}...): its ids mean other tokens; load the one that "
            f"lies there as {VOCABULARY}"
        )
