"""What each command of the command line does with its arguments; those of training are in `training_commands`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import Any

from minitok import _backend, demo
from minitok._version import __version__
from minitok.colours import coloured, wants_colour
from minitok.command_io import (
    STANDARD_INPUT,
    BadUseError,
    find_encoding,
    open_output,
    print_output,
    read_inputs,
)
from minitok.input_files import expand

__all__ = ["count_command", "decode_command", "demo_command", "encode_command", "info_command"]

#: Options of `encode` that are for files of ids alone.
_FILE_OPTIONS = ("dtype", "separator", "append", "field")


def encode_command(arguments: argparse.Namespace) -> None:
    """Print the ids of each file in one line, or write all into a file of ids."""
    if arguments.to is not None:
        _encode_to_file(arguments)
        return
    for option in _FILE_OPTIONS:
        if getattr(arguments, option) is not None:
            raise BadUseError(f"minitok encode: error: --{option} is for --to, which writes a file of ids")
    encoding = find_encoding(arguments.encoding, arguments.pattern)
    unknown = set(arguments.allow_special) - encoding.special_tokens_set - {"all"}
    if unknown:
        raise BadUseError(f"minitok encode: error: {encoding.name} has no special token {min(unknown)!r}")
    allowed: Any = "all" if "all" in arguments.allow_special else set(arguments.allow_special)
    with open_output(arguments.output) as out:
        for _, data in read_inputs(arguments.files):
            ids = encoding.encode(data, allowed_special=allowed, disallowed_special=())
            out.write((json.dumps(ids) if arguments.json else " ".join(map(str, ids))).encode("ascii") + b"\n")


def _encode_to_file(arguments: argparse.Namespace) -> None:
    """Write the ids of all files into one file, with an index of the documents."""
    if arguments.output is not None:
        raise BadUseError("minitok encode: error: give -o or --to, not both")
    if arguments.allow_special:
        raise BadUseError("minitok encode: error: --allow-special is not for --to: documents have no special tokens")
    encoding = find_encoding(arguments.encoding, arguments.pattern)
    chosen = {option: getattr(arguments, option) for option in _FILE_OPTIONS}
    # An empty separator or token is none at all.
    options: dict[str, Any] = {option: value or None for option, value in chosen.items() if value is not None}
    source = [sys.stdin.buffer if name == STANDARD_INPUT else name for name in arguments.files or [STANDARD_INPUT]]
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
        print_output(json.dumps(figures))
    else:
        print_output(
            f"{written.path}: {written.tokens:,} ids ({written.dtype}) of {written.documents:,} documents, "
            f"{written.bytes_read:,} bytes; offsets in {written.offsets_path}"
        )


def decode_command(arguments: argparse.Namespace) -> None:
    """Print the bytes that ids stand for."""
    encoding = find_encoding(arguments.encoding, arguments.pattern)
    with open_output(arguments.output) as out:
        for name, data in read_inputs(arguments.files):
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
    encoding = find_encoding(arguments.encoding, arguments.pattern)
    counts = [(name, encoding.count(data)) for name, data in read_inputs(arguments.files)]
    total = sum(count for _, count in counts)
    if arguments.json:
        files = [{"file": name, "tokens": count} for name, count in counts]
        print_output(json.dumps({"encoding": encoding.name, "files": files, "total": total}), arguments.output)
        return
    rows = [(count, "" if name == STANDARD_INPUT else f" {name}") for name, count in counts]
    if len(rows) > 1:
        rows.append((total, " total"))
    print_output("\n".join(f"{count}{name}" for count, name in rows), arguments.output)


def info_command(arguments: argparse.Namespace) -> None:
    """Print what an encoding is."""
    encoding = find_encoding(arguments.encoding, arguments.pattern)
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
        print_output(json.dumps(facts), arguments.output)
    else:
        print_output(
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
        print_output(json.dumps(figures))
        return
    print_output(
        f"Trained {figures['vocab_size']:,} tokens on {figures['files']:,} files "
        f"({figures['corpus_bytes'] / 1e6:.1f} MB) in {figures['train_seconds']:.1f} s "
        f"({figures['backend']} backend).\n"
        f"Saved them ({figures['vocabulary_file_bytes'] / 1e3:.0f} kB) and loaded them again.\n"
        f"Encoded {figures['sample']}: {figures['sample_bytes']:,} bytes, {figures['sample_tokens']:,} tokens, "
        f"{figures['bytes_per_token']:.2f} bytes a token, {figures['encode_megabytes_per_second']:.1f} MB/s.\n"
        "Decoded them: the same bytes.\n\nIts first tokens:\n\n"
        + coloured(tokens, colour=wants_colour(arguments.color))
    )
