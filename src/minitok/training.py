"""train(): texts -> counted pieces -> merges -> vocabulary.

The result depends on the pieces and how often each occurs, and on the options, alone: not on the order of the
texts, nor on how they are cut into files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from minitok import _backend
from minitok.corpus import Source
from minitok.counting import count_pieces
from minitok.encoding import Encoding
from minitok.patterns import DEFAULT_PATTERN, resolve_pattern
from minitok.piece_records import pack_records
from minitok.progress import progress_bar
from minitok.special_tokens import check_special_tokens
from minitok.token_rules import find_token_rule
from minitok.training_styles import TrainingStyle, find_style
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["train"]


class _SameAsInitial:
    """The pattern's default: that of `initial`, or else that of the style."""

    def __repr__(self) -> str:
        return f"{DEFAULT_PATTERN!r}, or the pattern of initial or like"


_DEFAULT = _SameAsInitial()


def train(
    source: Source | Mapping[str, int] | Mapping[bytes, int],
    *,
    vocab_size: int,
    pattern: str | _SameAsInitial | None = _DEFAULT,
    special_tokens: Iterable[str] = (),
    min_frequency: int | None = None,
    max_token_length: int | None = None,
    allowed: str | Callable[[bytes], bool] | None = None,
    like: str = "minitok",
    initial: Encoding | Vocabulary | None = None,
    errors: Literal["strict", "replace"] = "strict",
    name: str = "trained",
    progress: bool | None = None,
) -> Encoding:
    """Train a byte-level BPE vocabulary.

    Each step merges the pair of tokens that occurs most often; among equals the one with the smallest ids. The
    ids 0 to 255 are the bytes; each merge takes the next id; the special tokens take the last.

    Args:
        source: a path or a glob (as a str or `Path`); an open file; an iterable of texts (`str`), `Path`s and open
            files; or counts {piece: count}, which are not split further. Files are read in parts.
        vocab_size: how many ids there are to be at most, special tokens included.
        pattern: how text is cut into pieces: a name ("o200k", "cl100k", "gpt2"), a regular expression, or None
            (a document is one piece). Default: the pattern of `initial`, or else "o200k", or what `like` says.
        special_tokens: strings that get ids of their own; in the corpus they separate documents, and are not learnt.
        min_frequency: stop when the best pair is rarer than this. Default: 2, or what `like` says.
        max_token_length: learn no token of more bytes than this.
        allowed: which tokens may be learnt: a function of a token's bytes, or "characters" (a token is whole
            characters, or within one). Two tokens that may not be one stay apart.
        like: learn, merge for merge, what another trainer learns: "huggingface" (BpeTrainer with the alphabet of
            ByteLevel; ids too), "rustbpe", or "tiktoken-educational". See `training_styles`.
        initial: a vocabulary to extend: its tokens, merges and special tokens stay as they are.
        errors: bytes in a file that are not valid UTF-8 are an error ("strict") or become U+FFFD ("replace").
        name: what to call the encoding.
        progress: show a bar on standard error. Default: if that is a terminal.

    Returns:
        The encoding. It has fewer than `vocab_size` ids if the corpus ran out of pairs.

    Raises:
        ValueError: an option out of range, bytes that are not UTF-8, counts that are no counts.
        TypeError: a source of the wrong type.
        OSError: a file that cannot be read.

    >>> enc = train(["low lower lowest"], vocab_size=258, special_tokens=["<end>"])
    >>> enc.token_bytes(256)
    b'lo'
    >>> enc.encode("<end>", allowed_special="all")
    [257]
    """
    style = find_style(like)
    base = initial.vocabulary if isinstance(initial, Encoding) else initial
    if base is not None and like != "minitok":
        raise ValueError(f"like={like!r} begins with the bytes: give no initial vocabulary with it")
    regex = _pattern_of(pattern, base, style)
    specials = _special_tokens(special_tokens, base)
    base_tokens: list[bytes | None] = base.token_list() if base else [bytes([b]) for b in style.byte_order]
    min_frequency = style.min_frequency if min_frequency is None else min_frequency
    if min_frequency < 1:
        raise ValueError(f"min_frequency is {min_frequency}; expected 1 or more")
    if max_token_length is not None and max_token_length < 1:
        raise ValueError(f"max_token_length is {max_token_length}; expected 1 or more, or None")
    if not len(base_tokens) + len(specials) <= vocab_size <= MAX_ID + 1:
        raise ValueError(
            f"vocab_size is {vocab_size}; expected at least {len(base_tokens) + len(specials)} "
            f"({len(base_tokens)} ids to begin with and {len(specials)} special tokens) and at most {MAX_ID + 1}"
        )
    if isinstance(source, Mapping):
        pieces, counts = _checked_counts(source)
    else:
        separators = [*specials, *(base.special_tokens if base else ())] if style.cuts_special_tokens else []
        counted = count_pieces(
            source,
            pattern=regex,
            special_tokens=separators,
            errors=errors,
            order="first" if style.ties == "first" else "bytes",
            progress=progress,
        )
        pieces, counts = list(counted), [count for _, count in counted.items()]
    total, distinct = sum(counts), len(counts)
    learner = _backend.Learner(
        base_tokens,
        encoder=None if base is None else _backend.Encoder(base.tokens, base.merges, None, base.whole_piece),
        min_frequency=min_frequency,
        max_token_length=style.longest_token(max_token_length),
        allowed=find_token_rule(allowed),
        ties=style.ties,
    )
    learner.add(pack_records(zip(pieces, counts)))
    del pieces
    n_merges = vocab_size - len(base_tokens) - len(specials)
    show = sys.stderr.isatty() if progress is None else progress
    with progress_bar(show, total=n_merges, desc="learning merges", unit=" merges") as bar:
        merges = learner.learn(n_merges, None if bar is None else lambda done: bar.update(done - bar.n))
    return Encoding.from_vocabulary(
        _vocabulary_of(
            merges,
            base,
            base_tokens,
            specials,
            style,
            name=name,
            pattern=regex,
            metadata={
                "training": {
                    "vocab_size": vocab_size,
                    "min_frequency": min_frequency,
                    "max_token_length": max_token_length,
                    "initial": base.name if base else None,
                    "like": like,
                    "pieces": total,
                    "distinct_pieces": distinct,
                }
            },
        )
    )


def _pattern_of(pattern: str | _SameAsInitial | None, base: Vocabulary | None, style: TrainingStyle) -> str | None:
    if isinstance(pattern, _SameAsInitial):
        return base.pattern if base else resolve_pattern(style.pattern)
    return resolve_pattern(pattern)


def _special_tokens(special_tokens: Iterable[str], base: Vocabulary | None) -> list[str]:
    return [
        token for token in check_special_tokens(special_tokens) if base is None or token not in base.special_tokens
    ]


def _checked_counts(source: Mapping[Any, Any]) -> tuple[list[bytes], list[int]]:
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
    return list(counts), list(counts.values())


def _vocabulary_of(
    merges: Sequence[tuple[int, int, int]],
    base: Vocabulary | None,
    base_tokens: Sequence[bytes | None],
    specials: Sequence[str],
    style: TrainingStyle,
    *,
    name: str,
    pattern: str | None,
    metadata: Mapping[str, Any],
) -> Vocabulary:
    """The learnt vocabulary. Its ids are its ranks, unless those of the vocabulary that it extends are not.

    That a rank file can hold it follows from how it was learnt: the bytes of a token go through the same states
    wherever its ends are boundaries, so exactly one pair ever makes it, and any other cut of it never occurs.
    """
    all_tokens = list(base_tokens)
    explicit = None if base is None or base.merges is None else list(base.merges)
    first = len(specials) if style.special_tokens_first else 0
    tokens = dict(base.tokens) if base else {bytes([b]): first + i for i, b in enumerate(style.byte_order)}
    for left, right, _ in merges:
        token = (all_tokens[left] or b"") + (all_tokens[right] or b"")
        tokens[token] = first + len(all_tokens)
        if explicit is not None:
            explicit.append((left, right, len(all_tokens)))
        all_tokens.append(token)
    special_ids = dict(base.special_tokens) if base else {}
    first_special = 0 if style.special_tokens_first else len(all_tokens)
    special_ids.update({token: first_special + k for k, token in enumerate(specials)})
    whole_piece = base.whole_piece if base else True
    return Vocabulary(name, tokens, explicit, special_ids, pattern, whole_piece, metadata)
