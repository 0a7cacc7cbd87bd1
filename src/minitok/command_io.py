"""What the commands of the command line have in common: their inputs, their output, and bad use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from minitok.encoding import Encoding
from minitok.files import open_atomically
from minitok.progress import progress_bar
from minitok.registry import get_encoding, list_encoding_names, load

__all__ = [
    "STANDARD_INPUT",
    "BadUseError",
    "add_allow_special",
    "add_encodings",
    "find_encoding",
    "open_output",
    "print_output",
    "read_inputs",
]

#: The name of standard input among files.
STANDARD_INPUT = "-"


class BadUseError(Exception):
    """What was asked for cannot be done: exit status 2."""


def add_encodings(parser: argparse.ArgumentParser) -> None:
    """Arguments that say which encodings, one or several."""
    parser.add_argument(
        "-e",
        "--encoding",
        action="append",
        metavar="NAME_OR_FILE",
        help="an encoding's name or a vocabulary file; repeatable (default: minitok_32k)",
    )
    parser.add_argument("--pattern", help="for tiktoken rank files, which hold none: a name or an expression")


def add_allow_special(parser: argparse.ArgumentParser) -> None:
    """The argument that allows special tokens."""
    parser.add_argument(
        "--allow-special",
        action="append",
        default=[],
        metavar="TOKEN",
        help="a special token that becomes its id; 'all' for all; repeatable",
    )


def find_encoding(name_or_file: str, pattern: str | None = None) -> Encoding:
    """The encoding of a name or of a vocabulary file."""
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


def read_inputs(files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each file, or of standard input; with a bar over several, on a terminal."""
    names = files or [STANDARD_INPUT]
    with progress_bar(sys.stderr.isatty() and len(names) > 1, total=len(names), unit=" files") as bar:
        for name in names:
            yield name, sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
            if bar is not None:
                bar.update()


def open_output(path: Path | None) -> AbstractContextManager[IO[bytes]]:
    """A file that appears when it is whole, or standard output."""
    return nullcontext(sys.stdout.buffer) if path is None else open_atomically(path)


def print_output(text: str, path: Path | None = None) -> None:
    """Write a text and a newline."""
    with open_output(path) as out:
        out.write(text.encode("utf-8", "backslashreplace") + b"\n")
