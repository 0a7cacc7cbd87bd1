"""train(): counted pieces -> merges -> vocabularies.

The result depends on the pieces and how often each occurs, and on the options, alone: not on the order of the
texts, nor on how they are cut into files, on threads, on memory, or on interruptions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any, Literal, overload

from minitok import _backend
from minitok.corpus import Source
from minitok.encoding import Encoding
from minitok.patterns import DEFAULT_PATTERN, resolve_pattern
from minitok.piece_records import pack_records
from minitok.progress import ProgressOption, progress_of
from minitok.special_tokens import check_special_tokens
from minitok.training.beginning import Beginning, Merge
from minitok.training.checkpoint import Checkpoint
from minitok.training.counting import WeightedSources, count_pieces
from minitok.training.piece_counts import PieceCounts, Records
from minitok.training.report import ReportOption, TrainingReport, report_paths
from minitok.training.shards import describe_files, shards_of
from minitok.training.styles import TrainingStyle, find_style
from minitok.training.token_rules import find_token_rule
from minitok.vocabulary import Vocabulary

__all__ = ["TrainingSource", "train"]

#: What can be learnt from.
TrainingSource = Source | WeightedSources | PieceCounts | Mapping[str, int] | Mapping[bytes, int]

Style = Literal["minitok", "huggingface", "rustbpe", "tiktoken-educational"]

#: So many merges are learnt at a time; between them progress is told and kept.
STRETCH = 512


class _Default:
    """The pattern's default: that of the counts or of `initial`, or else that of the style."""

    def __repr__(self) -> str:
        return f"{DEFAULT_PATTERN!r}, or the pattern of the counts, of initial, or of like"


_DEFAULT = _Default()


@overload
def train(
    source: TrainingSource,
    *,
    vocab_size: int,
    pattern: str | _Default | None = ...,
    special_tokens: Iterable[str] = ...,
    min_frequency: int | None = ...,
    max_token_length: int | None = ...,
    allowed: Callable[[bytes], bool] | Literal["characters"] | None = ...,
    initial: Encoding | Vocabulary | None = ...,
    like: Style = ...,
    errors: Literal["strict", "replace"] = ...,
    field: str | None = ...,
    num_threads: int | None = ...,
    memory_limit: int | None = ...,
    checkpoint: str | PathLike[str] | None = ...,
    report: ReportOption = ...,
    name: str = ...,
    progress: ProgressOption = ...,
) -> Encoding: ...
@overload
def train(
    source: TrainingSource,
    *,
    vocab_size: Sequence[int],
    pattern: str | _Default | None = ...,
    special_tokens: Iterable[str] = ...,
    min_frequency: int | None = ...,
    max_token_length: int | None = ...,
    allowed: Callable[[bytes], bool] | Literal["characters"] | None = ...,
    initial: Encoding | Vocabulary | None = ...,
    like: Style = ...,
    errors: Literal["strict", "replace"] = ...,
    field: str | None = ...,
    num_threads: int | None = ...,
    memory_limit: int | None = ...,
    checkpoint: str | PathLike[str] | None = ...,
    report: ReportOption = ...,
    name: str = ...,
    progress: ProgressOption = ...,
) -> list[Encoding]: ...
def train(
    source: TrainingSource,
    *,
    vocab_size: int | Sequence[int],
    pattern: str | _Default | None = _DEFAULT,
    special_tokens: Iterable[str] = (),
    min_frequency: int | None = None,
    max_token_length: int | None = None,
    allowed: Callable[[bytes], bool] | Literal["characters"] | None = None,
    initial: Encoding | Vocabulary | None = None,
    like: Style = "minitok",
    errors: Literal["strict", "replace"] = "strict",
    field: str | None = None,
    num_threads: int | None = None,
    memory_limit: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    report: ReportOption = None,
    name: str = "trained",
    progress: ProgressOption = None,
) -> Encoding | list[Encoding]:
    """Train a byte-level BPE vocabulary.

    Each step merges the pair of tokens that occurs most often; among equals the one with the smallest ids. The
    ids 0 to 255 are the bytes; each merge takes the next id; the special tokens take the last.

    Args:
        source: a path or a glob (as a str or `Path`); an open file; an iterable of texts (`str`), `Path`s and open
            files; a mapping of paths and globs to weights (float), by which what is in their files counts; or counts,
            which are not split further: `PieceCounts`, or a mapping of pieces to int. Files are text, or JSON Lines
            (`.jsonl`, `.ndjson`); with `.gz` or `.zst` behind, they are compressed; or columns
            (`.parquet`, `.arrow`, `.feather`). They are read in parts.
        vocab_size: how many ids there are to be at most, special tokens included. Several numbers: so many
            vocabularies, of one run; each is what it would be alone.
        pattern: how text is cut into pieces: a name ("o200k", "cl100k", "gpt2"), a regular expression, or None
            (a document is one piece). Default: the pattern of `PieceCounts` or of `initial`, or else "o200k".
        special_tokens: strings that get ids of their own; in the corpus they separate documents, and are not learnt.
        min_frequency: stop when the best pair is rarer than this. Default: 2.
        max_token_length: learn no token of more bytes than this.
        allowed: asked about the bytes of each token that is about to be learnt; those that it refuses are not. Or the
            name of a rule: "characters" allows whole characters, and parts of a single one.
        initial: a vocabulary to extend: its tokens, merges and special tokens stay as they are.
        like: whose vocabulary to learn, merge for merge: Hugging Face's ("huggingface": `BpeTrainer` with the
            byte-level alphabet), rustbpe's, or that of tiktoken's educational trainer. This also sets other defaults
            for `pattern` and `min_frequency`, and the ids of bytes and special tokens; docs/training.md tells.
        errors: bytes in a file that are not valid UTF-8 are an error ("strict") or become U+FFFD ("replace").
        field: the field with the text: all files are JSON Lines. Default: "text", where the name says that a file is.
        num_threads: how many threads count pieces. Default: one for each processor, as long as there is enough text.
        memory_limit: bytes that counting may take, about; what does not fit goes to a temporary folder meanwhile.
        checkpoint: a folder for what is done already. A training that was ended by whatever can be started again with
            the same arguments: it goes on from there, with the same result. `vocab_size` may be another.
        report: files to write a report to: the corpus, the time of each phase, tokens a byte by size of the
            vocabulary. `.json`; or, with matplotlib, `.png`, `.svg` or `.pdf`.
        name: what to call the encoding; with several sizes, the beginning of their names.
        progress: show a bar on standard error (default: if that is a terminal), or call this with a `Progress`.

    Returns:
        The encoding, or one for each size, in the order in which they were given. It has fewer than `vocab_size` ids
        if the corpus ran out of pairs.

    Raises:
        ValueError: an option out of range, bytes that are not UTF-8, counts that are no counts, a checkpoint of
            another training.
        TypeError: a source of the wrong type.
        OSError: a file that cannot be read or written.

    >>> enc = train(["low lower lowest"], vocab_size=258, special_tokens=["<end>"])
    >>> enc.token_bytes(256)
    b'lo'
    >>> enc.encode("<end>", allowed_special="all")
    [257]
    """
    style = find_style(like)
    base = initial.vocabulary if isinstance(initial, Encoding) else initial
    if base is not None and style.name != "minitok":
        raise ValueError(f"like={like!r} begins with the bytes, in an order of its own; it cannot extend initial")
    if base is not None and not base.is_plain():
        raise ValueError(f"initial, {base.name!r}, has more than tokens, merges and a pattern: it cannot be extended")
    beginning = Beginning.of(base, style, check_special_tokens(special_tokens))
    sizes = beginning.checked_sizes(vocab_size)
    least = style.min_frequency if min_frequency is None else min_frequency
    for option, number in (("min_frequency", least), ("max_token_length", max_token_length)):
        if number is not None and number < 1:
            raise ValueError(f"{option} is {number}; expected 1 or more")
    rule = find_token_rule(allowed)
    report_files = report_paths(report)
    regex = _pattern_of(pattern, source, base, style)
    specials = [*beginning.special, *beginning.last]
    counting = {
        "pattern": regex,
        "special_tokens": specials if style.cuts_special_tokens else [],
        "errors": errors,
        "field": field,
        "order": "first" if style.ties == "first" else "bytes",
    }
    learning = {
        "min_frequency": least,
        "max_token_length": max_token_length,
        "allowed": _name_of(allowed),
        "initial": base.name if base else None,
        "like": like,
    }
    told = TrainingReport({"vocab_size": sizes, **counting, **learning, "special_tokens": specials})
    kept = None
    if checkpoint is not None:
        if style.ties == "first":
            raise ValueError(f"like={like!r} depends on the order of the corpus, which no checkpoint keeps")
        kept = Checkpoint(checkpoint, {**counting, **learning, "corpus": _described(source), "extends": _hash(base)})

    with told.phase("counting pieces"):
        counts = _counted(
            source, counting, kept, num_threads=num_threads, memory_limit=memory_limit, progress=progress
        )
    told.corpus = {"pieces": counts.total, "distinct_pieces": len(counts), "scale": counts.scale}
    learnt = kept.merges() if kept is not None and base is None else []
    with told.phase("laying out words"):
        learner = _backend.Learner(
            beginning.tokens_after(learnt),
            encoder=beginning.encoder_after(learnt),
            min_frequency=least * counts.scale,
            max_token_length=style.longest_token(max_token_length),
            allowed=rule,
            ties=style.ties,
        )
        for block in counts.records():
            learner.add(block)
    tokens = learner.total + sum(replaced for _, _, replaced in learnt)
    size_in_bytes = tokens
    if base is not None and report_files:
        size_in_bytes = sum(len(piece) * count for piece, count in counts.items())
    del counts, source  # what is no longer needed takes as much memory as the words
    first = len(beginning.tokens()) + len(beginning.last)
    with told.phase("learning merges"):
        merges = _learn(learner, learnt, max(sizes) - first, kept, progress)

    if report_files:
        told.tell_vocabularies(sizes, first, size_in_bytes, tokens, [replaced for _, _, replaced in merges])
        told.write(report_files)
    encodings = [
        Encoding.from_vocabulary(
            beginning.vocabulary(
                merges[: size - first],
                name=name if len(sizes) == 1 else f"{name}-{size}",
                pattern=regex,
                metadata={"training": {"vocab_size": size, **learning, **told.corpus}},
            )
        )
        for size in sizes
    ]
    return encodings if isinstance(vocab_size, Sequence) else encodings[0]


# -- Options ---------------------------------------------------------------------------------------------------------


def _pattern_of(
    pattern: str | _Default | None, source: Any, base: Vocabulary | None, style: TrainingStyle
) -> str | None:
    """The regular expression that cuts text into pieces.

    Raises:
        ValueError: it is not that by which the source has been cut already.
    """
    if not isinstance(pattern, _Default):
        regex = resolve_pattern(pattern)
    elif isinstance(source, PieceCounts):
        regex = source.pattern
    else:
        regex = base.pattern if base is not None else resolve_pattern(style.pattern)
    if isinstance(source, PieceCounts) and source.pattern != regex:
        raise ValueError(
            f"these pieces were cut by the pattern {source.pattern!r}, not by {regex!r}: count again, or leave "
            "pattern out"
        )
    return regex


def _name_of(rule: str | Callable[[bytes], bool] | None) -> str | None:
    return rule if rule is None or isinstance(rule, str) else str(getattr(rule, "__qualname__", repr(rule)))


def _hash(base: Vocabulary | None) -> str | None:
    return None if base is None else hashlib.sha256(repr(base.token_list()).encode()).hexdigest()


def _described(source: Any) -> Any:
    """What tells a corpus from another one, as far as that is known without reading it; as JSON holds it."""
    if isinstance(source, Mapping) and not _are_weights(source):
        digest = hashlib.sha256()
        for block in source.records() if isinstance(source, PieceCounts) else [pack_records(_items(source))]:
            digest.update(block)
        return digest.hexdigest()
    return describe_files(source)


# -- Counted pieces --------------------------------------------------------------------------------------------------


def _are_weights(source: Mapping[Any, Any]) -> bool:
    """Whether a mapping is of files to weights; else it is of pieces to counts."""
    return not isinstance(source, PieceCounts) and any(
        isinstance(key, PathLike) or (isinstance(key, str) and type(value) is not int)
        for key, value in source.items()
    )


def _items(source: Mapping[Any, Any]) -> list[tuple[bytes, int]]:
    """The pieces and counts of a mapping, in its order."""
    counts: dict[bytes, int] = {}
    for piece, count in source.items():
        data = piece.encode("utf-8") if isinstance(piece, str) else piece
        if not isinstance(data, bytes):
            raise TypeError(f"a piece is a str or bytes, not {type(piece).__name__}")
        if type(count) is not int:
            raise TypeError(f"the count of the piece {piece!r} is {count!r}; expected an int")
        if count < 0:
            raise ValueError(f"the count of the piece {piece!r} is {count}; expected 0 or more")
        counts[data] = counts.get(data, 0) + count
    return list(counts.items())


def _counted(
    source: Any,
    options: Mapping[str, Any],
    kept: Checkpoint | None,
    *,
    num_threads: int | None,
    memory_limit: int | None,
    progress: ProgressOption,
) -> PieceCounts:
    """The pieces of a corpus: given, kept, or counted now."""
    if isinstance(source, PieceCounts):
        return source
    if isinstance(source, Mapping) and not _are_weights(source):
        items = _items(source)
        return PieceCounts(
            Records([pack_records(items)]),
            pattern=options["pattern"],
            special_tokens=(),
            pieces=len(items),
            total=sum(count for _, count in items),
            order="first",
        )

    def count(part: Any) -> PieceCounts:
        return count_pieces(part, **options, num_threads=num_threads, memory_limit=memory_limit, progress=progress)

    if kept is None:
        return count(source)
    shards = [kept.counts(describe_files(shard), partial(count, shard)) for shard in shards_of(source)]
    return shards[0] if len(shards) == 1 else PieceCounts.merge(shards)


# -- Learning --------------------------------------------------------------------------------------------------------


def _learn(
    learner: _backend.Learner, learnt: Sequence[Merge], wanted: int, kept: Checkpoint | None, progress: ProgressOption
) -> list[Merge]:
    """All merges: those learnt before, and as many more as are wanted, if there are so many."""
    merges = list(learnt[:wanted])
    with progress_of(progress, "learning merges", wanted, " merges") as update:
        if update is not None:
            update(len(merges))
        while len(merges) < wanted:
            stretch = min(STRETCH, wanted - len(merges))
            more = learner.learn(stretch)
            merges += more
            if update is not None:
                update(len(more))
            if kept is not None:
                kept.keep_merges(merges)
            if len(more) < stretch:
                break
    return merges
