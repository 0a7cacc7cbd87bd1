"""`PieceCounts`: a mapping, its file, and sums."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitok
from minitok import PieceCounts
from minitok.piece_records import BLOCK_SIZE, pack_blocks, pack_records, unpack_records
from minitok.training import piece_counts
from minitok.training.piece_counts import Records
from tests.agreement import implementations
from tests.test_piece_counter import counted

TEXT = "to be or not to be, 字 字"


def made(counts: dict[bytes, int], **options: Any) -> PieceCounts:
    blocks = list(pack_blocks(sorted(counts.items())))
    options = {"pattern": None, "special_tokens": (), **options}
    return PieceCounts(Records(blocks), pieces=len(counts), total=sum(counts.values()), **options)


def test_a_mapping() -> None:
    counts = minitok.count_pieces([TEXT])
    expected = {b"to": 1, b" be": 2, b" or": 1, b" not": 1, b" to": 1, b",": 1, " 字".encode(): 2}
    assert counts == expected
    assert expected == counts
    assert list(counts) == sorted(expected)
    assert list(counts.items()) == sorted(expected.items())
    assert list(counts.values()) == [expected[piece] for piece in sorted(expected)]
    assert (len(counts), counts.total, counts.scale, counts.special_tokens) == (7, 9, 1, ())
    assert counts[b" be"] == 2
    assert b"x" not in counts
    with pytest.raises(KeyError):
        counts[b"x"]
    assert counts != {**expected, b"x": 1}
    assert counts != 5
    assert repr(counts) == "<PieceCounts: 7 pieces, 9 in all, pattern 'o200k'>"
    assert pickle.loads(pickle.dumps(counts)) == counts
    changed: Any = counts
    for name in ("pattern", "special_tokens", "total", "scale"):
        with pytest.raises(AttributeError):
            setattr(changed, name, None)
    with pytest.raises(TypeError):
        hash(counts)


def test_equal_counts_of_another_kind() -> None:
    one = minitok.count_pieces(["a"], pattern=None)
    assert one == minitok.count_pieces(["a"], pattern=None)
    assert one != minitok.count_pieces(["a"], pattern="o200k")
    assert one != minitok.count_pieces(["a"], pattern=None, special_tokens=["<s>"])
    assert one != minitok.count_pieces(["a", "a"], pattern=None)
    assert one != minitok.count_pieces(["b"], pattern=None)
    assert one != made({b"a": 1}, scale=2)


@given(
    counted, st.integers(1, 9), st.sampled_from([None, "o200k", r"\w+"]), st.lists(st.text(min_size=1), unique=True)
)
def test_saved_and_loaded(
    scratch: Path, counts: dict[bytes, int], scale: int, pattern: str | None, specials: list[str]
) -> None:
    whole = made(counts, scale=scale, pattern=pattern, special_tokens=specials)
    whole.save(scratch / "counts")
    data = (scratch / "counts").read_bytes()
    loaded = PieceCounts.load(scratch / "counts")
    assert loaded == whole == counts
    assert loaded.special_tokens == whole.special_tokens
    assert list(loaded.records()) == list(whole.records())
    loaded.save(scratch / "counts")  # in its own place
    assert (scratch / "counts").read_bytes() == data
    assert loaded == whole


def test_saved_as_described(tmp_path: Path) -> None:
    """By hand, as docs/file-formats.md has it."""
    import hashlib

    minitok.count_pieces(["b a"], pattern="gpt2", special_tokens=["<s>"], order="first").save(tmp_path / "counts")
    block = pack_records([(b" a", 1), (b"b", 1)])
    header = {
        "pattern": minitok.patterns.resolve_pattern("gpt2"),
        "special_tokens": ["<s>"],
        "scale": 1,
        "pieces": 2,
        "total": 2,
    }
    data = b"minitok piece counts 1\n" + json.dumps(header).encode() + b"\n"
    data += len(block).to_bytes(8, "little") + block + bytes(8)
    assert (tmp_path / "counts").read_bytes() == data + hashlib.sha256(data).digest()


def many() -> PieceCounts:
    return made({b"%07d" % i * 4: i + 1 for i in range(60_000)})


def test_files_are_read_in_parts(tmp_path: Path) -> None:
    whole = many()
    whole.save(tmp_path / "counts")
    loaded = PieceCounts.load(str(tmp_path / "counts"))
    blocks = loaded.records()
    assert BLOCK_SIZE <= len(next(blocks)) < BLOCK_SIZE + 100
    assert len(list(blocks)) >= 1
    assert loaded + whole == made({piece: 2 * count for piece, count in whole.items()})


def test_files_that_are_cut_off_or_changed(tmp_path: Path) -> None:
    made({b"a": 300, b"b": 2}, pattern="x", special_tokens=["<s>"]).save(tmp_path / "counts")
    data = (tmp_path / "counts").read_bytes()
    path = tmp_path / "broken"
    messages = r"broken is (damaged: |cut off|no file of piece counts|a file of .* version)"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=messages):
            PieceCounts.load(path)
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ValueError, match="broken is"):
            PieceCounts.load(path)
    path.write_bytes(data + b"x")
    with pytest.raises(ValueError, match="checksum"):
        PieceCounts.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: b"text", "counts is no file of piece counts; those are made by"),
        (lambda d: b"", "counts is no file of piece counts"),
        (lambda d: d.replace(b"counts 1\n", b"counts 27\n"), "of version 27; this minitok reads version 1"),
        (lambda d: d.replace(b'{"pattern"', b'["pattern"'), "second line is not JSON"),
        (lambda d: d.replace(b'"scale"', b'"seale"'), "does not say pattern, special_tokens, scale"),
        (lambda d: d.replace(b'"scale": 1', b'"scale": 0'), "scale are none"),
        (lambda d: d.replace(b'["<s>"]', b"[12345]"), "special tokens or its scale are none"),
        (lambda d: d.replace(b"\x01\x05b", b"\x01\x05a"), "damaged: counted pieces are not in order"),
        (lambda d: d.replace(b"\x01\x05b", b"\x02\x05b"), "damaged: a block of counted pieces is damaged"),
        (lambda d: d.replace(b"\x01\x05b", b"\x01\x06b"), "its checksum"),
    ],
)  # fmt: skip
def test_files_that_are_none(tmp_path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    path = tmp_path / "counts"
    made({b"a": 3, b"b": 5}, special_tokens=["<s>"]).save(path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        PieceCounts.load(path)


def test_a_wrong_sum(tmp_path: Path) -> None:
    path = tmp_path / "counts"
    PieceCounts(Records([pack_records([(b"a", 1)])]), pattern=None, special_tokens=(), pieces=2, total=1).save(path)
    with pytest.raises(ValueError, match="it holds 1 pieces, not the 2 that it tells of"):
        PieceCounts.load(path)


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    counts = made({b"a": 1})
    with pytest.raises(FileNotFoundError):
        PieceCounts.load(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="no folder"):
        counts.save(tmp_path / "missing" / "counts")
    counts.save(tmp_path / "counts")
    loaded = PieceCounts.load(tmp_path / "counts")
    (tmp_path / "counts").unlink()
    with pytest.raises(FileNotFoundError):
        list(loaded.records())


@given(st.lists(st.tuples(counted, st.integers(1, 6)), min_size=1, max_size=5), st.booleans())
def test_sums(scratch: Path, parts: list[tuple[dict[bytes, int], int]], on_disk: bool) -> None:
    several = [made(counts, scale=scale) for counts, scale in parts]
    if on_disk:
        several[0].save(scratch / "part")
        several[0] = PieceCounts.load(scratch / "part")
    merged = PieceCounts.merge(several)
    expected: Counter[bytes] = Counter()
    for counts, scale in parts:
        assert merged.scale % scale == 0
        expected.update({piece: count * (merged.scale // scale) for piece, count in counts.items()})
    assert merged == expected
    assert merged.total == sum(expected.values())
    assert PieceCounts.merge(several[::-1]) == merged


def test_many_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piece_counts, "MOST_STREAMS", 2)
    merged = PieceCounts.merge(made({b"a": 1, b"%d" % i: i}) for i in range(1, 10))
    assert merged == {b"a": 9, **{b"%d" % i: i for i in range(1, 10)}}


def test_sums_that_are_refused() -> None:
    one = minitok.count_pieces(["a"], pattern="o200k")
    with pytest.raises(ValueError, match="the pattern 'o200k' and with the pattern 'cl100k' cannot be added"):
        one + minitok.count_pieces(["a"], pattern="cl100k")
    with pytest.raises(ValueError, match=r"special tokens \[\] and with \['<s>'\] cannot be added"):
        PieceCounts.merge([one, one, minitok.count_pieces(["a"], special_tokens=["<s>"])])
    with pytest.raises(ValueError, match="no counts to merge"):
        PieceCounts.merge([])
    other: Any = {b"a": 1}
    with pytest.raises(TypeError, match="not dict"):
        PieceCounts.merge([one, other])
    with pytest.raises(TypeError):
        one + other
    with pytest.raises(ValueError, match="too large"):
        made({b"a": 2**62}) + made({b"a": 2**62})
    assert (made({b"a": 2**62}) + made({b"a": 2**62 - 1}))[b"a"] == 2**63 - 1
    with pytest.raises(ValueError, match="too large"):
        made({b"a": 2**62}) + made({b"a": 1}, scale=2)


def test_the_backends_write_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = set()
    for module in implementations():
        for name in ("PieceCounter", "merge_records", "measure_records"):
            monkeypatch.setattr(minitok._backend, name, getattr(module, name))
        (minitok.count_pieces([TEXT] * 3) + minitok.count_pieces([TEXT * 2])).save(tmp_path / "counts")
        files.add((tmp_path / "counts").read_bytes())
    assert len(files) == 1
    assert [piece for block in PieceCounts.load(tmp_path / "counts").records() for piece, _ in unpack_records(block)]
