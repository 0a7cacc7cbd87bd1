"""A comparison as a picture: compression by size of the vocabulary, lengths of tokens, and how they are used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitok.comparison import ComparedEncoding, Comparison
from minitok.pictures import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_comparison"]

#: Tokens of this many bytes or more are in one class.
LONGEST = 16


def draw_comparison(comparison: Comparison, path: Path) -> None:
    """Draw a comparison into a .png, .svg or .pdf; takes matplotlib.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    encodings = comparison.encodings
    names = [Path(one.encoding).name for one in encodings]  # of paths the last part, if it tells them apart
    if len(set(names)) < len(names):
        names = [one.encoding for one in encodings]
    colours = [f"C{number % 10}" for number in range(len(encodings))]
    figure = Figure(figsize=(12, 8 + 0.25 * len(encodings)), layout="constrained")
    (compression, lengths), (multi_byte, unused) = figure.subplots(2, 2)
    _draw_compression(compression, encodings, names, colours)
    _draw_lengths(lengths, encodings, names, colours)
    _draw_shares(multi_byte, names, [100 * one.multi_byte_share for one in encodings], colours)
    multi_byte.set(title="Tokens of the text with more than one byte", xlabel="% of the text's tokens")
    _draw_shares(unused, names, [100 * one.unused_share for one in encodings], colours)
    unused.set(title="Tokens that the text does not use", xlabel="% of the vocabulary's tokens")
    save_picture(figure, path)


def _draw_compression(
    axes: Axes, encodings: tuple[ComparedEncoding, ...], names: list[str], colours: list[str]
) -> None:
    for one, name, colour in zip(encodings, names, colours, strict=True):
        axes.plot(one.ids, one.total.bytes_per_token, "o", color=colour, label=name)
    axes.set(xlabel="ids", ylabel="bytes for each token", title="Compression by size of the vocabulary")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(_thousands)
    sizes = [one.ids for one in encodings]
    axes.set_xlim(min(sizes) / 1.5, max(sizes) * 1.5)  # wide enough for a power of two
    axes.set_ylim(0, 1.15 * max(one.total.bytes_per_token for one in encodings))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")


def _thousands(value: float, _: Any) -> str:
    return f"{value:,.0f}"


def _draw_lengths(axes: Axes, encodings: tuple[ComparedEncoding, ...], names: list[str], colours: list[str]) -> None:
    width = 0.8 / len(encodings)
    for number, (one, name, colour) in enumerate(zip(encodings, names, colours, strict=True)):
        shares = [0.0] * LONGEST
        for length, count in one.used_lengths.items():
            shares[min(max(length, 1), LONGEST) - 1] += 100 * count / one.total.tokens
        places = [length + (number + 0.5) * width - 0.4 for length in range(1, LONGEST + 1)]
        axes.bar(places, shares, width, color=colour, label=name)
    axes.set(
        title="Lengths of the text's tokens",
        xlabel=f"bytes ({LONGEST}+: this many or more)",
        ylabel="% of the text's tokens",
    )
    axes.set_xticks(range(1, LONGEST + 1), [*map(str, range(1, LONGEST)), f"{LONGEST}+"], fontsize="small")
    axes.set_xlim(0.3, LONGEST + 0.7)
    axes.grid(alpha=0.3, axis="y")


def _draw_shares(axes: Axes, names: list[str], shares: list[float], colours: list[str]) -> None:
    bars = axes.barh(range(len(names)), shares, color=colours)
    axes.set_yticks(range(len(names)), names)
    axes.bar_label(bars, fmt="%.1f %%", padding=3)
    axes.set_xlim(0, 115)
    axes.set_xticks(range(0, 101, 20))
    axes.invert_yaxis()
