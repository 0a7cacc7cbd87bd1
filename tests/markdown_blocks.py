"""The fenced blocks of a Markdown page, and how each is run.

    python      statements; with prompts (>>>) also what they print
    sh          commands, for bash
    console     commands behind `$ `, and what they print

What a page prints may have "..." in it. A comment in the line before a block says what is special about it:

    <!-- not run: the reason -->        the block is left out
    <!-- data -->                       the block needs the folder of MINITOK_TEST_DATA

Anything else that can be run is run: in the order of the page, in one folder, with one namespace.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Languages of what is only looked at.
SHOWN = {"text", "json", "toml", "yaml", "{toctree}", "{eval-rst}", "{include}"}
RUN = {"python", "sh", "console"}

_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+) -->")
_MARKER = re.compile(r"<!-- (?:test|demo) command -->")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    language: str
    text: str
    comment: str

    @property
    def not_run(self) -> str | None:
        """Why the block is left out, or None."""
        if _MARKER.fullmatch(self.comment):
            return "run by .ci/run as it stands"
        match = _NOT_RUN.fullmatch(self.comment)
        return match["reason"] if match else None

    @property
    def needs_data(self) -> bool:
        """Whether the block needs published files."""
        return self.comment == "<!-- data -->"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    comment, opened = "", None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if opened is not None:
            if line == "```":
                found.append(Block(page, opened[0], opened[1], "\n".join([*lines, ""]), comment))
                opened, comment = None, ""
            else:
                lines.append(line)
        elif line.startswith("```"):
            opened, lines = (number, line.removeprefix("```").split(" ")[0]), []
        elif line.strip():
            comment = line.strip()
    if opened is not None:
        raise ValueError(f"{page}, line {opened[0]}: the block does not end")
    return found


def run_block(block: Block, folder: Path, namespace: dict[str, Any]) -> None:
    """Run a block in `folder`, the current one; AssertionError if it does not print what the page says."""
    where = f"{block.page.name}, line {block.line}"
    if block.language == "python" and ">>> " in block.text:
        _run_prompts(block, namespace, where)
    elif block.language == "python":
        exec(compile(block.text, where, "exec"), namespace)
    elif block.language == "sh":
        _bash(block.text, folder, where)
    else:
        for command, expected in _commands(block.text, where):
            _compare(command, expected, _bash(command, folder, where), where)


def _run_prompts(block: Block, namespace: dict[str, Any], where: str) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, {}, where, str(block.page), block.line)
    test.globs = namespace  # what it defines stays for the blocks behind it
    said: list[str] = []
    # (Else it is as verbose as pytest is told to be, and says something of each.)
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=said.append, clear_globs=False)
    assert not said, "".join(said)


def _bash(commands: str, folder: Path, where: str) -> str:
    program = f'set -euo pipefail\nminitok() {{ "{sys.executable}" -W error -m minitok "$@"; }}\n'
    program += f'python() {{ "{sys.executable}" "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-c", program + commands],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (where, commands, done.stdout, done.stderr)
    return done.stdout


def _commands(text: str, where: str) -> list[tuple[str, str]]:
    assert text.startswith("$ "), f"{where}: a console block begins with '$ '"
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(command, expected) for command, _, expected in (part.partition("\n") for part in parts)]


def _compare(command: str, expected: str, printed: str, where: str) -> None:
    checker = doctest.OutputChecker()
    assert checker.check_output(expected, printed, doctest.ELLIPSIS), (where, command, expected, printed)
