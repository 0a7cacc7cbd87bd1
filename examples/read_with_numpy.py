"""Read a dataset with numpy alone: the shards are mapped into memory, and minitok is not needed for it."""

import json
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy


def documents(folder: Path) -> Iterator[Any]:
    """The ids of each document of a folder that `minitok.encode_dataset` has made."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for shard in manifest["shards"]:
        ids = numpy.memmap(folder / shard["ids_file"]["name"], manifest["dtype"], "r")
        offsets = numpy.load(folder / shard["offsets_file"]["name"], mmap_mode="r")
        for start, end in pairwise(offsets):
            yield ids[start:end]


def main() -> None:
    """Make a dataset, and read it."""
    import minitok

    with tempfile.TemporaryDirectory() as folder:
        text, out = Path(folder, "corpus.txt"), Path(folder, "ids")
        text.write_text("It was a dark night.<|endoftext|>The cat sat on the mat.", encoding="utf-8")
        minitok.encode_dataset(text, out, encoding=minitok.get_encoding("minitok_32k"))
        for ids in documents(out):
            print(len(ids), "ids:", *ids)


if __name__ == "__main__":
    main()
