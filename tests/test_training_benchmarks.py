"""The benchmarks of training: the text that they make, how they read it, and the page."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.cells import OURS
from benchmarks.large_corpus import FREQUENT, GROWTH, large_text
from benchmarks.tokenizer_json import byte_characters
from benchmarks.trainers import SEPARATOR, TRAINERS, documents
from benchmarks.training_cells import BEST_PEER, CELLS, PROMISES
from benchmarks.training_report import Samples, section
from benchmarks.training_texts import training_file

WORDS = 6 * FREQUENT


def corpus() -> list[str]:
    """Documents in which many words are rare."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(WORDS)]
    text = words + chance.choices(words, weights=[1 / (i + 1) for i in range(WORDS)], k=2 * WORDS)
    return [" ".join(text[i : i + 100]) for i in range(0, len(text), 100)]


def test_large_text_is_the_same_each_time_and_begins_with_the_corpora() -> None:
    texts = {"one": corpus(), "two": ["字 字字", "жук"]}
    n = sum(map(len, texts.values()))
    first = list(islice(large_text(texts), 2 * n))
    assert first == list(islice(large_text(texts), 2 * n))
    assert sorted(first[:n]) == sorted([*texts["one"], *texts["two"]])
    assert first != list(islice(large_text(texts, seed=1), 2 * n))


def test_words_of_large_text_grow_by_heaps_law() -> None:
    documents_of = corpus()
    n = len(documents_of)
    text = list(islice(large_text({"one": documents_of}), 4 * n))
    for rounds in (2, 4):
        distinct = {word for document in text[: rounds * n] for word in document.split()}
        assert len(distinct) == pytest.approx(WORDS * rounds**GROWTH, rel=0.05)


def test_documents_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "text"
    expected = ["a\r\nb", "", "字" * 700_000, "end\n"]
    path.write_bytes(SEPARATOR.join(expected).encode())
    assert list(documents(path)) == expected


def test_one_line_is_written_once(tmp_path: Path) -> None:
    path = training_file("DNA", 1, tmp_path)
    assert (path.stat().st_size, set(path.read_bytes())) == (1_000_000, set(b"ACGT"))
    path.write_bytes(b"kept")
    assert training_file("DNA", 1, tmp_path).read_bytes() == b"kept"


def test_tokens_of_this_trainer(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text(f"low lower{SEPARATOR}low")
    trainer = TRAINERS[OURS]
    assert trainer.tokens(trainer.train(path, 258, 1)) == [b"lo", b"low"]


def test_byte_characters_are_those_of_all_bytes() -> None:
    assert len(set(byte_characters().values())) == 256
    assert byte_characters()[ord(" ")] == "Ġ"


def test_promises_are_about_cells() -> None:
    cells = {cell.name: cell for cell in CELLS}
    assert len(cells) == len(CELLS)
    for promise in PROMISES:
        assert promise.beside in {None, BEST_PEER, *cells}
        assert cells[promise.cell].peers or promise.beside != BEST_PEER
    assert all(cell.same_as in {None, *cells} for cell in CELLS)


def test_the_page() -> None:
    ours: dict[str, list[float]] = {"s": [1.0, 2.0, 1.25], "MB": [50.0]}
    right: dict[str, list[float]] = {"s": [4.0], "MB": [100.0], "same": [31744], "of": [31744], "differs": [0.0]}
    samples: Samples = {
        "english 32,000": {
            OURS: ours,
            "gigatoken": right,
            "rustbpe": {"stopped": [300.0]},
            "tokenizers": {"s": [61.0], "MB": [200.0], "same": [31000], "of": [31744], "differs": [1.0]},
            "sentencepiece": {**right, "s": [0.5]},
        },
        "english 128,000": {OURS: {"s": [2.5], "MB": [60.0]}},
        "code 50,000": {OURS: {"s": [150.0], "MB": [60.0]}, "gigatoken": {"stopped": [300.0]}},
        "DNA 10 MB": {OURS: {"s": [40.0], "MB": [60.0]}},
        "a 10 MB": {OURS: {"stopped": [300.0]}},
    }
    page = section(samples, {"commit": "abc"})
    assert "| english 32,000 | **1.25** | 4 | > 300 | 61¹ | 0.5 |" in page
    assert "| english 32,000 | **50** | 100 |  | 200 | 100 |" in page
    assert "| english 32,000 |  | equal |  | 31,000 of 31,744 | equal |" in page
    assert "| DNA 10 MB | **40** | **60** |" in page
    assert "| english 32,000, time | 0.312 × the best peer | at most 0.5 × the best peer | kept |" in page
    assert "| english 128,000, time | 2 × english 32,000 | at most 1.6 × english 32,000 | **missed** |" in page
    assert "| DNA 10 MB, time | 40 s | at most 30 s | **missed** |" in page
    assert "| code 50,000, time | 0.5 × the best peer | at most 0.5 × the best peer | kept |" in page
    assert "| a 10 MB, time | stopped | at most 30 s | **missed** |" in page
    assert not any("best peer" in line and line.startswith("| english 128,000, time") for line in page)
