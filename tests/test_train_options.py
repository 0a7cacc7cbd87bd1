"""What `train` can be asked for beside a size: several sizes, weights, rules, reports, progress, checkpoints."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import minitok
from minitok import files as files_module
from minitok import progress
from minitok.training import checkpoint, shards
from tests.strategies import counted_words

TEXT = "the cat sat on the mat, the cats sat. été! 字字典 \n\n the cat's mat\r\n  12345 " * 4


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with two texts that are not alike."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT, encoding="utf-8", newline="")
    (folder / "b.txt").write_text("hat bat rat " * 50, encoding="utf-8")
    return folder


# -- Sizes -----------------------------------------------------------------------------------------------------------


def test_several_sizes_of_one_run() -> None:
    sizes = [300, 258, 270, 10_000]
    several = minitok.train([TEXT], vocab_size=sizes, special_tokens=["<e>"], name="mine")
    assert [encoding.name for encoding in several] == ["mine-300", "mine-258", "mine-270", "mine-10000"]
    for size, encoding in zip(sizes, several, strict=True):
        alone = minitok.train([TEXT], vocab_size=size, special_tokens=["<e>"])
        assert encoding.tokens == alone.tokens
        assert encoding._special_tokens == alone._special_tokens == {"<e>": encoding.n_vocab - 1}
        assert encoding.vocabulary.metadata["training"]["vocab_size"] == size
    assert [e.n_vocab for e in minitok.train([TEXT], vocab_size=(256, 257))] == [256, 257]
    assert len(minitok.train([TEXT], vocab_size=[260])) == 1


@pytest.mark.parametrize(
    ("sizes", "kind", "words"),
    [
        ([], ValueError, "vocab_size is empty"),
        ([300, 10], ValueError, "vocab_size is 10; expected at least 256"),
        ([300, "400"], TypeError, "a whole number or a list of them, not '400'"),
        ("300", TypeError, "not '300'"),
        (300.0, TypeError, "not 300.0"),
    ],
)
def test_sizes_that_are_none(sizes: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        minitok.train([TEXT], vocab_size=sizes)


# -- Which tokens ----------------------------------------------------------------------------------------------------


def test_a_rule_refuses_tokens() -> None:
    asked: list[bytes] = []

    def rule(token: bytes) -> bool:
        asked.append(token)
        return b"t" not in token

    encoding = minitok.train([TEXT], vocab_size=280, allowed=rule)
    learnt = [token or b"" for token in encoding.tokens[256:]]
    assert not any(b"t" in token for token in learnt)
    assert set(learnt) <= set(asked)
    assert len(asked) == len(set(asked))
    assert encoding.vocabulary.metadata["training"]["allowed"].endswith("rule")


def test_whole_characters() -> None:
    encoding = minitok.train([TEXT], vocab_size=300, allowed="characters", min_frequency=1)
    several = [token for token in encoding.tokens[256:] if token is not None and len(token) > 3]
    assert several
    assert [token.decode("utf-8") for token in several]
    with pytest.raises(ValueError, match="'characters'"):
        minitok.train([TEXT], vocab_size=300, allowed="words")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a function of bytes"):
        minitok.train([TEXT], vocab_size=300, allowed=3)  # type: ignore[call-overload]


def test_what_a_rule_raises_is_raised() -> None:
    def rule(token: bytes) -> bool:
        raise RuntimeError(token)

    with pytest.raises(RuntimeError):
        minitok.train([TEXT], vocab_size=300, allowed=rule)


# -- Sources ---------------------------------------------------------------------------------------------------------


def test_weights(files: Path) -> None:
    names = str(files / "a.txt"), str(files / "b.txt")
    counts = [minitok.count_pieces(Path(name)) for name in names]

    def weighted(*weights: int) -> list[bytes | None]:
        pieces = counts[0].keys() | counts[1].keys()
        total = {p: sum(w * c.get(p, 0) for w, c in zip(weights, counts, strict=True)) for p in pieces}
        return minitok.train(total, vocab_size=290, min_frequency=2 * 4).tokens

    quarter = minitok.train({names[0]: 0.25, names[1]: 1.5}, vocab_size=290)
    assert quarter.tokens == weighted(1, 6)
    assert quarter.vocabulary.metadata["training"]["scale"] == 4
    assert minitok.train({files / "*a.txt": Fraction(1, 4), names[1]: 1.5}, vocab_size=290).tokens == weighted(1, 6)
    assert (
        minitok.train({names[0]: 1.0, names[1]: 0.0}, vocab_size=290).tokens
        == minitok.train(Path(names[0]), vocab_size=290).tokens
    )
    with pytest.raises(ValueError, match="weight"):
        minitok.train({names[0]: -0.5}, vocab_size=290)
    with pytest.raises(FileNotFoundError):
        minitok.train({"missing.txt": 0.5}, vocab_size=290)


def test_counts_of_several_machines(files: Path, tmp_path: Path) -> None:
    whole = minitok.train(str(files / "*.txt"), vocab_size=290)
    parts = []
    for name in ("a.txt", "b.txt"):
        minitok.count_pieces(files / name).save(tmp_path / f"{name}.pieces")
        parts.append(minitok.PieceCounts.load(tmp_path / f"{name}.pieces"))
    assert minitok.train(parts[0] + parts[1], vocab_size=290).tokens == whole.tokens


def test_the_pattern_of_counts() -> None:
    counts = minitok.count_pieces([TEXT], pattern="r50k")
    assert minitok.train(counts, vocab_size=270).vocabulary.pattern_name == "r50k"
    assert minitok.train(counts, vocab_size=270, pattern="gpt2").vocabulary.pattern_name == "r50k"
    with pytest.raises(ValueError, match="cut by the pattern"):
        minitok.train(counts, vocab_size=270, pattern="o200k")
    assert minitok.train(dict(counts), vocab_size=270).vocabulary.pattern_name == "o200k"
    with pytest.raises(ValueError, match=r"there is no pattern 'o200k_base'; the names are .*o200k,"):
        minitok.train([TEXT], vocab_size=270, pattern="o200k_base")


def test_styles_begin_anew() -> None:
    with pytest.raises(ValueError, match="cannot extend initial"):
        minitok.train([TEXT], vocab_size=300, like="rustbpe", initial=minitok.train([TEXT], vocab_size=260))
    with pytest.raises(ValueError, match="expected one of 'minitok', 'huggingface'"):
        minitok.train([TEXT], vocab_size=300, like="mine")  # type: ignore[call-overload]


def test_the_ids_of_huggingface() -> None:
    encoding = minitok.train([TEXT], vocab_size=300, like="huggingface", special_tokens=["<s>", "</s>"])
    assert encoding._special_tokens == {"<s>": 0, "</s>": 1}
    assert encoding.encode_single_token(b"!") == 2
    assert encoding.decode(encoding.encode(TEXT)) == TEXT


# -- Progress --------------------------------------------------------------------------------------------------------


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    told: list[Any] = []
    minitok.train(str(files / "*.txt"), vocab_size=280, progress=told.append)
    phases = {step.phase: step for step in told}
    assert list(phases) == ["counting pieces", "learning merges"]
    size = sum(path.stat().st_size for path in files.iterdir())
    assert (phases["counting pieces"].done, phases["counting pieces"].total) == (size, size)
    assert (phases["learning merges"].done, phases["learning merges"].total) == (24, 24)
    assert (phases["counting pieces"].unit, phases["learning merges"].unit) == ("B", " merges")


# -- Reports ---------------------------------------------------------------------------------------------------------


def naive_tokens(encoding: minitok.Encoding, counts: dict[bytes, int]) -> int:
    return sum(count * len(encoding._encoder.encode_piece(piece)) for piece, count in counts.items())


@given(counted_words)
def test_a_report_knows_how_many_tokens_there_are(scratch: Path, counts: dict[bytes, int]) -> None:
    path = scratch / "report.json"
    sizes = [256, 258, 261, 300]
    encodings = minitok.train(counts, vocab_size=sizes, pattern=None, report=path)
    found = json.loads(path.read_text())
    assert [v["tokens"] for v in found["vocabularies"]] == [naive_tokens(e, counts) for e in encodings]
    assert [v["ids"] for v in found["vocabularies"]] == [encoding.n_vocab for encoding in encodings]
    assert found["corpus"]["bytes"] == sum(len(piece) * count for piece, count in counts.items())
    assert found["corpus"]["pieces"] == sum(counts.values())
    assert found["corpus"]["distinct_pieces"] == len(counts)


def test_a_report(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    base = minitok.train([TEXT], vocab_size=270)
    encoding = minitok.train(
        str(files / "*.txt"),
        vocab_size=285,
        initial=base,
        special_tokens=["<e>"],
        report=[path],
        allowed="characters",
    )
    found = json.loads(path.read_text())
    counts = dict(minitok.count_pieces(str(files / "*.txt")))
    assert found["options"]["vocab_size"] == [285]
    assert found["options"]["allowed"] == "characters"
    assert found["options"]["special_tokens"] == ["<e>"]
    assert list(found["seconds"]) == ["counting pieces", "laying out words", "learning merges"]
    assert all(seconds >= 0 for seconds in found["seconds"].values())
    assert found["peak_memory_bytes"] > 1e6
    last = found["vocabularies"][0]
    assert (last["ids"], last["tokens"]) == (285, naive_tokens(encoding, counts))
    assert last["bytes_per_token"] == pytest.approx(found["corpus"]["bytes"] / last["tokens"], abs=1e-3)
    ids, tokens = zip(*((point["ids"], point["tokens"]) for point in found["curve"]), strict=True)
    assert list(ids) == sorted(set(ids))
    assert (ids[0], ids[-1]) == (271, 285)
    assert list(tokens) == sorted(tokens, reverse=True)


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_a_picture(tmp_path: Path, suffix: str, begins: bytes) -> None:
    path = tmp_path / f"report{suffix}"
    minitok.train([TEXT], vocab_size=[270, 300], report=[path, tmp_path / "report.json"])
    assert path.read_bytes().startswith(begins)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "report.json"}
    minitok.train([""], vocab_size=300, report=path)


def test_reports_are_checked_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def corpus() -> Any:
        raise AssertionError("read")
        yield

    for path, kind, words in (
        (tmp_path / "report.txt", ValueError, "let it end in .json"),
        (tmp_path / "missing" / "report.json", FileNotFoundError, "there is no folder"),
    ):
        with pytest.raises(kind, match=words):
            minitok.train(corpus(), vocab_size=300, report=path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"minitok\[plot\]"):
        minitok.train(corpus(), vocab_size=300, report=tmp_path / "report.png")


# -- Checkpoints -----------------------------------------------------------------------------------------------------


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is a shard, and merges are kept after each one."""
    monkeypatch.setattr(shards, "SHARD", 1)
    monkeypatch.setattr(checkpoint, "INTERVAL", 0.0)
    monkeypatch.setattr("minitok.training.trainer.STRETCH", 1)


class StoppedError(Exception):
    """In the place of a kill."""


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("source", ["glob", "paths", "weights", "texts"])
@pytest.mark.parametrize("extends", [False, True])
def test_stopped_anywhere_and_resumed(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, extends: bool
) -> None:
    corpus: Any = {
        "glob": str(files / "*.txt"),
        "paths": [files / "b.txt", files / "a.txt"],
        "weights": {str(files / "a.txt"): 0.5, str(files / "b.txt"): 2.0},
        "texts": [TEXT, "hat bat rat " * 50],
    }[source]
    options: dict[str, Any] = {"vocab_size": 266, "special_tokens": ["<e>"]}
    if extends:
        options["initial"] = minitok.train(["at at at the the"], vocab_size=260)
    expected = minitok.train(corpus, **options).tokens
    real = files_module.write_atomically
    for stop in range(40):
        folder = tmp_path / f"stop{stop}"
        written = 0

        def write(path: Path, data: bytes, stop: int = stop) -> None:
            nonlocal written
            written += 1
            if written > stop:
                raise StoppedError
            real(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "write_atomically", write)
            try:
                done = minitok.train(corpus, checkpoint=folder, **options).tokens
            except StoppedError:
                done = None
        assert minitok.train(corpus, checkpoint=folder, **options).tokens == expected
        if done is not None:
            assert done == expected
            break
    assert stop > 5


@pytest.mark.usefixtures("always")
def test_what_is_kept_is_not_done_again(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kept"
    corpus = str(files / "*.txt")
    expected = minitok.train(corpus, vocab_size=290, checkpoint=folder)
    assert sorted(path.name.split("-")[0] for path in folder.iterdir()) == [
        "counts",
        "counts",
        "merges.json",
        "training.json",
    ]

    def count_pieces(*_: Any, **__: Any) -> Any:
        raise AssertionError("counted again")

    monkeypatch.setattr("minitok.training.trainer.count_pieces", count_pieces)
    assert minitok.train(corpus, vocab_size=290, checkpoint=folder).tokens == expected.tokens
    assert minitok.train(corpus, vocab_size=270, checkpoint=folder).tokens == expected.tokens[:270]
    monkeypatch.undo()
    assert (
        minitok.train(corpus, vocab_size=295, checkpoint=folder).tokens
        == minitok.train(corpus, vocab_size=295).tokens
    )


def test_a_checkpoint_of_another_training(files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    corpus = str(files / "*.txt")
    minitok.train(corpus, vocab_size=290, checkpoint=folder)
    for other in (
        {"pattern": "r50k"},
        {"min_frequency": 3},
        {"special_tokens": ["<e>"]},
        {"max_token_length": 5},
        {"allowed": "characters"},
        {"like": "rustbpe"},
        {"initial": minitok.train(["aa"], vocab_size=257)},
    ):
        with pytest.raises(ValueError, match="is another training's: its"):
            minitok.train(corpus, vocab_size=290, checkpoint=folder, **other)
    for source in (files / "a.txt", {corpus: 0.5}, {"a": 3}, minitok.count_pieces(["a"]), ["text"]):
        with pytest.raises(ValueError, match="its corpus is"):
            minitok.train(source, vocab_size=290, checkpoint=folder, pattern="o200k")
    (files / "a.txt").write_text("something else")
    with pytest.raises(ValueError, match="its corpus is"):
        minitok.train(corpus, vocab_size=290, checkpoint=folder)


def test_a_folder_that_holds_no_checkpoint(files: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not empty and holds no checkpoint"):
        minitok.train([TEXT], vocab_size=290, checkpoint=files)
    folder = tmp_path / "kept"
    minitok.train([TEXT], vocab_size=290, checkpoint=folder)
    for name, content in (
        ("training.json", b"{"),
        ("merges.json", b"{}"),
        ("merges.json", b"[[1, 2"),
        ("merges.json", b"[5]"),
    ):
        before = (folder / name).read_bytes() if (folder / name).exists() else None
        (folder / name).write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name} .*; remove it"):
            minitok.train([TEXT], vocab_size=290, checkpoint=folder)
        if before is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(before)
    with pytest.raises(ValueError, match="depends on the order of the corpus"):
        minitok.train([TEXT], vocab_size=290, checkpoint=tmp_path / "new", like="tiktoken-educational")


TRAIN = """
import sys, minitok
from minitok.training import checkpoint, shards
shards.SHARD, checkpoint.INTERVAL = 1, 0.0
from minitok.training import trainer
trainer.STRETCH = 8
minitok.train(sys.argv[1] + "/*.txt", vocab_size=2000, checkpoint=sys.argv[2], min_frequency=1, progress=False)
"""


def test_killed_and_resumed(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(6):
        words = " ".join(f"w{i * i * (number + 3)}x{i}" for i in range(4000))
        (corpus / f"{number}.txt").write_text(words)
    expected = minitok.train(str(corpus / "*.txt"), vocab_size=2000, min_frequency=1)
    killed = 0
    for turn in range(30):
        process = subprocess.Popen([sys.executable, "-c", TRAIN, corpus, tmp_path / "kept"])
        kept = set[Path]()
        deadline = time.monotonic() + 60
        # Killed when something new is kept, at another moment each time.
        while process.poll() is None and time.monotonic() < deadline:
            now = set((tmp_path / "kept").glob("[cm]*"))
            if len(now) > len(kept) + turn % 2 or ("merges.json" in {path.name for path in now} and turn % 3):
                break
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        if process.wait(60) == 0:
            break
    assert killed > 0
    assert (
        minitok.train(str(corpus / "*.txt"), vocab_size=2000, min_frequency=1, checkpoint=tmp_path / "kept").tokens
        == expected.tokens
    )
    # Half-written files of what was killed are beside the others, and in no one's way.
    assert all(path.name.startswith(".") for path in (tmp_path / "kept").iterdir() if path.suffix == ".tmp")
