"""The command that shows tokens: its arguments, and what it does with them."""

from __future__ import annotations

import argparse
from pathlib import Path

from minitok.colours import wants_colour
from minitok.command_io import (
    BadUseError,
    add_allow_special,
    add_encodings,
    print_output,
    read_inputs,
)
from minitok.registry import find_encoding
from minitok.viewer import View

__all__ = ["VIEW_COMMANDS"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a file of any bytes; '-' or none: standard input")
    add_encodings(parser)
    add_allow_special(parser)
    parser.add_argument(
        "--html", type=Path, metavar="OUT", help="write a page that shows the tokens and loads nothing"
    )
    parser.add_argument("--serve", action="store_true", help="show tokens as one types, on this machine alone")
    parser.add_argument("--port", type=int, default=8642, help="for --serve; 0: any that is free (default: 8642)")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")


def _run(arguments: argparse.Namespace) -> None:
    if arguments.serve and arguments.html is not None:
        raise BadUseError("minitok view: error: give --html or --serve, not both")
    if not 0 <= arguments.port <= 65535:
        raise BadUseError(f"minitok view: error: --port {arguments.port} is not a port")
    names = arguments.encoding or ["minitok_32k"]
    encodings = [find_encoding(name, pattern=arguments.pattern) for name in names]
    specials = frozenset().union(*(encoding.special_tokens_set for encoding in encodings))
    unknown = set(arguments.allow_special) - specials - {"all"}
    if unknown:
        raise BadUseError(f"minitok view: error: no encoding has the special token {min(unknown)!r}")
    allowed = specials if "all" in arguments.allow_special else frozenset(arguments.allow_special)
    if arguments.serve:
        from minitok.viewer.server import ViewServer  # the other commands need no server

        data = b"" if arguments.file is None else next(read_inputs([arguments.file]))[1]
        with ViewServer(encodings, arguments.port, data, allowed) as server:
            print_output(f"minitok shows tokens at {server.url} until Ctrl-C")
            server.serve_forever()
        return
    name, data = next(read_inputs([] if arguments.file is None else [arguments.file]))
    view = View(data, encodings, allowed_special=allowed, title=Path(name).name)
    if arguments.html is None:
        print_output(view.terminal(colour=wants_colour(arguments.color)))
    else:
        view.save(arguments.html)
        print_output(f"{arguments.html}: {view!r}")


#: Name, description, what adds arguments, what runs.
VIEW_COMMANDS = [
    ("view", "Show the tokens of a text: in the terminal, as a page, or as one types.", _add_arguments, _run)
]
