"""What is read is written, in every format that can hold it, and is the same when read again, by others too."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tokenizers
from hypothesis import given, strategies

import minitok
from minitok import formats
from minitok.explicit_merges import explicit_merges, with_ranks
from minitok.formats import huggingface_file, huggingface_json, huggingface_writer
from minitok.normalizers import Charsmap
from minitok.symbols import Symbols
from minitok.vocabulary import Vocabulary
from tests.model_shapes import SYSTEMS, train_tokenizer, write_permuted
from tests.models import encoding
from tests.oracle import corpus
from tests.strategies import any_text, texts
from tests.test_sentencepiece import vocabulary_of

#: Enough of everything: long words, spaces in runs, several scripts.
LINES = [
    "The quick  brown fox's 12345 jumps.\n\n\tover the\r\n lazy dog,    THE END",
    "字典 und Wörter, naïve façade; Привет мир 𝕏 😀 ½ ﬁ",
    "def f(x):\n        return x ** 2  # ok\n",
    "a",
    "",
]


@cache
def trained(kind: str) -> Vocabulary:
    """Small vocabularies of several kinds."""
    if kind in ("llama", "mistral", "gemma", "plain", "nmt_nfkc"):
        return vocabulary_of(kind)
    patterns = {"gpt2": "gpt2", "cl100k": "cl100k", "llama3": "llama3", "deepseek": "deepseek", "custom": r"\w+|\W"}
    enc = minitok.train(
        [line * 3 for line in LINES], vocab_size=330, pattern=patterns[kind], special_tokens=["<|endoftext|>", "<x>"]
    )
    return replace(enc.vocabulary, metadata={}, name=kind)


def same(vocabulary: Vocabulary) -> Vocabulary:
    """In a form in which those that were read in different ways are equal."""
    merges = None if vocabulary.merges is None else list(vocabulary.merges)
    return replace(vocabulary, tokens=dict(vocabulary.tokens), merges=merges, name="same", metadata={})


def ids_of(vocabulary: Vocabulary, lines: list[str]) -> list[list[int]]:
    return minitok.Encoding.from_vocabulary(vocabulary).encode_ordinary_batch(lines)


def written(vocabulary: Vocabulary, form: formats.Format, folder: Path) -> Vocabulary:
    path = folder / ("folder" if form == "vocab-merges" else f"file.{form}")
    formats.save(vocabulary, path, format=form)
    return formats.load(path, pattern=vocabulary.pattern if form == "tiktoken" else None)


#: Kinds to the formats that hold all of them; the second ones in another form, as merges.
HELD: dict[str, tuple[set[formats.Format], set[formats.Format]]] = {
    "gpt2": ({"minitok", "compact", "bpeasy"}, {"huggingface", "vocab-merges", "gguf", "minbpe"}),
    "cl100k": ({"minitok", "compact", "bpeasy"}, {"huggingface", "minbpe"}),
    "llama3": ({"minitok", "compact", "bpeasy"}, {"huggingface", "gguf", "minbpe"}),
    "deepseek": ({"minitok", "compact", "bpeasy"}, {"huggingface", "gguf", "minbpe"}),
    "custom": ({"minitok", "compact", "bpeasy"}, {"huggingface", "minbpe"}),
    "llama": ({"minitok", "sentencepiece", "gguf"}, {"huggingface"}),
    "mistral": ({"minitok", "sentencepiece", "gguf"}, {"huggingface"}),
    "gemma": ({"minitok", "sentencepiece", "gguf"}, {"huggingface"}),
    "plain": ({"minitok", "sentencepiece"}, {"huggingface"}),
    "nmt_nfkc": ({"minitok", "sentencepiece"}, set()),
}


@pytest.mark.parametrize("kind", HELD)
def test_each_format_holds_what_it_can(kind: str, tmp_path: Path) -> None:
    vocabulary = trained(kind)
    whole, merged = HELD[kind]
    expected = ids_of(vocabulary, LINES)
    for form in formats.FORMATS:
        if form in whole | merged:
            again = written(vocabulary, form, tmp_path)
            assert ids_of(again, LINES) == expected, form
            if form in whole:
                assert same(again) == same(vocabulary), form
            # What came from a format goes back into it unchanged.
            assert same(written(again, form, tmp_path)) == same(again), form
        elif form == "tiktoken" and vocabulary.is_rank_file():
            assert dict(written(vocabulary, form, tmp_path).tokens) == dict(vocabulary.tokens)
        else:
            with pytest.raises(ValueError, match=r"cannot (hold|be)"):
                written(vocabulary, form, tmp_path)


@cache
def in_tokenizers(kind: str) -> Any:
    return tokenizers.Tokenizer.from_str(huggingface_writer.dump(trained(kind)).decode())


@pytest.mark.parametrize("kind", [kind for kind in HELD if "huggingface" in HELD[kind][1]])
@given(text=texts)
def test_what_is_written_for_tokenizers(kind: str, text: str) -> None:
    ours = minitok.Encoding.from_vocabulary(trained(kind))
    assert in_tokenizers(kind).encode(text, add_special_tokens=False).ids == ours.encode_ordinary(text)


@given(text=any_text)
def test_decoding_by_tokenizers(text: str) -> None:
    for kind in ("gpt2", "llama"):
        ids = minitok.Encoding.from_vocabulary(trained(kind)).encode_ordinary(text)
        assert in_tokenizers(kind).decode(ids, skip_special_tokens=False) == text


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("gpt2.tokenizer.json", "huggingface"),
        ("gpt2.tokenizer.json", "vocab-merges"),
        ("gpt2.tokenizer.json", "gguf"),
        ("deepseek.tokenizer.json", "huggingface"),
        ("deepseek.tokenizer.json", "gguf"),
        ("claude.tokenizer.json", "huggingface"),
        ("tekken_240911.json", "tekken"),
        ("mistral_v3.spm.model", "sentencepiece"),
        ("mistral_v3.spm.model", "gguf"),
        ("mistral_v3.spm.model", "huggingface"),
        ("clip_bpe_simple_vocab_16e6.txt.gz", "clip"),
        ("clip_bpe_simple_vocab_16e6.txt.gz", "huggingface"),
        ("claude.json", "compact"),
        ("cl100k_base.tiktoken", "huggingface"),
        ("cl100k_base.tiktoken", "bpeasy"),
    ],
)
def test_published_files(file: str, format: formats.Format, tmp_path: Path) -> None:
    """Each file is minitok's own, too; and what it becomes has the ids of the original."""
    vocabulary = encoding(file).vocabulary
    sample = [corpus(name, 2_000_000, 20_000) for name in ("english", "chinese", "multilingual")]
    expected = ids_of(vocabulary, sample)
    assert same(written(vocabulary, "minitok", tmp_path)) == same(vocabulary)
    again = written(vocabulary, format, tmp_path)
    assert ids_of(again, sample) == expected
    if vocabulary.merges is not None or format not in ("huggingface", "vocab-merges", "gguf"):
        assert same(again) == same(vocabulary)
    if format == "huggingface":
        theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "file.huggingface"))
        theirs.encode_special_tokens = True
        assert [one.ids for one in theirs.encode_batch(sample, add_special_tokens=False)] == expected


def between_pieces(vocabulary: Vocabulary) -> list[str]:
    """Every token, special token and byte's name where it stands alone between user-defined pieces."""
    first, last = vocabulary.added_tokens[0].content, vocabulary.added_tokens[-1].content
    names = [token.decode("utf-8") for token in vocabulary.tokens]
    names += [*vocabulary.special_tokens, *(f"<0x{b:02X}>" for b in range(256))]
    return [f"{first}{name}{last}" for name in names]


@pytest.mark.parametrize("file", ["", pytest.param("mistral_v3.spm.model", marks=pytest.mark.data)])
def test_user_defined_pieces_behind_a_prefix(file: str) -> None:
    """Names that are no tokens of text are none between two pieces; and the vocabulary comes back."""
    vocabulary = encoding(file).vocabulary if file else trained("mistral")
    data = huggingface_writer.dump(vocabulary)
    theirs = tokenizers.Tokenizer.from_str(data.decode())
    theirs.encode_special_tokens = True
    lines = between_pieces(vocabulary)
    assert [one.ids for one in theirs.encode_batch(lines, add_special_tokens=False)] == ids_of(vocabulary, lines)
    again = huggingface_file.parse(data, "x", name=vocabulary.name)
    for name in ("tokens", "special_tokens", "symbols", "normalizers", "pattern", "whole_piece", "decoded_prefix"):
        assert getattr(again, name) == getattr(vocabulary, name), name
    assert set(again.added_tokens) == set(vocabulary.added_tokens)


@given(parts=strategies.lists(strategies.sampled_from(range(600)), max_size=8))
def test_texts_of_user_defined_pieces_and_names(parts: list[int]) -> None:
    vocabulary = trained("mistral")
    listed = [*[token.content for token in vocabulary.added_tokens] * 20, *between_pieces(vocabulary)]
    text = "".join(listed[part % len(listed)] for part in parts)
    again = huggingface_file.parse(huggingface_writer.dump(vocabulary), "x", name="x")
    theirs = in_tokenizers("mistral").encode(text, add_special_tokens=False).ids
    for one in (vocabulary, again):
        assert minitok.Encoding.from_vocabulary(one).encode(text, allowed_special="all") == theirs


def test_stages_for_user_defined_pieces_that_leave_names_whole() -> None:
    document = huggingface_writer.document(trained("mistral"))
    pieces, guard = document["pre_tokenizer"]["pretokenizers"]
    for stages in ([pieces], [pieces, pieces], [pieces, guard, {"type": "Digits"}]):
        document["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": stages}
        with pytest.raises(ValueError, match="leaves other tokens whole is not supported"):
            huggingface_json.from_document(document, "x", name="x")
    document["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [pieces, guard, guard]}
    with pytest.raises(ValueError, match="a pre-tokenizer behind a normalizer that marks spaces, 'Split'"):
        huggingface_json.from_document(document, "x", name="x")


@pytest.mark.once
@pytest.mark.parametrize("format", ["sentencepiece", "gguf"])
@pytest.mark.parametrize(
    "file", ["llama", "mistral", "gemma", pytest.param("mistral_v3.spm.model", marks=pytest.mark.data)]
)
def test_pieces_come_back_from_listed_merges(file: str, format: formats.Format, tmp_path: Path) -> None:
    vocabulary = encoding(file).vocabulary if "." in file else trained(file)
    listed = written(vocabulary, "huggingface", tmp_path)
    assert listed.merges is not None
    again = written(listed, format, tmp_path)
    assert again.ranks is not None
    assert (again.tokens, again.symbols, again.normalizers) == (
        vocabulary.tokens,
        vocabulary.symbols,
        vocabulary.normalizers,
    )
    assert explicit_merges(again) == explicit_merges(vocabulary)
    lines = [*LINES, *between_pieces(vocabulary)] if vocabulary.added_tokens else LINES
    assert ids_of(again, lines) == ids_of(vocabulary, lines)


def test_merges_that_no_ranks_imply() -> None:
    tokens = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"bc": 4, b"abc": 5}
    ranked = Vocabulary(
        "x", tokens, None, {}, None, ranks=(3, 4, 5, 0, 1, 2), symbols=Symbols(True, None, 9), only_decoded={9: b"?"}
    )
    apart = [(0, 1, 3), (1, 2, 4), (3, 2, 5)]
    for merges, is_implied in [
        (apart, True),
        ([*apart, (0, 4, 5)], True),  # one more, which never stands side by side
        ([(0, 1, 3), (1, 2, 4), (0, 4, 5)], False),  # "abc" is "ab" and "c" first
        (apart[:2], False),  # nothing merges to "abc"
        ([(0, 1, 3), (3, 2, 5), (1, 2, 4), (0, 4, 5)], False),  # two ranks for "abc"
    ]:
        listed = replace(ranked, merges=merges, ranks=None)
        assert (with_ranks(listed) == ranked) == is_implied
        assert (with_ranks(listed) == listed) != is_implied


@cache
def with_byte_level_normalizer() -> tuple[Any, minitok.Encoding]:
    """A tokenizer of `tokenizers` that spells bytes by its normalizer, and minitok's."""
    theirs = train_tokenizer("codeparrot", [line * 3 for line in LINES], 420)
    theirs.pre_tokenizer = None
    form = tokenizers.normalizers
    theirs.normalizer = form.Sequence([form.NFKC(), form.Replace("x", " ü "), form.ByteLevel()])
    theirs.add_tokens([tokenizers.AddedToken("né f", normalized=True), tokenizers.AddedToken("ﬁ", normalized=True)])
    document = json.loads(theirs.to_str())
    for token in document["added_tokens"]:
        token.update(single_word=False, rstrip=False)
    vocabulary = huggingface_json.from_document(document, "x", name="x")
    theirs = tokenizers.Tokenizer.from_str(json.dumps(document))
    theirs.encode_special_tokens = True
    return theirs, minitok.Encoding.from_vocabulary(vocabulary)


@given(text=texts | any_text.map(lambda text: f"né {text}fi ﬁné f{text}"))
def test_byte_level_normalizer(text: str) -> None:
    theirs, ours = with_byte_level_normalizer()
    assert ours.encode_ordinary(text) == theirs.encode(text, add_special_tokens=False).ids


@pytest.mark.once
def test_byte_level_normalizer_for_code_points() -> None:
    theirs, ours = with_byte_level_normalizer()
    code_points = [f"a{chr(c)} {chr(c)}1" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    lines = ["\n".join(code_points[i : i + 64]) for i in range(0, len(code_points), 64)]
    expected = [one.ids for one in theirs.encode_batch(lines, add_special_tokens=False)]
    assert ours.encode_ordinary_batch(lines) == expected


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"normalizer": ["ByteLevel", "NFC"]}, "a normalizer behind ByteLevel, 'NFC'"),
        ({"normalizer": ["ByteLevel"], "pre_tokenizer": {"type": "Digits"}}, "a pre-tokenizer behind ByteLevel"),
        ({"normalizer": ["marks", "ByteLevel"]}, "a ByteLevel behind a normalizer that marks spaces"),
        ({"normalizer": ["ByteLevel"], "rstrip": True}, "an added token with flags, 'word'"),
    ],
)
def test_byte_level_normalizers_that_are_refused(parts: dict[str, Any], message: str) -> None:
    marks = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    chain = [marks if kind == "marks" else {"type": kind} for kind in parts["normalizer"]]
    document = huggingface_writer.document(trained("gpt2")) | {
        "normalizer": {"type": "Sequence", "normalizers": chain},
        "pre_tokenizer": parts.get("pre_tokenizer"),
        "added_tokens": [{"content": "word", "id": 900, "normalized": True, "rstrip": parts.get("rstrip", False)}],
    }
    with pytest.raises(ValueError, match=message):
        huggingface_json.from_document(document, "x", name="x")


def test_a_compiled_map_is_another_one_in_tokenizers() -> None:
    """Why no file with one is read or written: of a grapheme of few bytes, `tokenizers` drops the rest."""
    charsmap = trained("nmt_nfkc").normalizers[0]
    assert isinstance(charsmap, Charsmap)
    theirs = tokenizers.normalizers.Precompiled(charsmap.blob).normalize_str("ﬁ\u0301")
    assert (theirs, charsmap.function()("ﬁ\u0301")) == ("fi", "fi\u0301")
    with pytest.raises(ValueError, match=r"a tokenizer\.json cannot hold"):
        huggingface_writer.dump(trained("nmt_nfkc"))


# -- The packages of these formats -------------------------------------------------------------------------------


def test_gguf_is_what_the_package_reads(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    for kind in ("llama3", "llama"):
        path = tmp_path / f"{kind}.gguf"
        formats.save(trained(kind), path, format="gguf")
        reader = gguf.GGUFReader(path)
        tokens = reader.fields["tokenizer.ggml.tokens"]
        assert len(tokens.data) == trained(kind).n_vocab
        assert reader.fields["tokenizer.ggml.model"].contents() == {"llama3": "gpt2", "llama": "llama"}[kind]
        again = tmp_path / "again.gguf"
        writer = gguf.GGUFWriter(again, "llama")
        writer.add_tokenizer_model(reader.fields["tokenizer.ggml.model"].contents())
        writer.add_tokenizer_pre(reader.fields["tokenizer.ggml.pre"].contents())
        writer.add_token_list(tokens.contents())
        writer.add_token_types(reader.fields["tokenizer.ggml.token_type"].contents())
        if kind == "llama":
            writer.add_token_scores(reader.fields["tokenizer.ggml.scores"].contents())
            writer.add_add_space_prefix(True)
        else:
            writer.add_token_merges(reader.fields["tokenizer.ggml.merges"].contents())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        assert same(formats.load(again)) == same(formats.load(path))


def test_user_defined_spaces_in_gguf(tmp_path: Path) -> None:
    """As llama.cpp looks for them: in the text as it is."""
    gguf = pytest.importorskip("gguf")
    formats.save(trained("gemma"), tmp_path / "x.gguf", format="gguf")
    tokens = gguf.GGUFReader(tmp_path / "x.gguf").fields["tokenizer.ggml.tokens"].contents()
    kinds = gguf.GGUFReader(tmp_path / "x.gguf").fields["tokenizer.ggml.token_type"].contents()
    user_defined = {token for token, kind in zip(tokens, kinds, strict=True) if kind == gguf.TokenType.USER_DEFINED}
    assert {"  ", "    ", "\n\n"} <= user_defined
    assert "▁" in tokens
    text = "the    cat\n\n  sat"
    assert ids_of(formats.load(tmp_path / "x.gguf"), [text]) == ids_of(trained("gemma"), [text])
    assert tokens.index("    ") in ids_of(trained("gemma"), [text])[0]


def test_bpeasy_reads_and_writes_it(tmp_path: Path) -> None:
    bpeasy = pytest.importorskip("bpeasy.tokenizer")
    path = tmp_path / "ours.json"
    formats.save(trained("llama3"), path, format="bpeasy")
    theirs = bpeasy.BPEasyTokenizer.from_file(str(path))
    for line in LINES:
        assert theirs.encode(line) == ids_of(trained("llama3"), [line])[0]
    theirs.save(str(tmp_path / "theirs.json"))
    assert same(formats.load(tmp_path / "theirs.json")) == same(trained("llama3"))


def test_compact_ranks_are_what_js_tiktoken_reads() -> None:
    """Its three lines of code, in Python."""
    import base64

    vocabulary = trained("cl100k")
    document = json.loads(formats.dump(vocabulary, "compact")[""])
    ranks = {}
    for line in filter(None, document["bpe_ranks"].split("\n")):
        _, first, *tokens = line.split(" ")
        ranks.update({base64.b64decode(token): int(first) + i for i, token in enumerate(tokens)})
    theirs = tiktoken.Encoding(
        "x", pat_str=document["pat_str"], mergeable_ranks=ranks, special_tokens=document["special_tokens"]
    )
    assert theirs.encode_ordinary_batch(LINES) == ids_of(vocabulary, LINES)


# -- Tokenizers like those of systems whose files are not here: trained by the reference ---------------------------


@cache
def reference_of(name: str) -> tuple[Any, minitok.Vocabulary]:
    tokenizer = train_tokenizer(name, [line * 3 for line in LINES], 420)
    vocabulary = huggingface_file.parse(tokenizer.to_str().encode(), name, name=name)
    return tokenizer, vocabulary


EXTRA = texts | any_text.map(lambda text: f"word {text}words Zz  {text}word <mask>Zz\n<x> y  <mask>")


@pytest.mark.parametrize("name", SYSTEMS)
@given(text=EXTRA)
def test_systems_without_a_file(name: str, text: str) -> None:
    tokenizer, vocabulary = reference_of(name)
    enc = minitok.Encoding.from_vocabulary(vocabulary)
    assert enc.encode(text, allowed_special="all") == tokenizer.encode(text, add_special_tokens=False).ids
    with_template = enc.apply_template(enc.encode(text, allowed_special="all"))
    assert with_template == tokenizer.encode(text).ids


@pytest.mark.parametrize("name", SYSTEMS)
def test_systems_are_written_and_read(name: str) -> None:
    tokenizer, vocabulary = reference_of(name)
    assert same(formats.minitok_json.parse(formats.minitok_json.dump(vocabulary), name)) == same(vocabulary)
    if name == "metaspace":
        with pytest.raises(ValueError, match="cannot hold"):
            huggingface_writer.dump(vocabulary)
        return
    data = huggingface_writer.dump(vocabulary)
    assert same(huggingface_file.parse(data, name, name=name)) == same(vocabulary)
    again = tokenizers.Tokenizer.from_str(data.decode())
    for line in [*LINES, "word words Zz  Zzz  <mask> a <x> y"]:
        assert again.encode(line).ids == tokenizer.encode(line).ids


def test_permuted_ids(tmp_path: Path) -> None:
    """BART's and RoBERTa's ids are in another order than their merges."""
    tokenizer = train_tokenizer("codeparrot", [line * 3 for line in LINES], 420)
    reference = write_permuted(tokenizer, tmp_path)
    for path in (tmp_path, tmp_path / "vocab.json", tmp_path / "merges.txt"):
        enc = minitok.load(path)
        for line in LINES:
            assert enc.encode_ordinary(line) == reference.encode(line).ids
    assert enc.apply_template([9]) == [reference.token_to_id("<s>"), 9, reference.token_to_id("</s>")]
