"""SentencePiece's pieces, each with a score and a type, to a vocabulary and back.

    normal pieces         tokens. Every two that stand side by side and whose concatenation is a token merge, the
                          highest score first, the leftmost among equals: a token's rank is the place of its score
    user-defined pieces   added tokens, which are looked for in normalized text, and which no normalizer changes
    control, unknown      special tokens: no text spells them
    unused pieces         decoded only. One that others merge to would be taken apart again, and is refused
    bytes                 what a character becomes that is no token (byte fallback); else it is the unknown piece

A space is spelled `▁` in pieces, and a `▁` in a text is one: in the vocabulary it is a space. Scores are kept as
ranks only: they say nothing but the order, and a piece that is made of a token has minus its rank as its score.

The algorithm is that of SentencePiece 0.2 (`src/bpe_model.cc`, `src/normalizer.cc`, `src/model_interface.cc`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from minitok.added_tokens import AddedToken
from minitok.formats.json_documents import DAMAGED
from minitok.formats.space_marks import SPACE_MARK, cuts_no_token, spaces_pattern
from minitok.normalizers import Charsmap, Normalizer, Prepend, Replace, Spaces
from minitok.symbols import Symbols
from minitok.vocabulary import Vocabulary

__all__ = [
    "BYTE",
    "CONTROL",
    "NORMAL",
    "UNKNOWN",
    "UNUSED",
    "USER_DEFINED",
    "Piece",
    "Spec",
    "of_pieces",
    "pieces_of",
    "spec_of",
]

#: `SentencePiece.Type` of `sentencepiece_model.proto`.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)

#: `PrefixMatcher::PrefixMatch` of `src/normalizer.cc` has room for so many.
MOST_AT_ONE_PLACE = 64

#: More user-defined pieces are no model's. (Gemma has 6,500.)
MOST_USER_DEFINED = 100_000

#: Up to this sum of squared lengths unused pieces are cut at every place. (50,000 like `[PAD32011]` have 5,000,000.)
MOST_UNUSED = 10_000_000

_MARKS = Replace(SPACE_MARK, " ")
_TRAILING_SPACES = Replace(r" +\Z", "", is_regex=True)


class Piece(NamedTuple):
    """A piece of a model.

    Attributes:
        text: as the model spells it.
        score: the highest merges first.
        kind: one of the types above.
    """

    text: str
    score: float = 0.0
    kind: int = NORMAL


@dataclass(frozen=True)
class Spec:
    """What a model does besides merging.

    Attributes:
        prefix: a text gets a space before it.
        remove_extra: extra spaces go.
        charsmap: the compiled map of characters, or None.
        byte_fallback: characters that are no pieces become their bytes; None: if there are pieces for bytes.
    """

    prefix: bool = True
    remove_extra: bool = False
    charsmap: bytes | None = None
    byte_fallback: bool | None = None


def of_pieces(pieces: Sequence[Piece], spec: Spec, name: str) -> Vocabulary:
    """The vocabulary of a model's pieces, in the order of their ids.

    Raises:
        ValueError: the pieces make no vocabulary, or have what minitok does not know.
    """
    by_kind = _by_kind(pieces)
    if len(by_kind[USER_DEFINED]) > MOST_USER_DEFINED:
        raise ValueError(f"there are more than {MOST_USER_DEFINED} user-defined pieces; {DAMAGED}")
    # No normalized text has a space that is not marked.
    spaced = {text: i for kind in (NORMAL, USER_DEFINED) for text, i in by_kind[kind].items() if " " in text}
    spaced.update(_beyond_reach(by_kind[USER_DEFINED]))
    _check_unused(by_kind)
    tokens = {
        text.replace(SPACE_MARK, " ").encode("utf-8"): i for text, i in by_kind[NORMAL].items() if text not in spaced
    }
    _check_characters(tokens)
    scores = {i: pieces[i].score for i in tokens.values()}
    rank_of = {score: rank for rank, score in enumerate(sorted(set(scores.values()), reverse=True))}
    user_defined = by_kind[USER_DEFINED]
    return Vocabulary(
        name,
        tokens,
        None,
        by_kind[UNKNOWN] | by_kind[CONTROL],
        spaces_pattern(tokens),
        whole_piece=False,
        ranks=tuple(rank_of[scores[i]] for i in sorted(scores)),
        symbols=_symbols(by_kind, spec.byte_fallback),
        normalizers=tuple(_normalizers(spec, tuple(user_defined))),
        added_tokens=tuple(
            AddedToken(text.replace(SPACE_MARK, " "), i, normalized=True)
            for text, i in user_defined.items()
            if text not in spaced
        ),
        decoded_prefix=" " if spec.prefix else "",
        only_decoded={i: text.encode("utf-8") for text, i in (spaced | by_kind[UNUSED]).items()},
    )


def _by_kind(pieces: Sequence[Piece]) -> dict[int, dict[str, int]]:
    by_kind: dict[int, dict[str, int]] = {kind: {} for kind in range(NORMAL, BYTE + 1)}
    seen: set[str] = set()
    for i, (text, _, kind) in enumerate(pieces):
        if text in seen or kind not in by_kind:
            raise ValueError(f"the piece {i}, {text[:60]!r}, stands there twice or is of no type; {DAMAGED}")
        seen.add(text)
        by_kind[kind][text] = i
    if len(by_kind[UNKNOWN]) != 1:
        raise ValueError(f"there are {len(by_kind[UNKNOWN])} unknown pieces, expected one; {DAMAGED}")
    return by_kind


def _is_inert(text: str, merged: Collection[str]) -> bool:
    """Whether no text becomes this piece, if it is not looked for: it is no character, and no two pieces make it."""
    return len(text) > 1 and not any(text[:at] in merged and text[at:] in merged for at in range(1, len(text)))


def _check_unused(by_kind: dict[int, dict[str, int]]) -> None:
    """Unused pieces fill gaps, as `[PAD32011]` does, and nothing comes to them."""
    merged = by_kind[NORMAL].keys() | by_kind[UNUSED].keys()
    if sum(len(text) ** 2 for text in by_kind[UNUSED]) > MOST_UNUSED:
        raise ValueError("unused pieces that are so many or so long are not supported")
    for text in by_kind[UNUSED]:
        if " " in text or SPACE_MARK in text or not _is_inert(text, merged):
            raise ValueError(
                f"the unused piece {text[:60]!r}, which others make or which has a space, is not supported"
            )


def _beyond_reach(user_defined: dict[str, int]) -> dict[str, int]:
    """User-defined pieces that are never found: at each place only the shortest 64 that fit are looked at."""
    if len(user_defined) <= MOST_AT_ONE_PLACE:
        return {}

    # Behind a piece, in order, come all that begin with it.
    beginnings: list[str] = []
    beyond: set[str] = set()
    for text in sorted(user_defined):
        while beginnings and not text.startswith(beginnings[-1]):
            beginnings.pop()
        beginnings.append(text)
        if len(beginnings) > MOST_AT_ONE_PLACE:
            beyond.add(text)
    return {text: i for text, i in user_defined.items() if text in beyond}


def _check_characters(tokens: dict[bytes, int]) -> None:
    """Merges begin with characters; one that is no token has bytes of its own, and merges with nothing."""
    texts = [token.decode("utf-8") for token in tokens]
    single = {text for text in texts if len(text) == 1}
    if single.issuperset("".join(texts)):
        return
    for text in texts:
        for character in text:
            if character not in single:
                raise ValueError(
                    f"the piece {text[:60]!r} has the character {character!r}, which is none: not supported"
                )


def _symbols(by_kind: dict[int, dict[str, int]], byte_fallback: bool | None) -> Symbols:
    if byte_fallback or (byte_fallback is None and by_kind[BYTE]):
        spelt = [f"<0x{b:02X}>" for b in range(256)]
        missing = [text for text in spelt if text not in by_kind[BYTE]]
        if missing:
            raise ValueError(f"byte_fallback, but there is no piece {missing[0]!r}; {DAMAGED}")
        if len(by_kind[BYTE]) > len(spelt):
            raise ValueError(f"there are {len(by_kind[BYTE])} pieces for the {len(spelt)} bytes; {DAMAGED}")
        return Symbols(True, tuple(by_kind[BYTE][text] for text in spelt))
    if by_kind[BYTE]:
        raise ValueError(f"pieces for bytes, but no byte_fallback; {DAMAGED}")
    return Symbols(True, None, next(iter(by_kind[UNKNOWN].values())), fuse_unknown=True)


def _normalizers(spec: Spec, user_defined: tuple[str, ...]) -> list[Normalizer]:
    chain: list[Normalizer] = [] if spec.charsmap is None else [Charsmap(spec.charsmap, user_defined)]
    chain += [Spaces(), _MARKS, _TRAILING_SPACES] if spec.remove_extra else [_MARKS]
    return chain + [Prepend(" ")] * spec.prefix


def spec_of(vocabulary: Vocabulary) -> Spec:
    """What the model does besides merging that is the vocabulary.

    Raises:
        ValueError: no such model can be.
    """
    symbols = vocabulary.symbols
    prefix = Prepend(" ") in vocabulary.normalizers
    reasons = {
        "its merges are not ranked by their tokens": vocabulary.ranks is None or vocabulary.merges is not None,
        "its pieces do not begin as characters": not symbols.characters,
        "a piece that is a token is taken whole": vocabulary.whole_piece,
        "text is cut into pieces": bool(vocabulary.splits)
        or not cuts_no_token(vocabulary.pattern, vocabulary.tokens),
        "unknown characters in a row have an id each": symbols.byte_ids is None and not symbols.fuse_unknown,
        "it has added tokens that are not looked for in normalized text, or with flags": any(
            token.has_flags or not token.normalized for token in vocabulary.added_tokens
        ),
        "decoded text has another prefix": vocabulary.decoded_prefix != " " * prefix,
    }
    for reason, holds in reasons.items():
        if holds:
            raise _refused(vocabulary, reason)
    first = vocabulary.normalizers[0] if vocabulary.normalizers else None
    charsmap = first if isinstance(first, Charsmap) else None
    spec = Spec(
        prefix,
        Spaces() in vocabulary.normalizers,
        None if charsmap is None else charsmap.blob,
        byte_fallback=symbols.byte_ids is not None,
    )
    if list(vocabulary.normalizers) != _normalizers(spec, charsmap.protected if charsmap else ()):
        raise _refused(vocabulary, f"its normalizers are {vocabulary.normalizers}")
    return spec


def _refused(vocabulary: Vocabulary, why: str) -> ValueError:
    return ValueError(f"pieces with scores cannot be the vocabulary {vocabulary.name!r}: {why}")


def pieces_of(vocabulary: Vocabulary) -> list[Piece]:
    """The pieces of a vocabulary that has a `spec_of`, in the order of ids.

    Raises:
        ValueError: its ids have a gap, or nothing stands for what is unknown.
    """
    pieces: dict[int, Piece] = {}
    ranks = dict(zip(sorted(vocabulary.tokens.values()), vocabulary.ranks or (), strict=True))
    for token, i in vocabulary.tokens.items():
        pieces[i] = Piece(token.decode("utf-8").replace(" ", SPACE_MARK), -float(ranks[i]))
    for added in vocabulary.added_tokens:
        pieces[added.id] = Piece(added.content.replace(" ", SPACE_MARK), 0.0, USER_DEFINED)
    for b, i in enumerate(vocabulary.symbols.byte_ids or ()):
        pieces[i] = Piece(f"<0x{b:02X}>", 0.0, BYTE)
    unknown = vocabulary.symbols.unknown_id
    if unknown is None:
        unknown = vocabulary.special_tokens.get("<unk>", next(iter(vocabulary.special_tokens.values()), None))
    for text, i in vocabulary.special_tokens.items():
        pieces[i] = Piece(text, 0.0, UNKNOWN if i == unknown else CONTROL)
    decoded = {i: spelt.decode("utf-8", "replace") for i, spelt in vocabulary.only_decoded.items()}
    merged = {piece.text for piece in pieces.values() if piece.kind == NORMAL}.union(decoded.values())
    for i, text in decoded.items():
        kind = UNUSED if _is_inert(text, merged) else USER_DEFINED
        pieces[i] = Piece(text, 0.0, NORMAL if " " in text else kind)
    if unknown not in pieces or sorted(pieces) != list(range(len(pieces))):
        raise _refused(vocabulary, "its ids have a gap, or nothing stands for what is unknown")
    return [pieces[i] for i in range(len(pieces))]
