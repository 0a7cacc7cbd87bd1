"""Tokenizers of other libraries, to minitok and back; and what constrained decoding asks of one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiktoken
import tokenizers
import transformers

import minitok
import minitok.formats
from minitok.conversion import convert
from minitok.formats.tiktoken_ranks import dump
from minitok.templates import Template
from tests.agreement import outcome
from tests.test_conversions import LINES, ids_of, same, trained


def encoding(kind: str) -> minitok.Encoding:
    return minitok.Encoding.from_vocabulary(trained(kind))


def test_tiktoken() -> None:
    ours = encoding("cl100k")
    theirs = ours.to_tiktoken()
    assert isinstance(theirs, tiktoken.Encoding)
    for line in LINES:
        assert theirs.encode(line + "<x>", allowed_special="all") == ours.encode(line + "<x>", allowed_special="all")
    assert same(minitok.from_tiktoken(theirs).vocabulary) == same(ours.vocabulary)
    with pytest.raises(ValueError, match="tiktoken cannot express 'llama'"):
        encoding("llama").to_tiktoken()
    with pytest.raises(TypeError, match="expected an Encoding of tiktoken, not str"):
        minitok.from_tiktoken("cl100k_base")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["gpt2", "llama3", "llama", "gemma"])
def test_huggingface(kind: str) -> None:
    ours = encoding(kind)
    theirs = ours.to_huggingface()
    assert isinstance(theirs, tokenizers.Tokenizer)
    again = minitok.from_huggingface(theirs)
    assert again.name == "huggingface"
    wrapped = minitok.from_huggingface(SimpleNamespace(backend_tokenizer=theirs, name_or_path="a/model"))
    assert wrapped.name == "a/model"
    for line in LINES:
        assert theirs.encode(line, add_special_tokens=False).ids == ours.encode_ordinary(line)
        assert again.encode_ordinary(line) == wrapped.encode_ordinary(line) == ours.encode_ordinary(line)
    with pytest.raises(TypeError, match="or a fast tokenizer of transformers, not object"):
        minitok.from_huggingface(object())


@pytest.mark.once
@pytest.mark.parametrize("kind", ["gpt2", "llama3", "llama", "gemma"])
def test_transformers(kind: str, tmp_path: Path) -> None:
    ours = encoding(kind)
    make: Any = transformers.PreTrainedTokenizerFast
    fast = make(tokenizer_object=ours.to_huggingface())
    ours.save(tmp_path / "tokenizer.json", format="huggingface")
    # As a model's folder has it.
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    opened = transformers.AutoTokenizer.from_pretrained(tmp_path)
    again = minitok.from_huggingface(opened)
    assert again.name == str(tmp_path)
    for line in LINES:
        ids = ours.encode_ordinary(line)
        for theirs in (fast, opened):
            assert theirs.encode(line, add_special_tokens=False) == ids
        assert again.encode_ordinary(line) == ids
    with pytest.raises(TypeError, match="or a fast tokenizer of transformers, not ByT5Tokenizer"):
        minitok.from_huggingface(transformers.ByT5Tokenizer())


def test_nothing_is_imported_unasked() -> None:
    program = (
        "import sys, minitok; minitok.get_encoding('minitok_32k').encode('a'); "
        "print({'tiktoken', 'tokenizers', 'transformers', 'sentencepiece'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- Constrained decoding ----------------------------------------------------------------------------------------


def test_what_grammars_ask_for() -> None:
    enc = encoding("llama")
    view = enc.for_grammars("</s>", bos_token="<s>", size=enc.n_vocab + 3)
    assert len(view.tokens) == enc.n_vocab + 3
    assert (view.eos_token_id, view.bos_token_id) == (2, 1)
    assert {0, 1, 2, enc.n_vocab, enc.n_vocab + 2} == {*view.special_token_ids} - {enc.n_vocab + 1}
    # The byte and the character have the same bytes, and both ids stay.
    a = enc.vocabulary.tokens[b"a"]
    assert view.ids_of_tokens[b"a"] == sorted([a, enc.vocabulary.symbols.byte_ids[ord("a")]])  # type: ignore[index]
    assert view(b"the") == view("the") == enc.encode_ordinary("the")
    assert enc.for_grammars(7).eos_token_id == 7
    with pytest.raises(ValueError, match="size is 3, but 'llama' has"):
        enc.for_grammars("</s>", size=3)
    with pytest.raises(KeyError):
        enc.for_grammars("<none>")


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_llguidance(kind: str) -> None:
    llguidance: Any = pytest.importorskip("llguidance")
    enc = encoding(kind)
    view = enc.for_grammars("<|endoftext|>" if kind == "gpt2" else "</s>")
    theirs = llguidance.LLTokenizer(llguidance.TokenizerWrapper(view))
    assert theirs.vocab_size == enc.n_vocab
    assert theirs.eos_token == view.eos_token_id
    for line in LINES:
        if kind == "gpt2":
            assert theirs.tokenize_str(line) == enc.encode_ordinary(line)
        assert theirs.decode_bytes(enc.encode_ordinary(line)).lstrip() == line.encode().lstrip()


def test_outlines_core() -> None:
    outlines: Any = pytest.importorskip("outlines_core")
    enc = encoding("gpt2")
    view = enc.for_grammars("<|endoftext|>")
    vocabulary = outlines.Vocabulary(view.eos_token_id, view.ids_of_tokens)
    index = outlines.Index(r"[0-9]{2}", vocabulary)
    allowed = index.get_transitions()[index.get_initial_state()]
    assert {view.tokens[i] for i in allowed} <= {b"%d" % n for n in range(100)} | {b"0%d" % n for n in range(10)}
    assert enc.encode_ordinary("1")[0] in allowed


def test_xgrammar() -> None:
    """Not part of the `test` group: it needs `torch`, which is gigabytes."""
    xgrammar: Any = pytest.importorskip("xgrammar")
    view = encoding("gpt2").for_grammars("<|endoftext|>")
    info = xgrammar.TokenizerInfo(view.tokens, xgrammar.VocabType.RAW, stop_token_ids=[view.eos_token_id])
    assert info.vocab_size == len(view.tokens)
    assert info.decoded_vocab == view.tokens
    matcher = xgrammar.GrammarMatcher(xgrammar.GrammarCompiler(info).compile_regex("[0-9]{2}"))
    mask = xgrammar.allocate_token_bitmask(1, info.vocab_size)
    matcher.fill_next_token_bitmask(mask)
    allowed = {view.tokens[i] for i in range(info.vocab_size) if mask[0][i // 32].item() >> i % 32 & 1}
    digits = {b"%d" % n for n in range(10)}
    assert digits <= allowed
    assert all(token.isdigit() and len(token) < 3 for token in allowed)


# -- Segments, templates, conversion -----------------------------------------------------------------------------


def test_segments() -> None:
    enc = encoding("cl100k")
    end = enc.vocabulary.special_tokens["<|endoftext|>"]
    assert enc.encode_segments([]) == []
    ids = enc.encode_segments(
        [("special", "<|endoftext|>"), ("text", "the <|endoftext|>"), ("special", "<|endoftext|>")]
    )
    assert ids == [end, *enc.encode_ordinary("the <|endoftext|>"), end]
    assert ids.count(end) == 2
    assert outcome(lambda: enc.encode_segments([("special", "<none>")]))[0] == "KeyError"
    with pytest.raises(ValueError, match="expected 'special' or 'text'"):
        enc.encode_segments([("other", "a")])  # type: ignore[list-item]


def test_templates() -> None:
    vocabulary = replace(trained("cl100k"), template=Template((7, "A", 8), (7, "A", 8, "B", 8)))
    enc = minitok.Encoding.from_vocabulary(vocabulary)
    assert enc.apply_template([1, 2]) == [7, 1, 2, 8]
    assert enc.apply_template([1], [2]) == [7, 1, 8, 2, 8]
    assert encoding("cl100k").apply_template([1], [2]) == [1, 2]
    for single, pair in (((1,), ()), (("A", "A"), ()), (("A",), ("A",)), (("B",), ())):
        with pytest.raises(ValueError, match="a template of"):
            Template(single, pair)
    with pytest.raises(ValueError, match="takes one text"):
        Template((1, "A")).apply([1], [2])


def test_convert(tmp_path: Path) -> None:
    ranks = tmp_path / "x.tiktoken"
    ranks.write_bytes(dump(trained("llama3")))
    special = dict(trained("llama3").special_tokens)
    convert(ranks, tmp_path / "tokenizer.json", pattern="llama3", special_tokens=special)
    convert(tmp_path / "tokenizer.json", tmp_path / "x.gguf")
    convert(tmp_path, tmp_path / "x.minitok.json")
    convert(tmp_path / "x.gguf", tmp_path / "y.tokenizer.json")
    for name in ("tokenizer.json", "x.gguf", "x.minitok.json", "y.tokenizer.json"):
        assert ids_of(minitok.load(tmp_path / name).vocabulary, LINES) == ids_of(trained("llama3"), LINES)
    with pytest.raises(ValueError, match="does not say which format"):
        convert(ranks, tmp_path / "x.what", pattern="llama3")
    with pytest.raises(ValueError, match="cannot be the vocabulary"):
        convert(tmp_path / "tokenizer.json", tmp_path / "x.model")
    assert not (tmp_path / "x.model").exists()


def test_a_conversion_that_changes_ids_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "x.minitok.json", tmp_path / "tokenizer.json"
    minitok.Encoding.from_vocabulary(trained("llama3")).save(source)
    other = minitok.formats.dump(trained("gpt2"), "huggingface")
    monkeypatch.setattr(minitok.formats, "dump", lambda *_: other)
    with pytest.raises(ValueError, match="would give other ids"):
        convert(source, target)
    assert not target.exists()


def test_convert_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from minitok.cli import main

    ranks = tmp_path / "x.tiktoken"
    ranks.write_bytes(dump(trained("gpt2")))
    special = [f"{token}={i}" for token, i in trained("gpt2").special_tokens.items()]
    options = ["--pattern", "gpt2", "--special", special[0], "--special", special[1]]
    assert main(["convert", str(ranks), str(tmp_path / "folder"), "--to", "vocab-merges", *options]) == 0
    assert "the same as in" in capsys.readouterr().out
    assert main(["convert", str(tmp_path / "folder"), str(tmp_path / "x.gguf"), "--json"]) == 0
    assert '"ids": 330' in capsys.readouterr().out
    assert main(["convert", str(tmp_path / "x.gguf"), str(tmp_path / "x.model")]) == 1
    assert "cannot be the vocabulary" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "none"), str(tmp_path / "x.model")]) == 2
    assert main(["convert", str(ranks), str(tmp_path / "y"), "--special", "x"]) == 2
