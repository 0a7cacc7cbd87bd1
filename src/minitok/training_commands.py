"""The commands of training: train, count-pieces, merge-counts; their arguments, and what they do with them."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from minitok import distributed
from minitok.cluster_commands import add_cluster, cluster_of, storage_options, wants_cluster
from minitok.command_io import STANDARD_INPUT, BadUseError, find_encoding, print_output
from minitok.input_files import expand
from minitok.patterns import DEFAULT_PATTERN, PATTERNS
from minitok.training import PieceCounts, count_pieces, train
from minitok.training.counting import LEAST_MEMORY
from minitok.training.styles import STYLES
from minitok.training.token_rules import TOKEN_RULES

__all__ = ["TRAINING_COMMANDS"]

_SIZE = "{size}"


# -- Values ----------------------------------------------------------------------------------------------------------


def _bytes(text: str) -> int:
    """A number of bytes: "2000000", "200MB", "1.5 GiB"."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGT])(I?))?B?", text.strip().upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; expected bytes, or for example 200MB, 1.5GB or 2GiB")
    number, unit, binary = found.groups()
    return int(Fraction(number) * (1024 if binary else 1000) ** ("KMGT".index(unit) + 1 if unit else 0))


def _weight(text: str) -> tuple[str, Fraction]:
    """A path or a glob and the weight of its texts: "code/*.py=0.5"."""
    name, equals, number = text.rpartition("=")
    try:
        weight = Fraction(number)
    except (ValueError, ZeroDivisionError):
        equals = ""
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no weight; expected GLOB=NUMBER, for example 'code/*.py=0.5'")
    return name, weight


def _sizes(text: str) -> list[int]:
    """One number, or several with commas between: "8000,16000"."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of ids, nor several with commas between") from None


# -- Arguments -------------------------------------------------------------------------------------------------------


def _add_output(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=what)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    """What says how texts become counted pieces."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="text files or globs; JSON Lines (.jsonl, .ndjson); .gz, .zst; columns; '-' or none: standard input",
    )
    corpus = parser.add_argument_group("the corpus")
    corpus.add_argument(
        "--weight",
        action="append",
        type=_weight,
        default=[],
        metavar="GLOB=NUMBER",
        help="count these files too, each piece in them so many times; repeatable",
    )
    corpus.add_argument(
        "--pattern",
        help=f"how text is cut: {', '.join(sorted(PATTERNS))} or an expression (default: {DEFAULT_PATTERN})",
    )
    corpus.add_argument(
        "--special",
        action="append",
        default=[],
        metavar="TOKEN",
        help="a special token: it separates documents; repeatable",
    )
    corpus.add_argument(
        "--errors", choices=("strict", "replace"), default="strict", help="bytes that are not UTF-8 (default: strict)"
    )
    corpus.add_argument(
        "--field", metavar="NAME", help="the files are JSON Lines with the text in this field (default: text)"
    )
    corpus.add_argument("--threads", type=int, metavar="N", help="default: one for each processor")
    corpus.add_argument(
        "--memory-limit", type=_bytes, metavar="SIZE", help="what does not fit goes to TMPDIR; for example 2GB"
    )


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, f"the vocabulary file; with several sizes its name has {_SIZE} in it")
    _add_corpus(parser)
    parser.add_argument(
        "--vocab-size",
        type=_sizes,
        default=[32_768],
        metavar="N[,N...]",
        help="ids at most; several numbers: so many vocabularies, of one run (default: 32768)",
    )
    parser.add_argument("--min-frequency", type=int, metavar="N", help="of a pair to be merged (default: 2)")
    parser.add_argument("--max-token-length", type=int, metavar="N", help="in bytes")
    parser.add_argument("--allowed", choices=sorted(TOKEN_RULES), help="learn only tokens that keep a rule")
    parser.add_argument("--initial", metavar="NAME_OR_FILE", help="a vocabulary to extend")
    parser.add_argument(
        "--like", choices=sorted(STYLES), default="minitok", help="learn what another trainer learns, merge for merge"
    )
    parser.add_argument("--counts", action="store_true", help="the files are counts, which count-pieces wrote")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FOLDER", help="keep there what is done, and go on from what is kept there"
    )
    parser.add_argument(
        "--report",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="write a report there: .json, or with matplotlib .png, .svg or .pdf; repeatable",
    )
    parser.add_argument("--name", default="trained", help="what to call the encoding")
    parser.add_argument("--format", choices=("minitok", "tiktoken"), default="minitok", help="of the vocabulary file")


def _add_count_pieces(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, "the file of counts")
    _add_corpus(parser)
    add_cluster(parser)
    parser.add_argument("--scratch", metavar="FOLDER", help="a folder or URL where a cluster's machines may write")


def _add_merge_counts(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, "the file of their sums")
    parser.add_argument("files", nargs="+", metavar="FILE", help="files of counts")


# -- Commands --------------------------------------------------------------------------------------------------------


def _train(arguments: argparse.Namespace) -> None:
    _check_train_options(arguments)
    source = _counts(arguments) if arguments.counts else _corpus(arguments)
    chosen = {} if arguments.pattern is None else {"pattern": arguments.pattern}
    encodings = train(
        source,
        vocab_size=arguments.vocab_size,
        special_tokens=arguments.special,
        min_frequency=arguments.min_frequency,
        max_token_length=arguments.max_token_length,
        allowed=arguments.allowed,
        initial=None if arguments.initial is None else find_encoding(arguments.initial),
        like=arguments.like,
        errors=arguments.errors,
        field=arguments.field,
        num_threads=arguments.threads,
        memory_limit=arguments.memory_limit,
        checkpoint=arguments.checkpoint,
        report=arguments.report,
        name=arguments.name,
        **chosen,
    )
    figures = []
    for size, encoding in zip(arguments.vocab_size, encodings):
        output = str(arguments.output).replace(_SIZE, str(size))
        encoding.save(output, format=arguments.format)
        training = encoding.vocabulary.metadata["training"]
        numbers = {key: training[key] for key in ("pieces", "distinct_pieces")}
        figures.append({"output": output, "ids": encoding.n_vocab, **numbers})
    if arguments.json:
        print_output(json.dumps(figures[0] if len(figures) == 1 else figures))
        return
    for one in figures:
        print_output(
            f"{one['output']}: {one['ids']:,} ids, learnt from {one['pieces']:,} pieces "
            f"({one['distinct_pieces']:,} distinct)"
        )


def _count_pieces(arguments: argparse.Namespace) -> None:
    _check_corpus_options(arguments)
    options: dict[str, Any] = {} if arguments.pattern is None else {"pattern": arguments.pattern}
    for option in ("errors", "field", "memory_limit"):
        options[option] = getattr(arguments, option)
    options["special_tokens"] = arguments.special
    if not wants_cluster(arguments):
        for option in ("scratch", "storage_options"):
            if getattr(arguments, option) is not None:
                raise _bad_use(arguments, f"--{option.replace('_', '-')} is for a cluster")
        _save_counts(count_pieces(_corpus(arguments), num_threads=arguments.threads, **options), arguments)
        return
    if arguments.threads is not None:
        raise _bad_use(arguments, "--threads is for one machine; a cluster has those of its workers")
    options |= {"scratch": arguments.scratch, "storage_options": storage_options(arguments)}
    paths = _weights(arguments) if arguments.weight else arguments.files
    with cluster_of(arguments) as client:
        _save_counts(distributed.count_pieces(paths, client=client, **options), arguments)


def _merge_counts(arguments: argparse.Namespace) -> None:
    _save_counts(PieceCounts.merge(map(PieceCounts.load, arguments.files)), arguments)


def _save_counts(counts: PieceCounts, arguments: argparse.Namespace) -> None:
    counts.save(arguments.output)
    figures = {
        "output": str(arguments.output),
        "pieces": counts.total,
        "distinct_pieces": len(counts),
        "scale": counts.scale,
    }
    if arguments.json:
        print_output(json.dumps(figures))
    else:
        unit = "" if counts.scale == 1 else f", in units of 1/{counts.scale}"
        print_output(f"{arguments.output}: {counts.total:,} pieces ({len(counts):,} distinct){unit}")


#: Name, what it does, its arguments, and the command itself.
TRAINING_COMMANDS: Sequence[
    tuple[str, str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]]
] = (
    ("train", "Train a vocabulary on files and write it to a file.", _add_train, _train),
    (
        "count-pieces",
        "Count the pieces of files, which is the first half of training, and write the counts to a file.",
        _add_count_pieces,
        _count_pieces,
    ),
    (
        "merge-counts",
        "Add the counts of files that count-pieces wrote: parts of a corpus that were counted apart.",
        _add_merge_counts,
        _merge_counts,
    ),
)


# -- Sources and options ---------------------------------------------------------------------------------------------


def _bad_use(arguments: argparse.Namespace, message: str) -> BadUseError:
    return BadUseError(f"minitok {arguments.command}: error: {message}")


def _check_corpus_options(arguments: argparse.Namespace) -> None:
    """What would fail after all counting is done should fail before."""
    if arguments.threads is not None and arguments.threads < 1:
        raise _bad_use(arguments, f"--threads is {arguments.threads}; expected 1 or more")
    if arguments.memory_limit is not None and arguments.memory_limit < LEAST_MEMORY:
        raise _bad_use(arguments, f"--memory-limit is {arguments.memory_limit} bytes; expected at least 32MiB")
    if "" in arguments.special:
        raise _bad_use(arguments, "--special is empty")
    if not arguments.output.parent.is_dir():
        raise _bad_use(arguments, f"there is no folder {str(arguments.output.parent)!r}")


def _check_train_options(arguments: argparse.Namespace) -> None:
    _check_corpus_options(arguments)
    sizes = arguments.vocab_size
    for option, least, values in (
        ("--vocab-size", 256, sizes),
        ("--min-frequency", 1, [arguments.min_frequency]),
        ("--max-token-length", 1, [arguments.max_token_length]),
    ):
        for value in values:
            if value is not None and value < least:
                raise _bad_use(arguments, f"{option} is {value}; expected {least} or more")
    if len(sizes) > 1 and _SIZE not in arguments.output.name:
        raise _bad_use(arguments, f"--output is one file for several sizes; put {_SIZE} in its name")
    if len(set(sizes)) < len(sizes):
        raise _bad_use(arguments, "--vocab-size has the same number twice")


def _corpus(arguments: argparse.Namespace) -> Any:
    """The source for `train` and `count_pieces`."""
    if arguments.weight:
        return _weights(arguments)
    source: list[Any] = []
    for name in arguments.files or [STANDARD_INPUT]:
        source += [sys.stdin.buffer] if name == STANDARD_INPUT else expand(name)
    return source


def _weights(arguments: argparse.Namespace) -> dict[str, Any]:
    """Files, and how much each counts."""
    weights: dict[str, Any] = dict.fromkeys(arguments.files, Fraction(1))
    if STANDARD_INPUT in weights:
        raise _bad_use(arguments, "standard input cannot be counted beside files with weights; give a file")
    for name, weight in arguments.weight:
        if name in weights:
            raise _bad_use(arguments, f"{name!r} is given twice; give it one weight")
        weights[name] = weight
    return weights


def _counts(arguments: argparse.Namespace) -> PieceCounts:
    """The sum of counts from files."""
    if not arguments.files or STANDARD_INPUT in arguments.files or arguments.weight:
        raise _bad_use(arguments, "--counts takes files that count-pieces wrote, and no weights")
    return PieceCounts.merge([PieceCounts.load(path) for name in arguments.files for path in expand(name)])
