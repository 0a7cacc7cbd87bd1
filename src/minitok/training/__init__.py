"""Training: texts to counted pieces, to merges, to a vocabulary.

    counting    a corpus to counted pieces (`count_pieces`, `PieceCounts`), in threads or processes, in bounded memory
    trainer     counted pieces to vocabularies; around it what trainers ask for: styles, rules, checkpoints, reports

The work itself is below the seam: `PieceCounter`, `Learner`.
"""

from minitok.training.counting import count_pieces
from minitok.training.piece_counts import PieceCounts
from minitok.training.trainer import train

__all__ = ["PieceCounts", "count_pieces", "train"]
