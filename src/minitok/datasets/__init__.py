"""Datasets: a folder of shards of ids that a run makes, goes on with when it was killed, and that anything reads.

    run         what to do, and doing it on this machine
    shards      a portion of the input to one shard: the unit of work, here or on a cluster
    manifest    what the folder holds, and how it is told
    reading     documents by number, if the vocabulary is the right one
    spans       large files cut where nothing goes across
    checked_input   input that is hashed while it is read
    storage     files here, or wherever fsspec reaches

See docs/datasets.md.
"""

from minitok.datasets.reading import Dataset, open_dataset
from minitok.datasets.run import encode_dataset

__all__ = ["Dataset", "encode_dataset", "open_dataset"]
