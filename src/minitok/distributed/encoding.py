"""encode_dataset(): files to shards of ids, encoded by the machines of a cluster.

All that is to be done is in `datasets`: here it is given to workers. They get the vocabulary from the folder of the
dataset, by its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from minitok.datasets.run import SHARD, DatasetRun
from minitok.datasets.shards import ShardFormat, encode_shard
from minitok.datasets.storage import Paths
from minitok.distributed.cluster import check_workers, find_client, results
from minitok.progress import ProgressOption

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["encode_dataset"]


def encode_dataset(
    paths: Paths,
    out: str | PathLike[str],
    *,
    encoding: Encoding,
    client: Any = None,
    dtype: Literal["auto", "uint16", "uint32"] = "auto",
    shard_format: ShardFormat = "bin",
    separator: str | None = "<|endoftext|>",
    append: str | None = "<|endoftext|>",
    field: str | None = None,
    shard_size: int = SHARD,
    storage_options: Mapping[str, Any] | None = None,
    progress: ProgressOption = None,
) -> dict[str, Any]:
    """Encode files into a folder of shards, by the workers of a Dask cluster.

    The dataset is that of `minitok.encode_dataset` for the same files. If the run is killed, the same call goes on
    with what is whole.

    Args:
        paths: a path, a URL that fsspec knows, a glob of either, or several of these.
        out: a folder that all machines reach; a path or a URL.
        encoding: what to encode with.
        client: a `distributed.Client`; None: the one that the program made last.
        dtype: of the ids; see `minitok.encode_dataset`, also for what follows.
        shard_format: "bin", "npy" or "parquet".
        separator: what stands between documents in a text file.
        append: the special token whose id follows each document.
        field: the column, or the field of JSON Lines, that holds the text.
        shard_size: bytes of input for a shard, about.
        storage_options: for fsspec's file systems.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The manifest, which is in the folder too, as `manifest.json`.

    Raises:
        ValueError: an option that does not fit; what `Encoding.encode_file` refuses in a file; a folder with another
            dataset, or one that is done; a worker without minitok, or with another one.
        OSError: a file cannot be read or written; no workers, or workers that die again and again.
    """
    client = find_client(client)
    run = DatasetRun.plan(
        paths,
        out,
        encoding,
        dtype=dtype,
        shard_format=shard_format,
        separator=separator,
        append=append,
        field=field,
        shard_size=shard_size,
        storage_options=storage_options,
    )
    check_workers(client)
    run.begin()
    tasks = [(run.job, number, portion) for number, portion in enumerate(run.portions)]
    return run.finish(results(client, encode_shard, tasks), progress)
