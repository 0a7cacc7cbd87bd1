"""`count_pieces`: any way to cut, order and share out a corpus gives the counts of the whole."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import corpus, progress
from minitok.input_documents import Separators, text_documents
from minitok.patterns import resolve_pattern
from minitok.piece_records import unpack_records
from minitok.pretokenizer import get_pretokenizer
from minitok.training import counting, record_files
from tests.conftest import only_this_thread
from tests.strategies import any_text, class_text, texts

END = "<|e|>"
TEXT = "the cat sat on the mat, the cats sat. été! 字字典 \n\n the cat's mat\r\n  12345 😀 " * 4
CUSTOM = r"\w+|\s+(?!\S)|\s"
patterns = st.sampled_from(["o200k", "cl100k", "gpt2", None, CUSTOM])


marked_texts = st.builds(lambda a, b: f"{a}{END}{b}<|e|>more{a}", class_text, class_text)


def naive(documents: Iterable[str], pattern: str | None, separators: Iterable[str] = ()) -> Counter[bytes]:
    """By hand: at each place the longest separator, if any; then the pieces of what is between."""
    by_length = sorted(separators, key=len, reverse=True)
    counts: Counter[bytes] = Counter()
    for document in documents:
        parts, at = [""], 0
        while at < len(document):
            found = next((s for s in by_length if document.startswith(s, at)), "")
            if found:
                parts.append("")
            else:
                parts[-1] += document[at]
            at += len(found) or 1
        for part in parts:
            counts.update(piece.encode() for piece in get_pretokenizer(resolve_pattern(pattern)).split(part))
    return counts


def in_order(counts: minitok.PieceCounts) -> list[tuple[bytes, int]]:
    return [record for block in counts.records() for record in unpack_records(block)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


# -- One result ----------------------------------------------------------------------------------------------------


@given(
    st.lists(st.one_of(texts, marked_texts), max_size=5),
    st.fixed_dictionaries(
        {
            "pattern": patterns,
            "special_tokens": st.sampled_from([(), (END,), (END, "<|e|>more", "at"), ("a",), ("é字", "字")]),
            "num_threads": st.integers(1, 3),
        }
    ),
    st.integers(1, 70),
    st.randoms(),
)
@example(
    ["<|e|>mor", "<|e|>moremat<|e|><|e|>"],
    {"pattern": "o200k", "special_tokens": (END, "<|e|>more"), "num_threads": 2},
    1,
    None,
)
@example(
    ["ab" * 60 + "<|e|>" + "c" * 70 + "<|e|>"],
    {"pattern": None, "special_tokens": (END,), "num_threads": 1},
    7,
    None,
)
def test_shards_blocks_and_threads(folder: Path, documents: list[str], options: Any, block: int, random: Any) -> None:
    expected = naive(documents, options["pattern"], options["special_tokens"])
    with mock.patch.object(corpus, "BLOCK", block), mock.patch.object(counting, "LONG", block):
        counts = minitok.count_pieces(documents, **options)
        assert in_order(counts) == sorted(expected.items())
        assert (counts.total, len(counts)) == (sum(expected.values()), len(expected))
        if random is not None:
            random.shuffle(documents)
        paths = [folder / f"{number}.txt" for number in range(len(documents))]
        for path, document in zip(paths, documents, strict=True):
            path.write_bytes(document.encode())
        assert minitok.count_pieces(paths, **options) == counts
        shards = [minitok.count_pieces(paths[shard::2], **options) for shard in range(2)]
        assert minitok.PieceCounts.merge(shards) == counts
        assert shards[1] + shards[0] == counts


@given(st.lists(st.one_of(class_text, any_text), max_size=6), patterns)
def test_the_order_of_first_sight(documents: list[str], pattern: str | None) -> None:
    expected = naive(documents, pattern)
    with mock.patch.object(corpus, "BLOCK", 20):
        counts = minitok.count_pieces(documents, pattern=pattern, order="first", num_threads=2)
    assert in_order(counts) == list(expected.items())
    assert list(counts) == list(expected)
    assert counts == minitok.count_pieces(documents, pattern=pattern)
    assert counts + counts == minitok.count_pieces(documents * 2, pattern=pattern)


def test_the_hash_seed_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    program = f"import minitok; print(list(minitok.count_pieces({str(tmp_path / 'text')!r}).records()))"
    results = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert results == {f"{list(minitok.count_pieces([TEXT]).records())}\n".encode()}


@pytest.mark.parametrize("pattern", ["o200k", CUSTOM])
@pytest.mark.parametrize("special_tokens", [(), (END,)])
def test_spilled_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pattern: str, special_tokens: Any) -> None:
    """With so little memory that each batch is a run of its own, and they are merged in several rounds."""
    monkeypatch.setattr(corpus, "BLOCK", 2000)
    monkeypatch.setattr(counting, "LONG", 2000)
    monkeypatch.setattr("minitok.pretokenizer.MARGIN", 500)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "spilled"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "spilled").mkdir()
    text = "".join(f"{TEXT}{i:x} {i * i:x}{END}" for i in range(300))
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.txt").write_text(TEXT * 3, encoding="utf-8")
    options: Any = {"pattern": pattern, "special_tokens": special_tokens}
    weights = {str(tmp_path / "a.txt"): 2, tmp_path / "b.txt": 0.5}
    whole = minitok.count_pieces(tmp_path / "a.txt", **options)
    weighted = minitok.count_pieces(weights, **options)
    monkeypatch.setattr(counting, "_COUNTS_OF_SHARE", 1e-9)
    monkeypatch.setattr(counting, "_STREAM_MEMORY", 1 << 23)
    written = mock.Mock(wraps=record_files.write_run)
    monkeypatch.setattr(counting, "write_run", written)
    for threads in (1, 2, 3):
        counts = minitok.count_pieces(tmp_path / "a.txt", memory_limit=1 << 26, num_threads=threads, **options)
        assert in_order(counts) == in_order(whole)
        assert counts == whole
        assert (counts.total, counts.scale) == (whole.total, 1)
        assert written.call_count > 20
        assert len(list((tmp_path / "spilled").iterdir())) == 1
        both = counts + whole
        assert both == whole + whole
        del counts, both
        assert not list((tmp_path / "spilled").iterdir())
        assert minitok.count_pieces(weights, memory_limit=1 << 26, num_threads=threads, **options) == weighted
        assert not list((tmp_path / "spilled").iterdir())


def test_a_limit_that_is_not_reached(tmp_path: Path) -> None:
    counts = minitok.count_pieces([TEXT], memory_limit=1 << 25)
    assert counts == minitok.count_pieces([TEXT])
    assert counts._records.path is None


@pytest.mark.parametrize("pattern", ["o200k", CUSTOM])
@pytest.mark.parametrize("limit", [None, 1 << 27])
def test_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pattern: str, limit: int | None) -> None:
    """Where threads cannot count side by side: the first part here, the rest in processes; none is left behind."""
    monkeypatch.setattr(corpus, "BLOCK", 2000)
    monkeypatch.setattr(counting, "PROCESSES_PAY", 5000)
    started = mock.Mock(wraps=subprocess.Popen)
    monkeypatch.setattr(subprocess, "Popen", started)
    documents = [f"{TEXT}{i:x} {i * i:x}" for i in range(100)]
    for name in ("a", "b"):
        (tmp_path / name).write_text(END.join(documents), encoding="utf-8")
    expected = naive(documents * 2, pattern)
    options: Any = {"pattern": pattern, "special_tokens": [END], "memory_limit": limit}
    for factors in ((1, 1), (2, 3)):
        weights = dict(zip((tmp_path / "a", tmp_path / "b"), factors, strict=True))
        counts = minitok.count_pieces(weights, num_threads=2, **options)
        assert counts == {piece: count * sum(factors) // 2 for piece, count in expected.items()}
    wanted = 4 if pattern == CUSTOM or minitok.BACKEND == "python" else 0
    assert started.call_count == wanted
    assert only_this_thread()


def test_processes_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "BLOCK", 200)
    monkeypatch.setattr(counting, "PROCESSES_PAY", 500)
    expected = naive([TEXT] * 9, CUSTOM)
    for executable in ("/nowhere/python", "/bin/false", ""):
        monkeypatch.setattr(sys, "executable", executable)
        assert minitok.count_pieces([TEXT] * 9, pattern=CUSTOM, num_threads=2) == expected


def test_processes_do_not_run_the_program_again(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import minitok\nfrom minitok.training import counting\nprint('run')\ncounting.PROCESSES_PAY = 1\n"
        r"print(len(minitok.count_pieces(['ab cd', 'e f'] * 9000, pattern=r'\w+', num_threads=2)))",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("run\n5\n", "")


# -- Sources -------------------------------------------------------------------------------------------------------


def test_every_kind_of_file(tmp_path: Path) -> None:
    one = minitok.count_pieces([TEXT, "other"])
    lines = "\n".join(json.dumps({"text": text, "body": "x"}) for text in (TEXT, "other")).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "a.lines").write_bytes(lines)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(f"{TEXT}{END}other".encode()))
    assert minitok.count_pieces(tmp_path / "a.jsonl") == one
    assert minitok.count_pieces(tmp_path / "a.ndjson.gz") == one
    assert minitok.count_pieces(str(tmp_path / "a.*"), field="body") == {b"x": 6}
    assert minitok.count_pieces(tmp_path / "a.lines", field="text") == one
    assert dict(minitok.count_pieces(str(tmp_path / "b*"), special_tokens=[END])) == dict(one)
    with (tmp_path / "a.lines").open("rb") as binary, (tmp_path / "a.lines").open(encoding="utf-8") as text:
        assert minitok.count_pieces([binary, text], field="body") == {b"x": 4}


@given(st.lists(st.one_of(class_text, any_text), max_size=5), st.integers(1, 40), st.booleans())
def test_special_tokens_in_lines(folder: Path, documents: list[str], block: int, strings: bool) -> None:
    marked = [f"{document}{END}{document}" for document in documents]
    path = folder / "x.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in marked), encoding="utf-8")
    with mock.patch.object(corpus, "BLOCK", block):
        counts = minitok.count_pieces(marked if strings else path, special_tokens=[END])
    assert counts == naive(documents * 2, "o200k")


@given(
    st.lists(st.sampled_from([b"a", b"b", b"<", b"<<", b"<>", b"<>>", b"ab"]), max_size=30).map(b"".join),
    st.sampled_from([(b"<",), (b"<>", b"<>>"), (b"<", b"<>>"), (b"<>",), (b"a", b"<a", b"a<>b")]),
    st.integers(1, 9),
    st.integers(0, 20),
)
def test_separators(text: bytes, separators: tuple[bytes, ...], block: int, longest: int) -> None:
    """The streamed documents are those of the whole text."""
    blocks = (text[start : start + block] for start in range(0, len(text), block))
    found: list[Any] = []
    for item in text_documents(blocks, Separators(separators), longest):
        found += item if isinstance(item, list) else [b"".join(item)]
    assert list(filter(None, found)) == list(filter(None, Separators(separators).split(text, ended=True)))


@pytest.mark.once
@given(st.lists(st.sampled_from([b"a", b"aa", b"ab", b"\n"])).map(b"".join), st.sampled_from([b"a", b"aa", b"aba"]))
@example(b"aaaaa", b"aa")
def test_one_separator(text: bytes, separator: bytes) -> None:
    """It is looked for in another way than several are."""
    assert Separators([separator]).split(text) == re.split(re.escape(separator), text)


def test_progress(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT * 100, encoding="utf-8")
    told: list[progress.Progress] = []
    minitok.count_pieces(tmp_path / "text", progress=told.append)
    assert [told[0].done, told[-1].done, told[-1].total] == [0] + [len(TEXT.encode()) * 100] * 2
    minitok.count_pieces([tmp_path / "text"] * 2, progress=told.append)
    assert told[-1].done == told[-1].total == len(TEXT.encode()) * 200
    minitok.count_pieces([TEXT], progress=told.append)
    assert told[-1].done == len(TEXT.encode())
    assert told[-1].total is None
    assert {(step.phase, step.unit) for step in told} == {("counting pieces", "B")}


# -- Weights -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "scale", "factors"),
    [
        ((1.0, 0.5), 2, (2, 1)),
        ((0.1, 0.3), 10, (1, 3)),
        ((3, 1), 1, (3, 1)),
        ((2, 0), 1, (2, 0)),
        ((Fraction(1, 3), Decimal("0.25")), 12, (4, 3)),
        ((1e-3, 2), 1000, (1, 2000)),
        ((0.1, 0.1), 10, (1, 1)),
    ],
    ids=str,
)
def test_weights(tmp_path: Path, weights: tuple[Any, Any], scale: int, factors: tuple[int, int]) -> None:
    for name, text in (("a1.txt", "x y"), ("a2.txt", "y"), ("b.txt", "y z")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    source = {str(tmp_path / "a*"): weights[0], tmp_path / "b.txt": weights[1]}
    expected: Counter[bytes] = Counter()
    for texts_of, factor in ((["x y", "y"], factors[0]), (["y z"], factors[1])):
        for piece, count in naive(texts_of, "o200k").items():
            expected[piece] += count * factor
    orders: list[Any] = ["bytes", "first"]
    for order in orders:
        counts = minitok.count_pieces(source, order=order)
        assert counts == {piece: count for piece, count in expected.items() if count}
        assert counts.scale == scale
    assert minitok.count_pieces({}) == {}


@pytest.mark.parametrize(
    ("weight", "kind"),
    [(-1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError), (Decimal("nan"), ValueError),
     (0, ValueError), (0.0, ValueError), ("1", TypeError), (True, TypeError), (None, TypeError), (1e300, ValueError)],
    ids=str,
)  # fmt: skip
def test_weights_that_are_none(tmp_path: Path, weight: Any, kind: type[Exception]) -> None:
    (tmp_path / "a").write_text("x", encoding="utf-8")
    with pytest.raises(kind, match=r"weight|too large"):
        minitok.count_pieces({tmp_path / "a": weight})


def test_weights_are_for_files() -> None:
    source: Any = {5: 1}
    with pytest.raises(TypeError, match="paths and globs, not for int"):
        minitok.count_pieces(source)


# -- Errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"memory_limit": 1000}, ValueError, r"at least 33554432 \(32 MiB\)"),
        ({"memory_limit": "2GB"}, TypeError, "number of bytes"),
        ({"memory_limit": True}, TypeError, "number of bytes"),
        ({"memory_limit": 1 << 30, "order": "first"}, ValueError, "no memory_limit"),
        ({"order": "size"}, ValueError, "order is 'size'"),
        ({"num_threads": 0}, ValueError, "num_threads is 0"),
        ({"pattern": "("}, ValueError, "does not compile"),
        ({"special_tokens": "<s>"}, TypeError, "list of str"),
        ({"special_tokens": [""]}, ValueError, "empty"),
        ({"errors": "ignore"}, ValueError, "errors is 'ignore'"),
    ],
    ids=str,
)
def test_wrong_options(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        minitok.count_pieces([TEXT], **options)


@given(
    st.lists(
        st.sampled_from([b"a", b" ", "é".encode(), "字".encode(), b"\xe5", b"\xad", b"\xff", b"\xf0\x9f", b"\xc3"])
    ),
    st.integers(1, 5),
)
def test_bytes_that_are_not_utf8(folder: Path, parts: list[bytes], block: int) -> None:
    """The place and the reason are those of the whole file, however it is read."""
    data = b"".join(parts)
    (folder / "bad").write_bytes(data)
    with mock.patch.object(corpus, "BLOCK", block):
        replaced = minitok.count_pieces(io.BytesIO(data), errors="replace", pattern=None)
        assert replaced == Counter(filter(None, [data.decode("utf-8", "replace").encode()]))
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            message = rf"bad: not valid UTF-8 at byte {error.start} \({error.reason}\)"
            with pytest.raises(ValueError, match=message):
                minitok.count_pieces(folder / "bad")
        else:
            assert minitok.count_pieces(folder / "bad") == naive([data.decode()], "o200k")
