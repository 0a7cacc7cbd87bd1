"""The tokens of a text, to be looked at: as a page, in a notebook, in a terminal."""

from minitok.viewer.view import View

__all__ = ["View"]
