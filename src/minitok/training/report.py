"""What a training run was: as numbers (JSON), and as a picture.

How many tokens the corpus has with a smaller vocabulary is known without encoding anything: each merge replaces as
many pairs as it says, and each replacement makes one token fewer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

from minitok._version import __version__
from minitok.files import write_atomically
from minitok.pictures import PICTURES, check_picture, save_picture

__all__ = ["ReportOption", "TrainingReport", "report_paths"]

#: Where to write the report: `.json`, or a picture; one path or several.
ReportOption = str | PathLike[str] | Sequence[str | PathLike[str]] | None

#: A curve has this many points for each doubling of the vocabulary.
POINTS_PER_DOUBLING = 4


def report_paths(option: ReportOption) -> list[Path]:
    """The files of a report, checked before there is anything to write.

    Raises:
        ValueError: a name that tells no kind; a picture without matplotlib.
        OSError: a folder that does not exist.
    """
    if option is None:
        return []
    paths = [Path(option)] if isinstance(option, (str, PathLike)) else list(map(Path, option))
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in PICTURES:
            check_picture(path, "the report", "write the report as .json")
        elif suffix != ".json":
            raise ValueError(
                f"the report {str(path)!r} is of no known kind; let it end in .json, {', '.join(PICTURES)}"
            )
        elif not path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {str(path.parent)!r} for the report {path.name!r}")
    return paths


@dataclass
class TrainingReport:
    """The figures of one run.

    Attributes:
        options: what was asked for.
        corpus: what was learnt from: "pieces", "distinct_pieces" and "bytes"; the first and the last are in units of
            1 / "scale", which is 1 unless sources have weights that are not whole.
        seconds: how long each phase took.
        vocabularies: for each vocabulary that was asked for "ids", "tokens" in the corpus, "bytes_per_token".
        curve: for vocabularies in between "ids", "tokens" in the corpus, "tokens_per_byte".
        peak_memory: of the process until now, in bytes; None where the system does not tell.
    """

    options: Mapping[str, Any]
    corpus: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    vocabularies: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    peak_memory: int | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """A context whose time is that of a phase."""
        start = perf_counter()
        yield
        self.seconds[name] = round(perf_counter() - start, 6)

    def tell_vocabularies(
        self, sizes: Sequence[int], first: int, size: int, total: int, replaced: Sequence[int]
    ) -> None:
        """Fill `vocabularies` and `curve`.

        Args:
            sizes: the numbers of ids that were asked for.
            first: how many ids there are without merges.
            size: how many bytes the corpus has.
            total: how many tokens it had before the first merge.
            replaced: how many pairs each merge replaced.
        """
        self.corpus["bytes"] = size
        after = [total - done for done in accumulate(replaced, initial=0)]

        def tokens(ids: int) -> tuple[int, int]:
            merges = min(max(ids - first, 0), len(replaced))
            return first + merges, after[merges]

        for ids, count in map(tokens, sizes):
            self.vocabularies.append(
                {"ids": ids, "tokens": count, "bytes_per_token": round(size / count, 4) if count else None}
            )
        between = {first, first + len(replaced), *(entry["ids"] for entry in self.vocabularies)}
        point = float(max(first, 1))
        while point < first + len(replaced):
            between.add(round(point))
            point *= 2 ** (1 / POINTS_PER_DOUBLING)
        for ids, count in map(tokens, sorted(between)):
            self.curve.append(
                {"ids": ids, "tokens": count, "tokens_per_byte": round(count / size, 6) if size else None}
            )

    def write(self, paths: Sequence[Path]) -> None:
        """Write the report into files, each of the kind that its name tells."""
        self.peak_memory = _peak_memory()
        for path in paths:
            if path.suffix.lower() == ".json":
                content = {
                    "minitok": __version__,
                    "options": self.options,
                    "corpus": self.corpus,
                    "seconds": self.seconds,
                    "peak_memory_bytes": self.peak_memory,
                    "vocabularies": self.vocabularies,
                    "curve": self.curve,
                }
                write_atomically(path, json.dumps(content, indent=2).encode() + b"\n")
            else:
                self._draw(path)

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4.5), layout="constrained")
        curve, phases = figure.subplots(1, 2, width_ratios=(2, 1))
        curve.plot([point["ids"] for point in self.curve], [point["tokens_per_byte"] for point in self.curve])
        for one in self.vocabularies:
            if one["tokens"]:
                curve.plot(one["ids"], one["tokens"] / self.corpus["bytes"], "o", color="C0")
                curve.annotate(
                    f"{one['ids']:,} ids: {one['bytes_per_token']:.2f} bytes a token",
                    (one["ids"], one["tokens"] / self.corpus["bytes"]),
                    xytext=(-6, 8),
                    textcoords="offset points",
                    ha="right",
                )
        curve.set(xscale="log", xlabel="ids", ylabel="tokens a byte", title="Compression by size of the vocabulary")
        curve.set_ylim(bottom=0)
        curve.grid(alpha=0.3)
        bars = phases.barh(list(self.seconds), list(self.seconds.values()))
        phases.bar_label(bars, fmt="%.2f s", padding=3)
        phases.margins(x=0.25)
        phases.invert_yaxis()
        phases.set(xlabel="seconds", title=f"{self.corpus['distinct_pieces']:,} distinct pieces")
        save_picture(figure, path)


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
