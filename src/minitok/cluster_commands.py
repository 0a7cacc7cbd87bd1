"""What the commands that run on a cluster share, and the one that only runs there: encode-dataset."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minitok import distributed
from minitok.command_io import STANDARD_INPUT, BadUseError, find_encoding, print_output

__all__ = ["CLUSTER_COMMANDS", "add_cluster", "cluster_of", "storage_options", "wants_cluster"]


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Arguments that say on which machines."""
    cluster = parser.add_argument_group("a cluster (minitok[dask]); files are then paths or URLs that fsspec knows")
    cluster.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, for example tcp://10.0.0.1:8786")
    cluster.add_argument("--local-cluster", type=int, metavar="N", help="N processes on this machine")
    cluster.add_argument(
        "--storage-options", metavar="JSON", help="for fsspec's file systems, for example '{\"anon\": true}'"
    )


def wants_cluster(arguments: argparse.Namespace) -> bool:
    """Whether a command is to run on a cluster."""
    return arguments.scheduler is not None or arguments.local_cluster is not None


@contextmanager
def cluster_of(arguments: argparse.Namespace) -> Iterator[Any]:
    """A client of the cluster that arguments name."""
    if arguments.scheduler is not None and arguments.local_cluster is not None:
        raise _bad_use(arguments, "give --scheduler or --local-cluster, not both")
    if arguments.local_cluster is not None and arguments.local_cluster < 1:
        raise _bad_use(arguments, f"--local-cluster is {arguments.local_cluster}; expected 1 or more")
    if not arguments.files or STANDARD_INPUT in arguments.files:
        raise _bad_use(arguments, "a cluster cannot read standard input; give files")
    if arguments.scheduler is None:
        with distributed.local_cluster(arguments.local_cluster) as client:
            yield client
    else:
        with distributed.connected(arguments.scheduler) as client:
            yield client


def storage_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What fsspec is to be told."""
    try:
        options = json.loads(arguments.storage_options or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise _bad_use(arguments, f"--storage-options is {arguments.storage_options!r}; expected a JSON object")
    return options


def _bad_use(arguments: argparse.Namespace, message: str) -> BadUseError:
    return BadUseError(f"minitok {arguments.command}: error: {message}")


def _add_encode_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="text files or globs; JSON Lines (.jsonl, .ndjson); .gz and .zst"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a path or a URL that all machines reach")
    parser.add_argument("-e", "--encoding", required=True, metavar="NAME_OR_FILE", help="what to encode with")
    parser.add_argument("--dtype", choices=("auto", "uint16", "uint32"), default="auto", help="of the ids")
    parser.add_argument("--separator", metavar="TEXT", help="between documents; '' for none (default: <|endoftext|>)")
    parser.add_argument("--append", metavar="TOKEN", help="behind each; '' for none (default: <|endoftext|>)")
    parser.add_argument("--field", metavar="NAME", help="the files are JSON Lines with the text in this field")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_cluster(parser)


def _encode_dataset(arguments: argparse.Namespace) -> None:
    if not wants_cluster(arguments):
        raise _bad_use(arguments, "give --scheduler or --local-cluster; on one machine: minitok encode --to")
    encoding = find_encoding(arguments.encoding)
    chosen = {"separator": arguments.separator, "append": arguments.append}
    options: dict[str, Any] = {option: value or None for option, value in chosen.items() if value is not None}
    storage = storage_options(arguments)
    with cluster_of(arguments) as client:
        manifest = distributed.encode_dataset(
            arguments.files,
            arguments.out,
            encoding=encoding,
            client=client,
            dtype=arguments.dtype,
            field=arguments.field,
            storage_options=storage,
            **options,
        )
    if arguments.json:
        figures = {key: manifest[key] for key in ("ids", "documents", "bytes", "dtype")}
        print_output(json.dumps({"output": arguments.out, "shards": len(manifest["shards"]), **figures}))
    else:
        print_output(
            f"{arguments.out}: {manifest['ids']:,} ids ({manifest['dtype']}) of {manifest['documents']:,} documents, "
            f"{manifest['bytes']:,} bytes, in {len(manifest['shards']):,} shards"
        )


#: As `TRAINING_COMMANDS`.
CLUSTER_COMMANDS: Sequence[
    tuple[str, str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]]
] = (
    (
        "encode-dataset",
        "Encode files into a folder of shards of ids, on a Dask cluster.",
        _add_encode_dataset,
        _encode_dataset,
    ),
)
