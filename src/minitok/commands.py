"""What each command of the command line does with its arguments."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

from minitok import _backend, demo
from minitok._version import __version__
from minitok.colours import coloured, wants_colour
from minitok.conversion import convert
from minitok.encoding import Encoding
from minitok.files import open_atomically
from minitok.input_files import expand
from minitok.progress import progress_bar
from minitok.registry import get_encoding, list_encoding_names, load
from minitok.training import train
from minitok.training.counting import LEAST_MEMORY, count_pieces
from minitok.training.piece_counts import PieceCounts

__all__ = [
    "BadUseError",
    "convert_command",
    "count_command",
    "count_pieces_command",
    "decode_command",
    "demo_command",
    "encode_command",
    "info_command",
    "merge_counts_command",
    "train_command",
]

_STANDARD_INPUT = "-"
#: Options of `encode` that are for files of ids alone.
_FILE_OPTIONS = ("dtype", "separator", "append", "field")


class BadUseError(Exception):
    """What was asked for cannot be done: exit status 2."""


# -- Input and output --------------------------------------------------------------------------------------------


def _encoding(name_or_file: str, pattern: str | None = None) -> Encoding:
    if name_or_file in list_encoding_names():
        if pattern is not None:
            raise BadUseError(
                f"minitok: error: the encoding {name_or_file} has a pattern; --pattern is for rank files"
            )
        return get_encoding(name_or_file)
    if Path(name_or_file).exists():
        return load(name_or_file, pattern=pattern)
    raise BadUseError(
        f"minitok: error: {name_or_file!r} is neither an encoding ({', '.join(list_encoding_names())}) nor a file"
    )


def _inputs(files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each file, or of standard input; with a bar over several, on a terminal."""
    names = files or [_STANDARD_INPUT]
    with progress_bar(sys.stderr.isatty() and len(names) > 1, total=len(names), unit=" files") as bar:
        for name in names:
            yield name, sys.stdin.buffer.read() if name == _STANDARD_INPUT else Path(name).read_bytes()
            if bar is not None:
                bar.update()


def _output(path: Path | None) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if path is None else open_atomically(path)


def _print(text: str, path: Path | None = None) -> None:
    with _output(path) as out:
        out.write(text.encode("utf-8", "backslashreplace") + b"\n")


# -- Commands ----------------------------------------------------------------------------------------------------


def train_command(arguments: argparse.Namespace) -> None:
    """Train a vocabulary and write it to a file."""
    source = _corpus(arguments.files)
    _check_train_options(arguments)
    chosen = {} if arguments.pattern is None else {"pattern": arguments.pattern}
    encoding = train(
        source,
        vocab_size=arguments.vocab_size,
        special_tokens=arguments.special,
        min_frequency=arguments.min_frequency,
        max_token_length=arguments.max_token_length,
        initial=None if arguments.initial is None else _encoding(arguments.initial),
        errors=arguments.errors,
        name=arguments.name,
        **chosen,
    )
    encoding.save(arguments.output, format=arguments.format)
    training = encoding.vocabulary.metadata["training"]
    figures = {
        "output": str(arguments.output),
        "ids": encoding.n_vocab,
        "pieces": training["pieces"],
        "distinct_pieces": training["distinct_pieces"],
    }
    if arguments.json:
        _print(json.dumps(figures))
    else:
        _print(
            f"{arguments.output}: {encoding.n_vocab:,} ids, learnt from {training['pieces']:,} pieces "
            f"({training['distinct_pieces']:,} distinct)"
        )


def _corpus(files: Sequence[str]) -> list[Any]:
    source: list[Any] = []
    for name in files or [_STANDARD_INPUT]:
        source += [sys.stdin.buffer] if name == _STANDARD_INPUT else expand(name)
    return source


def _check_train_options(arguments: argparse.Namespace) -> None:
    """What would fail after all counting is done should fail before."""
    for option, least in (("vocab_size", 256), ("min_frequency", 1), ("max_token_length", 1)):
        value = getattr(arguments, option)
        if value is not None and value < least:
            name = option.replace("_", "-")
            raise BadUseError(f"minitok train: error: --{name} is {value}; expected {least} or more")
    if "" in arguments.special:
        raise BadUseError("minitok train: error: --special is empty")
    if not arguments.output.parent.is_dir():
        raise BadUseError(f"minitok train: error: there is no folder {str(arguments.output.parent)!r}")


def count_pieces_command(arguments: argparse.Namespace) -> None:
    """Count the pieces of files and write the counts to a file."""
    use = "minitok count-pieces: error:"
    if arguments.threads is not None and arguments.threads < 1:
        raise BadUseError(f"{use} --threads is {arguments.threads}; expected 1 or more")
    if arguments.memory_limit is not None and arguments.memory_limit < LEAST_MEMORY:
        raise BadUseError(f"{use} --memory-limit is {arguments.memory_limit} bytes; expected at least 32MiB")
    if "" in arguments.special:
        raise BadUseError(f"{use} --special is empty")
    if not arguments.output.parent.is_dir():
        raise BadUseError(f"{use} there is no folder {str(arguments.output.parent)!r}")
    source: Any = _weighted_files(use, arguments) if arguments.weight else _corpus(arguments.files)
    chosen = {} if arguments.pattern is None else {"pattern": arguments.pattern}
    counts = count_pieces(
        source,
        special_tokens=arguments.special,
        errors=arguments.errors,
        field=arguments.field,
        num_threads=arguments.threads,
        memory_limit=arguments.memory_limit,
        **chosen,
    )
    _save_counts(counts, arguments)


def _weighted_files(use: str, arguments: argparse.Namespace) -> dict[str, Any]:
    weights: dict[str, Any] = dict.fromkeys(arguments.files, 1)
    if _STANDARD_INPUT in weights:
        raise BadUseError(f"{use} standard input cannot be counted beside files with weights; give a file")
    for name, weight in arguments.weight:
        if name in weights:
            raise BadUseError(f"{use} {name!r} is given twice; give it one weight")
        weights[name] = weight
    return weights


def merge_counts_command(arguments: argparse.Namespace) -> None:
    """Add counts from files and write the sums to a file."""
    _save_counts(PieceCounts.merge(map(PieceCounts.load, arguments.files)), arguments)


def _save_counts(counts: PieceCounts, arguments: argparse.Namespace) -> None:
    counts.save(arguments.output)
    figures = {
        "output": str(arguments.output),
        "pieces": counts.total,
        "distinct_pieces": len(counts),
        "scale": counts.scale,
    }
    if arguments.json:
        _print(json.dumps(figures))
    else:
        unit = "" if counts.scale == 1 else f", in units of 1/{counts.scale}"
        _print(f"{arguments.output}: {counts.total:,} pieces ({len(counts):,} distinct){unit}")


def encode_command(arguments: argparse.Namespace) -> None:
    """Print the ids of each file in one line, or write all into a file of ids."""
    if arguments.to is not None:
        _encode_to_file(arguments)
        return
    for option in _FILE_OPTIONS:
        if getattr(arguments, option) is not None:
            raise BadUseError(f"minitok encode: error: --{option} is for --to, which writes a file of ids")
    encoding = _encoding(arguments.encoding, arguments.pattern)
    unknown = set(arguments.allow_special) - encoding.special_tokens_set - {"all"}
    if unknown:
        raise BadUseError(f"minitok encode: error: {encoding.name} has no special token {min(unknown)!r}")
    allowed: Any = "all" if "all" in arguments.allow_special else set(arguments.allow_special)
    with _output(arguments.output) as out:
        for _, data in _inputs(arguments.files):
            ids = encoding.encode(data, allowed_special=allowed, disallowed_special=())
            out.write((json.dumps(ids) if arguments.json else " ".join(map(str, ids))).encode("ascii") + b"\n")


def _encode_to_file(arguments: argparse.Namespace) -> None:
    """Write the ids of all files into one file, with an index of the documents."""
    if arguments.output is not None:
        raise BadUseError("minitok encode: error: give -o or --to, not both")
    if arguments.allow_special:
        raise BadUseError("minitok encode: error: --allow-special is not for --to: documents have no special tokens")
    encoding = _encoding(arguments.encoding, arguments.pattern)
    chosen = {option: getattr(arguments, option) for option in _FILE_OPTIONS}
    # An empty separator or token is none at all.
    options: dict[str, Any] = {option: value or None for option, value in chosen.items() if value is not None}
    source = [sys.stdin.buffer if name == _STANDARD_INPUT else name for name in arguments.files or [_STANDARD_INPUT]]
    written = encoding.encode_file(source, arguments.to, **options)
    if arguments.json:
        figures = {
            "output": str(written.path),
            "offsets": str(written.offsets_path),
            "documents": written.documents,
            "ids": written.tokens,
            "bytes": written.bytes_read,
            "dtype": written.dtype,
        }
        _print(json.dumps(figures))
    else:
        _print(
            f"{written.path}: {written.tokens:,} ids ({written.dtype}) of {written.documents:,} documents, "
            f"{written.bytes_read:,} bytes; offsets in {written.offsets_path}"
        )


def decode_command(arguments: argparse.Namespace) -> None:
    """Print the bytes that ids stand for."""
    encoding = _encoding(arguments.encoding, arguments.pattern)
    with _output(arguments.output) as out:
        for name, data in _inputs(arguments.files):
            out.write(encoding.decode_bytes(_parse_ids(name, data)))


def _parse_ids(name: str, data: bytes) -> list[int]:
    ids = []
    for number in re.split(rb"[\s,\[\]]+", data.strip(b" \t\r\n\f\v,[]")):
        if number and not number.isdigit():
            raise ValueError(f"{name}: {number[:40]!r} is not an id; expected numbers")
        if number:
            ids.append(int(number[:20]))
    return ids


def count_command(arguments: argparse.Namespace) -> None:
    """Print how many tokens each file has."""
    encoding = _encoding(arguments.encoding, arguments.pattern)
    counts = [(name, encoding.count(data)) for name, data in _inputs(arguments.files)]
    total = sum(count for _, count in counts)
    if arguments.json:
        files = [{"file": name, "tokens": count} for name, count in counts]
        _print(json.dumps({"encoding": encoding.name, "files": files, "total": total}), arguments.output)
        return
    rows = [(count, "" if name == _STANDARD_INPUT else f" {name}") for name, count in counts]
    if len(rows) > 1:
        rows.append((total, " total"))
    _print("\n".join(f"{count}{name}" for count, name in rows), arguments.output)


def convert_command(arguments: argparse.Namespace) -> None:
    """Write a vocabulary file in another format."""
    special: dict[str, int] = {}
    for option in arguments.special:
        token, _, number = option.rpartition("=")
        if not token or not number.isdecimal():
            raise BadUseError(f"minitok convert: error: --special {option!r} is not TOKEN=ID")
        special[token] = int(number)
    if not Path(arguments.input).exists():
        raise BadUseError(f"minitok convert: error: there is no {arguments.input!r}")
    vocabulary = convert(
        arguments.input, arguments.target, to=arguments.to, pattern=arguments.pattern, special_tokens=special or None
    )
    figures = {"output": str(arguments.target), "ids": vocabulary.n_vocab, "tokens": len(vocabulary.tokens)}
    if arguments.json:
        _print(json.dumps(figures))
    else:
        _print(f"{arguments.target}: {vocabulary.n_vocab:,} ids, the same as in {arguments.input}")


def info_command(arguments: argparse.Namespace) -> None:
    """Print what an encoding is."""
    encoding = _encoding(arguments.encoding, arguments.pattern)
    vocabulary = encoding.vocabulary
    lengths = [len(token) for token in vocabulary.tokens]
    facts = {
        "name": encoding.name,
        "ids": encoding.n_vocab,
        "tokens": len(vocabulary.tokens),
        "special_tokens": dict(vocabulary.special_tokens),
        "pattern": vocabulary.pattern_name or vocabulary.pattern,
        "whole_piece": vocabulary.whole_piece,
        "merges": None if vocabulary.merges is None else len(vocabulary.merges),
        "mean_token_bytes": round(sum(lengths) / len(lengths), 2),
        "longest_token_bytes": max(lengths),
        "metadata": dict(vocabulary.metadata),
        "minitok": __version__,
        "backend": _backend.BACKEND,
    }
    if arguments.json:
        _print(json.dumps(facts), arguments.output)
    else:
        _print(
            "\n".join(f"{key.replace('_', ' ')}: {_fact(value)}" for key, value in facts.items()), arguments.output
        )


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_fact(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(_fact, value))
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def demo_command(arguments: argparse.Namespace) -> None:
    """Train on the standard library, encode a file, show it."""
    corpus = demo.standard_library() if arguments.corpus is None else expand(arguments.corpus)
    figures, tokens = demo.run(corpus)
    if arguments.json:
        _print(json.dumps(figures))
        return
    _print(
        f"Trained {figures['vocab_size']:,} tokens on {figures['files']:,} files "
        f"({figures['corpus_bytes'] / 1e6:.1f} MB) in {figures['train_seconds']:.1f} s "
        f"({figures['backend']} backend).\n"
        f"Saved them ({figures['vocabulary_file_bytes'] / 1e3:.0f} kB) and loaded them again.\n"
        f"Encoded {figures['sample']}: {figures['sample_bytes']:,} bytes, {figures['sample_tokens']:,} tokens, "
        f"{figures['bytes_per_token']:.2f} bytes a token, {figures['encode_megabytes_per_second']:.1f} MB/s.\n"
        "Decoded them: the same bytes.\n\nIts first tokens:\n\n"
        + coloured(tokens, colour=wants_colour(arguments.color))
    )
