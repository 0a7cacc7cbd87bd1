"""The compiled twin has the names and the types of the specification."""

from minitok._pymerge import Decoder, Encoder, PieceCounter, RankTable, learn_merges

__all__ = ["Decoder", "Encoder", "PieceCounter", "RankTable", "learn_merges"]
