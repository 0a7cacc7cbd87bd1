"""Texts from a column of Parquet, ids into Parquet: a row for each document, in the same order."""

import tempfile
from pathlib import Path

import pyarrow
import pyarrow.parquet

import minitok


def main() -> None:
    """Encode a column, and put the ids beside it."""
    enc = minitok.get_encoding("minitok_32k")
    with tempfile.TemporaryDirectory() as folder:
        texts, out = Path(folder, "texts.parquet"), Path(folder, "ids")
        table = pyarrow.table({"body": ["hello world", "", "good night"], "source": ["a", "b", "c"]})
        pyarrow.parquet.write_table(table, texts)
        manifest = minitok.encode_dataset(texts, out, encoding=enc, field="body", append=None, shard_format="parquet")
        ids = pyarrow.concat_tables(
            pyarrow.parquet.read_table(out / shard["ids_file"]["name"]) for shard in manifest["shards"]
        )
        for row in table.append_column("ids", ids["ids"]).to_pylist():
            assert enc.decode(row["ids"]) == row["body"]
            print(row)


if __name__ == "__main__":
    main()
