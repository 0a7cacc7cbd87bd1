"""The compiled twin has the names and the types of the specification."""

from minitok._pymerge import Encoder, PieceCounter, learn_merges

__all__ = ["Encoder", "PieceCounter", "learn_merges"]
