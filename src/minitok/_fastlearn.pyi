"""The compiled twin has the names and the types of the specification."""

from minitok._pylearn import PieceCounter, learn_merges, measure_records, merge_records, utf8_prefix

__all__ = ["PieceCounter", "learn_merges", "measure_records", "merge_records", "utf8_prefix"]
