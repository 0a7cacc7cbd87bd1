"""Pictures of figures: what kinds there are, and what drawing them takes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from minitok.files import open_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PICTURES", "check_picture", "save_picture"]

#: How their names end.
PICTURES = (".png", ".svg", ".pdf")


def check_picture(path: Path, what: str, instead: str) -> None:
    """Check that a picture can be drawn, before there is anything to draw.

    Args:
        path: where it is to be written.
        what: what messages call it.
        instead: what else one can do where matplotlib is missing.

    Raises:
        ValueError: a name that tells no kind; matplotlib is missing.
        OSError: a folder that does not exist.
    """
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"{what} {str(path)!r} is of no known kind; let it end in {', '.join(PICTURES)}")
    if find_spec("matplotlib") is None:
        raise ValueError(
            f"{what} {str(path)!r} is a picture, which takes matplotlib: pip install 'minitok[plot]', or {instead}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} for {what} {path.name!r}")


def save_picture(figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all."""
    with open_atomically(path) as file:
        figure.savefig(file, format=path.suffix.lower().removeprefix("."))
