"""The libraries that are measured, each behind the same few calls: an array or a list of ids, and back.

Every adapter asks its library for text in which nothing is special, in the way that its own documentation recommends
for speed; the process, which has one processor, sees to it that one thread does it. Whatever lies between a library's
answer and what a user asked for (an object to take the list out of, bytes to see as an array) is part of its time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.texts import rank_file
from benchmarks.tokenizer_json import tokenizer_json

__all__ = ["LIBRARIES", "Adapter", "open_library"]

#: By the name of the distribution: the module to import.
LIBRARIES = {
    "minitok": "minitok",
    "tiktoken": "tiktoken",
    "gigatoken": "gigatoken",
    "fastokens": "fastokens",
    "snaptokens": "snaptokens",
    "quicktok-v1": "quicktok",
    "splintr-rs": "splintr",
    "tokenizers": "tokenizers",
}

#: The patterns as regular expressions that every engine takes.
PATTERNS = {
    "r50k_base": None,  # that of GPT-2
    "cl100k_base": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"
    ),
    "o200k_base": "|".join(
        [
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
}


class Adapter:
    """One library with one vocabulary.

    Attributes:
        to_array: text to its ids as a numpy array.
        to_list: text to a list of its ids.
        from_list, from_array: ids to bytes or a str; None if the library has no such call.
    """

    def __init__(
        self,
        to_list: Callable[[str], list[int]],
        to_array: Callable[[str], Any],
        from_list: Callable[[list[int]], bytes | str] | None = None,
        from_array: Callable[[Any], bytes | str] | None = None,
    ) -> None:
        self.to_list = to_list
        self.to_array = to_array
        self.from_list = from_list
        self.from_array = from_array


def open_library(name: str, encoding: str) -> Adapter:
    """Load a vocabulary with a library.

    Raises:
        LookupError: the library cannot have this vocabulary.
    """
    return _OPEN[name](encoding)


def _minitok(encoding: str) -> Adapter:
    import minitok

    e = minitok.get_encoding(encoding)
    return Adapter(
        e.encode_ordinary,
        lambda text: e.encode_to_numpy(text, disallowed_special=(), num_threads=1),
        e.decode_bytes,
        e.decode_bytes,
    )


def _tiktoken(encoding: str) -> Adapter:
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    ranks = load_tiktoken_bpe(str(rank_file(encoding)))
    e = tiktoken.Encoding(encoding, pat_str=_tiktoken_pattern(encoding), mergeable_ranks=ranks, special_tokens={})
    return Adapter(e.encode_ordinary, lambda text: e.encode_to_numpy(text, disallowed_special=()), e.decode_bytes)


def _tiktoken_pattern(encoding: str) -> str:
    """The expression as tiktoken itself writes it, which its engine runs fastest."""
    from unittest import mock

    from tiktoken_ext import openai_public

    with (
        mock.patch.object(openai_public, "load_tiktoken_bpe", return_value={}),
        mock.patch.object(openai_public, "data_gym_to_mergeable_bpe_ranks", return_value={}),
    ):
        pattern: str = openai_public.ENCODING_CONSTRUCTORS[encoding]()["pat_str"]
    return pattern


def _gigatoken(encoding: str) -> Adapter:
    import gigatoken

    t = gigatoken.Tokenizer.from_tiktoken(rank_file(encoding), special_tokens={})
    return Adapter(
        lambda text: t.encode_batch_list([text], parallel=False)[0],
        t.encode,
        t.decode,
        t.decode,
    )


def _gigatoken_batch(encoding: str) -> Adapter:
    """The same, in the way that is faster for some texts: a batch of one, whose row is an array without a copy."""
    import gigatoken
    import numpy as np

    t = gigatoken.Tokenizer.from_tiktoken(rank_file(encoding), special_tokens={})
    return Adapter(
        lambda text: t.encode(text).tolist(),
        lambda text: np.asarray(t.encode_batch([text], parallel=False)[0]),
        t.decode,
        t.decode,
    )


def _tokenizer_json(encoding: str) -> Path:
    """The vocabulary in the form that some libraries want, written once."""
    path = Path(tempfile.gettempdir(), "minitok-benchmarks", f"{encoding}.tokenizer.json")
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(tokenizer_json(rank_file(encoding), PATTERNS[encoding]), "utf-8")
        unfinished.replace(path)
    return path


def _flat(tokenizer: Any) -> Callable[[str], Any]:
    import numpy as np

    return lambda text: np.frombuffer(tokenizer.encode_batch_flat([text])[0], np.uint32)


def _fastokens(encoding: str) -> Adapter:
    import fastokens

    t = fastokens.Tokenizer.from_file(str(_tokenizer_json(encoding)))
    return Adapter(lambda text: t.encode(text).ids, _flat(t), t.decode)


def _snaptokens(encoding: str) -> Adapter:
    import snaptokens

    t = snaptokens.Tokenizer.from_file(str(_tokenizer_json(encoding)))
    return Adapter(lambda text: t.encode(text).ids, _flat(t), t.decode)


def _quicktok(encoding: str) -> Adapter:
    import quicktok

    if encoding == "r50k_base":
        raise LookupError("quicktok has no r50k_base")
    t = quicktok.get_encoding(encoding)
    return Adapter(t.encode_ordinary, lambda text: t.encode_batch([text], 1)[0], t.decode_bytes)


def _splintr(encoding: str) -> Adapter:
    import numpy as np
    import splintr

    pattern = {
        "r50k_base": splintr.GPT2_PATTERN,
        "cl100k_base": splintr.CL100K_BASE_PATTERN,
        "o200k_base": splintr.O200K_BASE_PATTERN,
    }
    t = splintr.Tokenizer(str(rank_file(encoding)), pattern[encoding])
    return Adapter(t.encode_ordinary, lambda text: np.frombuffer(t.encode_flat(text), np.uint32), t.decode_bytes)


def _tokenizers(encoding: str) -> Adapter:
    import tokenizers

    t = tokenizers.Tokenizer.from_file(_tokenizer_json(encoding))
    return Adapter(
        lambda text: t.encode(text).ids,
        lambda text: t.encode(text).ids_array,
        lambda ids: t.decode(ids, skip_special_tokens=False),
        lambda ids: t.decode(ids, skip_special_tokens=False),
    )


_OPEN: dict[str, Callable[[str], Adapter]] = {
    "minitok": _minitok,
    "tiktoken": _tiktoken,
    "gigatoken": _gigatoken,
    "gigatoken batch": _gigatoken_batch,
    "fastokens": _fastokens,
    "snaptokens": _snaptokens,
    "quicktok-v1": _quicktok,
    "splintr-rs": _splintr,
    "tokenizers": _tokenizers,
}

# Published vocabulary files are in the folder with test data.
os.environ.setdefault("MINITOK_CACHE_DIR", str(rank_file("cl100k_base").parent))
# One thread, whatever a library's pool would take; set before any of them is imported.
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
