"""How plots are drawn: the same figures give the same file, and its letters can be read on a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["pyplot", "write_svg"]


def pyplot() -> Any:
    """Matplotlib's module, set up to write SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "minitok", "font.size": 12})
    import matplotlib.pyplot as plt

    return plt


def write_svg(figure: Any, path: Path) -> None:
    """Write a figure without the time of writing."""
    figure.savefig(path, metadata={"Date": None})
