"""Parquet and Arrow: each row of a column is a document, however the file is cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok.column_files import ColumnTexts
from tests.columns import write_arrow, write_parquet
from tests.id_files import END, encoding, naive
from tests.strategies import any_text

pytestmark = pytest.mark.once

TEXTS = [f"the cat {i} sat on the mat 字 " * (i % 9) for i in range(20)]


@given(st.lists(any_text, max_size=30), st.integers(1, 10), st.integers(1, 2000), st.booleans())
@example([], 1, 1, True)
@example(["", ""], 1, 1, False)
@example(["a" * 3_000_000, "b", ""], 2, 100, True)
def test_columns(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], group: int, size: int, is_parquet: bool
) -> None:
    """However a file is cut, each row is in one shard."""
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    folder = tmp_path_factory.mktemp("columns")
    column = pyarrow.array(texts, pyarrow.string())
    path = (
        write_parquet(folder / "a.parquet", column, group)
        if is_parquet
        else write_arrow(folder / "a.feather", column, batch=group)
    )
    enc = encoding()
    cuts = [*range(0, path.stat().st_size, size), path.stat().st_size]
    rows: list[bytes] = []
    for start, stop in pairwise(cuts):
        share = ColumnTexts(lambda: path.open("rb"), "a" + path.suffix, "text", cuts[-1], start, stop)
        for batch in share.batches():
            assert batch.row == len(rows)
            assert 0 <= batch.done <= 1
            rows += batch.texts
    assert rows == [text.encode() for text in texts]
    made = enc.encode_file(path, folder / "ids.npy")
    assert (np.load(made.path).tolist(), np.load(made.offsets_path).tolist()) == naive(enc, texts)
    assert minitok.count_pieces(path) == minitok.count_pieces(texts)


@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.string(),
        pyarrow.large_string(),
        pyarrow.string_view(),
        pyarrow.binary(),
        pyarrow.large_binary(),
        pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    ],
)
@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_types_of_columns(tmp_path: Path, kind: Any, suffix: str) -> None:
    """Each kind of text, in a file whose batches begin within an array."""
    values = ["skipped", *TEXTS]
    column = (
        pyarrow.array(values).dictionary_encode()
        if pyarrow.types.is_dictionary(kind)
        else pyarrow.array(values, kind)
    )[1:]
    write = write_arrow if suffix == ".arrow" else write_parquet
    path = write(tmp_path / f"a{suffix}", column)
    assert minitok.count_pieces(path) == minitok.count_pieces(TEXTS)


def test_bytes_in_a_column(tmp_path: Path) -> None:
    """They are encoded as they are in text; training tells of them."""
    path = write_parquet(tmp_path / "a.parquet", [b"good", b"a\xff b"])
    enc = encoding()
    made = enc.encode_file(path, tmp_path / "ids.npy")
    assert np.load(made.path).tolist() == naive(enc, [b"good", b"a\xff b"])[0]
    with pytest.raises(ValueError, match=r"a.parquet, row 1 \(from 0\): not valid UTF-8 at byte 1"):
        minitok.train(path, vocab_size=300)
    assert minitok.count_pieces(path, errors="replace") == minitok.count_pieces(["good", "a\ufffd b"])


def test_special_tokens_in_a_column(tmp_path: Path) -> None:
    """In training they separate; in what is encoded they are text."""
    path = write_parquet(tmp_path / "a.parquet", [f"one{END}two", "three"])
    counts = minitok.count_pieces(path, special_tokens=[END])
    assert counts == minitok.count_pieces(["one", "two", "three"], special_tokens=[END])
    made = encoding().encode_file(path, tmp_path / "ids.npy", append=None)
    assert np.load(made.path).tolist() == naive(encoding(), [f"one{END}two", "three"], None)[0]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    table = pyarrow.Table.from_arrays([pyarrow.array(["a"]), pyarrow.array(["b"])], ["text", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="2 columns are called 'text'; the columns are 'text', 'text'"):
        minitok.count_pieces(tmp_path / "a.parquet")
