"""The compiled twin has the names and the types of the specification."""

from minitok._pylearn import Learner, PieceCounter

__all__ = ["Learner", "PieceCounter"]
