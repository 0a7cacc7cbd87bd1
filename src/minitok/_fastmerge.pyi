"""The compiled twin has the names and the types of the specification."""

from minitok._pymerge import Decoder, Encoder, RankTable

__all__ = ["Decoder", "Encoder", "RankTable"]
