"""SentencePiece's `.model`: read and written, if its model is BPE.

The file is a message of protocol buffers (`sentencepiece_model.proto`): pieces, each with a score and a type; what
the trainer was told; the normalizer. Here is what becomes of it:

    normal pieces         tokens. Every two that stand side by side and whose concatenation is a token merge, the
                          highest score first, the leftmost among equals: a token's rank is the place of its score
    user-defined pieces   added tokens, which are looked for in normalized text, and which no normalizer changes
    control, unknown      special tokens: no text spells them
    bytes                 what a character becomes that is no token (byte fallback); else it becomes the unknown piece

A space is spelled `▁` in the file, and a `▁` in a text is one: here it is a space. Scores are kept as ranks only:
they say nothing but the order, and when a model is written, a score is minus the rank.

The algorithm is that of SentencePiece 0.2 (`src/bpe_model.cc`, `src/normalizer.cc`, `src/model_interface.cc`).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

from minitok.added_tokens import AddedToken
from minitok.formats import protobuf
from minitok.formats.space_marks import SPACE_MARK, spaces_pattern
from minitok.normalizers import Charsmap, Normalizer, Prepend, Replace, Spaces
from minitok.symbols import Symbols
from minitok.vocabulary import Vocabulary

__all__ = ["dump", "is_model", "parse"]

_REMEDY = "the file is damaged or is not a SentencePiece model; get it anew"

# `ModelProto` and `SentencePiece.Type`.
_PIECES, _TRAINER, _NORMALIZER, _SELF_TEST, _DENORMALIZER = 1, 2, 3, 4, 5
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_UNIGRAM, _BPE = 1, 2
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
#: `TrainerSpec`: numbers of the fields that are about the model.
_MODEL_TYPE, _VOCAB_SIZE, _SUFFIX_SPACES, _BYTE_FALLBACK = 3, 4, 24, 35
_UNK_ID, _BOS_ID, _EOS_ID, _PAD_ID, _UNK_PIECE = 40, 41, 42, 43, 45
#: `NormalizerSpec`.
_NORMALIZER_NAME, _CHARSMAP, _DUMMY_PREFIX, _REMOVE_EXTRA, _ESCAPE = 1, 2, 3, 4, 5

_TRAILING_SPACES = Replace(r" +\Z", "", is_regex=True)
_MARKS = Replace(SPACE_MARK, " ")


@dataclass
class _Piece:
    text: str = ""
    score: float = 0.0
    kind: int = NORMAL


@dataclass
class _Model:
    pieces: list[_Piece] = field(default_factory=list)
    trainer: dict[int, int | bytes] = field(default_factory=dict)
    normalizer: dict[int, int | bytes] = field(default_factory=dict)
    denormalizer: dict[int, int | bytes] = field(default_factory=dict)


def is_model(head: bytes) -> bool:
    """Whether a file that begins so may be such a model: its first field is a piece, which begins with its text."""
    return len(head) > 3 and head[0] == 0x0A and head[2] == 0x0A and head[1] >= head[3] + 2


def parse(data: bytes, source: str, *, name: str) -> Vocabulary:
    """The vocabulary of a model.

    Raises:
        ValueError: the file is damaged, or has what minitok does not know; the message names it.
    """
    model = _read(data, source)
    kind = model.trainer.get(_MODEL_TYPE, _UNIGRAM)
    if kind != _BPE:
        raise ValueError(
            f"{source}: the model type {_MODEL_TYPES.get(kind if isinstance(kind, int) else 0, kind)!r} "
            "is not supported: only 'bpe' is"
        )
    for what, spec, number in (
        ("treat_whitespace_as_suffix", model.trainer, _SUFFIX_SPACES),
        ("a denormalizer", model.denormalizer, _CHARSMAP),
    ):
        if spec.get(number):
            raise ValueError(f"{source}: {what} is not supported")
    if not model.normalizer.get(_ESCAPE, 1):
        raise ValueError(f"{source}: escape_whitespaces=false is not supported")
    try:
        return _vocabulary(model, name)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None


def _read(data: bytes, source: str) -> _Model:
    model = _Model()
    try:
        for number, wire, value in protobuf.fields(data):
            if number > 5 or wire != protobuf.LENGTH or not isinstance(value, bytes):
                if number < 200:  # what is from there on is for extensions
                    raise ValueError(f"there is a field {number} of type {wire}")
                continue
            if number == _PIECES:
                model.pieces.append(_piece(value, len(model.pieces)))
            elif number == _TRAINER:
                model.trainer.update({n: v for n, _, v in protobuf.fields(value)})
            elif number in (_NORMALIZER, _DENORMALIZER):
                spec = model.normalizer if number == _NORMALIZER else model.denormalizer
                spec.update({n: v for n, _, v in protobuf.fields(value)})
    except ValueError as error:
        raise ValueError(f"{source}: {error}; {_REMEDY}") from None
    if not model.pieces or not model.trainer or not model.normalizer:
        raise ValueError(f"{source}: pieces, trainer or normalizer are missing; {_REMEDY}")
    return model


def _piece(data: bytes, i: int) -> _Piece:
    piece = _Piece()
    for number, wire, value in protobuf.fields(data):
        if (number, wire) == (1, protobuf.LENGTH) and isinstance(value, bytes):
            piece.text = value.decode("utf-8")
        elif (number, wire) == (2, protobuf.FIXED32) and isinstance(value, bytes):
            piece.score = struct.unpack("<f", value)[0]
        elif (number, wire) == (3, protobuf.VARINT) and isinstance(value, int):
            piece.kind = value
    if not piece.text:
        raise ValueError(f"the piece {i} is empty")
    if math.isnan(piece.score) or piece.kind not in range(NORMAL, BYTE + 1):
        raise ValueError(f"the piece {i}, {piece.text!r}, has the score {piece.score} and the type {piece.kind}")
    return piece


def _vocabulary(model: _Model, name: str) -> Vocabulary:
    by_kind: dict[int, dict[str, int]] = {kind: {} for kind in range(NORMAL, BYTE + 1)}
    seen: set[str] = set()
    for i, piece in enumerate(model.pieces):
        if piece.text in seen:
            raise ValueError(f"the piece {i}, {piece.text!r}, stands there twice; {_REMEDY}")
        seen.add(piece.text)
        by_kind[piece.kind][piece.text] = i
    if by_kind[UNUSED]:
        raise ValueError(f"unused pieces, as {next(iter(by_kind[UNUSED]))!r}, are not supported")
    if len(by_kind[UNKNOWN]) != 1:
        raise ValueError(f"there are {len(by_kind[UNKNOWN])} unknown pieces, expected one; {_REMEDY}")
    tokens: dict[bytes, int] = {}
    only_decoded: dict[int, bytes] = {}
    for text, i in by_kind[NORMAL].items():
        if " " in text:  # no normalized text has one
            only_decoded[i] = text.encode()
        else:
            tokens[text.replace(SPACE_MARK, " ").encode("utf-8")] = i
    _check_characters(tokens)
    scores = {i: model.pieces[i].score for i in tokens.values()}
    rank_of = {score: rank for rank, score in enumerate(sorted(set(scores.values()), reverse=True))}
    user_defined = [
        AddedToken(text.replace(SPACE_MARK, " "), i, normalized=True)
        for text, i in by_kind[USER_DEFINED].items()
        if " " not in text
    ]
    only_decoded.update({i: text.encode() for text, i in by_kind[USER_DEFINED].items() if " " in text})
    prefix = bool(model.normalizer.get(_DUMMY_PREFIX, 1))
    return Vocabulary(
        name,
        tokens,
        None,
        by_kind[UNKNOWN] | by_kind[CONTROL],
        spaces_pattern(tokens),
        whole_piece=False,
        ranks=tuple(rank_of[scores[i]] for i in sorted(scores)),
        symbols=_symbols(model, by_kind),
        normalizers=_normalizers(model, list(by_kind[USER_DEFINED]), prefix=prefix),
        added_tokens=tuple(user_defined),
        decoded_prefix=" " if prefix else "",
        only_decoded=only_decoded,
    )


def _check_characters(tokens: dict[bytes, int]) -> None:
    """Merges begin with characters; one that is no token has bytes of its own, and merges with nothing."""
    for token in tokens:
        text = token.decode("utf-8")
        for character in text if len(text) > 1 else "":
            if character.encode("utf-8") not in tokens:
                raise ValueError(
                    f"the piece {text!r} has the character {character!r}, which is no piece: not supported"
                )


def _symbols(model: _Model, by_kind: dict[int, dict[str, int]]) -> Symbols:
    byte_ids = None
    if model.trainer.get(_BYTE_FALLBACK):
        spelt = [f"<0x{b:02X}>" for b in range(256)]
        missing = [text for text in spelt if text not in by_kind[BYTE]]
        if missing:
            raise ValueError(f"byte_fallback, but there is no piece {missing[0]!r}; {_REMEDY}")
        byte_ids = tuple(by_kind[BYTE][text] for text in spelt)
    elif by_kind[BYTE]:
        raise ValueError(f"pieces for bytes, but no byte_fallback; {_REMEDY}")
    unknown = next(iter(by_kind[UNKNOWN].values()))
    return Symbols(True, byte_ids, None if byte_ids else unknown, fuse_unknown=byte_ids is None)


def _normalizers(model: _Model, user_defined: list[str], *, prefix: bool) -> tuple[Normalizer, ...]:
    chain: list[Normalizer] = []
    charsmap = model.normalizer.get(_CHARSMAP)
    if isinstance(charsmap, bytes) and charsmap:
        chain.append(Charsmap(charsmap, tuple(user_defined)))
    remove_extra = bool(model.normalizer.get(_REMOVE_EXTRA, 1))
    if remove_extra:
        chain.append(Spaces())
    chain.append(_MARKS)
    if remove_extra:
        chain.append(_TRAILING_SPACES)
    if prefix:
        chain.append(Prepend(" "))
    return tuple(chain)


# -- Writing -----------------------------------------------------------------------------------------------------


def dump(vocabulary: Vocabulary) -> bytes:
    """The model of a vocabulary that came from one, or is like one.

    Raises:
        ValueError: such a model cannot say what the vocabulary is; the message says why.
    """
    _check_like_a_model(vocabulary)
    normalizers = list(vocabulary.normalizers)
    charsmap = normalizers.pop(0) if normalizers and isinstance(normalizers[0], Charsmap) else None
    prefix = bool(normalizers) and normalizers[-1] == Prepend(" ")
    remove_extra = Spaces() in normalizers
    wanted = [_MARKS, *[Prepend(" ")] * prefix]
    if remove_extra:
        wanted = [Spaces(), _MARKS, _TRAILING_SPACES, *[Prepend(" ")] * prefix]
    if normalizers != wanted:
        raise _refused(vocabulary, f"its normalizers are {normalizers}")
    pieces = _pieces(vocabulary)
    trainer = {
        _MODEL_TYPE: _BPE,
        _VOCAB_SIZE: len(pieces),
        _BYTE_FALLBACK: int(vocabulary.symbols.byte_ids is not None),
    }
    unknown = next(i for i, piece in enumerate(pieces) if piece.kind == UNKNOWN)
    control = {piece.text: i for i, piece in enumerate(pieces) if piece.kind == CONTROL}
    trainer[_UNK_ID] = unknown
    for number, text in ((_BOS_ID, "<s>"), (_EOS_ID, "</s>"), (_PAD_ID, "<pad>")):
        trainer[number] = control.get(text, -1)
    spec = {_DUMMY_PREFIX: int(prefix), _REMOVE_EXTRA: int(remove_extra), _ESCAPE: 1}
    return b"".join(
        [
            *(protobuf.length_field(_PIECES, _written_piece(piece)) for piece in pieces),
            protobuf.length_field(
                _TRAINER,
                b"".join(protobuf.varint_field(number, value) for number, value in sorted(trainer.items()))
                + protobuf.length_field(_UNK_PIECE, pieces[unknown].text.encode()),
            ),
            protobuf.length_field(
                _NORMALIZER,
                protobuf.length_field(_NORMALIZER_NAME, b"identity" if charsmap is None else b"user_defined")
                + protobuf.length_field(_CHARSMAP, charsmap.blob if isinstance(charsmap, Charsmap) else b"")
                + b"".join(protobuf.varint_field(number, value) for number, value in sorted(spec.items())),
            ),
        ]
    )


def _refused(vocabulary: Vocabulary, why: str) -> ValueError:
    return ValueError(f"a SentencePiece model cannot hold the vocabulary {vocabulary.name!r}: {why}")


def _check_like_a_model(vocabulary: Vocabulary) -> None:
    symbols = vocabulary.symbols
    reasons = {
        "its merges are not ranked by their tokens": vocabulary.ranks is None or vocabulary.merges is not None,
        "its pieces do not begin as characters": not symbols.characters,
        "a piece that is a token is taken whole": vocabulary.whole_piece,
        "text is cut into pieces": bool(vocabulary.splits)
        or vocabulary.pattern not in (None, spaces_pattern(vocabulary.tokens)),
        "unknown characters in a row have an id each": symbols.byte_ids is None and not symbols.fuse_unknown,
        "it has added tokens that are not looked for in normalized text, or with flags": any(
            token.has_flags or not token.normalized for token in vocabulary.added_tokens
        ),
        "decoded text has another prefix": vocabulary.decoded_prefix
        != (" " if Prepend(" ") in vocabulary.normalizers else ""),
    }
    for reason, holds in reasons.items():
        if holds:
            raise _refused(vocabulary, reason)


def _pieces(vocabulary: Vocabulary) -> list[_Piece]:
    pieces: dict[int, _Piece] = {}
    ranks = dict(zip(sorted(vocabulary.tokens.values()), vocabulary.ranks or (), strict=True))
    for token, i in vocabulary.tokens.items():
        pieces[i] = _Piece(token.decode("utf-8").replace(" ", SPACE_MARK), -float(ranks[i]))
    for added in vocabulary.added_tokens:
        pieces[added.id] = _Piece(added.content.replace(" ", SPACE_MARK), 0.0, USER_DEFINED)
    for b, i in enumerate(vocabulary.symbols.byte_ids or ()):
        pieces[i] = _Piece(f"<0x{b:02X}>", 0.0, BYTE)
    unknown = vocabulary.symbols.unknown_id
    if unknown is None:
        unknown = vocabulary.special_tokens.get("<unk>", next(iter(vocabulary.special_tokens.values()), None))
    for text, i in vocabulary.special_tokens.items():
        pieces[i] = _Piece(text, 0.0, UNKNOWN if i == unknown else CONTROL)
    for i, spelt in vocabulary.only_decoded.items():
        pieces[i] = _Piece(spelt.decode("utf-8", "replace"), 0.0)
    if unknown not in pieces or sorted(pieces) != list(range(len(pieces))):
        raise _refused(vocabulary, "its ids have a gap, or nothing stands for what is unknown")
    return [pieces[i] for i in range(len(pieces))]


def _written_piece(piece: _Piece) -> bytes:
    kind = protobuf.varint_field(3, piece.kind) if piece.kind != NORMAL else b""
    return protobuf.length_field(1, piece.text.encode("utf-8")) + protobuf.float_field(2, piece.score) + kind
