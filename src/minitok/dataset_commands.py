"""The command encode-dataset: a folder of shards, made on this machine or on a cluster."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from minitok import datasets, distributed
from minitok.cluster_commands import add_cluster, cluster_of, storage_options, wants_cluster
from minitok.command_io import STANDARD_INPUT, BadUseError, find_encoding, print_output
from minitok.datasets.run import SHARD

__all__ = ["DATASET_COMMANDS"]


def _add_encode_dataset(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="text files or globs; JSON Lines (.jsonl, .ndjson); .gz and .zst; Parquet; Arrow (.arrow, .feather)",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a path, or a URL that fsspec knows")
    parser.add_argument("-e", "--encoding", required=True, metavar="NAME_OR_FILE", help="what to encode with")
    parser.add_argument("--dtype", choices=("auto", "uint16", "uint32"), default="auto", help="of the ids")
    parser.add_argument("--shard-format", choices=("bin", "npy", "parquet"), default="bin", help="(default: bin)")
    parser.add_argument(
        "--shard-size", type=int, default=SHARD, metavar="BYTES", help=f"of input, about (default: {SHARD})"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="on this machine (default: one for each processor)")
    parser.add_argument("--separator", metavar="TEXT", help="between documents; '' for none (default: <|endoftext|>)")
    parser.add_argument("--append", metavar="TOKEN", help="behind each; '' for none (default: <|endoftext|>)")
    parser.add_argument(
        "--field", metavar="NAME", help="the column with the text; other files are JSON Lines with it in this field"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_cluster(parser)


def _encode_dataset(arguments: argparse.Namespace) -> None:
    if STANDARD_INPUT in arguments.files:
        raise _bad_use(arguments, "standard input cannot be read twice, which going on takes; give files")
    if arguments.threads is not None and arguments.threads < 1:
        raise _bad_use(arguments, f"--threads is {arguments.threads}; expected 1 or more")
    if arguments.threads is not None and wants_cluster(arguments):
        raise _bad_use(arguments, "--threads is for this machine; a cluster has those of its workers")
    chosen = {"separator": arguments.separator, "append": arguments.append}
    options: dict[str, Any] = {option: value or None for option, value in chosen.items() if value is not None}
    options |= {
        "encoding": find_encoding(arguments.encoding),
        "dtype": arguments.dtype,
        "shard_format": arguments.shard_format,
        "field": arguments.field,
        "shard_size": arguments.shard_size,
        "storage_options": storage_options(arguments),
    }
    if wants_cluster(arguments):
        with cluster_of(arguments) as client:
            manifest = distributed.encode_dataset(arguments.files, arguments.out, client=client, **options)
    else:
        manifest = datasets.encode_dataset(arguments.files, arguments.out, num_threads=arguments.threads, **options)
    if arguments.json:
        figures = {key: manifest[key] for key in ("ids", "documents", "bytes", "dtype")}
        print_output(json.dumps({"output": arguments.out, "shards": len(manifest["shards"]), **figures}))
    else:
        print_output(
            f"{arguments.out}: {manifest['ids']:,} ids ({manifest['dtype']}) of {manifest['documents']:,} documents, "
            f"{manifest['bytes']:,} bytes, in {len(manifest['shards']):,} shards"
        )


def _bad_use(arguments: argparse.Namespace, message: str) -> BadUseError:
    return BadUseError(f"minitok {arguments.command}: error: {message}")


#: As `TRAINING_COMMANDS`.
DATASET_COMMANDS: Sequence[
    tuple[str, str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]]
] = (
    (
        "encode-dataset",
        "Encode files into a folder of shards of ids. If it is killed, the same command goes on.",
        _add_encode_dataset,
        _encode_dataset,
    ),
)
