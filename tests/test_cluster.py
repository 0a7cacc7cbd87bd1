"""Counting and encoding on a cluster of real processes: the same as on one machine, whatever dies.

Longer than 500 lines because all of it shares one cluster, which takes seconds to start.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
import pytest

import minitok
from minitok import distributed as clusters
from minitok.datasets.shards import ShardJob, encode_shard
from minitok.datasets.spans import CutRule
from minitok.datasets.storage import Storage, StoredFile
from minitok.distributed import counting, portions
from minitok.distributed.cluster import results
from minitok.distributed.scratch import Scratch, Written
from minitok.patterns import PATTERNS
from minitok.piece_records import pack_records, unpack_records
from minitok.training.record_files import read_frames
from tests.clusters import Cluster, free_port, gcs_server, http_server, s3_server
from tests.columns import write_arrow, write_parquet
from tests.test_cli import bad, good
from tests.test_encode_inputs import zstd
from tests.webhdfs import webhdfs_server

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]  # those of Dask and its clients

distributed = pytest.importorskip("distributed")
fsspec = pytest.importorskip("fsspec")
SEPARATOR = "<|endoftext|>"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, backend: str) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    for _ in range(2):
        cluster.add_worker()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Iterator[Any]:
    with distributed.Client(cluster.address, set_as_default=False) as client:
        cluster.wait(client, 2)
        yield client


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this program has temporary files; portions are small."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(portions, "SMALLEST_PORTION", 20_000)
    return folder


def words(start: int, stop: int) -> str:
    return "".join(f"word{i % 997} und字{i * i}, {SEPARATOR if i % 50 == 0 else ''}" for i in range(start, stop))


@pytest.fixture
def corpus(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.jsonl", "d.txt")]
    paths[0].write_text(words(0, 9000), encoding="utf-8")
    paths[1].write_text(words(9000, 9010), encoding="utf-8")
    lines = [json.dumps({"text": words(i, i + 40)}) for i in range(0, 4000, 40)]
    paths[2].write_text("\n".join(lines), encoding="utf-8")
    paths[3].write_text("", encoding="utf-8")
    return paths


@pytest.mark.parametrize("pattern", [*PATTERNS, None, r"\w+|\W"])
def test_counts_are_those_of_one_machine(
    client: Any, corpus: list[Path], pattern: str | None, temporary: Path
) -> None:
    options: dict[str, Any] = {"pattern": pattern, "special_tokens": [SEPARATOR]}
    counts = clusters.count_pieces(corpus, client=client, **options)
    assert counts == minitok.count_pieces(corpus, **options)
    del counts
    assert not list(temporary.iterdir())


def test_vocabulary_is_that_of_one_machine(client: Any, corpus: list[Path], tmp_path: Path, temporary: Path) -> None:
    counts = clusters.count_pieces(corpus, client=client, memory_limit=1 << 25)
    counts.save(tmp_path / "counts")
    for name, source in (("one", corpus), ("many", minitok.PieceCounts.load(tmp_path / "counts"))):
        minitok.train(source, vocab_size=600).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


class Killer:
    """Kills a worker when something is done, and waits until a new one has taken its place."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.done = False

    def __call__(self, progress: minitok.progress.Progress) -> None:
        if not self.done and 0 < progress.done < progress.total:  # type: ignore[operator]
            self._cluster.kill(self._cluster.workers[0])
            self._cluster.add_worker()
            self.done = True


def test_a_worker_is_killed(
    cluster: Cluster, client: Any, corpus: list[Path], temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    monkeypatch.setattr(portions, "SMALLEST_PORTION", 3_000)
    killer = Killer(cluster)
    counts = clusters.count_pieces(corpus, client=client, special_tokens=[SEPARATOR], progress=killer)
    assert killer.done
    assert counts == minitok.count_pieces(corpus, special_tokens=[SEPARATOR])
    del counts
    assert not list(temporary.iterdir())
    cluster.wait(client, 2)


_DRIVER = """
import os, signal
import minitok.progress
from minitok.distributed import connected, count_pieces, portions

def kill(progress):
    if progress.done > progress.total / 10:
        os.kill(os.getpid(), signal.SIGKILL)

minitok.progress.INTERVAL = 0
portions.SMALLEST_PORTION = portions.LARGEST_PORTION = 4_000
with connected({address!r}) as client:
    count_pieces({paths!r}, client=client, special_tokens=[{separator!r}], scratch={scratch!r}, progress=kill)
"""


def test_the_program_that_counts_is_killed(
    cluster: Cluster, client: Any, corpus: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    scratch = tmp_path / "scratch"
    program = _DRIVER.format(
        address=cluster.address, paths=list(map(str, corpus)), separator=SEPARATOR, scratch=str(scratch)
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    (folder,) = scratch.iterdir()
    plan = portions.Plan.read((folder / "plan").read_bytes())

    def entries() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.glob("share-*.json")}

    kept = entries()
    assert 1 < len(kept) < len(plan.portions)
    # One that is damaged is counted again.
    name, entry = kept.popitem()
    with (folder / json.loads(entry)["written"]["name"]).open("r+b") as file:
        file.write(b"xx")
    found: list[dict[str, bytes]] = []

    def look(progress: minitok.progress.Progress) -> None:
        if progress.done == progress.total:  # again for the last portion, which is an empty file
            found[:] = [entries()]

    options: dict[str, Any] = {"client": client, "special_tokens": [SEPARATOR], "scratch": scratch}
    counts = clusters.count_pieces(corpus, progress=look, **options)
    assert counts == minitok.count_pieces(corpus, special_tokens=[SEPARATOR])
    assert len(found[0]) == len(plan.portions)
    assert kept.items() <= found[0].items()
    assert found[0][name] != entry
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("lost")])
def test_what_stays_in_the_scratch_folder(
    client: Any, corpus: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    def stop(progress: minitok.progress.Progress) -> None:
        if progress.done:
            raise error

    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    scratch = tmp_path / "scratch"
    with pytest.raises((KeyboardInterrupt, OSError)):
        clusters.count_pieces(corpus, client=client, scratch=scratch, progress=stop)
    (folder,) = scratch.iterdir()
    (folder / "plan").write_bytes(b"[damaged")
    assert clusters.count_pieces(corpus, client=client, scratch=scratch) == minitok.count_pieces(corpus)
    assert not list(scratch.iterdir())
    corpus[1].write_bytes(b"good \xff bad")
    with pytest.raises(ValueError, match="not valid UTF-8"):
        clusters.count_pieces(corpus, client=client, scratch=scratch)


def test_what_is_written_when_the_job_is_over(tmp_path: Path) -> None:
    scratch = Scratch(Storage(), str(tmp_path))

    def write() -> Written:
        return Written(*scratch.write("share", [b"data"]), [4], 1, 1)

    with pytest.raises(FileNotFoundError, match=r"the scratch folder .* is gone; count again"):
        scratch.once("share-0", "hash", write)
    assert not list(tmp_path.iterdir())
    (tmp_path / "plan").touch()
    written = scratch.once("share-0", "hash", write)
    assert scratch.once("share-0", "hash", write) == written
    assert scratch.once("share-0", "another", write) != written


@pytest.mark.parametrize("held", [0, 1 << 26])
def test_shares_are_of_usual_blocks(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """Whether they were on disk meanwhile or not."""
    monkeypatch.setattr(counting, "_HELD", held)
    monkeypatch.setattr(counting, "BLOCK_SIZE", 2000)
    records = [(b"%06d" % number, 1 + number % 300) for number in range(5000)]
    with counting._Shares(3) as shares:
        for start in range(0, len(records), 100):
            shares.add(pack_records(records[start : start + 100]))
        data = b"".join(shares.sections())
    found = []
    for start, end in pairwise([0, *shares.ends]):
        blocks = list(read_frames(io.BytesIO(data[start:end]), "share"))
        assert max(map(len, blocks)) < 3000
        assert sum(map(len, blocks)) / len(blocks) > 1000
        partition = [record for block in blocks for record in unpack_records(block)]
        assert partition == sorted(partition)
        found += partition
    assert sorted(found) == records


def test_portions_shrink() -> None:
    file = StoredFile("file", 1 << 30)
    rule = CutRule.of(PATTERNS["gpt2"].regex, [], "strict")
    plan = portions.Plan.of([(1, [file])], None, rule, 2, 2)
    sizes = [portion.size for portion in plan.portions]
    assert sum(sizes) == file.size
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == file.size // 4
    assert sizes[-2] <= portions.SMALLEST_PORTION
    assert all(len(portion.spans) == 1 for portion in plan.portions)
    assert portions.Plan.read(plan.written()) == plan
    small = [StoredFile(f"{i}", 100) for i in range(50)]
    (portion,) = portions.Plan.of([(3, small)], None, rule, 2, 2).portions
    assert [span.url for span in portion.spans] == [file.url for file in small]
    assert portion.factor == 3


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """A file of each kind."""
    texts = [words(i, i + 40) for i in range(0, 4000, 40)]
    lines = "\n".join(json.dumps({"text": text, "other": text[:50]}) for text in texts).encode()
    (tmp_path / "a.txt").write_bytes(words(0, 3000).encode())
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(words(5000, 6000).encode()))
    (tmp_path / "c.jsonl").write_bytes(lines)
    (tmp_path / "d.ndjson.zst").write_bytes(zstd().compress(lines))
    write_parquet(tmp_path / "e.parquet", texts, 10)
    write_arrow(tmp_path / "f.arrow", texts, batch=10)
    write_arrow(tmp_path / "g.arrow", texts, stream=True, batch=10)
    return tmp_path


@pytest.mark.parametrize(
    ("weights", "options"),
    [
        ({"*": 1}, {}),
        ({"*.txt": 3, "e.parquet": 2, "c.jsonl": 0, "*.arrow": 1}, {}),
        ({"*.txt*": Fraction(1, 3), "d.*": 0.7, "e.parquet": 2, "*.parquet": 1}, {"special_tokens": [SEPARATOR]}),
        ({"*.jsonl": Fraction(1, 2), "*.zst": 5}, {"field": "other"}),
        ({"*.parquet": 2, "*.txt": 1}, {"pattern": None}),
        ({}, {}),
    ],
)
def test_weights_and_kinds_of_files(
    client: Any, kinds: Path, weights: dict[str, Any], options: Any, temporary: Path
) -> None:
    weights = {str(kinds / name): weight for name, weight in weights.items()}
    counts = clusters.count_pieces(weights, client=client, **options)
    alone = minitok.count_pieces(weights, **options)
    assert counts == alone
    assert (counts.total, counts.scale, len(counts)) == (alone.total, alone.scale, len(alone))


def test_bad_weights(client: Any, corpus: list[Path]) -> None:
    for weights, message in (
        ({corpus[0]: -1}, "expected a finite number, 0 or more"),
        ({corpus[0]: 0}, "all weights are 0"),
        ({corpus[0]: 1 << 62}, r"above 2\*\*63|too large"),
        ({"nowhere*.txt": 1}, "no file matches 'nowhere"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            clusters.count_pieces(weights, client=client)


def test_counting_over_http(client: Any, kinds: Path, temporary: Path) -> None:
    names = ["a.txt", "b.txt.gz", "c.jsonl", "e.parquet"]
    with http_server(kinds) as url:
        for path, same in ((kinds / "a.txt", True), (f"{url}/a.txt", False)):  # a server that tells no version
            groups = [(1, Storage().find(path))]
            assert (counting._job_name(groups) == counting._job_name(groups)) == same
        counts = clusters.count_pieces([f"{url}/{name}" for name in names], client=client)
        assert counts == minitok.count_pieces([kinds / name for name in names])
        assert clusters.count_pieces(f"{url}/*.txt", client=client) == minitok.count_pieces(kinds / "a.txt")
        with pytest.raises(FileNotFoundError, match="there is no file 'http"):
            clusters.count_pieces(f"{url}/none.txt", client=client)


def test_counting_by_other_protocols(client: Any, kinds: Path, temporary: Path) -> None:
    counts = clusters.count_pieces(f"file://{kinds}/*.parquet", client=client)
    assert counts == minitok.count_pieces(kinds / "e.parquet")
    with fsspec.open("memory://a.txt", "wb") as file:
        file.write(b"only this process has this")
    with pytest.raises(FileNotFoundError, match=r"a.txt \(on the worker tcp://"):
        clusters.count_pieces("memory://a.txt", client=client)
    with pytest.raises(ValueError, match=r"nosuch://a.txt cannot be opened: Protocol not known"):
        clusters.count_pieces("nosuch://a.txt", client=client)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_what_is_no_file(client: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"pipe is no regular file .*; write what it gives to a file first"):
        clusters.count_pieces(tmp_path / "pipe", client=client)
    with (
        Path(__file__).open("rb") as file,
        pytest.raises(TypeError, match="paths are str or path objects, not BufferedReader"),
    ):
        clusters.count_pieces([file], client=client)  # type: ignore[list-item]


# -- Stores of objects -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """A file system with a bucket, its protocol, and its options."""
    pytest.importorskip({"s3": "s3fs", "gs": "gcsfs"}[request.param])
    with {"s3": s3_server, "gs": gcs_server}[request.param]() as options:
        filesystem = fsspec.filesystem(request.param, **options)
        filesystem.mkdir("bucket")
        yield filesystem, f"{request.param}://bucket", options


def test_counting_in_a_bucket(client: Any, corpus: list[Path], bucket: Any, temporary: Path) -> None:
    filesystem, url, options = bucket
    for path in corpus:
        filesystem.put_file(str(path), f"bucket/corpus/{path.name}")
    counts = clusters.count_pieces(
        [f"{url}/corpus/*.txt", f"{url}/corpus/c.jsonl"],
        client=client,
        special_tokens=[SEPARATOR],
        scratch=f"{url}/scratch/",
        storage_options=options,
    )
    assert counts == minitok.count_pieces(corpus, special_tokens=[SEPARATOR])
    filesystem.invalidate_cache()
    assert filesystem.find("bucket/scratch") == []
    with pytest.raises(FileNotFoundError, match=f"{url}/none"):
        clusters.count_pieces(f"{url}/none/*.txt", client=client, storage_options=options)


# -- Encoding --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def enc() -> minitok.Encoding:
    return minitok.train([words(0, 500)], vocab_size=500, special_tokens=[SEPARATOR])


def read_dataset(folder: Path) -> tuple[Any, Any]:
    """All ids, and where documents end; what the manifest says holds."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    ids: list[Any] = []
    lengths: list[Any] = []
    for shard in manifest["shards"]:
        for kind in ("ids_file", "offsets_file"):
            data = (folder / shard[kind]["name"]).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (shard[kind]["size"], shard[kind]["sha256"])
        ids.append(numpy.fromfile(folder / shard["ids_file"]["name"], manifest["dtype"]))
        lengths.append(numpy.diff(numpy.load(folder / shard["offsets_file"]["name"])))
        assert (len(ids[-1]), len(lengths[-1])) == (shard["ids"], shard["documents"])
    assert (manifest["ids"], manifest["documents"]) == (sum(map(len, ids)), sum(map(len, lengths)))
    data = (folder / manifest["vocabulary"]["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest["vocabulary"]["sha256"]
    return numpy.concatenate(ids), numpy.concatenate(lengths)


def check_dataset(folder: Path, enc: minitok.Encoding, corpus: list[Path], scratch: Path) -> None:
    ids, lengths = read_dataset(folder)
    whole = enc.encode_file(corpus, scratch / "whole.npy")
    assert (ids == numpy.load(whole.path)).all()
    assert (lengths == numpy.diff(numpy.load(whole.offsets_path))).all()


def test_a_dataset_is_that_of_one_machine(
    cluster: Cluster,
    client: Any,
    corpus: list[Path],
    enc: minitok.Encoding,
    tmp_path: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a worker killed; and again, from what is left of it."""
    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    out = tmp_path / "dataset"
    killer = Killer(cluster)
    options: dict[str, Any] = {"encoding": enc, "client": client, "shard_size": 5000}
    manifest = clusters.encode_dataset(corpus, out, progress=killer, **options)
    assert killer.done
    assert len(manifest["shards"]) > 20
    check_dataset(out, enc, corpus, tmp_path)
    names = {path.name for path in out.iterdir()}
    shards = {shard["ids_file"]["name"] for shard in manifest["shards"]}
    assert {name for name in names if name.endswith(".bin")} == shards
    assert not [name for name in names if name.endswith(".tmp")]
    with pytest.raises(ValueError, match="holds this dataset, which is complete"):
        clusters.encode_dataset(corpus, out, **options)
    with pytest.raises(ValueError, match="holds another dataset, which is complete"):
        clusters.encode_dataset(corpus, out, append=None, **options)
    # As after a kill: no manifest, a shard that is missing, one that is cut off, one that is changed.
    (out / "manifest.json").unlink()
    (out / "shard-00001.bin").unlink()
    with (out / "shard-00002.bin").open("r+b") as file:
        file.truncate(10)
    with (out / "shard-00003.bin").open("r+b") as file:
        file.write(b"xx")
    kept = (out / "shard-00004.bin").stat().st_mtime_ns
    with pytest.raises(ValueError, match="the beginning of a dataset from other files, options or"):
        clusters.encode_dataset(corpus, out, append=None, **options)
    assert clusters.encode_dataset(corpus, out, **options) == manifest
    check_dataset(out, enc, corpus, tmp_path)
    assert (out / "shard-00004.bin").stat().st_mtime_ns == kept
    assert not list(temporary.iterdir())
    cluster.wait(client, 2)


def test_a_dataset_in_a_bucket(
    client: Any, corpus: list[Path], enc: minitok.Encoding, bucket: Any, tmp_path: Path
) -> None:
    filesystem, url, options = bucket
    for path in corpus:
        filesystem.put_file(str(path), f"bucket/texts/{path.name}")
    clusters.encode_dataset(
        [f"{url}/texts/{path.name}" for path in corpus],
        f"{url}/dataset/",
        encoding=enc,
        client=client,
        shard_size=50_000,
        storage_options=options,
    )
    filesystem.get("bucket/dataset", str(tmp_path / "dataset"), recursive=True)
    check_dataset(tmp_path / "dataset", enc, corpus, tmp_path)


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_a_worker_is_killed_that_works_in_a_bucket(
    cluster: Cluster,
    client: Any,
    corpus: list[Path],
    enc: minitok.Encoding,
    bucket: Any,
    tmp_path: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it counts, and while it encodes: the same result, nothing lost, nothing there twice, nothing left."""
    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    filesystem, url, options = bucket
    for path in corpus:
        filesystem.put_file(str(path), f"bucket/killed/{path.name}")
    paths = [f"{url}/killed/{path.name}" for path in corpus]
    common: dict[str, Any] = {"client": client, "storage_options": options}
    killer = Killer(cluster)
    counts = clusters.count_pieces(
        paths, special_tokens=[SEPARATOR], scratch=f"{url}/killed-scratch", progress=killer, **common
    )
    assert killer.done
    assert counts == minitok.count_pieces(corpus, special_tokens=[SEPARATOR])
    filesystem.invalidate_cache()
    assert filesystem.find("bucket/killed-scratch") == []
    killer = Killer(cluster)
    manifest = clusters.encode_dataset(
        paths, f"{url}/killed-dataset", encoding=enc, shard_size=20_000, progress=killer, **common
    )
    assert killer.done
    filesystem.get("bucket/killed-dataset", str(tmp_path / "dataset"), recursive=True)
    check_dataset(tmp_path / "dataset", enc, corpus, tmp_path)
    shards = {shard[kind]["name"] for shard in manifest["shards"] for kind in ("ids_file", "offsets_file")}
    found = {path.name for path in (tmp_path / "dataset").iterdir()}
    assert {name for name in found if name.endswith((".bin", ".npy"))} == shards
    cluster.wait(client, 2)


def test_hdfs(
    cluster: Cluster,
    client: Any,
    corpus: list[Path],
    enc: minitok.Encoding,
    tmp_path: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through `webhdfs://`, with a worker killed."""
    monkeypatch.setattr("minitok.progress.INTERVAL", 0)
    folder = tmp_path / "hdfs"
    (folder / "corpus").mkdir(parents=True)
    for path in corpus:
        (folder / "corpus" / path.name).write_bytes(path.read_bytes())
    with webhdfs_server(folder) as url:
        paths = [f"{url}/corpus/*.txt", f"{url}/corpus/c.jsonl"]
        killer = Killer(cluster)
        counts = clusters.count_pieces(paths, client=client, scratch=f"{url}/scratch", progress=killer)
        assert killer.done
        assert counts == minitok.count_pieces(corpus)
        assert not list((folder / "scratch").iterdir())
        in_order = [f"{url}/corpus/{path.name}" for path in corpus]
        options: dict[str, Any] = {"encoding": enc, "client": client, "shard_size": 50_000}
        killer = Killer(cluster)
        manifest = clusters.encode_dataset(in_order, f"{url}/ids", progress=killer, **options)
        assert killer.done
        check_dataset(folder / "ids", enc, corpus, tmp_path)
        # As after a kill: a shard that is cut off, and one that was being written.
        (folder / "ids" / "manifest.json").unlink()
        (folder / "ids" / "shard-00001.bin").write_bytes(b"xx")
        (folder / "ids" / f".shard-00002.bin.{'0' * 16}.tmp").touch()
        assert clusters.encode_dataset(in_order, f"{url}/ids", **options) == manifest
        check_dataset(folder / "ids", enc, corpus, tmp_path)
        assert not list((folder / "ids").glob(".*"))
        with pytest.raises(ValueError, match="holds this dataset, which is complete"):
            clusters.encode_dataset(in_order, f"{url}/ids", **options)
        with pytest.raises(FileNotFoundError, match=f"no file matches '{url}"):
            clusters.count_pieces(f"{url}/none*.txt", client=client)
    cluster.wait(client, 2)


def test_a_name_that_is_taken_on_hdfs(tmp_path: Path) -> None:
    """HDFS says no, and fsspec does not pass that on."""
    with webhdfs_server(tmp_path) as url:
        storage = Storage()
        for data in (b"one", b"another"):
            storage.write(f"{url}/folder/name", data)
            assert storage.read_if_there(f"{url}/folder/name") == data
        filesystem, _ = storage.open(url)
        with (
            mock.patch.object(type(filesystem), "mv"),
            pytest.raises(FileExistsError, match=r"cannot be renamed to that: '/folder/name'"),
        ):
            storage.write(f"{url}/folder/name", b"third")
        assert not list((tmp_path / "folder").iterdir())


def test_a_dataset_that_cannot_be(client: Any, corpus: list[Path], enc: minitok.Encoding, tmp_path: Path) -> None:
    def encode(paths: Any = corpus, out: Any = tmp_path / "out", **options: Any) -> None:
        clusters.encode_dataset(paths, out, encoding=enc, client=client, **options)

    with pytest.raises(ValueError, match="append is '<none>', which is not a special token"):
        encode(append="<none>")
    with pytest.raises(ValueError, match="shard_size is 0"):
        encode(shard_size=0)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        encode("nowhere.txt")
    assert not (tmp_path / "out").exists()
    with pytest.raises(OSError, match=r"Not a directory|exists"):
        encode(out=corpus[0])
    corpus[2].write_text('{"text": "a"}\n{"text": 5}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"c.jsonl, line 2: the field 'text' is a number"):
        encode()
    assert not (tmp_path / "out" / "manifest.json").exists()
    (tmp_path / "out" / "vocabulary.minitok.json").write_text("{}", encoding="utf-8")
    job = ShardJob(Storage(), str(tmp_path / "out"), "0" * 64, "uint16", "bin", None, None, "", None)
    with pytest.raises(ValueError, match="is another vocabulary than the one to encode with"):
        encode_shard(job, 99, [])


# -- Commands --------------------------------------------------------------------------------------------------------


def test_commands(cluster: Cluster, client: Any, corpus: list[Path], enc: minitok.Encoding, tmp_path: Path) -> None:
    enc.save(tmp_path / "vocabulary.json")
    address = ("--scheduler", cluster.address)
    good("count-pieces", *corpus, *address, "--special", SEPARATOR, "-o", tmp_path / "counts")
    assert minitok.PieceCounts.load(tmp_path / "counts") == minitok.count_pieces(corpus, special_tokens=[SEPARATOR])
    encode = ("encode-dataset", *corpus, "--out", tmp_path / "dataset", "-e", tmp_path / "vocabulary.json")
    figures = json.loads(good(*encode, *address, "--json"))
    assert figures["ids"] == len(read_dataset(tmp_path / "dataset")[0])
    assert "holds this dataset" in bad(1, *encode, *address)
    assert "holds this dataset" in bad(1, *encode)  # which one machine makes the same
    assert "not both" in bad(2, *encode, *address, "--local-cluster", 2)
    assert "expected a JSON object" in bad(2, *encode, *address, "--storage-options", "5")
    count = ("count-pieces", "-o", tmp_path / "x")
    assert "cannot read standard input" in bad(2, *count, *address)
    assert "--scratch is for a cluster" in bad(2, *count, corpus[0], "--scratch", "x")
    assert "--threads is for one machine" in bad(2, *count, corpus[0], *address, "--threads", 1)
    assert "cannot read standard input" in bad(2, *count, corpus[0], "-", *address)
    assert "no file matches 'none*.txt'" in bad(2, *count, "none*.txt", *address)
    weighted = ("count-pieces", "--weight", f"{corpus[0]}=1.5", "--weight", f"{corpus[2]}=2")
    good(*weighted, *address, "-o", tmp_path / "many")
    good(*weighted, "-o", tmp_path / "one")
    assert (tmp_path / "many").read_bytes() == (tmp_path / "one").read_bytes()
    assert "is no address of a scheduler" in bad(1, *count, corpus[0], "--scheduler", "http//x")
    assert not (tmp_path / "x").exists()


def test_a_local_cluster(corpus: list[Path], tmp_path: Path) -> None:
    assert "(" in good("count-pieces", *corpus, "--local-cluster", 1, "-o", tmp_path / "counts").decode()
    assert minitok.PieceCounts.load(tmp_path / "counts") == minitok.count_pieces(corpus)


# -- Bad input -------------------------------------------------------------------------------------------------------


def test_bad_text(client: Any, corpus: list[Path], temporary: Path) -> None:
    corpus[1].write_bytes(b"good \xff bad")
    with pytest.raises(ValueError, match=r"b.txt: not valid UTF-8 at byte 5"):
        clusters.count_pieces(corpus, client=client)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        clusters.count_pieces([*corpus, "nowhere.txt"], client=client)
    with pytest.raises(ValueError, match="expected at least"):
        clusters.count_pieces(corpus, client=client, memory_limit=5)
    assert not list(temporary.iterdir())


def test_no_client(corpus: list[Path], cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="there is no client of a cluster; pass client="):
        clusters.count_pieces(corpus)
    wrong: Any = "tcp://127.0.0.1"
    with pytest.raises(TypeError, match=r"client is a distributed.Client, not str"):
        clusters.count_pieces(corpus, client=wrong)
    closed = distributed.Client(cluster.address, set_as_default=False)
    closed.close()
    with pytest.raises(ValueError, match="the client is closed"):
        clusters.count_pieces(corpus, client=closed)


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minitok.distributed.cluster.PATIENCE", 0.5)
    with (
        pytest.raises(OSError, match=r"no Dask scheduler answers at tcp://127.0.0.1:\d+ \("),
        clusters.connected(f"tcp://127.0.0.1:{free_port()}"),
    ):
        pass
    with pytest.raises(ValueError, match="'http//x' is no address of a scheduler"), clusters.connected("http//x"):
        pass


def test_no_workers(tmp_path: Path, corpus: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minitok.distributed.cluster.PATIENCE", 1)
    monkeypatch.setattr("minitok.distributed.cluster.LONELY", 1)
    lonely = Cluster(tmp_path)
    try:
        with distributed.Client(lonely.address, set_as_default=False) as client:
            with pytest.raises(OSError, match="has no workers; start some with 'dask worker tcp"):
                clusters.count_pieces(corpus, client=client)
            # A module of this name is found before ours.
            (tmp_path / "other").mkdir()
            (tmp_path / "other" / "minitok.py").write_text("raise ModuleNotFoundError(\"No module named 'minitok'\")")
            without = lonely.add_worker(PYTHONPATH=str(tmp_path / "other"))
            lonely.wait(client, 1)
            with pytest.raises(
                ValueError, match=r"the worker tcp.* has no minitok, or an old one .*: install minitok"
            ):
                clusters.count_pieces(corpus, client=client)
            lonely.kill(without)
            lonely.add_worker()
            lonely.wait(client, 1)
            monkeypatch.setattr(portions, "SMALLEST_PORTION", 500)
            monkeypatch.setattr("minitok.progress.INTERVAL", 0)

            def kill(progress: minitok.progress.Progress) -> None:
                if progress.done and lonely.workers:
                    lonely.kill(lonely.workers[0])

            with pytest.raises(OSError, match="all workers are gone"):
                clusters.count_pieces(corpus, client=client, progress=kill)
    finally:
        lonely.close()


def test_workers_that_die_of_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    import dask.config

    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)  # Dask leaves it where it has started a worker
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), clusters.local_cluster(1) as client:
        assert set(client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()) == {str(1 << 25)}
        with pytest.raises(OSError, match=r"1 workers died one after the other of the same task.*memory_limit="):
            list(results(client, os._exit, [(1,)]))
        with pytest.raises(OSError, match=r"the worker tcp://.* has no memory left; give each worker more"):
            list(results(client, bytearray, [(1 << 60,)]))
        with pytest.raises(OSError, match=r"ZeroDivisionError: .* \(on the worker tcp://"):
            list(results(client, divmod, [(1, 0)]))
        assert sorted(results(client, max, [(1, 2), (3, 4)])) == [(0, 2), (1, 4)]


def test_another_minitok_on_a_worker(client: Any, corpus: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minitok.distributed.cluster.fingerprint", lambda: "0.0.1/0123")
    with pytest.raises(ValueError, match=r"the worker tcp://.* runs minitok .*, and this is 0.0.1/0123"):
        clusters.count_pieces(corpus, client=client)


def test_a_scratch_folder_that_is_not_shared(
    client: Any, corpus: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"do not share the folder memory://x \("):
        clusters.count_pieces(corpus, client=client, scratch="memory://x")
    with pytest.raises(OSError, match=r"Not a directory|Permission|exists"):
        clusters.count_pieces(corpus, client=client, scratch=corpus[0])
    assert not [path for path in corpus[0].parent.iterdir() if path.name.startswith("minitok-")]


def test_a_full_disk_on_a_worker(tmp_path: Path, corpus: list[Path], temporary: Path) -> None:
    """A limit on the size of files stands for it."""
    full = Cluster(tmp_path)
    try:
        full.add_worker_with("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))")
        with distributed.Client(full.address, set_as_default=False) as client:
            full.wait(client, 1)
            with pytest.raises(OSError, match=r"File too large.*\(on the worker tcp://"):
                clusters.count_pieces(corpus, client=client)
    finally:
        full.close()
    assert not list(temporary.iterdir())
