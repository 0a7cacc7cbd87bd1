"""The compiled twin has the names and the types of the specification."""

from minitok._pylearn import PieceCounter, learn_merges, merge_records

__all__ = ["PieceCounter", "learn_merges", "merge_records"]
