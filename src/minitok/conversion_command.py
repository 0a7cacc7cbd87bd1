"""The command that converts vocabulary files: its arguments, and what it does with them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from minitok.command_io import BadUseError, print_output
from minitok.conversion import convert
from minitok.formats import FORMATS

__all__ = ["CONVERSION_COMMANDS"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a vocabulary file of any format, or a model's folder")
    parser.add_argument("target", type=Path, metavar="OUT", help="the file to write; for vocab-merges, a folder")
    parser.add_argument(
        "--to",
        choices=FORMATS,
        help="the format; default: what the name says (tokenizer.json, tekken.json, .minitok.json, .tiktoken, .model "
        "or .gguf)",
    )
    parser.add_argument("--pattern", help="for a tiktoken rank file, which holds none: a name or an expression")
    parser.add_argument(
        "--special",
        action="append",
        default=[],
        metavar="TOKEN=ID",
        help="a special token of a rank file, which holds none; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _run(arguments: argparse.Namespace) -> None:
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
        print_output(json.dumps(figures))
    else:
        print_output(f"{arguments.target}: {vocabulary.n_vocab:,} ids, the same as in {arguments.input}")


#: Name, description, what adds arguments, what runs.
CONVERSION_COMMANDS = [
    ("convert", "Write a vocabulary file in another format, if the ids stay the same.", _add_arguments, _run)
]
