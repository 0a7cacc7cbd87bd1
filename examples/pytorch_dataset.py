"""A PyTorch `Dataset` over the shards of a dataset: windows of ids, as language models are trained on.

The ids of a shard are one long sequence; window k of it is its ids from `k * length` on, and one more, because the
target of each id is the next one. Shards are mapped into memory, in each process of a `DataLoader` anew.
"""

import json
import tempfile
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.utils.data import DataLoader, Dataset


class Windows(Dataset[Any]):
    """Pairs of ids and of those that follow them.

    Args:
        folder: what `minitok.encode_dataset` has made.
        length: how many ids a window has.
    """

    def __init__(self, folder: Path, length: int) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.length = length
        self.dtype = manifest["dtype"]
        self.paths = [folder / shard["ids_file"]["name"] for shard in manifest["shards"]]
        self.ends = list(accumulate(max(0, shard["ids"] - 1) // length for shard in manifest["shards"]))
        self.mapped: dict[int, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """A copy in another process maps the shards itself."""
        return {**vars(self), "mapped": {}}

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        if not 0 <= number < len(self):
            raise IndexError(number)
        shard = bisect_right(self.ends, number)
        if shard not in self.mapped:
            self.mapped[shard] = numpy.memmap(self.paths[shard], self.dtype, "r")
        start = (number - (self.ends[shard - 1] if shard else 0)) * self.length
        window = torch.from_numpy(self.mapped[shard][start : start + self.length + 1].astype(numpy.int64))
        return window[:-1], window[1:]


def main() -> None:
    """Make a dataset, and go through it in batches."""
    import minitok

    with tempfile.TemporaryDirectory() as folder:
        text, out = Path(folder, "corpus.txt"), Path(folder, "ids")
        text.write_text("<|endoftext|>".join(f"This is document {i}." for i in range(1000)), encoding="utf-8")
        minitok.encode_dataset(text, out, encoding=minitok.get_encoding("minitok_32k"))
        windows = Windows(out, length=128)
        for ids, targets in DataLoader(windows, batch_size=16, shuffle=True):
            assert (ids[:, 1:] == targets[:, :-1]).all()
        print(len(windows), "windows of", windows.length, "ids")


if __name__ == "__main__":
    main()
