"""Files that are damaged: an error that names the file, soon; never a crash, never memory without end.

`tests.bad_files` damages files in every way; here a part of it is done.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import minitok
from minitok import formats
from minitok.formats import protobuf, sentencepiece_model, sentencepiece_pieces
from tests.bad_files import KINDS
from tests.swollen_files import largest_document
from tests.test_conversions import trained

#: The formats whose swollen files take less than half a minute.
SWOLLEN = ("compact", "tekken")

#: Of 1,000 that `python -m tests.heavy files` has.
MUTATIONS = 100


def check(form: str, *options: str) -> None:
    """In a process of its own, whose memory is bounded."""
    command = [sys.executable, "-m", "tests.bad_files", form, "--mutations", str(MUTATIONS), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.once
@pytest.mark.parametrize("form", sorted(KINDS.keys() - {"tiktoken"}))
def test_damaged_files(form: str) -> None:
    check(form, *["--bombs"] if form == "huggingface" else [], *["--swollen"] if form in SWOLLEN else [])


def test_damaged_rank_files() -> None:
    """Each backend has a reader of its own for them."""
    check("tiktoken", "--bombs", "--swollen")


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
        '{"pre_tokenizer": {"type": "UnicodeScripts"}, ' + MODEL + "}",
        "'UnicodeScripts' is not",
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
    with pytest.raises(ValueError, match="unpacks to nothing, or to more than"):
        minitok.load(path)
    path.write_bytes(gzip.compress(b"a")[:-3])
    with pytest.raises(ValueError, match="compressed and damaged"):
        minitok.load(path)


def test_compressed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tiktoken.gz"
    path.write_bytes(gzip.compress(formats.dump(trained("llama3"), "tiktoken")[""]))
    assert dict(minitok.load(path, pattern="llama3").vocabulary.tokens) == dict(trained("llama3").tokens)


def test_the_other_file_is_bounded_too(tmp_path: Path) -> None:
    for name, data in formats.dump(trained("gpt2"), "vocab-merges").items():
        (tmp_path / name).write_bytes(data)
    assert minitok.load(tmp_path)
    with (tmp_path / "merges.txt").open("r+b") as file:
        file.truncate(formats.MAX_FILE_SIZE + 1)
    with pytest.raises(ValueError, match=r"merges\.txt has 67108865 bytes"):
        minitok.load(tmp_path / "vocab.json")
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\n" + b"\n" * formats.MAX_LINES)
    with pytest.raises(ValueError, match=r"merges\.txt has more than 1048576 lines"):
        minitok.load(tmp_path)


def test_lines_end_as_in_files(tmp_path: Path) -> None:
    """Other signs that end lines for `str.splitlines` are none, and two that are one line's end count as one."""
    path = tmp_path / "x.model"
    path.write_bytes("minbpe v1\r\na\u2028|.\r\n1\r\n<\x0b> 300\r\n97 98\r\n".encode())
    vocabulary = minitok.load(path).vocabulary
    assert (vocabulary.pattern, dict(vocabulary.special_tokens)) == ("a\u2028|.", {"<\x0b>": 300})
    assert vocabulary.tokens[b"ab"] == 256
    path = tmp_path / "x.tiktoken.gz"
    path.write_bytes(gzip.compress(b"AA== 0\r\n" * formats.MAX_UNPACKED_LINES))
    with pytest.raises(ValueError, match="line 2"):
        minitok.load(path, pattern="gpt2")
    path.write_bytes(gzip.compress(b"AA== 0\r" * (formats.MAX_UNPACKED_LINES + 1)))
    with pytest.raises(ValueError, match=r"more than 300000 lines.*has to be unpacked first"):
        minitok.load(path, pattern="gpt2")


@pytest.mark.parametrize("room", [0, 1])
def test_the_limit_of_a_compressed_document(tmp_path: Path, room: int) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b'{"a": [' + b"0," * (formats.MAX_UNPACKED_SIGNS - 3 + 1 - room) + b"0]}"))
    with pytest.raises(ValueError, match=r"no other format" if room else r"has to be unpacked first"):
        minitok.load(path)


@pytest.mark.once
@pytest.mark.parametrize("count", [sentencepiece_model.MOST_FIELDS, sentencepiece_model.MOST_FIELDS + 1])
def test_fields_of_a_message(count: int) -> None:
    (content,) = formats.dump(trained("gemma"), "sentencepiece").values()
    content += protobuf.length_field(2, protobuf.varint_field(3, 2) * count)
    if count == sentencepiece_model.MOST_FIELDS:
        assert sentencepiece_model.parse(content, "x", name="gemma")
    else:
        with pytest.raises(ValueError, match="x: there are more than 50000 fields, at byte 100000"):
            sentencepiece_model.parse(content, "x", name="gemma")


def test_user_defined_pieces_beyond_reach() -> None:
    """Of pieces that begin one another the shortest 64 are found, whatever else there is between them in order."""
    names = ["x" * n for n in range(1, 70)] + [f"{'x' * n}{c}" for n in range(1, 70) for c in "\0 y"]
    names = [name for name in names if not name.endswith(" ")]
    expected = {n for n in names if sum(n[:end] in set(names) for end in range(1, len(n) + 1)) > 64}
    found = sentencepiece_pieces._beyond_reach({name: i for i, name in enumerate(names)})
    assert found.keys() == expected
    assert len(expected) == 5 + 2 * 6


@pytest.mark.once
def test_a_document_as_large_as_any(tmp_path: Path) -> None:
    """As many tokens, added tokens and merges as Gemma 3's `tokenizer.json`, and more; as it is spelled."""
    path = tmp_path / "tokenizer.json"
    path.write_bytes(largest_document())
    assert 30_000_000 < path.stat().st_size < 40_000_000
    vocabulary = formats.load(path)
    assert (vocabulary.n_vocab, len(vocabulary.merges or ())) == (262_144, 580_000)


@pytest.mark.parametrize(
    ("key", "inner", "kind"),
    [("normalizer", "normalizers", "Replace"), ("pre_tokenizer", "pretokenizers", "Split")],
)
def test_expressions_that_are_long_together(tmp_path: Path, key: str, inner: str, kind: str) -> None:
    """None of them is too long; to compile them all took half a minute."""
    stages = [
        {"type": kind, "behavior": "Isolated", "content": "", "pattern": {"Regex": f"{n}|" + r"\p{L}" * 120}}
        for n in range(99)
    ]
    path = tmp_path / "tokenizer.json"
    model = {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}
    path.write_text(json.dumps({key: {"type": "Sequence", inner: stages}, "model": model}), "utf-8")
    with pytest.raises(ValueError, match=r"tokenizer\.json: the expressions are too long.* together"):
        minitok.load(path)
