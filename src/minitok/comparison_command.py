"""The command that compares vocabularies: its arguments, and what it does with them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from minitok.command_io import STANDARD_INPUT, StandardInput, add_encodings, print_output
from minitok.comparison import ComparedFile, Comparison, compare
from minitok.comparison_plot import draw_comparison
from minitok.pictures import check_picture

__all__ = ["COMPARISON_COMMANDS"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="UTF-8 text, JSON Lines (.jsonl, .ndjson), .gz, .zst; globs; '-': standard input",
    )
    add_encodings(parser)
    parser.add_argument(
        "--errors",
        choices=("strict", "replace"),
        default="strict",
        help="what to do with bytes that are not UTF-8 (default: strict, which is an error)",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures there: .png, .svg or .pdf")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of standard output")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _run(arguments: argparse.Namespace) -> None:
    if arguments.plot is not None:
        check_picture(arguments.plot, "the plot", "leave --plot out")
    with ExitStack() as opened:
        files: list[Any] = [
            opened.enter_context(closing(StandardInput())) if file == STANDARD_INPUT else file
            for file in arguments.files
        ]
        found = compare(
            files,
            arguments.encoding or ["minitok_32k"],
            pattern=arguments.pattern,
            errors=arguments.errors,
        )
    if arguments.plot is not None:
        draw_comparison(found, arguments.plot)
    print_output(json.dumps(found.as_dict()) if arguments.json else _tables(found), arguments.output)


def _tables(comparison: Comparison) -> str:
    encodings = comparison.encodings
    files = [["file", "encoding", "bytes", "words", "tokens", "bytes/token", "words/token", "seconds"]]
    scripts = [["script", "encoding", "bytes", "tokens", "bytes/token"]]
    use = [["encoding", "ids", "multi-byte", "unused", "unused share"]]
    columns = [(*one.files, one.total) if len(one.files) > 1 else one.files for one in encodings]
    for same_file in zip(*columns, strict=True):
        files += [_file_row(file, one.encoding) for file, one in zip(same_file, encodings, strict=True)]
    # The scripts of the first encoding in its order; then what others find besides.
    names = dict.fromkeys(script.script for one in encodings for script in one.total.scripts)
    for name in names:
        for one in encodings:
            for script in one.total.scripts:
                if script.script == name:
                    figures = [f"{script.bytes:,}", f"{script.tokens:,}", f"{script.bytes_per_token:.3f}"]
                    scripts.append([name, one.encoding, *figures])
    for one in encodings:
        share = f"{one.unused_share:.1%}"
        use.append([one.encoding, f"{one.ids:,}", f"{one.multi_byte_share:.1%}", f"{len(one.unused):,}", share])
    return "\n\n".join([_table(files, 2), _table(scripts, 2), _table(use, 1)])


def _file_row(file: ComparedFile, encoding: str) -> list[str]:
    counts = [f"{count:,}" for count in (file.bytes, file.words, file.tokens)]
    ratios = [f"{file.bytes_per_token:.3f}", f"{file.words_per_token:.3f}"]
    return [file.file, encoding, *counts, *ratios, f"{file.seconds:.3f}"]


def _table(rows: Sequence[Sequence[str]], names: int) -> str:
    """Columns under each other; the first ones, which are names, are set to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < names else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


#: Name, description, what adds arguments, what runs.
COMPARISON_COMMANDS = [
    (
        "compare",
        "Compare vocabularies on files: tokens, bytes and words for each token, scripts, use, time.",
        _add_arguments,
        _run,
    )
]
