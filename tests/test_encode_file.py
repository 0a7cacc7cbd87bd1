"""Files of ids, against a third and plain implementation: the ids of each document, one after the other."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minitok import encode_file, pretokenizer
from minitok.patterns import PATTERNS
from tests.id_files import END, TEXT, encoding, files_in, naive, split, with_largest_id, written
from tests.oracle import corpus, published, published_tiktoken
from tests.strategies import any_bytes, any_text, class_text, runs

#: All pieces of these are short, so that the tests can say what "not more than MARGIN" means.
CUSTOM = (r"\w{1,4}|\s|[^\w\s]{1,4}", r"(?<=a)b|(?<!a)b+?|[^b]{1,3}(?=b)|(?s:.)")
PATTERN_TEXTS = sorted({pattern.regex for pattern in PATTERNS.values()})


# -- The ids are those of each document ----------------------------------------------------------------------------

SEPARATORS = st.sampled_from([END, "\n", "字", "aab", None])
#: Texts with whole separators, and parts of them.
DATA = st.lists(
    st.one_of(
        st.one_of(class_text, any_text, runs).map(lambda text: text.encode("utf-8", "surrogatepass")),
        any_bytes,
        st.sampled_from(
            [END.encode(), END[:5].encode(), END[5:].encode(), "字".encode()[:2], b"\n", b"\r\n", b"aaab"]
        ),
    ),
    max_size=12,
).map(b"".join)


#: What is read at once, MARGIN, and how many threads.
Sizes = tuple[int, int, int]


def check(scratch: Path, pattern: str | None, data: bytes, separator: str | None, sizes: Sizes) -> None:
    path, out = scratch / "text.txt", scratch / "ids.npy"
    path.write_bytes(data)
    block, margin, threads = sizes
    enc = encoding(pattern)
    with (
        mock.patch.multiple(encode_file, BLOCK=block, LONG=block),
        mock.patch.object(pretokenizer, "MARGIN", margin),
    ):
        result = enc.encode_file(path, out, separator=separator, num_threads=threads)
    assert written(result) == naive(enc, split(data, separator))
    assert result.bytes_read == len(data)


@given(
    st.sampled_from([*PATTERN_TEXTS, None]),
    DATA,
    SEPARATORS,
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3)),
)
@example(PATTERNS["r50k"].regex, b"\n\n\n\nx \n\n y", None, (5, 1, 1))  # white space before the cut is one piece
@example(PATTERNS["o200k"].regex, b"a" * 30 + b"'s" + b"1" * 50, None, (3, 2, 1))
@example(PATTERNS["cl100k"].regex, b"\xe5\xad" + END.encode() + b"\x97", END, (1, 1, 1))
@example(PATTERNS["cl100k"].regex, END.encode() * 3 + b"a" + END.encode(), END, (7, 1, 1))
def test_named_patterns(scratch: Path, pattern: str | None, data: bytes, separator: str | None, sizes: Sizes) -> None:
    check(scratch, pattern, data, separator, sizes)


@given(
    st.sampled_from(CUSTOM), DATA, SEPARATORS, st.tuples(st.integers(1, 200), st.integers(16, 40), st.integers(1, 2))
)
@example(CUSTOM[0], "é字😀\ufffd".encode() * 50 + b"\xff\xe5\xad" * 20, None, (1, 16, 1))
@example(CUSTOM[1], b"abbbab" * 40, None, (30, 16, 1))
def test_custom_patterns(scratch: Path, pattern: str, data: bytes, separator: str | None, sizes: Sizes) -> None:
    check(scratch, pattern, data, separator, sizes)


@pytest.mark.data
@pytest.mark.parametrize("name", ["english", "chinese", "multilingual"])
@pytest.mark.parametrize("vocabulary", ["cl100k_base", "o200k_base"])
@pytest.mark.parametrize(("block", "separator"), [(1 << 20, END), (1 << 14, END), (1 << 16, None)])
def test_corpora(tmp_path: Path, name: str, vocabulary: str, block: int, separator: str | None) -> None:
    data = corpus(name, size=2_000_000).encode()
    (tmp_path / "text").write_bytes(data)
    enc = published(vocabulary)
    with mock.patch.object(encode_file, "BLOCK", block):
        result = enc.encode_file(tmp_path / "text", tmp_path / "ids.npy", separator=separator)
    documents = [document.decode() for document in split(data, separator)]
    assert written(result) == naive(published_tiktoken(vocabulary), documents, enc.eot_token)
    assert result.dtype == "uint32"


@pytest.mark.parametrize(
    "data",
    [b"", b"x", END.encode(), END.encode() * 2, b"\r\n" + END.encode() + b"\r\n", b"\xef\xbb\xbfa\r\nb", b"\xff\xfe"],
)
@pytest.mark.parametrize("separator", [END, None])
@pytest.mark.parametrize("append", ["<|x|>", None])
@pytest.mark.parametrize("suffix", [".npy", ".bin"])
def test_small_ones(out: Path, data: bytes, separator: str | None, append: str | None, suffix: str) -> None:
    result = encoding().encode_file(io.BytesIO(data), out.with_suffix(suffix), separator=separator, append=append)
    assert written(result) == naive(encoding(), split(data, separator), 401 if append else None)
    assert (result.path, result.offsets_path) == (out.with_suffix(suffix), out.with_name("ids.offsets.npy"))
    assert set(files_in(out.parent)) == {"ids" + suffix, "ids.offsets.npy"}


def test_special_tokens_in_documents_are_text(tmp_path: Path, out: Path) -> None:
    (tmp_path / "text").write_text(f"a<|x|>b{END}\nc", encoding="utf-8")
    result = encoding().encode_file(tmp_path / "text", out, separator="\n")
    ids, _ = written(result)
    assert 401 not in ids
    assert ids.count(400) == 2
    assert encoding().decode(ids) == f"a<|x|>b{END}{END}c{END}"


def test_one_huge_word(tmp_path: Path, out: Path) -> None:
    """No place to cut: it is one piece, and is encoded as one."""
    data = b"ab" * 1_500_000
    (tmp_path / "text").write_bytes(data)
    assert written(encoding().encode_file(tmp_path / "text", out)) == naive(encoding(), [data])


# -- What the ids are stored in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest", "dtype", "expected"),
    [
        (65535, "auto", "uint16"),
        (65536, "auto", "uint32"),
        (65535, "uint16", "uint16"),
        (300, "uint32", "uint32"),
        (300, np.uint16, "uint16"),
        (300, np.dtype("<u4"), "uint32"),
    ],
)
@pytest.mark.parametrize("suffix", [".npy", ".bin"])
def test_types(out: Path, largest: int, dtype: Any, expected: str, suffix: str) -> None:
    result = with_largest_id(largest).encode_file(io.BytesIO(b"ab"), out.with_suffix(suffix), dtype=dtype)
    assert result.dtype == expected
    assert written(result)[0] == [97, 98, largest]
    numbers = b"".join(i.to_bytes(2 if expected == "uint16" else 4, "little") for i in (97, 98, largest))
    assert result.path.read_bytes()[0 if suffix == ".bin" else 128 :] == numbers


def test_numpy_maps_the_files(tmp_path: Path, out: Path) -> None:
    (tmp_path / "text").write_text(TEXT + END + TEXT, encoding="utf-8")
    result = encoding().encode_file(tmp_path / "text", out)
    ids, offsets = np.load(out, mmap_mode="r"), np.load(result.offsets_path, mmap_mode="r")
    assert isinstance(ids, np.memmap)
    assert encoding().decode(ids[offsets[1] : offsets[2] - 1]) == TEXT
    same = encoding().encode_file(tmp_path / "text", out.with_suffix(".bin"))
    assert np.array_equal(np.memmap(same.path, dtype="<u2", mode="r"), ids)


# -- Progress, memory, the command line ----------------------------------------------------------------------------


def test_progress(tmp_path: Path, out: Path, small_blocks: None, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text(TEXT * 100, encoding="utf-8")
    (tmp_path / "text.gz").write_bytes(gzip.compress(TEXT.encode() * 100))
    for source in (tmp_path / "text", tmp_path / "text.gz", [tmp_path / "text", tmp_path / "text.gz"]):
        for show in (None, False, True):
            encoding().encode_file(source, out, progress=show)
            error = capsys.readouterr().err
            assert ("encoding: 100%" in error) == bool(show), error
    encoding().encode_file(io.BytesIO(b"a"), out, progress=True)
    assert "encoding: 1.00B" in capsys.readouterr().err


#: Prints by how many bytes the peak of the memory rises.
PROGRAM = """
import re, sys
import minitok, numpy, minitok.encode_file, concurrent.futures
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
enc = minitok.get_encoding("minitok_32k")
enc.count("warm")
before = peak()
result = enc.encode_file(sys.argv[1], sys.argv[2], separator=None, num_threads=2)
print(peak() - before, result.documents)
"""


@pytest.mark.parametrize("kind", ["words", "numbers", "lines", "words.gz"])
def test_memory_is_bounded(tmp_path: Path, backend: str, kind: str) -> None:
    """One document of more than 100 MB; one without a space or a letter, so that no place to cut is known before."""
    if backend != "native":
        return  # the same way, many times slower
    rng = np.random.default_rng(1)
    words = [bytes(word) for word in rng.integers(97, 123, (5000, 6), dtype=np.uint8)]
    unit = {"n": bytes(rng.integers(48, 58, 1 << 20, dtype=np.uint8))}.get(kind[0], b" ".join(words) * 30)
    path = tmp_path / kind
    with gzip.open(path, "wb", 1) if kind.endswith(".gz") else path.open("wb") as file:
        for _ in range(110_000_000 // len(unit)):
            file.write(unit + (b"\n" if kind == "lines" else b""))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, tmp_path / "ids.bin"], stdout=subprocess.PIPE, check=True
    )
    rise, documents = map(int, done.stdout.split())
    assert documents == 1
    assert rise < 100_000_000
