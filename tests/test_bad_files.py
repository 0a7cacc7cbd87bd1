"""Files that are damaged: an error that names the file, soon; never a crash, never memory without end."""

from __future__ import annotations

import gzip
import random
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import minitok
from minitok import formats
from tests.test_conversions import trained

#: Format to a vocabulary that it holds.
KINDS: dict[str, str] = {
    "minitok": "llama",
    "huggingface": "gemma",
    "sentencepiece": "nmt_nfkc",
    "compact": "cl100k",
    "gguf": "llama3",
    "minbpe": "llama3",
    "bpeasy": "llama3",
    "tiktoken": "llama3",
    "vocab-merges": "gpt2",
}
MUTATIONS = 1000


@cache
def content(form: formats.Format) -> dict[str, bytes]:
    return formats.dump(trained(KINDS[form]), form)


def check(form: formats.Format, folder: Path, files: dict[str, bytes]) -> minitok.Vocabulary | None:
    """Write files and read them: a vocabulary, or a ValueError that names the file."""
    for name, data in files.items():
        (folder / (name or "file")).write_bytes(data)
    path = folder if "" not in files else folder / "file"
    start = time.perf_counter()
    try:
        vocabulary = formats.load(path, pattern="llama3" if form == "tiktoken" else None)
    except ValueError as error:
        assert str(folder) in str(error), error  # noqa: PT017
        return None
    finally:
        assert time.perf_counter() - start < 2
    return vocabulary


@pytest.mark.parametrize("form", KINDS)
def test_truncated(form: formats.Format, tmp_path: Path) -> None:
    whole = content(form)
    for part in range(50):
        for name, data in whole.items():
            check(form, tmp_path, {**whole, name: data[: len(data) * part // 50]})


@pytest.mark.parametrize("form", KINDS)
def test_flipped_bytes(form: formats.Format, tmp_path: Path) -> None:
    rng = random.Random(form)
    whole = content(form)
    for _ in range(MUTATIONS if minitok.BACKEND == "native" else MUTATIONS // 10):
        name = rng.choice(list(whole))
        data = bytearray(whole[name])
        # Mostly where the structure is: at the beginning and the end.
        place = rng.choice([rng.randrange(len(data)), rng.randrange(min(400, len(data))), -1 - rng.randrange(200)])
        for _ in range(rng.choice([1, 1, 4])):
            data[place] = rng.choice([rng.randrange(256), 0, 0xFF, *b'{}[]",:0'])
            place = min(place + 1, len(data) - 1)
        vocabulary = check(form, tmp_path, {**whole, name: bytes(data)})
        if vocabulary is not None:
            # Whatever it is now, it is one: it encodes, or says what it lacks.
            try:
                minitok.Encoding.from_vocabulary(vocabulary).encode_ordinary("The end,  字典 12\n")
            except ValueError as error:
                assert "has no token" in str(error) or "character map" in str(error), error  # noqa: PT017


def json_file(text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "x.json"
        path.write_text(text, "utf-8")
        return path

    return write


MODEL = '"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}'
WRONG = {
    "deep": ('{"a": ' + "[" * 200_000, "not JSON"),
    "no object": ("[1]", "."),
    "an id that is none": ('{"model": {"type": "BPE", "vocab": {"a": "x"}, "merges": []}}', "the id of 'a' is 'x'"),
    "a huge id": (
        '{"model": {"vocab": {"a": 99999999999}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}}',
        "the id of",
    ),
    "another model": ('{"model": {"type": "Unigram", "vocab": {}}}', "the model type 'Unigram' is not supported"),
    "a normalizer": ('{"normalizer": {"type": "Precompiled"}, ' + MODEL + "}", "the normalizer 'Precompiled' is not"),
    "a pre-tokenizer": (
        '{"pre_tokenizer": {"type": "BertPreTokenizer"}, ' + MODEL + "}",
        "'BertPreTokenizer' is not",
    ),
    "a decoder": (
        '{"pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "CTC"}, ' + MODEL + "}",
        "the decoder 'CTC'",
    ),
    "a post-processor": (
        '{"pre_tokenizer": {"type": "ByteLevel"}, "post_processor": {"type": "X"}, ' + MODEL + "}",
        "'X'",
    ),
    "no unknown": ("{" + MODEL + "}", "drops characters"),
    "dropout": ('{"model": {"vocab": {"a": 0}, "merges": [], "dropout": 0.1}}', "dropout '0.1' is not supported"),
    "a prefix": ('{"model": {"vocab": {"a": 0}, "merges": [], "continuing_subword_prefix": "##"}}', "'##' is not"),
    "a merge of what is not": (
        '{"model": {"vocab": {"a": 0}, "merges": ["a b"]}, "pre_tokenizer": {"type": "ByteLevel"}}',
        "no token",
    ),
    "a merge of three": (
        '{"model": {"vocab": {"a": 0}, "merges": ["a a a"]}, "pre_tokenizer": {"type": "ByteLevel"}}',
        "not two tokens",
    ),
    "an expression": (
        '{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}, ' + MODEL + "}",
        "does not compile",
    ),
    "sizes of tekken": (
        '{"config": {"pattern": "a", "default_vocab_size": 9, "default_num_special_tokens": 99}, "vocab": []}',
        "99 special tokens of 9",
    ),
    "ranks": ('{"pat_str": "a", "special_tokens": {}, "bpe_ranks": "! x IQ=="}', "not with a mark and a rank"),
    "one of two": ("{" + ", ".join(f'"{i}": {i}' for i in range(300)) + "}", "is not beside it"),
    "ids alone": ('{"a": 1}', "of no other format known here"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_content(what: str, tmp_path: Path) -> None:
    text, message = WRONG[what]
    path = json_file(text)(tmp_path)
    with pytest.raises(ValueError, match=r"x\.json") as raised:
        minitok.load(path)
    assert message in str(raised.value)


def test_absurd_sizes(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    head = b"GGUF" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little")
    name = (20).to_bytes(8, "little") + b"tokenizer.ggml.model"
    for data in (
        head + (1 << 60).to_bytes(8, "little"),
        head + (1).to_bytes(8, "little") + (1 << 60).to_bytes(8, "little"),
        head + (1).to_bytes(8, "little") + name + (9).to_bytes(4, "little") + (8).to_bytes(4, "little") + b"\xff" * 8,
        head + (1).to_bytes(8, "little") + name + (9).to_bytes(4, "little") * 40,
        b"GGUF\x01\0\0\0" + b"\0" * 16,
        head + b"\0" * 8,
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"x\.gguf"):
            minitok.load(path)


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"a" * 200_000_000, 9))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="unpacks to nothing, or to more than"):
            minitok.load(path)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()
    path.write_bytes(gzip.compress(b"a")[:-3])
    with pytest.raises(ValueError, match="compressed and damaged"):
        minitok.load(path)


def test_compressed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tiktoken.gz"
    path.write_bytes(gzip.compress(content("tiktoken")[""]))
    assert dict(minitok.load(path, pattern="llama3").vocabulary.tokens) == dict(trained("llama3").tokens)
