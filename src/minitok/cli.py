"""The command line: train, count, encode, decode, convert, view and more.

Exit status: 0 if all went well, 1 for bad data, 2 for bad use, 130 after Ctrl-C. An error is one line on standard
error.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from minitok import _backend
from minitok._version import __version__
from minitok.command_io import BadUseError, add_allow_special
from minitok.commands import count_command, decode_command, demo_command, encode_command, info_command
from minitok.comparison_command import COMPARISON_COMMANDS
from minitok.conversion_command import CONVERSION_COMMANDS
from minitok.dataset_commands import DATASET_COMMANDS
from minitok.training_commands import TRAINING_COMMANDS
from minitok.view_command import VIEW_COMMANDS

__all__ = ["main"]

DEFAULT_ENCODING = "minitok_32k"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadUseError(f"{self.prog}: error: {message} (see '{self.prog} --help')")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments; default: those of the process.

    Returns:
        The exit status.
    """
    try:
        warnings.showwarning = _show_warning
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except BadUseError as error:
        return _fail(str(error), 2)
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _fail(f"minitok: error: {_described(error)}", 2)
    except (ValueError, KeyError, OverflowError) as error:
        return _fail(f"minitok: error: {_described(error)}", 1)
    return 0


def _fail(message: str, status: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return status


def _described(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error.args[0]) if error.args else type(error).__name__


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"minitok: warning: {message}", file=sys.stderr)


# -- Arguments ---------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="minitok", description="Train byte-level BPE vocabularies; encode and decode with them.")
    version = f"minitok {__version__} ({_backend.BACKEND} backend)"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    groups = (*TRAINING_COMMANDS, *DATASET_COMMANDS, *CONVERSION_COMMANDS, *VIEW_COMMANDS, *COMPARISON_COMMANDS)
    for name, what, add_arguments, run in groups:
        add_arguments(_command(commands, name, run, what))
    for add in (_add_encode, _add_decode, _add_count, _add_info, _add_demo):
        add(commands)
    return parser


def _command(commands: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
    parser.set_defaults(run=run, command=name)
    return parser


def _add_files(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"{what}; '-' or none: standard input")


def _add_encoding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-e",
        "--encoding",
        default=DEFAULT_ENCODING,
        metavar="NAME_OR_FILE",
        help=f"an encoding's name or a vocabulary file (default: {DEFAULT_ENCODING})",
    )
    parser.add_argument("--pattern", help="for a tiktoken rank file, which holds none: a name or an expression")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of standard output")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_encode(commands: Any) -> None:
    parser = _command(
        commands,
        "encode",
        encode_command,
        "Print the ids of each file in one line. Text that spells a special token is ordinary unless it is allowed. "
        "With --to, write the ids of all files into one file of ids, with an index of the documents.",
    )
    _add_files(
        parser, "files of any bytes; with --to also globs, JSON Lines (.jsonl, .ndjson), .gz and .zst, Parquet, Arrow"
    )
    _add_encoding(parser)
    add_allow_special(parser)
    _add_output(parser)
    _add_json(parser)
    to_file = parser.add_argument_group("files of ids")
    to_file.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="write the ids there: ids.npy is a NumPy file, ids.bin the numbers alone; the index is ids.offsets.npy",
    )
    to_file.add_argument("--dtype", choices=("auto", "uint16", "uint32"), help="of the ids (default: auto)")
    to_file.add_argument(
        "--separator",
        metavar="TEXT",
        help="between documents in a text file; '' for none: a file is a document (default: <|endoftext|>)",
    )
    to_file.add_argument(
        "--append",
        metavar="TOKEN",
        help="the special token behind each document; '' for none (default: <|endoftext|>)",
    )
    to_file.add_argument(
        "--field", metavar="NAME", help="the files are JSON Lines with the text in this field (default: text)"
    )


def _add_decode(commands: Any) -> None:
    parser = _command(commands, "decode", decode_command, "Print the bytes that ids stand for.")
    _add_files(parser, "files of ids: numbers with white space or commas between them, or JSON lists")
    _add_encoding(parser)
    _add_output(parser)


def _add_count(commands: Any) -> None:
    parser = _command(commands, "count", count_command, "Print how many tokens each file has.")
    _add_files(parser, "files of any bytes")
    _add_encoding(parser)
    _add_output(parser)
    _add_json(parser)


def _add_info(commands: Any) -> None:
    parser = _command(commands, "info", info_command, "Print what an encoding is.")
    _add_encoding(parser)
    _add_output(parser)
    _add_json(parser)


def _add_demo(commands: Any) -> None:
    parser = _command(
        commands,
        "demo",
        demo_command,
        "Train a vocabulary of 4,096 tokens on the running Python's standard library, and encode a file with it.",
    )
    parser.add_argument("--corpus", metavar="GLOB", help="train on these files instead")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")
    _add_json(parser)
