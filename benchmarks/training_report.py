"""The part of the report that is about training: measures minitok and the other trainers, gives tables and a plot.

Each training is a fresh process; in a round every trainer has its turn; medians count. Every result is compared with
minitok's of the same round. A trainer that takes longer than LIMIT is stopped, and one whose first run takes longer
than LONG has no second.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.cells import OURS
from benchmarks.drawing import pyplot, write_svg
from benchmarks.environments import ROOT, YOUTOKENTOME, Environment, interpreter, version
from benchmarks.trainers import TRAINERS
from benchmarks.training_cells import BEST_PEER, CELLS, PROMISES, Cell, Promise
from benchmarks.training_texts import training_file

__all__ = ["KIND", "PLOT_NAME", "plot", "run", "section", "versions"]

#: For `--only`.
KIND = "training"
PLOT_NAME = "training.svg"
ROUNDS = 3
#: Seconds.
LIMIT = 300.0
LONG = 60.0
PEERS = tuple(name for name in TRAINERS if name != OURS)
_ENVIRONMENTS: dict[str, Environment] = {"youtokentome": YOUTOKENTOME}

#: cell, library -> figure -> what was measured, a round each: "s", "MB"; how many tokens of "of" are the "same" as
#: minitok's, and "differs" (0 or 1); or else "stopped" after so many seconds.
Samples = dict[str, dict[str, dict[str, list[float]]]]


def run(rounds: int, samples: Samples, end_round: Callable[[], None]) -> None:
    """Measure all cells; what there was is forgotten."""
    samples.clear()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(min(rounds, ROUNDS)):
            vocabularies: dict[str, list[str]] = {}
            for cell in CELLS:
                _run_cell(cell, number, samples.setdefault(cell.name, {}), vocabularies, Path(folder))
                print(f"{number + 1}/{min(rounds, ROUNDS)} {KIND} {cell.name}", file=sys.stderr)
            end_round()


def _run_cell(
    cell: Cell,
    number: int,
    samples: dict[str, dict[str, list[float]]],
    vocabularies: dict[str, list[str]],
    folder: Path,
) -> None:
    for library in (OURS, *PEERS) if cell.peers else (OURS,):
        before = samples.get(library, {})
        if number and (not before or "stopped" in before or (library != OURS and before["s"][0] > LONG)):
            continue
        figures, tokens = _measure(cell, library, folder)
        if library == OURS:
            vocabularies[cell.name] = tokens
            if tokens and cell.same_as and tokens != (vocabularies[cell.same_as] or tokens):
                raise SystemExit(f"{cell.name}: another vocabulary than {cell.same_as}; that is an error")
        elif tokens:
            ours = vocabularies[cell.name]
            figures |= {"same": len(set(tokens) & set(ours)), "of": len(ours), "differs": float(tokens != ours)}
        for figure, value in figures.items():
            samples.setdefault(library, {}).setdefault(figure, []).append(value)


def _measure(cell: Cell, library: str, folder: Path) -> tuple[dict[str, float], list[str]]:
    """The figures and the tokens of one training; no figures if the library cannot be had, or fails."""
    file = training_file(cell.text, cell.megabytes, folder)
    tokens = folder / "tokens"
    tokens.unlink(missing_ok=True)
    threads = 1 if cell.one_thread else os.cpu_count()
    asked: dict[str, Any] = {
        "library": library,
        "path": str(file),
        "size": cell.size,
        "threads": threads,
        "tokens": str(tokens),
        "options": dict(cell.options) if library == OURS else {},
    }
    python = _python(library)
    if python is None:
        return {}, []
    command = [python, "-m", "benchmarks.train_worker", json.dumps(asked)]
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"stopped": LIMIT}, []
    if done.returncode != 0:
        print(f"{library}, {cell.name} failed:\n{done.stderr}", file=sys.stderr)
        if library == OURS:
            raise SystemExit(1)
        return {}, []
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures, tokens.read_text().split("\n")


@cache
def _python(library: str) -> str | None:
    """The Python that has a library; None if the library cannot be installed."""
    try:
        return interpreter(_ENVIRONMENTS.get(library))
    except subprocess.CalledProcessError:
        return None


def versions() -> str:
    """The versions of all peers."""
    found = []
    for library in PEERS:
        try:
            found.append(f"{library} {version(library, _ENVIRONMENTS.get(library))}")
        except subprocess.CalledProcessError:
            found.append(f"{library} (cannot be installed here)")
    return ", ".join(found)


# -- The page ----------------------------------------------------------------------------------------------------


def median(samples: Samples, cell: str, library: str, figure: str) -> float | None:
    """The median of a figure."""
    values = samples.get(cell, {}).get(library, {}).get(figure)
    return statistics.median(values) if values else None


def reference(samples: Samples, promise: Promise) -> float | None:
    """What a promise is relative to; where all peers were stopped, the time after which they were."""
    if promise.beside is None:
        return 1.0
    if promise.beside != BEST_PEER:
        return median(samples, promise.beside, OURS, promise.figure)
    alike = [library for library in PEERS if TRAINERS[library].same_split]
    for figure in (promise.figure, "stopped"):
        found = [median(samples, promise.cell, library, figure) for library in alike]
        if any(found):
            return min(value for value in found if value)
    return None


def section(samples: Samples, facts: dict[str, str]) -> list[str]:
    """The lines of the page."""
    shown_cells = [cell for cell in CELLS if cell.name in samples]
    beside_peers = [cell.name for cell in shown_cells if cell.peers]
    rounds = max(len(values) for cell in shown_cells for values in samples[cell.name][OURS].values())
    return [
        "## Training",
        "",
        *(f"- {key}: {value}" for key, value in facts.items()),
        "",
        f"![Training beside peers]({PLOT_NAME})",
        "",
        "From a file to a vocabulary of so many tokens, on all processors unless said otherwise, with GPT-2's split",
        "pattern: gigatoken has no other, and all but the last two take it. sentencepiece and youtokentome take no",
        "pattern and learn characters, not bytes: theirs is another task, and they do not count as the best peer.",
        f"Medians of {rounds} runs; ¹: a single run, because it took longer than {LONG:g} s. What took longer than",
        f"{LIMIT:g} s was stopped.",
        "",
        "### Time (s)",
        "",
        *_libraries_table(samples, beside_peers, _time),
        "",
        "### Peak memory (MB)",
        "",
        *_libraries_table(samples, beside_peers, _memory),
        "",
        "### Learnt tokens that are minitok's too",
        "",
        "`equal`: all, in the same order. Others break ties between equally frequent pairs by another rule.",
        "",
        *_libraries_table(samples, beside_peers, _sameness),
        "",
        "### minitok alone",
        "",
        "The corpora written again and again, each time with other words in the place of some, so that the number",
        "of distinct pieces grows as in real text (`benchmarks/large_corpus.py`), to 128,000 tokens; and one line",
        "without spaces, to 4,096.",
        "",
        "|  | s | MB |",
        "|---|---|---|",
        *(
            f"| {cell.name} | {_time(samples, cell.name, OURS)} | {_memory(samples, cell.name, OURS)} |"
            for cell in shown_cells
            if not cell.peers
        ),
        "",
        "### Promised",
        "",
        "|  | measured | promised |  |",
        "|---|---|---|---|",
        *(row for promise in PROMISES if (row := _promise_row(samples, promise))),
    ]


def _libraries_table(samples: Samples, cells: list[str], content: Callable[[Samples, str, str], str]) -> list[str]:
    libraries = [name for name in TRAINERS if any(samples[cell].get(name) for cell in cells)]
    rows = [["", *libraries], *([cell, *(content(samples, cell, name) for name in libraries)] for cell in cells)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def _number(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _time(samples: Samples, cell: str, library: str) -> str:
    found = samples[cell].get(library, {})
    if "stopped" in found:
        return f"> {found['stopped'][0]:g}"
    text = _number(median(samples, cell, library, "s"))
    if library == OURS:
        return f"**{text}**"
    return text + ("¹" if len(found.get("s", [])) == 1 and found["s"][0] > LONG else "")


def _memory(samples: Samples, cell: str, library: str) -> str:
    text = _number(median(samples, cell, library, "MB"))
    return f"**{text}**" if library == OURS else text


def _sameness(samples: Samples, cell: str, library: str) -> str:
    same, of = (median(samples, cell, library, figure) for figure in ("same", "of"))
    if library == OURS or same is None or of is None:
        return ""
    return f"{same:,.0f} of {of:,.0f}" if median(samples, cell, library, "differs") else "equal"


def _promise_row(samples: Samples, promise: Promise) -> str:
    stopped = median(samples, promise.cell, OURS, "stopped")
    ours, beside = stopped or median(samples, promise.cell, OURS, promise.figure), reference(samples, promise)
    if ours is None or beside is None:
        return ""
    unit = f"× {promise.beside}" if promise.beside else promise.figure
    what = f"{promise.cell}, {'peak memory' if promise.figure == 'MB' else 'time'}"
    measured = "stopped" if stopped else f"{_number(ours / beside)} {unit}"
    verdict = "kept" if not stopped and ours / beside <= promise.limit else "**missed**"
    return f"| {what} | {measured} | at most {promise.limit:g} {unit} | {verdict} |"


def plot(samples: Samples, path: Path) -> None:
    """Times of all trainers; and minitok's time and memory as the text grows."""
    figure, (above, below) = pyplot().subplots(2, 1, figsize=(8, 9), layout="constrained", height_ratios=[1.7, 1])
    cells = [cell.name for cell in CELLS if cell.peers and cell.name in samples]
    width = 0.8 / len(TRAINERS)
    for place, library in enumerate(TRAINERS):
        heights = [median(samples, cell, library, "s") or 0 for cell in cells]
        colour = "black" if library == OURS else f"C{place}"
        faint = 1.0 if TRAINERS[library].same_split else 0.4
        above.bar(
            [i + width * place for i in range(len(cells))], heights, width, label=library, color=colour, alpha=faint
        )
    above.set_yscale("log")
    above.set_ylabel("s")
    above.set_title("training: seconds (pale: another split, another task)")
    names = [cell.replace(" ", "\n", 1).replace(", ", ",\n") for cell in cells]
    above.set_xticks([i + 0.4 - width / 2 for i in range(len(cells))], names)
    above.margins(y=0.25)  # room for the legend
    above.legend(fontsize="small", ncols=3, loc="upper right")
    _plot_growth(samples, below)
    write_svg(figure, path)


def _plot_growth(samples: Samples, axis: Any) -> None:
    sizes = [cell for cell in CELLS if cell.text == "large" and not cell.options and cell.name in samples]
    other = axis.twinx()
    for target, name, colour in ((axis, "s", "black"), (other, "MB", "C0")):
        values = [median(samples, cell.name, OURS, name) for cell in sizes]
        target.plot([cell.megabytes for cell in sizes], values, "o-", color=colour)
        target.set_ylabel("s" if name == "s" else "peak memory, MB", color=colour)
        target.set_ylim(bottom=0)
    axis.set_xlabel("MB of text")
    axis.set_title("minitok, 128,000 tokens")
