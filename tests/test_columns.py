"""Parquet and Arrow: each row of a column is a document, however the file is cut."""

from __future__ import annotations

from array import array
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
from minitok.column_files import ColumnTexts, JoinedTexts
from minitok.patterns import PATTERNS
from tests.agreement import agree, outcome
from tests.columns import write_arrow, write_parquet
from tests.id_files import END, encoding, naive
from tests.joined import joined
from tests.strategies import any_bytes, any_text

pytestmark = pytest.mark.once

#: None at all, a named one, one that the core does not know.
PATTERN_TEXTS = (None, PATTERNS["o200k"].regex, r"\w+|\W")
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


@given(
    st.lists(any_bytes, max_size=8), st.sampled_from(PATTERN_TEXTS), any_bytes, st.none() | st.integers(0, 2**32 - 1)
)
@example([], None, b"", 5)
@example([b"", b""], PATTERN_TEXTS[1], b"a", None)
def test_joined_texts(texts: list[bytes], pattern: str | None, before: bytes, behind: int | None) -> None:
    """They have the ids of each alone: nothing merges, and no piece goes, from one to the next."""
    vocabulary = encoding().vocabulary

    def encoded(module: Any) -> tuple[list[int], list[int]]:
        encoder = module.Encoder(vocabulary.tokens, vocabulary.merges, pattern)
        ids, counts = encoder.encode_joined_uint32(joined(texts, before), behind)
        alone = [encoder.encode(text) + ([] if behind is None else [behind]) for text in texts]
        found = np.frombuffer(ids, np.uint32).tolist(), np.frombuffer(counts, np.int64).tolist()
        assert found == ([i for one in alone for i in one], list(map(len, alone)))
        return found

    agree(encoded)


@pytest.mark.parametrize("offsets", [[-1, 1], [0, 4], [0, 3, 2], [3, 0], [2**62, 2**63 - 1]])
@pytest.mark.parametrize("pattern", [PATTERN_TEXTS[0], PATTERN_TEXTS[-1]])
def test_offsets_outside_of_the_data(offsets: list[int], pattern: str | None) -> None:
    texts = JoinedTexts(memoryview(b"abc"), memoryview(array("q", offsets)))
    vocabulary = encoding().vocabulary

    def encoded(module: Any) -> Any:
        return module.Encoder(vocabulary.tokens, vocabulary.merges, pattern).encode_joined_uint32(texts, None)

    kind, message = agree(lambda module: outcome(lambda: encoded(module)))
    assert (kind, message[:40]) == ("ValueError", "the offsets of joined texts descend, or ")


def test_an_arrow_file_with_bad_offsets(tmp_path: Path) -> None:
    path = write_arrow(tmp_path / "a.arrow", pyarrow.array(["one", "three", "two"], pyarrow.large_string()))
    good = np.array([0, 3, 8, 11], np.int64).tobytes()
    assert path.read_bytes().count(good) == 1
    for offsets in ([0, 3, 8, 1 << 40], [0, -3, 8, 11], [0, 8, 3, 11]):
        bad = tmp_path / "bad.arrow"
        bad.write_bytes(path.read_bytes().replace(good, np.array(offsets, np.int64).tobytes()))
        with pytest.raises(ValueError, match=r"bad.arrow cannot be read as Arrow \(.*: it is damaged"):
            encoding().encode_file(bad, tmp_path / "ids.npy")


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
