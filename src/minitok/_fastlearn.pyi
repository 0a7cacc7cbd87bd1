"""The compiled twin has the names and the types of the specification."""

from minitok._pycount import PieceCounter, measure_records, merge_records, partition_records, utf8_prefix
from minitok._pylearn import Learner

__all__ = ["Learner", "PieceCounter", "measure_records", "merge_records", "partition_records", "utf8_prefix"]
