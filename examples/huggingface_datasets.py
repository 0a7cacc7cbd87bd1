"""Hugging Face `datasets`: `map(batched=True)` with an encoding, which goes to other processes (`num_proc`) too."""

import tempfile
from typing import Any

import datasets

import minitok


class Encode:
    """What `map` calls for each batch of rows.

    Args:
        enc: what to encode with.
        column: the one with the texts.
    """

    def __init__(self, enc: minitok.Encoding, column: str) -> None:
        self.enc = enc
        self.column = column

    def __call__(self, rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The ids of each row, and how many there are."""
        # Threads inside of processes gain nothing.
        ids = self.enc.encode_ordinary_batch(rows[self.column], num_threads=1)
        return {"input_ids": ids, "length": [len(one) for one in ids]}


def main() -> None:
    """Encode a small dataset."""
    enc = minitok.get_encoding("minitok_32k")
    with tempfile.TemporaryDirectory() as cache:
        rows = datasets.Dataset.from_dict({"text": [f"This is document number {i}." for i in range(1000)]})
        encoded = rows.map(
            Encode(enc, "text"), batched=True, batch_size=500, cache_file_name=f"{cache}/encoded.arrow"
        )
        assert enc.decode(encoded[7]["input_ids"]) == rows[7]["text"]
        print(encoded)
        print(sum(encoded["length"]), "ids")


if __name__ == "__main__":
    main()
