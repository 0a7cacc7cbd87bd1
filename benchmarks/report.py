"""All figures of encoding, decoding and training, of minitok and of its peers, as a page with tables and plots.

    MINITOK_TEST_DATA=FOLDER python -m benchmarks.report [--rounds 5] [--only KIND ...] [--dry]

Each measurement is a fresh process with one processor; in a round every library has its turn; medians count, and
only of libraries whose ids are tiktoken's in that very cell. The figures are kept in docs/benchmarks.json, so that
with --only one part can be measured again; the page is docs/benchmarks.md, the plots are beside it. Training (--only
training) has rules of its own: see `training_report.py`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks import training_report
from benchmarks.cells import BARS, OURS, PEERS, Bar, Job, jobs
from benchmarks.drawing import pyplot, write_svg
from benchmarks.environments import NEXT_TOKENIZERS, ROOT, interpreter, version

FIGURES = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.svg"
PLOT_OF_RATIOS = ROOT / "docs" / "benchmarks-ratios.svg"
#: Cannot be installed beside the others.
APART = "tokenizers"
REFERENCE = "tiktoken"

#: kind, cell, library -> figure -> what was measured, a round each
Samples = dict[str, dict[str, dict[str, dict[str, list[float]]]]]


def measure(job: Job, library: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    asked: dict[str, Any] = {**job.arguments, "library": library}
    if job.pinned and hasattr(os, "sched_getaffinity"):
        asked["processor"] = max(os.sched_getaffinity(0))
    python = interpreter(NEXT_TOKENIZERS if library == APART else None)
    command = [python, "-m", "benchmarks.worker", json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        print(f"{library}, {job.kind}, {job.cell} failed:\n{done.stderr}", file=sys.stderr)
        if library in (OURS, REFERENCE):
            raise SystemExit(1)
        return {"absent": done.stderr}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def run(kinds: Iterable[str] | None, rounds: int, samples: Samples, end_round: Callable[[], None]) -> None:
    """Measure; what there was of the same kinds is forgotten."""
    chosen = [job for job in jobs() if kinds is None or job.kind in kinds]
    for kind in {job.kind for job in chosen}:
        samples[kind] = {}
    for number in range(rounds):
        for job in chosen:
            if number and job.once:
                continue
            found = {library: measure(job, library) for library in ((OURS, *PEERS) if job.peers else (OURS,))}
            right = found[REFERENCE if job.peers else OURS].get("ids")
            for library, figures in found.items():
                if "absent" in figures:
                    continue
                if figures.pop("ids", None) != right:
                    print(f"{library} gives other ids: {job.kind} {job.cell}", file=sys.stderr)
                    if library == OURS:
                        raise SystemExit("that is an error")
                    continue
                kept = samples[job.kind].setdefault(job.cell, {}).setdefault(library, {})
                for figure, value in figures.items():
                    kept.setdefault(figure, []).append(value)
            print(f"{number + 1}/{rounds} {job.kind} {job.cell}", file=sys.stderr)
        end_round()


# -- The page ----------------------------------------------------------------------------------------------------


def medians(samples: Samples, bar: Bar, cell: str) -> dict[str, float]:
    """The median of a figure, by library."""
    found = samples.get(bar.kind, {}).get(cell, {})
    return {
        library: statistics.median(figures[bar.figure]) for library, figures in found.items() if bar.figure in figures
    }


def verdict(bar: Bar, ours: float, best: float | None) -> bool:
    """Whether minitok keeps what it promises of one cell."""
    sign = -1 if bar.less_is_more else 1
    kept = bar.limit is None or sign * ours >= sign * bar.limit
    return kept and (bar.than_best is None or best is None or sign * ours >= sign * bar.than_best * best)


def promise(bar: Bar) -> str:
    """What is promised, in words."""
    least = "at most" if bar.less_is_more else "at least"
    words = []
    if bar.mean is not None:
        words.append(f"{least} {bar.mean} × the best peer in the geometric mean")
    if bar.than_best is not None:
        words.append(f"{least} {bar.than_best} × the best peer{' in each cell' if bar.mean is not None else ''}")
    if bar.limit is not None:
        words.append(f"{least} {bar.limit:g} {bar.unit}")
    return "; ".join(words)


def cells_of(samples: Samples, bar: Bar) -> list[str]:
    """The cells that a bar is about."""
    return [cell for cell in samples.get(bar.kind, {}) if bar.only is None or cell.split()[0] in bar.only.split()]


def table(samples: Samples, bar: Bar) -> tuple[list[str], list[float]]:
    """The rows of one bar's table, and minitok's ratio to the best peer in each cell."""
    by_cell = {cell: medians(samples, bar, cell) for cell in cells_of(samples, bar)}
    libraries = [library for library in PEERS if any(library in found for found in by_cell.values())]
    head = ["", OURS, *libraries, *(["of the best"] if libraries else []), ""]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    ratios = []
    for cell, found in by_cell.items():
        peers = [found[library] for library in libraries if library in found]
        best = (min if bar.less_is_more else max)(peers) if peers else None
        row = [f"`{cell}`", f"**{shown(found[OURS])}**", *(shown(found.get(library)) for library in libraries)]
        if best is not None:
            ratios.append(found[OURS] / best)
            row.append(f"{ratios[-1]:.2f} ×")
        row.append("kept" if verdict(bar, found[OURS], best) else "**missed**")
        rows.append("| " + " | ".join(row) + " |")
    return rows, ratios


def shown(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def page(samples: Samples, facts: dict[str, dict[str, str]]) -> list[str]:
    """The lines of the page, training left out.

    Args:
        samples: what was measured.
        facts: of each kind when, where and of what its figures are. What they have in common stands at the top.
    """
    every = list(facts.values())
    common = {key: value for key, value in every[0].items() if all(one.get(key) == value for one in every)}
    lines = [
        "# Benchmarks",
        "",
        "Made by `python -m benchmarks.report`; [how it is measured](measuring.md).",
        "",
        *(f"- {key}: {value}" for key, value in common.items()),
        "",
        f"![minitok and its peers]({PLOT.name})",
        "",
        "Speeds are megabytes of UTF-8 a second, of one thread unless said otherwise; a library without a figure",
        "lacks that vocabulary or that call, or gives other ids than tiktoken.",
        "",
        f"![How many times as fast as the best peer minitok is, in each cell]({PLOT_OF_RATIOS.name})",
    ]
    for bar in BARS:
        rows, ratios = table(samples, bar)
        if len(rows) < 3:
            continue
        own = ", ".join(f"{key} {value}" for key, value in facts[bar.kind].items() if key not in common)
        told = f"Promised: {promise(bar)}." + (f" Measured: {own}." if own else "")
        lines += ["", f"## {bar.title} ({bar.unit})", "", told, "", *rows]
        if bar.mean is not None and ratios:
            mean = math.exp(statistics.fmean(map(math.log, ratios)))
            lines += [
                "",
                f"Geometric mean: {mean:.2f} × the best peer, {'kept' if mean >= bar.mean else '**missed**'}.",
            ]
    return lines


def plot(samples: Samples, path: Path) -> None:
    """Speeds of all libraries with cl100k_base: new text, and the same again."""
    figure, axes = pyplot().subplots(2, 1, figsize=(8, 8.5), layout="constrained")
    panels = (("pass", "new text"), ("warm", "the same text again"))
    for axis, (name, title) in zip(axes, panels, strict=True):
        cells = [cell for cell in samples.get("array", {}) if cell.endswith("cl100k_base")]
        for place, library in enumerate((OURS, *PEERS)):
            heights = [medians(samples, Bar("array", name, ""), cell).get(library, 0) for cell in cells]
            left = [i + 0.09 * place for i in range(len(cells))]
            axis.bar(left, heights, 0.09, label=library, color="black" if library == OURS else f"C{place}")
        axis.set_title(f"cl100k_base, {title}, one thread")
        axis.set_ylabel("MB/s")
        axis.set_xticks([i + 0.36 for i in range(len(cells))], [cell.split()[0] for cell in cells])
    axes[0].legend(fontsize="small", ncols=2)
    write_svg(figure, path)


def plot_ratios(samples: Samples, path: Path) -> None:
    """All cells that peers have too: how many times as fast as the best of them, and what is promised."""
    names, ratios, promised = [], [], []
    for bar in BARS:
        cells, of_best = cells_of(samples, bar), table(samples, bar)[1]
        if not of_best or bar.than_best is None:
            continue
        for cell, ratio in zip(cells, of_best, strict=True):
            names.append(f"{bar.title}: {cell}")
            ratios.append(1 / ratio if bar.less_is_more else ratio)
            promised.append(1 / bar.than_best if bar.less_is_more else bar.than_best)
    places = range(len(names))
    figure, axis = pyplot().subplots(figsize=(9, 10), layout="constrained")
    axis.barh(places, ratios, color="black", height=0.7)
    axis.plot(promised, places, "|", color="red", markersize=9, label="promised")
    axis.axvline(1, color="gray", linewidth=0.8)
    axis.set_yticks(places, names, fontsize="small")
    axis.invert_yaxis()
    axis.margins(y=0.01)
    axis.set_title("minitok: times as fast as the best peer of each cell", loc="right")
    axis.legend(loc="center right")
    write_svg(figure, path)


def machine() -> dict[str, str]:
    """When, where and of which minitok figures are."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def versions() -> str:
    """Those of the libraries that encode."""
    found = [f"{name} {metadata.version(name)}" for name in PEERS if name != APART and " " not in name]
    return ", ".join([*found, f"{APART} {version(APART, NEXT_TOKENIZERS)}"])


def keep(figures: dict[str, Any]) -> None:
    """Write all figures to their file."""
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


def measure_all(only: list[str] | None, rounds: int, kept: dict[str, Any]) -> None:
    """Measure all kinds, or some; the facts of each are kept beside its figures."""
    samples, kinds = kept["samples"], set(only) if only is not None else None
    if kinds != {training_report.KIND}:
        facts = {**machine(), "versions": versions()}
        kept["facts"].update({job.kind: facts for job in jobs() if kinds is None or job.kind in kinds})
        run(kinds, rounds, samples, partial(keep, kept))
    if kinds is None or training_report.KIND in kinds:
        kept["training facts"] = {**machine(), "versions": training_report.versions()}
        training_report.run(rounds, samples.setdefault(training_report.KIND, {}), partial(keep, kept))


def main() -> None:
    """Measure, write the page and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: 5)")
    parser.add_argument("--only", nargs="*", metavar="KIND", help="measure these kinds, keep the other figures")
    parser.add_argument("--dry", action="store_true", help="measure nothing, write the page again")
    arguments = parser.parse_args()
    kept: dict[str, Any] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"facts": {}, "samples": {}}
    if not arguments.dry:
        measure_all(arguments.only, arguments.rounds, kept)
    training = kept["samples"].get(training_report.KIND)
    lines = page(kept["samples"], kept["facts"])
    plot(kept["samples"], PLOT)
    plot_ratios(kept["samples"], PLOT_OF_RATIOS)
    if training:
        lines += ["", *training_report.section(training, kept["training facts"])]
        training_report.plot(training, PAGE.with_name(training_report.PLOT_NAME))
    PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
