"""What the commands that run on a cluster share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitok import distributed
from minitok.command_io import STANDARD_INPUT, BadUseError

__all__ = ["add_cluster", "cluster_of", "storage_options", "wants_cluster"]


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
    has_files = arguments.files or vars(arguments).get("weight")
    if not has_files or STANDARD_INPUT in arguments.files:
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
