"""The compiled twin has the names and the types of the specification."""

from minitok._pymerge import Decoder, Encoder, PieceCounter, learn_merges

__all__ = ["Decoder", "Encoder", "PieceCounter", "learn_merges"]
