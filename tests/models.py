"""Published vocabulary files, each with the implementation that its ids are held against."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import minitok
from minitok.formats.byte_alphabet import CHARACTER_OF

Encode = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Model:
    """A file, and what is known of it.

    Attributes:
        systems: the models that have this vocabulary.
        file: its name among the test data.
        reference: the package that its ids are compared with.
        make_reference: makes its encoder of a path.
        options: what else `minitok.load` needs.
        lossless: whether decoding gives a text back.
    """

    systems: str
    file: str
    reference: str
    make_reference: Callable[[Path], Encode]
    options: tuple[tuple[str, Any], ...] = ()
    lossless: bool = True

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(os.environ["MINITOK_TEST_DATA"]) / "vocabularies" / self.file

    def load(self) -> minitok.Encoding:
        """minitok's encoding of the file."""
        return minitok.load(self.path, **dict(self.options))

    def encoder(self) -> Encode:
        """The reference's encoder; special tokens are ordinary text, where it can do that."""
        return self.make_reference(self.path)


def _tokenizers(path: Path) -> Encode:
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def _sentencepiece(path: Path) -> Encode:
    import sentencepiece

    processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
    encode: Encode = processor.encode
    return encode


def _mistral(path: Path) -> Encode:
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    tokenizer = Tekkenizer.from_file(path)
    return lambda text: tokenizer.encode(text, bos=False, eos=False)


def _tiktoken(pattern: str, path: Path) -> Encode:
    import tiktoken

    from minitok.formats.tiktoken_ranks import parse_ranks
    from minitok.patterns import PATTERNS

    ranks = parse_ranks(path.read_bytes().splitlines(), path.name)
    encoding = tiktoken.Encoding(
        "reference", pat_str=PATTERNS[pattern].regex, mergeable_ranks=ranks, special_tokens={}
    )
    return encoding.encode_ordinary


def _compact(path: Path) -> Encode:
    """Anthropic's file, as its own package uses it: NFKC, then tiktoken with its ranks and pattern."""
    import base64
    import json

    import tiktoken
    import tokenizers

    document = json.loads(path.read_text("utf-8"))
    _, first, *tokens = document["bpe_ranks"].split(" ")
    ranks = {base64.b64decode(token): int(first) + i for i, token in enumerate(tokens)}
    pattern = document["pat_str"]
    encoding = tiktoken.Encoding("reference", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    nfkc = tokenizers.normalizers.NFKC()
    return lambda text: encoding.encode_ordinary(nfkc.normalize_str(text))


def clip_tokenizer(path: Path) -> Any:
    """CLIP's vocabulary in `tokenizers`, put together as `transformers` does (`CLIPConverter`)."""
    import gzip

    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers

    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    merges = [(left, right) for left, right in (line.split() for line in lines)]
    letters = list(CHARACTER_OF.values())
    spelt = [*letters, *(c + "</w>" for c in letters), *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = tokenizers.Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(spelt)},
            merges=merges,
            dropout=None,
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            fuse_unk=False,
            unk_token="<|endoftext|>",
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(tokenizers.Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    split = tokenizers.Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(split, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def _clip(path: Path) -> Encode:
    tokenizer = clip_tokenizer(path)
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def _rank_file(systems: str, name: str, pattern: str) -> Model:
    return Model(
        systems, f"{name}.tiktoken", "tiktoken", partial(_tiktoken, pattern), options=(("pattern", pattern),)
    )


MODELS = [
    _rank_file("GPT-2, GPT-3", "r50k_base", "r50k"),
    _rank_file("GPT-3 (code and instruct models)", "p50k_base", "p50k"),
    _rank_file("GPT-3.5, GPT-4, OpenAI embeddings", "cl100k_base", "cl100k"),
    _rank_file("GPT-4o, o1, GPT-5, gpt-oss", "o200k_base", "o200k"),
    Model("GPT-2", "gpt2.tokenizer.json", "tokenizers", _tokenizers),
    Model("Claude 2", "claude.tokenizer.json", "tokenizers", _tokenizers, lossless=False),
    Model("Claude 2", "claude.json", "tiktoken", _compact, lossless=False),
    Model("DeepSeek V2, V3", "deepseek.tokenizer.json", "tokenizers", _tokenizers),
    Model("Mistral NeMo, Pixtral (tekken)", "tekken_240911.json", "mistral-common", _mistral),
    Model("Mistral v3", "mistral_v3.spm.model", "sentencepiece", _sentencepiece, lossless=False),
    Model(
        "CLIP, Stable Diffusion, DALL-E 2", "clip_bpe_simple_vocab_16e6.txt.gz", "tokenizers", _clip, lossless=False
    ),
]
BY_FILE = {model.file: model for model in MODELS}


@cache
def reference(file: str) -> Encode:
    """The reference's encoder of a file."""
    return BY_FILE[file].encoder()


@cache
def _encoding(file: str, backend: str) -> minitok.Encoding:
    return BY_FILE[file].load()


def encoding(file: str) -> minitok.Encoding:
    """minitok's encoding of a file, on the present backend."""
    return _encoding(file, minitok.BACKEND)
