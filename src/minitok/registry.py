"""Encodings by name: minitok's own, tiktoken's seven, and those of installed plugins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitok import _backend, bridges, formats, read_before
from minitok._version import __version__
from minitok.encoding import Encoding
from minitok.formats.minitok_json import parse
from minitok.formats.tiktoken_ranks import read_tokens
from minitok.models import encoding_name_for_model
from minitok.patterns import PATTERNS
from minitok.table_files import find_table, keep_table
from minitok.vocabulary import Vocabulary
from minitok.vocabulary_files import PUBLISHED, PublishedFile, find_or_download

if TYPE_CHECKING:
    import tiktoken

__all__ = [
    "ENCODINGS",
    "encoding_for_model",
    "encoding_name_for_model",
    "find_encoding",
    "from_huggingface",
    "from_tiktoken",
    "get_encoding",
    "list_encoding_names",
    "load",
]

_END_OF_TEXT = "<|endoftext|>"
_FIM = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
_END_OF_PROMPT = "<|endofprompt|>"
_O200K_SPECIAL = {_END_OF_TEXT: 199999, _END_OF_PROMPT: 200018}
_HARMONY_SPECIAL = {
    "<|startoftext|>": 199998,
    _END_OF_TEXT: 199999,
    "<|return|>": 200002,
    "<|constrain|>": 200003,
    "<|channel|>": 200005,
    "<|start|>": 200006,
    "<|end|>": 200007,
    "<|message|>": 200008,
    "<|call|>": 200012,
}

#: Name to (rank file, pattern, special tokens): facts from `tiktoken_ext/openai_public.py` of tiktoken 0.14. The
#: ranks of GPT-2 are those of r50k_base.
_PUBLISHED: dict[str, tuple[str, str, dict[str, int]]] = {
    "gpt2": ("r50k_base", "gpt2", {_END_OF_TEXT: 50256}),
    "r50k_base": ("r50k_base", "r50k", {_END_OF_TEXT: 50256}),
    "p50k_base": ("p50k_base", "p50k", {_END_OF_TEXT: 50256}),
    "p50k_edit": ("p50k_base", "p50k", {_END_OF_TEXT: 50256, **dict(zip(_FIM, range(50281, 50284)))}),
    "cl100k_base": (
        "cl100k_base",
        "cl100k",
        {_END_OF_TEXT: 100257, **dict(zip(_FIM, range(100258, 100261))), _END_OF_PROMPT: 100276},
    ),
    "o200k_base": ("o200k_base", "o200k", _O200K_SPECIAL),
    "o200k_harmony": (
        "o200k_base",
        "o200k",
        _O200K_SPECIAL
        | _HARMONY_SPECIAL
        | {f"<|reserved_{i}|>": i for i in range(200000, 201088) if i not in _HARMONY_SPECIAL.values()},
    ),
}

_EMBEDDED = "minitok_32k"

#: The encodings that were asked for; they stay.
ENCODINGS: dict[str, Encoding] = {}
_lock = threading.RLock()


def load(
    path: str | PathLike[str],
    *,
    name: str | None = None,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Encoding:
    """Read a vocabulary file, or the one in a model's folder; its format is known by its content.

    The formats are minitok's own, tiktoken's ranks, Hugging Face's `tokenizer.json`, SentencePiece's `.model`,
    Mistral's `tekken.json`, GPT-2's `vocab.json` with `merges.txt` beside it (or `encoder.json` with `vocab.bpe`),
    js-tiktoken's and Anthropic's compact ranks, CLIP's `bpe_simple_vocab`, GGUF, minbpe's `.model`, bpeasy's JSON.

    Args:
        path: the file, or the folder.
        name: what to call the encoding; default: the name in the file, or the file's.
        pattern: for a rank file, which holds none: the name of a pattern, or a regular expression.
        special_tokens: for a rank file, which holds none: special token to id.

    Raises:
        ValueError: the file is of no known format or is damaged; the message names file and place.
        OSError: the file cannot be read.
    """
    content = formats.open_file(path, name)
    given = pattern is not None or special_tokens is not None
    vocabulary = None if given else read_before.find(content)
    if vocabulary is not None:
        return Encoding.from_vocabulary(vocabulary)
    vocabulary = formats.parse(content, pattern=pattern, special_tokens=special_tokens)
    encoding = Encoding.from_vocabulary(vocabulary)
    if not given:
        read_before.keep(content, vocabulary, encoding._encoder)
    return encoding


def from_tiktoken(encoding: tiktoken.Encoding) -> Encoding:
    """Minitok's encoding for one of the package `tiktoken`.

    Raises:
        ValueError: its ranks are no vocabulary.
        TypeError: it is no encoding of tiktoken's.
    """
    return Encoding.from_vocabulary(bridges.from_tiktoken(encoding))


def from_huggingface(tokenizer: Any, *, name: str | None = None) -> Encoding:
    """Minitok's encoding for a tokenizer of the package `tokenizers`, or a fast one of `transformers`.

    Args:
        tokenizer: the tokenizer.
        name: what to call the encoding; default: what the tokenizer says of its origin, or "huggingface".

    Raises:
        ValueError: it has something that minitok does not know; the message names it.
        TypeError: it is no such tokenizer (but a slow one of `transformers`, perhaps).
    """
    return Encoding.from_vocabulary(bridges.from_huggingface(tokenizer, name))


def get_encoding(encoding_name: str) -> Encoding:
    """The encoding of a name: the same object each time.

    Raises:
        ValueError: the name is not known, or a plugin is defective.
        OSError: the vocabulary's file is not on this machine and cannot be downloaded.

    >>> get_encoding("minitok_32k")
    <Encoding 'minitok_32k'>
    """
    if not isinstance(encoding_name, str):
        raise ValueError(f"Expected a string in get_encoding, got {type(encoding_name)}")
    found = ENCODINGS.get(encoding_name)
    if found is not None:
        return found
    with _lock:
        if encoding_name not in ENCODINGS:
            encoding = _construct(encoding_name)
            encoding._pickled_as = (get_encoding, (encoding_name,))
            ENCODINGS[encoding_name] = encoding
        return ENCODINGS[encoding_name]


def encoding_for_model(model_name: str) -> Encoding:
    """The encoding that a model uses.

    Raises:
        KeyError: the model is not known.
        OSError: as `get_encoding`.
    """
    return get_encoding(encoding_name_for_model(model_name))


def list_encoding_names() -> list[str]:
    """The names that `get_encoding` knows.

    Raises:
        ValueError: a plugin is defective.
    """
    return [*_PUBLISHED, _EMBEDDED, *_plugin_constructors()]


def find_encoding(name_or_path: str | PathLike[str], *, pattern: str | None = None) -> Encoding:
    """The encoding of a name that is known, else that of a vocabulary file.

    Args:
        name_or_path: see above.
        pattern: for rank files, which hold none; an encoding that is known by name has its own.

    Raises:
        FileNotFoundError: it is neither.
        ValueError, OSError: see `load`.
        TypeError: it is no str and no path.
    """
    if not isinstance(name_or_path, (str, PathLike)):
        raise TypeError(f"an encoding is a name, a path or an Encoding, not {type(name_or_path).__name__}")
    known = list_encoding_names()
    if name_or_path in known:
        return get_encoding(str(name_or_path))
    if not Path(name_or_path).exists():
        raise FileNotFoundError(f"{str(name_or_path)!r} is neither an encoding ({', '.join(known)}) nor a file")
    return load(name_or_path, pattern=pattern)


def _construct(name: str) -> Encoding:
    if name in _PUBLISHED:
        file_name, pattern, special_tokens = _PUBLISHED[name]
        file = PUBLISHED[file_name]
        return Encoding.from_vocabulary(
            Vocabulary(name, _published_tokens(file), None, dict(special_tokens), PATTERNS[pattern].regex)
        )
    if name == _EMBEDDED:
        from importlib.resources import files

        return Encoding.from_vocabulary(parse((files("minitok") / f"data/{name}.json").read_bytes(), name))
    constructors = _plugin_constructors()
    if name not in constructors:
        raise ValueError(
            f"Unknown encoding {name}.\n"
            f"Plugins found: {sorted(set(_plugin_modules()))}\n"
            f"minitok version: {__version__} (are you on latest?)"
        )
    return constructors[name]()


def _published_tokens(file: PublishedFile) -> Mapping[bytes, int]:
    table = find_table(file)
    if table is None:
        tokens = read_tokens(find_or_download(file), file.name)
        if not isinstance(tokens, _backend.RankTable):
            return tokens
        table = tokens
        keep_table(file, table)
    return table


def _plugin_modules() -> Iterator[str]:
    """The modules in the namespace package `tiktoken_ext`, apart from tiktoken's own, which has what we have."""
    import importlib
    import pkgutil

    try:
        package = importlib.import_module("tiktoken_ext")
    except ModuleNotFoundError:
        return
    for module in pkgutil.iter_modules(package.__path__, "tiktoken_ext."):
        if module.name != "tiktoken_ext.openai_public":
            yield module.name


def _plugin_constructors() -> dict[str, Callable[[], Encoding]]:
    """The encodings that plugins define. Looked up each time, as a plugin may be installed meanwhile."""
    import importlib

    constructors: dict[str, Callable[[], Encoding]] = {}
    for module_name in _plugin_modules():
        module: Any = importlib.import_module(module_name)
        if not hasattr(module, "ENCODING_CONSTRUCTORS"):
            raise ValueError(f"tiktoken plugin {module_name} does not define ENCODING_CONSTRUCTORS")
        for name, constructor in module.ENCODING_CONSTRUCTORS.items():
            if name in constructors or name in _PUBLISHED or name == _EMBEDDED:
                raise ValueError(f"Duplicate encoding name {name} in tiktoken plugin {module_name}")
            constructors[name] = partial(_from_plugin, constructor)
    return constructors


def _from_plugin(constructor: Callable[[], dict[str, Any]]) -> Encoding:
    return Encoding(**constructor())
