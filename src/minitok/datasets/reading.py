"""open_dataset(): the documents of a dataset by number, mapped into memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitok.column_files import pyarrow
from minitok.datasets.manifest import MANIFEST, check_file, check_vocabulary, files_of, parse_manifest
from minitok.datasets.storage import Storage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from minitok.encoding import Encoding

__all__ = ["Dataset", "open_dataset"]

_REMEDY = "remove manifest.json and run encode_dataset again: it makes anew what is not whole"


class Dataset:
    """The documents of a folder that `encode_dataset` has made. It may be pickled, and used by many processes.

    Args:
        folder: where it is.
        manifest: what it holds.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self._ends = list(accumulate(shard["documents"] for shard in manifest["shards"]))
        self._open: dict[int, tuple[Any, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_open": {}}  # what is mapped is mapped again elsewhere

    def __repr__(self) -> str:
        return f"<Dataset {str(self.folder)!r}: {len(self):,} documents, {self.manifest['ids']:,} ids>"

    def __len__(self) -> int:
        """How many documents there are."""
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, number: int) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The ids of a document, the appended one included.

        Raises:
            IndexError: there is no such document.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no document {number}; there are {len(self)}")
        number %= len(self)
        shard = bisect_right(self._ends, number)
        ids, offsets = self.shard(shard)
        place = number - (self._ends[shard - 1] if shard else 0)
        found: npt.NDArray[np.unsignedinteger[Any]] = ids[offsets[place] : offsets[place + 1]]
        return found

    def __iter__(self) -> Iterator[npt.NDArray[np.unsignedinteger[Any]]]:
        """The ids of each document, in order."""
        return (self[number] for number in range(len(self)))

    def shard(self, number: int) -> tuple[npt.NDArray[np.unsignedinteger[Any]], npt.NDArray[np.int64]]:
        """All ids of a shard, and where its documents begin and the last one ends.

        Those of `.bin` and `.npy` are mapped into memory; those of Parquet are read.
        """
        if number not in self._open:
            if self.manifest["shard_format"] == "parquet":
                self._open.clear()  # so that one shard is held, not all
            self._open[number] = self._opened(self.manifest["shards"][number])
        return self._open[number]

    def verify(self) -> None:
        """Read all shards, and compare their checksums.

        Raises:
            ValueError: a file is not what was written.
        """
        for shard in self.manifest["shards"]:
            _check(self.folder, shard, content=True)

    def _opened(self, shard: Mapping[str, Any]) -> tuple[Any, Any]:
        import numpy as np

        path = self.folder / shard["ids_file"]["name"]
        if path.suffix == ".parquet":
            arrow = pyarrow(str(path))
            lists = arrow.parquet.read_table(path, columns=["ids"]).column("ids").combine_chunks()
            return lists.flatten().to_numpy(), np.asarray(lists.offsets)
        offsets = np.load(self.folder / shard["offsets_file"]["name"], mmap_mode="r")
        if path.suffix == ".npy":
            return np.load(path, mmap_mode="r" if shard["ids"] else None), offsets
        code = np.dtype(self.manifest["dtype"]).newbyteorder("<")
        return np.memmap(path, code, "r") if shard["ids"] else np.zeros(0, code), offsets


def open_dataset(folder: str | PathLike[str], *, encoding: Encoding) -> Dataset:
    """Open a dataset that was encoded with a vocabulary.

    Args:
        folder: what `encode_dataset` has written; a path on this machine.
        encoding: of that vocabulary. Another one is refused.

    Raises:
        ValueError: the vocabulary is another one; the run is not done; a shard has another size than was written.
            (`Dataset.verify` compares checksums.)
        OSError: the folder cannot be read.

    >>> import minitok, pathlib, tempfile
    >>> enc = minitok.get_encoding("minitok_32k")
    >>> folder = tempfile.TemporaryDirectory()
    >>> text, out = pathlib.Path(folder.name, "corpus.txt"), pathlib.Path(folder.name, "ids")
    >>> _ = text.write_text("hello world<|endoftext|>good night")
    >>> _ = minitok.encode_dataset(text, out, encoding=enc)
    >>> data = open_dataset(out, encoding=enc)
    >>> len(data), enc.decode(data[1])
    (2, 'good night<|endoftext|>')
    >>> folder.cleanup()
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r}")
    if not path.exists():
        raise ValueError(
            f"{folder} has no {MANIFEST}: it is no dataset, or the run is not done; run encode_dataset again"
        )
    manifest = parse_manifest(path.read_bytes(), str(path))
    check_vocabulary(manifest, encoding, str(folder))
    for shard in manifest["shards"]:
        _check(folder, shard, content=False)
    return Dataset(folder, manifest)


def _check(folder: Path, shard: Mapping[str, Any], *, content: bool) -> None:
    for file in files_of(shard):
        wrong = check_file(Storage(), str(folder), file, content=content)
        if wrong:
            raise ValueError(f"{folder / file['name']} {wrong}; {_REMEDY}")
