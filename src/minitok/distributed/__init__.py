"""Counting and encoding on the machines of a Dask cluster (`pip install 'minitok[dask]'`).

    counting    a corpus to counted pieces
    encoding    files to a folder of shards of ids (`datasets`)
    portions    what is counted together, the largest first
    scratch     what workers hand to one another, and a run that begins again finds
    cluster     workers that are checked, tasks that are watched

Files may be on any storage that fsspec knows and all machines reach. See docs/scale.md.
"""

from minitok.distributed.cluster import connected, local_cluster
from minitok.distributed.counting import count_pieces
from minitok.distributed.encoding import encode_dataset

__all__ = ["connected", "count_pieces", "encode_dataset", "local_cluster"]
