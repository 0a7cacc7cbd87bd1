"""The trainers that are measured, each behind the same two calls: files to a vocabulary, and its tokens in order.

All of them are asked for a vocabulary of bytes and so many learnt tokens more, from documents that a separator keeps
apart. The split pattern is that of GPT-2, because gigatoken's trainer has no other. sentencepiece and youtokentome
take none at all: they split at white space and learn characters, so that theirs is another task. Where a trainer has
a choice of ties, it is minitok's: the smaller pair of ids.

Nothing but the standard library is imported here until a trainer is asked for: one of them has an environment of its
own.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tokenizer_json import byte_characters

__all__ = ["BYTES", "SEPARATOR", "TRAINERS", "Trainer", "documents", "thread_environment"]

SEPARATOR = "<|endoftext|>"
#: Every vocabulary begins with these many tokens, which are not learnt.
BYTES = 256
#: GPT-2's pattern, as tiktoken writes it, which fancy-regex runs fastest.
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Trainer:
    """One trainer.

    Attributes:
        train: (file, number of tokens, threads; minitok's own options) -> what the library gives. This is timed.
        tokens: that -> the learnt tokens as bytes, in the order of learning.
        same_split: whether pieces are those of the pattern, so that the times are of the same task.
    """

    train: Callable[..., Any]
    tokens: Callable[[Any], list[bytes]]
    same_split: bool = True


def thread_environment(threads: int) -> dict[str, str]:
    """The variables by which libraries without an argument for it are told how many threads to use."""
    return {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true" if threads > 1 else "false"}


def documents(path: Path) -> Iterator[str]:
    """The documents of a file, one after the other; a block of it is held at a time, or the document."""
    rest = ""
    with path.open(encoding="utf-8", newline="") as file:
        while block := file.read(_BLOCK):
            *whole, rest = (rest + block).split(SEPARATOR)
            yield from whole
    yield rest


def _minitok(path: Path, size: int, threads: int, **options: int) -> Any:
    import minitok

    return minitok.train(
        path,
        vocab_size=size + 1,
        pattern="gpt2",
        special_tokens=[SEPARATOR],
        num_threads=threads,
        progress=False,
        **options,  # type: ignore[call-overload]
    )


def _minitok_tokens(encoding: Any) -> list[bytes]:
    return list(encoding.vocabulary.tokens)[BYTES:]


def _gigatoken(path: Path, size: int, threads: int) -> Any:
    import gigatoken

    return gigatoken.train_bpe(path, size, [], tie_breaking="raw_token_ids", separator=SEPARATOR.encode())


def _gigatoken_tokens(result: Any) -> list[bytes]:
    return [left + right for left, right in result[1]]


def _rustbpe(path: Path, size: int, threads: int) -> Any:
    import rustbpe

    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(documents(path), size, pattern=PATTERN)
    return tokenizer.get_mergeable_ranks()


def _rustbpe_tokens(ranks: Any) -> list[bytes]:
    return [bytes(token) for token, _ in sorted(ranks, key=lambda item: item[1])][BYTES:]


def _bpeasy(path: Path, size: int, threads: int) -> Any:
    import bpeasy

    return bpeasy.train_bpe(documents(path), PATTERN, max_token_length=1 << 30, vocab_size=size)


def _bpeasy_tokens(ranks: Any) -> list[bytes]:
    return sorted(ranks, key=ranks.__getitem__)[BYTES:]


def _tokenizers(path: Path, size: int, threads: int) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(documents(path), trainer)
    return tokenizer


def _tokenizers_tokens(tokenizer: Any) -> list[bytes]:
    vocabulary = tokenizer.get_vocab()
    # Only the 256 characters of the alphabet occur: each stands for a byte.
    byte_of = {character: byte for byte, character in byte_characters().items()}
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)[BYTES:]
    return [bytes(map(byte_of.__getitem__, token)) for token in ordered]


def _sentencepiece(path: Path, size: int, threads: int) -> Any:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=str(path),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        byte_fallback=True,
        character_coverage=0.9995,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=[SEPARATOR],
        max_sentence_length=1 << 30,
        num_threads=threads,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


def _sentencepiece_tokens(model: Any) -> list[bytes]:
    import sentencepiece

    loaded = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [loaded.id_to_piece(i) for i in range(len(loaded)) if not loaded.is_byte(i) and not loaded.is_control(i)]
    return [piece.replace("\u2581", " ").encode() for piece in pieces]


def _youtokentome(path: Path, size: int, threads: int) -> Any:
    import youtokentome

    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder, "model"))
        return youtokentome.BPE.train(str(path), model, size, coverage=0.9995, n_threads=threads)


def _youtokentome_tokens(model: Any) -> list[bytes]:
    return [piece.replace("\u2581", " ").encode() for piece in model.vocab()]


#: By the name of the distribution.
TRAINERS = {
    "minitok": Trainer(_minitok, _minitok_tokens),
    "gigatoken": Trainer(_gigatoken, _gigatoken_tokens),
    "rustbpe": Trainer(_rustbpe, _rustbpe_tokens),
    "bpeasy": Trainer(_bpeasy, _bpeasy_tokens),
    "tokenizers": Trainer(_tokenizers, _tokenizers_tokens),
    "sentencepiece": Trainer(_sentencepiece, _sentencepiece_tokens, same_split=False),
    "youtokentome": Trainer(_youtokentome, _youtokentome_tokens, same_split=False),
}
