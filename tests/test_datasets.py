"""Datasets: what is in their shards, against `encode_file`; a run that is killed; reading."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

import minitok
from tests.columns import write_arrow, write_parquet
from tests.id_files import END, encoding, naive
from tests.test_cli import bad, good

pytestmark = pytest.mark.once

TEXTS = [f"the cat {i} sat on the mat 字 " * (i % 9) for i in range(700)]


def write_lines(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """All kinds, with the same name in two folders."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    text = tmp_path / "b" / "part.txt"
    text.write_text(END.join(TEXTS[:100]), encoding="utf-8")
    return [
        write_parquet(folders[0] / "part.parquet", TEXTS),
        write_parquet(folders[1] / "part.parquet", TEXTS[::-1]),
        write_arrow(tmp_path / "file.arrow", TEXTS),
        write_arrow(tmp_path / "stream.arrow", TEXTS[:90], stream=True),
        write_lines(tmp_path / "lines.jsonl", TEXTS[5:]),
        text,
    ]


def documents_of(files: list[Path]) -> list[str]:
    assert [file.name for file in files[2:]] == ["file.arrow", "stream.arrow", "lines.jsonl", "part.txt"]
    return [*TEXTS, *TEXTS[::-1], *TEXTS, *TEXTS[:90], *TEXTS[5:], *filter(None, TEXTS[:100])]


def in_dataset(folder: Path, enc: minitok.Encoding) -> tuple[list[int], list[int]]:
    """The ids and the offsets of all documents."""
    data = minitok.open_dataset(folder, encoding=enc)
    data.verify()
    found = [ids.tolist() for ids in data]
    assert len(found) == len(data) == data.manifest["documents"]
    return [one for ids in found for one in ids], np.cumsum([0, *map(len, found)]).tolist()


# -- What is written -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shard_format", ["bin", "npy", "parquet"])
@pytest.mark.parametrize("shard_size", [3000, 1 << 28])
def test_all_kinds_of_files(tmp_path: Path, files: list[Path], shard_format: Any, shard_size: int) -> None:
    enc = encoding()
    out = tmp_path / "out"
    made = minitok.encode_dataset(
        files, out, encoding=enc, shard_format=shard_format, shard_size=shard_size, num_threads=2
    )
    assert in_dataset(out, enc) == naive(enc, documents_of(files))
    assert made == json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert len(made["shards"]) > 15 if shard_size == 3000 else len(made["shards"]) == 2  # text and fields
    assert (
        made["bytes"]
        == sum(len(text.encode()) for text in TEXTS) * 3
        + sum(len(text.encode()) for text in TEXTS[:90])
        + files[4].stat().st_size
        + files[5].stat().st_size
    )
    for shard in made["shards"]:
        assert (out / shard["ids_file"]["name"]).suffix == f".{shard_format}"


@pytest.mark.parametrize("shard_format", ["bin", "npy", "parquet"])
def test_nothing(tmp_path: Path, shard_format: Any) -> None:
    """Files without documents give a dataset without shards; documents without ids are there."""
    empty = tmp_path / "empty.txt"
    empty.touch()
    none = write_parquet(tmp_path / "none.parquet", pyarrow.array([], pyarrow.string()))
    made = minitok.encode_dataset([empty, none], tmp_path / "a", encoding=encoding(), shard_format=shard_format)
    assert (made["shards"], made["documents"], in_dataset(tmp_path / "a", encoding())) == ([], 0, ([], [0]))
    blank = write_parquet(tmp_path / "blank.parquet", ["", "", ""])
    minitok.encode_dataset(blank, tmp_path / "b", encoding=encoding(), append=None, shard_format=shard_format)
    assert in_dataset(tmp_path / "b", encoding()) == ([], [0, 0, 0, 0])


# -- A run that is killed ------------------------------------------------------------------------------------------

RUN = """
import sys, minitok
from tests.id_files import encoding
minitok.encode_dataset(sys.argv[1:-1], sys.argv[-1], encoding=encoding(), shard_size=3000, num_threads=2)
"""


def entries(out: Path) -> list[Path]:
    return sorted(out.glob("shard-*.json"))


@pytest.mark.parametrize("wanted", [1, 7])
def test_a_run_that_is_killed(tmp_path: Path, files: list[Path], wanted: int) -> None:
    enc, out = encoding(), tmp_path / "out"
    whole = minitok.encode_dataset(files, tmp_path / "whole", encoding=enc, shard_size=3000)
    process = subprocess.Popen([sys.executable, "-c", RUN, *map(str, files), str(out)])
    while len(entries(out)) < wanted and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "manifest.json").exists()
    with pytest.raises(ValueError, match=r"has no manifest.json: it is no dataset, or the run is not done"):
        minitok.open_dataset(out, encoding=enc)
    # As a kill at the worst moment leaves it.
    for name in ("shard-00099.bin", "manifest.json"):
        (out / f".{name}.0123456789abcdef.tmp").write_bytes(b"half")
    kept = {path: path.stat().st_mtime_ns for path in entries(out)}
    assert minitok.encode_dataset(files, out, encoding=enc, shard_size=3000) == whole
    assert in_dataset(out, enc) == naive(enc, documents_of(files))
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(entries(out)) > len(kept)
    assert not list(out.glob(".*"))


#: What may happen to a file: it is cut to so many bytes, or has this content; None: it is gone.
DAMAGES: list[tuple[str, int | bytes | None]] = [
    ("bin", 10),
    ("bin", 1 << 20),
    ("bin", bytes(4)),
    ("bin", None),
    ("offsets.npy", 10),
    ("offsets.npy", bytes(400)),
    ("json", 10),
    ("json", b"[]"),
    ("json", b'{"plan": ""}'),
    ("json", None),
]


@pytest.mark.parametrize(("suffix", "damage"), DAMAGES)
def test_a_shard_that_is_damaged_is_made_again(
    tmp_path: Path, files: list[Path], suffix: str, damage: int | bytes | None
) -> None:
    name = f"shard-00002.{suffix}"
    enc, out = encoding(), tmp_path / "out"
    options: dict[str, Any] = {"encoding": enc, "shard_size": 10_000}
    whole = minitok.encode_dataset(files[:2], out, **options)
    if damage is None:
        (out / name).unlink()
    elif isinstance(damage, int):
        os.truncate(out / name, damage)
    elif suffix == "json":
        (out / name).write_bytes(damage)
    else:
        with (out / name).open("r+b") as file:
            file.seek(200)
            file.write(damage)
    if not name.endswith(".json"):
        with pytest.raises(ValueError, match=rf"{name} .*; remove manifest.json and run encode_dataset again"):
            minitok.open_dataset(out, encoding=enc).verify()
    (out / "manifest.json").unlink()
    other = (out / "shard-00003.bin").stat().st_mtime_ns
    assert minitok.encode_dataset(files[:2], out, **options) == whole
    assert in_dataset(out, enc) == naive(enc, [*TEXTS, *TEXTS[::-1]])
    assert (out / "shard-00003.bin").stat().st_mtime_ns == other


def test_going_on_with_something_else(tmp_path: Path, files: list[Path]) -> None:
    out = tmp_path / "out"
    options: dict[str, Any] = {"paths": files[:2], "out": out, "encoding": encoding(), "shard_size": 10_000}
    minitok.encode_dataset(**options)
    with pytest.raises(ValueError, match=r"holds this dataset, which is complete; give another folder"):
        minitok.encode_dataset(**options)
    with pytest.raises(ValueError, match="holds another dataset, which is complete"):
        minitok.encode_dataset(**{**options, "append": None})
    (out / "manifest.json").unlink()
    before = {path: path.read_bytes() for path in out.iterdir()}
    changes: list[dict[str, Any]] = [
        {"append": None},
        {"separator": "\n"},
        {"dtype": "uint32"},
        {"shard_format": "npy"},
        {"shard_size": 5000},
        {"paths": files[:1]},
        {"paths": files[1::-1]},
        {"field": "number"},
        {"encoding": encoding(None)},
    ]
    for change in changes:
        with pytest.raises(ValueError, match="the beginning of a dataset from other files, options or another"):
            minitok.encode_dataset(**{**options, **change})
    write_parquet(files[0], [text.upper() for text in TEXTS])
    with pytest.raises(ValueError, match="or the files have changed"):
        minitok.encode_dataset(**options)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("number", range(6))
def test_going_on_when_a_file_has_other_content(tmp_path: Path, files: list[Path], number: int) -> None:
    """Its size and its time are kept, so that only its checksum tells."""
    out, file = tmp_path / "out", files[number]
    options: dict[str, Any] = {"paths": files, "out": out, "encoding": encoding(), "shard_size": 10_000}
    whole = minitok.encode_dataset(**options)
    assert all(len(span["blake2b"]) == 32 for shard in whole["shards"] for span in shard["inputs"])
    assert {span["url"] for shard in whole["shards"] for span in shard["inputs"]} == set(map(str, files))
    (out / "manifest.json").unlink()
    before = {path: path.read_bytes() for path in out.iterdir()}
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    content = file.read_bytes()
    if file.suffix == ".parquet":  # whose pages are compressed: another file of the same rows, but one
        texts = [text.replace("mat", "hat") for text in (TEXTS if file.parent.name == "a" else TEXTS[::-1])]
        write_parquet(file, texts)
    else:
        file.write_bytes(content.replace(b"mat", b"hat"))
    os.utime(file, ns=times)
    if file.stat().st_size == len(content):
        message = rf"{file.name} holds something else than when shard-000\d\d was made of it"
    else:
        message = "or the files have changed"
    with pytest.raises(ValueError, match=message):
        minitok.encode_dataset(**options)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    file.write_bytes(content)
    os.utime(file, ns=times)
    assert minitok.encode_dataset(**options) == whole


@pytest.mark.parametrize("at", ["before", "while"])
def test_a_file_that_changes_during_the_run(
    tmp_path: Path, files: list[Path], at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was found, or while it is encoded: no shard tells of it as if it were one file."""
    enc, out, name = encoding(), tmp_path / "out", "encode_file"
    encode = minitok.Encoding.encode_file

    def changed(self: minitok.Encoding, *arguments: Any, **options: Any) -> Any:
        if at == "before":
            os.utime(files[1], ns=(0, 0))
            return encode(self, *arguments, **options)
        written = encode(self, *arguments, **options)
        os.utime(files[0], ns=(0, 0))
        return written

    monkeypatch.setattr(minitok.Encoding, name, changed)
    with pytest.raises(ValueError, match=r"part.parquet was changed after it was found; begin again"):
        minitok.encode_dataset(files[:2], out, encoding=enc, shard_size=1 << 13)
    assert not (out / "manifest.json").exists()
    assert len(entries(out)) <= (4 if at == "before" else 0)


# -- Bad input -----------------------------------------------------------------------------------------------------


def damaged(tmp_path: Path, name: str) -> Path:
    path = write_parquet(tmp_path / name, TEXTS)
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    return path


def plain(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BAD: dict[str, tuple[Any, str]] = {
    "a null": (
        lambda p: write_parquet(p / "a.parquet", [*TEXTS[:120], None, "x"]),
        r"a.parquet, row 120 \(from 0\): the column 'text' is null; leave such rows out, or write an empty text",
    ),
    "a null, Arrow": (lambda p: write_arrow(p / "a.arrow", ["x"] * 60 + [None]), r"a.arrow, row 60 \(from 0\)"),
    "no column": (
        lambda p: write_parquet(p / "a.parquet", TEXTS, field="body"),
        r"a.parquet: there is no column 'text'; the columns are 'number', 'body': name the one with the text",
    ),
    "numbers": (
        lambda p: write_parquet(p / "a.parquet", [1, 2]),
        "a.parquet: the column 'text' holds int64, not text",
    ),
    "lists": (lambda p: write_arrow(p / "a.arrow", [["a"]]), r"the column 'text' holds list<.*>, not texts"),
    "only nulls": (lambda p: write_arrow(p / "a.arrow", [None, None]), r"the column 'text' holds null, not texts"),
    "empty": (
        lambda p: plain(p / "a.parquet", b""),
        "a.parquet cannot be read as Parquet .*: it is damaged, cut off",
    ),
    "empty, Arrow": (lambda p: plain(p / "a.arrow", b""), "a.arrow cannot be read as Arrow .*: it is damaged"),
    "text": (lambda p: plain(p / "a.parquet", b"hello" * 99), "a.parquet cannot be read as Parquet"),
    "text, Arrow": (lambda p: plain(p / "a.feather", b"hello" * 99), "a.feather cannot be read as Arrow"),
    "damaged": (lambda p: damaged(p, "a.parquet"), "a.parquet cannot be read as Parquet"),
    "compressed": (
        lambda p: plain(p / "a.parquet.gz", b"\x1f\x8b" + bytes(99)),
        "a.parquet.gz cannot be read as Parquet .* compressed as a whole",
    ),
    "cut off": (
        lambda p: plain(p / "a.parquet", write_parquet(p / "b.parquet", TEXTS).read_bytes()[:-100]),
        "a.parquet cannot be read as Parquet",
    ),
    "no JSON": (
        lambda p: plain(p / "a.jsonl", b'{"text": "a"}\n{"text": null}\n'),
        "line 2: the field 'text' is null",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file(tmp_path: Path, case: str) -> None:
    """It is told by name, behind a good one, and nothing is half-written."""
    make, message = BAD[case]
    good_one = write_parquet(tmp_path / "good.parquet", TEXTS)
    path, out = make(tmp_path), tmp_path / "out"
    with pytest.raises(ValueError, match=message):
        minitok.encode_dataset([good_one, path], out, encoding=encoding(), shard_size=10_000)
    assert not (out / "manifest.json").exists()
    assert not list(out.glob(".*"))
    assert entries(out)
    # When it is mended, it is another file.
    with pytest.raises(ValueError, match=message):
        minitok.count_pieces([good_one, path])


def test_bad_options(tmp_path: Path, files: list[Path]) -> None:
    def make(**options: Any) -> None:
        minitok.encode_dataset(**{"paths": files, "out": tmp_path / "out", "encoding": encoding(), **options})

    refused: list[tuple[dict[str, Any], str]] = [
        ({"shard_size": 0}, "shard_size is 0; expected a number of bytes"),
        ({"shard_format": "csv"}, "shard_format is 'csv'; expected 'bin', 'npy' or 'parquet'"),
        ({"append": "<none>"}, "append is '<none>', which is not a special token"),
        ({"dtype": "uint8"}, "dtype is 'uint8'"),
        ({"out": "nowhere://a"}, "nowhere://a cannot be opened"),
    ]
    for options, message in refused:
        with pytest.raises(ValueError, match=message):
            make(**options)
    with pytest.raises(FileNotFoundError, match="no file matches"):
        make(paths=str(tmp_path / "*.none"))
    with pytest.raises(TypeError, match="paths are"):
        make(paths=5)
    assert not (tmp_path / "out").exists()


def test_packages_that_are_not_installed(tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told before anything is written; text on this machine takes none of them."""
    for package in ("pyarrow", "pyarrow.parquet", "fsspec", "fsspec.core"):
        monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / "out"
    needing: list[dict[str, Any]] = [{"paths": files[0]}, {"paths": files[5], "shard_format": "parquet"}]
    for options in needing:
        with pytest.raises(
            ValueError, match=r"the package pyarrow is not installed .* pip install 'minitok\[arrow\]'"
        ):
            minitok.encode_dataset(**{"out": out, "encoding": encoding(), **options})
    with pytest.raises(ValueError, match=r"the package pyarrow is not installed"):
        minitok.count_pieces(files[0])
    with pytest.raises(ValueError, match="what is not a path on this machine takes fsspec"):
        minitok.encode_dataset("s3://bucket/a.txt", out, encoding=encoding())
    assert not out.exists()
    minitok.encode_dataset([files[5], str(files[4])[:-1] + "*"], out, encoding=encoding())
    assert in_dataset(out, encoding()) == naive(encoding(), [*filter(None, TEXTS[:100]), *TEXTS[5:]])


@pytest.mark.parametrize("shard_format", ["bin", "parquet"])
def test_a_full_disk(tmp_path: Path, files: list[Path], shard_format: Any) -> None:
    """A limit on the size of files stands for it. With more room the run goes on."""
    out = tmp_path / "out"
    options: dict[str, Any] = {"shard_format": shard_format, "shard_size": 4000}
    program = (
        "import resource, sys, minitok; from tests.id_files import encoding; enc = encoding(); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); "
        f"minitok.encode_dataset(sys.argv[1:-1], sys.argv[-1], encoding=enc, **{options!r})"
    )
    big = write_lines(tmp_path / "big.jsonl", ["".join(TEXTS)] * 2)
    inputs = [files[0], big]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, inputs), str(out)], capture_output=True, text=True, check=False
    )
    assert "OSError: [Errno 27] File too large" in done.stderr, done
    assert not (out / "manifest.json").exists()
    assert not list(out.glob(".*"))
    kept = len(entries(out))
    assert kept
    minitok.encode_dataset(inputs, out, encoding=encoding(), **options)
    assert len(entries(out)) > kept
    assert in_dataset(out, encoding()) == naive(encoding(), [*TEXTS, *["".join(TEXTS)] * 2])


# -- Reading -------------------------------------------------------------------------------------------------------


def test_reading_with_another_vocabulary(tmp_path: Path, files: list[Path]) -> None:
    enc, out = encoding(), tmp_path / "out"
    minitok.encode_dataset(files[5], out, encoding=enc)
    with pytest.raises(
        ValueError, match=r"out was encoded with the vocabulary 'small' \(sha256 .*\), not with 'small'"
    ):
        minitok.open_dataset(out, encoding=encoding(None))
    # A name is no part of what a vocabulary does.
    same = minitok.Encoding(
        "other name",
        pat_str=enc._pat_str,
        mergeable_ranks=dict(enc._mergeable_ranks),
        special_tokens=dict(enc._special_tokens),
    )
    for other in (same, minitok.load(out / "vocabulary.minitok.json")):
        assert len(minitok.open_dataset(out, encoding=other)) == len([*filter(None, TEXTS[:100])])


@pytest.mark.parametrize("shard_format", ["bin", "parquet"])
def test_documents_by_number(tmp_path: Path, files: list[Path], shard_format: Any) -> None:
    enc, out = encoding(), tmp_path / "out"
    minitok.encode_dataset(files[0], out, encoding=enc, shard_size=10_000, shard_format=shard_format, append=None)
    data = minitok.open_dataset(out, encoding=enc)
    for number in (0, 1, 699, 350, -1, -700):
        assert enc.decode(data[number]) == TEXTS[number]
        assert data[number].dtype == np.uint16
    for number in (700, -701):
        with pytest.raises(IndexError, match=f"there is no document {number}; there are 700"):
            data[number]
    copy = pickle.loads(pickle.dumps(data))
    assert enc.decode(copy[5]) == TEXTS[5]
    assert repr(copy).endswith(f"out': 700 documents, {data.manifest['ids']:,} ids>")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ("[]", "is not the manifest of a dataset"),
        ('{"format": "minitok dataset 2"}', "is of the format 'minitok dataset 2'.*upgrade minitok"),
        ('{"format": "minitok dataset 1"}', "is damaged .KeyError"),
    ],
)
def test_a_bad_manifest(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        minitok.open_dataset(tmp_path, encoding=encoding())
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        minitok.open_dataset(tmp_path / "none", encoding=encoding())


# -- Commands ------------------------------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, files: list[Path]) -> None:
    encoding().save(tmp_path / "vocabulary.json")
    command = ("encode-dataset", *files, "-e", tmp_path / "vocabulary.json", "--out")
    said = json.loads(good(*command, tmp_path / "out", "--shard-size", "9000", "--shard-format", "npy", "--json"))
    assert in_dataset(tmp_path / "out", encoding()) == naive(encoding(), documents_of(files))
    assert (said["documents"], said["dtype"]) == (len(documents_of(files)), "uint16")
    assert "holds this dataset" in bad(1, *command, tmp_path / "out", "--shard-size", "9000", "--shard-format", "npy")
    assert "documents" in good(*command, tmp_path / "other", "--threads", "1", "--append", "").decode()
    assert "there is no column 'none'" in bad(1, *command, tmp_path / "third", "--field", "none")
    assert "--threads is 0" in bad(2, *command, tmp_path / "third", "--threads", "0")
