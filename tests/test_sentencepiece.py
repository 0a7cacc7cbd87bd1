"""SentencePiece's models: ids are those of the package `sentencepiece`, whatever the model was told."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import example, given
from hypothesis import strategies as st

import minitok
from minitok import formats
from minitok.formats import protobuf, sentencepiece_model
from minitok.formats.sentencepiece_pieces import UNUSED
from minitok.formats.space_marks import spaces_pattern
from minitok.normalizers import Charsmap
from tests.model_shapes import OPTIONS, train_model
from tests.strategies import any_text, class_text, runs
from tests.test_streaming import CHANGED, check_cuts

WORDS = [
    *(
        [
            "the",
            "cat",
            "sat",
            "on",
            "a",
            "mat",
            "and",
            "then",
            "it",
            "rained",
            "Über",
            "naïve",
            "façade",
            "Привет",
            "мир",
        ]
    ),
    *(["世界", "字典", "日本語", "①②", "ﬁne", "½", "12345", "2024", "don't"]),
]


@cache
def model_of(name: str) -> bytes:
    """A small model of the package."""
    rng = random.Random(7)
    lines = [
        " ".join(rng.choices(WORDS, k=rng.randint(1, 12))) + rng.choice(["", "  ", ".", "\t!"]) for _ in range(3000)
    ]
    return train_model(name, lines, 420 if OPTIONS[name].get("byte_fallback") else 150)


@cache
def vocabulary_of(name: str) -> minitok.Vocabulary:
    return sentencepiece_model.parse(model_of(name), name, name=name)


@cache
def _reference(data: bytes) -> Any:
    return sentencepiece.SentencePieceProcessor(model_proto=data)


@cache
def _encoding(name: str, backend: str) -> minitok.Encoding:
    return minitok.Encoding.from_vocabulary(vocabulary_of(name))


def encoding_of(name: str) -> minitok.Encoding:
    return _encoding(name, minitok.BACKEND)


texts = st.one_of(
    st.lists(
        st.sampled_from([*WORDS, " ", "  ", "\n", "\n\n", "▁", "▁▁", "<ab", "<a>", "THE", "é", "x"]), max_size=12
    ).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    any_text,
    class_text,
    runs,
)


@pytest.mark.parametrize("name", OPTIONS)
@given(text=texts)
@example("")
@example(" ")
@example("▁")
@example(" a  b ")
@example("a▁")
@example("\U00100000\U00100001a\U00100002")
def test_ids(name: str, text: str) -> None:
    assert encoding_of(name).encode_ordinary(text) == _reference(model_of(name)).encode(text)


@pytest.mark.parametrize("name", OPTIONS)
def test_code_points_and_tokens(name: str) -> None:
    step = 1 if minitok.BACKEND == "native" else 7
    reference, enc = _reference(model_of(name)), encoding_of(name)
    several = ["".join(map(chr, range(c, c + 8))) for c in range(0, 0x110000, 8) if not 0xD800 <= c < 0xE000][::step]
    several += [reference.id_to_piece(i) for i in range(reference.vocab_size())]
    assert [enc.encode_ordinary(text) for text in several] == reference.encode(several)


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_written_is_read_again(name: str) -> None:
    vocabulary = vocabulary_of(name)
    written = sentencepiece_model.dump(vocabulary)
    assert sentencepiece_model.parse(written, name, name=name) == vocabulary
    ours, theirs = _reference(written), _reference(model_of(name))
    lines = [" ".join(WORDS), "THE  ﬁ \n\n é", "▁▁ <ab <a>"]
    assert ours.encode(lines) == theirs.encode(lines)


def with_piece(model: bytes, text: str, kind: int) -> bytes:
    """A model with one more piece: lists in such a file go on wherever it ends."""
    return model + protobuf.length_field(1, protobuf.length_field(1, text.encode()) + protobuf.varint_field(3, kind))


@pytest.mark.parametrize("name", ["llama", "gemma", "plain"])
def test_pieces_that_fill_gaps(name: str, tmp_path: Path) -> None:
    data = with_piece(with_piece(model_of(name), "[PAD1]", UNUSED), "[PAD2]", UNUSED)
    reference = _reference(data)
    enc = minitok.Encoding.from_vocabulary(sentencepiece_model.parse(data, name, name=name))
    size = reference.vocab_size()
    assert (enc.n_vocab, enc.decode([size - 1])) == (size, reference.decode([size - 1]))
    lines = ["the [PAD1] cat[PAD2]", "[PAD", " ".join(WORDS)]
    forms: list[formats.Format] = ["sentencepiece", "huggingface", "gguf"]
    for form in forms[: 2 if name == "plain" else 3]:
        enc.save(tmp_path / "file", format=form)
        again = minitok.load(tmp_path / "file")
        for line in lines:
            assert again.encode_ordinary(line) == enc.encode_ordinary(line) == reference.encode(line)
        assert (again.n_vocab, again.decode([size - 1])) == (size, "[PAD2]")


@pytest.mark.parametrize("text", ["thethe", "▁[PAD]", "[ PAD]", "q"])
def test_unused_pieces_that_text_becomes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"the unused piece .* is not supported"):
        sentencepiece_model.parse(with_piece(model_of("llama"), text, UNUSED), "x.model", name="x")


@given(st.text(alphabet="▁ ab", max_size=40), st.randoms(use_true_random=False))
@example("        a    b  ", random.Random(1))
def test_equal_scores(text: str, rng: random.Random) -> None:
    """As in the file of LLaMA, where all runs of spaces have one score: the leftmost pair goes first."""
    pieces = [" " * n for n in (2, 3, 4, 8)] + ["ab", "ba", "aa", "aba", " a", "  a", "bb"]
    tokens = {c.encode(): 3 + i for i, c in enumerate([" ", "a", "b", *pieces])}
    vocabulary = replace(
        vocabulary_of("plain"),
        tokens=tokens,
        ranks=tuple(rng.choice([0, 1, 2]) for _ in tokens),
        pattern=spaces_pattern(tokens),
        special_tokens={"<unk>": 0, "<s>": 1, "</s>": 2},
    )
    written = sentencepiece_model.dump(vocabulary)
    ids = _reference(written).encode(text)
    for again in (vocabulary, sentencepiece_model.parse(written, "again", name="again")):
        assert minitok.Encoding.from_vocabulary(again).encode_ordinary(text) == ids


def test_decoding() -> None:
    enc = encoding_of("llama")
    for text in (" the  cat\n 字典 𝕏", "", "  ", "the"):
        assert enc.decode(enc.encode_ordinary(text)) == text
    assert enc.encode_ordinary("a\xff".encode("latin-1")) == enc.encode_ordinary("a\ufffd")
    assert enc.encode("the<s>the", allowed_special="all") == [
        *enc.encode_ordinary("the"),
        enc.vocabulary.special_tokens["<s>"],
        *enc.encode_ordinary("the"),
    ]
    assert enc.encode_with_offsets("the")[1][-1][1] == 3
    with pytest.raises(ValueError, match="no certain place"):
        enc.encode_with_offsets(b"the")


def test_charsmap_that_is_damaged() -> None:
    charsmap = next(n for n in vocabulary_of("nmt_nfkc").normalizers if isinstance(n, Charsmap))
    for size in (0, 3, 10, len(charsmap.blob) // 2):
        with pytest.raises(ValueError, match="compiled character map"):
            Charsmap(charsmap.blob[:size])


def test_what_a_model_cannot_be() -> None:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS)] * 50),
        model_writer=out,
        vocab_size=80,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(ValueError, match="'unigram' is not supported"):
        sentencepiece_model.parse(out.getvalue(), "u.model", name="u")
    with pytest.raises(ValueError, match="its merges are not ranked by their tokens"):
        sentencepiece_model.dump(minitok.get_encoding("minitok_32k").vocabulary)


@pytest.mark.data
def test_mistral(data_folder: Path) -> None:
    data = (data_folder / "vocabularies" / "mistral_v3.spm.model").read_bytes()
    vocabulary = sentencepiece_model.parse(data, "mistral", name="mistral")
    enc, reference = minitok.Encoding.from_vocabulary(vocabulary), _reference(data)
    for corpus in ("english", "chinese", "multilingual"):
        with (data_folder / "corpora" / f"{corpus}.txt").open("rb") as file:
            text = file.read(300_000).decode("utf-8", "ignore")
        ids = enc.encode_ordinary(text)
        assert ids == reference.encode(text)
        assert enc.decode(ids) == text
        assert enc.count(text) == len(ids) == len(enc.encode_to_numpy(text, disallowed_special=()))


@pytest.mark.parametrize("name", ["llama", "removing", "nmt_nfkc", "nfkc_cf"])
def test_streams(name: str) -> None:
    enc = encoding_of(name)

    @given(st.lists(st.sampled_from([*CHANGED, "ﬁ", "[A]", "[A]b", "[A", "ｶ", "ﾞ", "\u200b"]), max_size=20))
    @example(["ｶ", "ﾞ", " ", "TH", "E", " "])
    def check(parts: list[str]) -> None:
        check_cuts(enc, parts, frozenset())

    check()
