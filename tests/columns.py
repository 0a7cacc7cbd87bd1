"""Files with a column of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet


def write_parquet(path: Path, texts: Any, group: int = 50, field: str = "text") -> Path:
    table = pyarrow.table({"number": range(len(texts)), field: texts})
    pyarrow.parquet.write_table(table, path, row_group_size=group)
    return path


def write_arrow(path: Path, texts: Any, *, stream: bool = False, batch: int = 50) -> Path:
    table = pyarrow.table({"text": texts})
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=batch)
    return path
