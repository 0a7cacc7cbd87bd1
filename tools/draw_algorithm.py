"""Draw the pictures of docs/algorithm.md: what splitting, merging and learning do to an example.

    python tools/draw_algorithm.py            write docs/images/*.svg
    python tools/draw_algorithm.py --check    fail if they are not what this would write

The steps are computed, by the package and by the rule as it is written on the page. Colours can be read on a light
and on a dark page: a picture does not know which it is on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from html import escape
from itertools import pairwise
from pathlib import Path

from minitok.patterns import PATTERNS
from minitok.pretokenizer import Pretokenizer

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
FILLS = ("#cfe3ff", "#ffe0b8", "#cdeccd", "#eed3f2")
LABEL = "#7a7a7a"  # at least 4:1 on white and on furo's dark page
BOX_HEIGHT, ROW, LETTER, GAP, LABELS = 34, 62, 11, 6, 190


def box(x: float, y: float, text: str, fill: str) -> tuple[str, float]:
    """A box with a text in it, and where the next one begins."""
    width = LETTER * len(text) + 18
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{BOX_HEIGHT}" rx="5" fill="{fill}" stroke="{LABEL}"/>'
    letters = f'<text x="{x + width / 2}" y="{y + 22}" class="token">{escape(text, quote=False)}</text>'
    return shape + letters, x + width + GAP


def drawing(title: str, rows: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """An SVG with a row for each (label, boxes of text and colour)."""
    parts, right = [], 0.0
    for number, (label, boxes) in enumerate(rows):
        y = 12 + ROW * number
        parts.append(f'<text x="10" y="{y + 22}" class="label">{escape(label, quote=False)}</text>')
        x: float = LABELS
        for text, fill in boxes:
            drawn, x = box(x, y, text, fill)
            parts.append(drawn)
        right = max(right, x)
        if number + 1 < len(rows):
            line = f"M{LABELS + 20} {y + BOX_HEIGHT + 6}v14m-4 -5l4 5l4 -5"
            parts.append(f'<path d="{line}" fill="none" stroke="{LABEL}" stroke-width="1.5"/>')
    height = ROW * len(rows) - 4
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{right + 6:g}" height="{height}" '
        f'viewBox="0 0 {right + 6:g} {height}">\n<title>{escape(title, quote=False)}</title>\n'
        "<style>.token{font:17px monospace;text-anchor:middle;fill:#1a1a1a;white-space:pre}"
        f".label{{font:15px sans-serif;fill:{LABEL}}}</style>\n"
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def splitting() -> str:
    """A text, and its pieces."""
    text = "It's 12345 o'clock!"
    pieces = Pretokenizer(PATTERNS["cl100k"].regex).split(text)
    shown = [(piece.replace(" ", "␣"), FILLS[i % len(FILLS)]) for i, piece in enumerate(pieces)]
    return drawing(
        "A text is cut into pieces", [("text", [(text.replace(" ", "␣"), "#e4e4e4")]), ("pieces (cl100k)", shown)]
    )


def merging() -> str:
    """The worked example: the pair of lowest rank merges, leftmost first among equals."""
    ranks = {"ab": 256, "bc": 257, "abc": 258}
    symbols = list("abcbc")
    colours = {"ab": FILLS[0], "bc": FILLS[1], "abc": FILLS[2]}
    rows = [("bytes", [(symbol, "#e4e4e4") for symbol in symbols])]
    while True:
        ranked = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(symbols)) if a + b in ranks]
        if not ranked:
            break
        rank, i = min(ranked)
        a, b = symbols[i : i + 2]
        symbols[i : i + 2] = [a + b]
        rows.append((f"{a} + {b}: rank {rank}", [(s, colours.get(s, "#e4e4e4")) for s in symbols]))
    return drawing("Pairs of bytes merge, the lowest rank first", rows)


def learning() -> str:
    """The other worked example: the pair that occurs most merges everywhere; among equals the smallest ids."""
    symbols, ids = list("aaabdaaabac"), {letter: ord(letter) for letter in "abcd"}
    colours: dict[str, str] = {}
    rows = [("bytes", [(symbol, "#e4e4e4") for symbol in symbols])]
    for number in range(256, 259):
        pairs = Counter(pairwise(symbols))
        a, b = min(pairs, key=lambda pair: (-pairs[pair], ids[pair[0]], ids[pair[1]]))
        ids[a + b], colours[a + b] = number, FILLS[number % len(FILLS)]
        merged: list[str] = []
        while symbols:
            width = 2 if symbols[:2] == [a, b] else 1
            merged.append("".join(symbols[:width]))
            del symbols[:width]
        symbols = merged
        rows.append((f"{a} + {b}, {pairs[a, b]} times: {number}", [(s, colours.get(s, "#e4e4e4")) for s in symbols]))
    return drawing("The pair that occurs most becomes a token", rows)


def main() -> int:
    """Write the pictures, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, svg in (("splitting.svg", splitting()), ("merging.svg", merging()), ("learning.svg", learning())):
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != svg:
            stale.append(path.name)
            if not check:
                path.write_text(svg, encoding="utf-8")
    if check and stale:
        print(f"not what tools/draw_algorithm.py draws: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
