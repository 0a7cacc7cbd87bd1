"""What the commands of the command line have in common: their inputs, their output, and bad use."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from minitok import registry
from minitok.encoding import Encoding
from minitok.files import open_atomically
from minitok.progress import progress_bar
from minitok.registry import list_encoding_names

__all__ = [
    "STANDARD_INPUT",
    "BadUseError",
    "StandardInput",
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
    """The encoding of a name or of a vocabulary file, for a command that has one."""
    if pattern is not None and name_or_file in list_encoding_names():
        raise BadUseError(f"minitok: error: the encoding {name_or_file} has a pattern; --pattern is for rank files")
    return registry.find_encoding(name_or_file, pattern=pattern)


class StandardInput:
    """Standard input as a file that can be read again; it goes to disk until this is closed."""

    name = STANDARD_INPUT

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 (closed with this)
        shutil.copyfileobj(sys.stdin.buffer, self._file, 1 << 20)

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._file.read(size)

    def seek(self, place: int) -> int:
        """Go to a place."""
        return self._file.seek(place)

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Forget it."""
        self._file.close()


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
