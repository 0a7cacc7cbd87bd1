"""Models' tokenizers, each held against the implementation that it is for; and the table of docs/models.md of that.

    MINITOK_TEST_DATA=FOLDER python -m tests.models_table [--megabytes 5] [--write] [WORD ...]

With words, only the rows that have one of them. For each row: so much of each corpus and of the source code of
Python's library, every code point, and every token as a text. The exit status tells whether anything differs.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiktoken

import minitok
from minitok import formats
from tests.model_shapes import train_model, train_tokenizer, write_permuted
from tests.models import BY_FILE, MODELS, Encode
from tests.oracle import TEXTS, published_ranks, real_text

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"
MARK = "<!-- the table: python -m tests.models_table --write -->"
#: Bytes of each corpus that tokenizers are trained on here, and how many tokens they get.
TRAINED_ON, VOCAB_SIZE = 1_000_000, 8000


@dataclass(frozen=True)
class Row:
    """A tokenizer and what it is compared with.

    Attributes:
        systems: the models that have it.
        file: its file.
        how: how it is opened.
        reference: what its ids are compared with.
        make: makes minitok's encoding, and the reference's encoder.
    """

    systems: str
    file: str
    how: str
    reference: str
    make: Callable[[], tuple[minitok.Encoding, Encode]]


def _published() -> Iterable[Row]:
    for model in MODELS:
        options = "".join(f", {key}={value!r}" for key, value in model.options)
        how = f"`minitok.load(path{options})`"
        if model.reference == "tiktoken" and model.options:
            how = f"`minitok.get_encoding({model.file.removesuffix('.tiktoken')!r})`"
        yield Row(model.systems, f"`{model.file}`", how, model.reference, lambda m=model: (m.load(), m.encoder()))  # type: ignore[misc]


def _ranked(pattern: str, ranks: str) -> tuple[minitok.Encoding, Encode]:
    """Ranks of another model, cut by this one's pattern."""
    tokens = published_ranks(ranks)
    regex = minitok.patterns.PATTERNS[pattern].regex
    theirs = tiktoken.Encoding("x", pat_str=regex, mergeable_ranks=tokens, special_tokens={})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokenizer.model")
        minitok.Encoding("x", pat_str=regex, mergeable_ranks=tokens, special_tokens={}).save(path, format="tiktoken")
        return minitok.load(path, pattern=pattern), theirs.encode_ordinary


def _loaded(name: str, data: bytes) -> minitok.Encoding:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        return minitok.load(path)


def _lines() -> list[str]:
    return [line for name in TEXTS for line in real_text(name, 10_000_000, TRAINED_ON).split("\n")]


def _tokenizer(kind: str) -> tuple[minitok.Encoding, Encode]:
    theirs: Any = train_tokenizer(kind, _lines(), VOCAB_SIZE)
    theirs.encode_special_tokens = True
    ours = _loaded("tokenizer.json", theirs.to_str().encode())
    return ours, lambda text: theirs.encode(text, add_special_tokens=False).ids


def _model(kind: str) -> tuple[minitok.Encoding, Encode]:
    import sentencepiece

    data = train_model(kind, (line[:4000] for line in _lines()), VOCAB_SIZE)
    theirs: Any = sentencepiece.SentencePieceProcessor(model_proto=data)
    return _loaded("tokenizer.model", data), theirs.encode


def _permuted() -> tuple[minitok.Encoding, Encode]:
    """BART's form: two files, and ids that are in another order than the merges."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = write_permuted(train_tokenizer("codeparrot", _lines(), VOCAB_SIZE), Path(folder))
        return minitok.load(folder), lambda text: theirs.encode(text).ids


def _converted(file: str) -> tuple[minitok.Encoding, Encode]:
    """A file, and the `tokenizer.json` that minitok makes of it, in `tokenizers`."""
    import tokenizers

    ours = BY_FILE[file].load()
    theirs: Any = tokenizers.Tokenizer.from_str(formats.dump(ours.vocabulary, "huggingface")[""].decode())
    theirs.encode_special_tokens = True
    return ours, lambda text: theirs.encode(text, add_special_tokens=False).ids


def rows() -> list[Row]:
    """All of them."""
    here = "trained here"
    by_json, by_model = "`minitok.load('tokenizer.json')`", "`minitok.load('tokenizer.model')`"
    return [
        *_published(),
        Row(
            "Mistral v3",
            "`mistral_v3.spm.model`, converted",
            "`minitok convert tokenizer.model tokenizer.json`",
            "tokenizers",
            lambda: _converted("mistral_v3.spm.model"),
        ),
        Row(
            "Llama 3",
            "its pattern, ranks of cl100k_base",
            "`minitok.load('tokenizer.model', pattern='llama3', special_tokens=…)`",
            "tiktoken",
            lambda: _ranked("llama3", "cl100k_base"),
        ),
        Row(
            "Llama 4",
            "its pattern (o200k), ranks of o200k_base",
            "`minitok.load('tokenizer.model', pattern='o200k', special_tokens=…)`",
            "tiktoken",
            lambda: _ranked("o200k", "o200k_base"),
        ),
        Row("LLaMA 1 and 2, Alpaca, Mistral v1 and v2", here, by_model, "sentencepiece", lambda: _model("llama")),
        Row("Gemma, Gemini", here, by_model, "sentencepiece", lambda: _model("gemma")),
        Row("Grok-1", here, by_model, "sentencepiece", lambda: _model("grok")),
        Row("BLOOM", here, by_json, "tokenizers", lambda: _tokenizer("bloom")),
        Row("Qwen 2, 2.5, 3", here, by_json, "tokenizers", lambda: _tokenizer("qwen")),
        Row("BART, RoBERTa, DALL-E mini", here, by_json, "tokenizers", lambda: _tokenizer("roberta")),
        Row(
            "BART, RoBERTa (`vocab.json`, `merges.txt`)",
            "trained here, ids in another order than the merges",
            "`minitok.load(folder)`",
            "tokenizers",
            _permuted,
        ),
        Row("CodeParrot", here, by_json, "tokenizers", lambda: _tokenizer("codeparrot")),
        Row("StarCoder, SmolLM", here, by_json, "tokenizers", lambda: _tokenizer("starcoder")),
    ]


def _pieces(text: str) -> list[str]:
    """A text in parts that a slow reference takes; each is a text of its own for both."""
    return [text[i : i + 200_000] for i in range(0, len(text), 200_000)]


def compare(row: Row, megabytes: float) -> tuple[int, int, Sequence[str]]:
    """How many bytes of text and how many texts were compared, and those that differ."""
    ours, theirs = row.make()
    parts = [part for name in TEXTS for part in _pieces(real_text(name, 0, int(megabytes * 1e6)))]
    parts += [f"a{chr(c)} {chr(c)}1" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    parts += [token.decode("utf-8", "replace") for token in ours.token_byte_values()]
    skipped = row.file.startswith("`clip")
    differ = [
        text for text in parts if not (skipped and "ſ" in text) and ours.encode_ordinary(text) != list(theirs(text))
    ]
    return sum(len(text.encode()) for text in parts), len(parts), differ


def main() -> int:
    """Compare, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines = [
        "| models | file | how it is opened | compared with | text | texts | differences |",
        "|---|---|---|---|--:|--:|--:|",
    ]
    failed = 0
    for row in rows():
        if arguments.words and not any(word in f"{row.systems} {row.file}" for word in arguments.words):
            continue
        start = time.perf_counter()
        size, count, differ = compare(row, arguments.megabytes)
        failed += len(differ)
        lines.append(
            f"| {row.systems} | {row.file} | {row.how} | {row.reference} | {size / 1e6:.1f} MB | {count:,} "
            f"| {len(differ)} |"
        )
        print(lines[-1], f"{time.perf_counter() - start:.0f} s", *map(ascii, differ[:3]), flush=True)
    if arguments.write and not failed:
        page = PAGE.read_text("utf-8")
        table = "\n".join(lines)
        PAGE.write_text(
            re.sub(rf"({re.escape(MARK)}\n\n).*?(?=\n\n|\Z)", lambda m: m[1] + table, page, flags=re.S), "utf-8"
        )
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
