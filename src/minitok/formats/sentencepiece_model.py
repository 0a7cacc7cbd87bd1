"""SentencePiece's `.model`: read and written, if its model is BPE.

The file is a message of protocol buffers (`sentencepiece_model.proto`): the pieces, what the trainer was told, and
the normalizer. What they mean is said in `sentencepiece_pieces`.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

from minitok.explicit_merges import with_ranks
from minitok.formats import protobuf
from minitok.formats.json_documents import DAMAGED
from minitok.formats.sentencepiece_pieces import (
    CONTROL,
    NORMAL,
    UNKNOWN,
    Piece,
    Spec,
    of_pieces,
    pieces_of,
    spec_of,
)
from minitok.vocabulary import Vocabulary

__all__ = ["dump", "is_file", "parse"]

# `ModelProto`.
_PIECES, _TRAINER, _NORMALIZER, _SELF_TEST, _DENORMALIZER = 1, 2, 3, 4, 5
#: From this number on, fields are for extensions.
_EXTENSIONS = 200
#: A model with more pieces is damaged. (The largest in use has 262,144.)
MOST_PIECES = 300_000
#: What else there may be: messages besides pieces, and fields in one of them. (Gemma's trainer lists 6,000 pieces.)
MOST_OTHERS, MOST_FIELDS = 16, 50_000
#: A piece has a text, a score and a type.
_PIECE_FIELDS = 3
_SCORE = struct.Struct("<f")
_TEXT_KEY, _SCORE_KEY, _KIND_KEY = 1 << 3 | protobuf.LENGTH, 2 << 3 | protobuf.FIXED32, 3 << 3 | protobuf.VARINT
_UNIGRAM, _BPE = 1, 2
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
# `TrainerSpec`: the fields that are about the model.
_MODEL_TYPE, _VOCAB_SIZE, _SUFFIX_SPACES, _BYTE_FALLBACK = 3, 4, 24, 35
_UNK_ID, _BOS_ID, _EOS_ID, _PAD_ID, _UNK_PIECE = 40, 41, 42, 43, 45
# `NormalizerSpec`.
_NAME, _CHARSMAP, _DUMMY_PREFIX, _REMOVE_EXTRA, _ESCAPE = 1, 2, 3, 4, 5

_Values = dict[int, int | bytes]


@dataclass
class _Model:
    pieces: list[Piece] = field(default_factory=list)
    trainer: _Values = field(default_factory=dict)
    normalizer: _Values = field(default_factory=dict)
    denormalizer: _Values = field(default_factory=dict)


def is_file(head: bytes) -> bool:
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
        what = _MODEL_TYPES.get(kind, str(kind)) if isinstance(kind, int) else "?"
        raise ValueError(f"{source}: the model type {what!r} is not supported: only 'bpe' is")
    if model.trainer.get(_SUFFIX_SPACES):
        raise ValueError(f"{source}: treat_whitespace_as_suffix is not supported")
    if model.denormalizer.get(_CHARSMAP):
        raise ValueError(f"{source}: a denormalizer is not supported")
    if not model.normalizer.get(_ESCAPE, 1):
        raise ValueError(f"{source}: escape_whitespaces=false is not supported")
    charsmap = model.normalizer.get(_CHARSMAP)
    spec = Spec(
        prefix=bool(model.normalizer.get(_DUMMY_PREFIX, 1)),
        remove_extra=bool(model.normalizer.get(_REMOVE_EXTRA, 1)),
        charsmap=charsmap if isinstance(charsmap, bytes) and charsmap else None,
        byte_fallback=bool(model.trainer.get(_BYTE_FALLBACK)),
    )
    try:
        return of_pieces(model.pieces, spec, name)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None


def _read(data: bytes, source: str) -> _Model:
    model = _Model()
    try:
        others = 0
        for number, wire, value in protobuf.fields(data):
            if number == _PIECES and isinstance(value, bytes) and wire == protobuf.LENGTH:
                if len(model.pieces) == MOST_PIECES:
                    raise ValueError(f"there are more than {MOST_PIECES} pieces")
                model.pieces.append(_piece(value, len(model.pieces)))
                continue
            others += 1
            if others > MOST_OTHERS:
                raise ValueError(f"there are more than {MOST_OTHERS} messages besides pieces")
            if number >= _EXTENSIONS:
                continue
            if number > _DENORMALIZER or wire != protobuf.LENGTH or not isinstance(value, bytes):
                raise ValueError(f"there is a field {number} of type {wire}")
            if number == _TRAINER:
                model.trainer.update({n: v for n, _, v in protobuf.fields(value, MOST_FIELDS)})
            elif number in (_NORMALIZER, _DENORMALIZER):
                spec = model.normalizer if number == _NORMALIZER else model.denormalizer
                spec.update({n: v for n, _, v in protobuf.fields(value, MOST_FIELDS)})
    except ValueError as error:
        raise ValueError(f"{source}: {error}; {DAMAGED}") from None
    if not model.pieces or not model.trainer or not model.normalizer:
        raise ValueError(f"{source}: pieces, trainer or normalizer are missing; {DAMAGED}")
    return model


def _piece(data: bytes, i: int) -> Piece:
    text, score, kind = "", 0.0, NORMAL
    end = 2 + data[1] if len(data) > 7 else len(data)
    is_typed = len(data) == end + 7 and data[-2] == _KIND_KEY and data[-1] < 0x80
    if (is_typed or len(data) == end + 5) and data[0] == _TEXT_KEY and data[1] < 0x80 and data[end] == _SCORE_KEY:
        # So are nearly all spelled, with a short text: field by field it would be the same.
        text, (score,) = data[2:end].decode("utf-8"), _SCORE.unpack_from(data, end + 1)
        kind = data[-1] if is_typed else NORMAL
    else:
        for number, wire, value in protobuf.fields(data, _PIECE_FIELDS):
            if (number, wire) == (1, protobuf.LENGTH) and isinstance(value, bytes):
                text = value.decode("utf-8")
            elif (number, wire) == (2, protobuf.FIXED32) and isinstance(value, bytes):
                (score,) = _SCORE.unpack(value)
            elif (number, wire) == (3, protobuf.VARINT) and isinstance(value, int):
                kind = value
            else:
                raise ValueError(f"the piece {i} has a field {number} of type {wire}")
    if not text or math.isnan(score):
        raise ValueError(f"the piece {i} is {text!r}, with the score {score}")
    return Piece(text, score, kind)


def dump(vocabulary: Vocabulary) -> bytes:
    """The model of a vocabulary that came from one, or is like one.

    Raises:
        ValueError: such a model cannot say what the vocabulary is; the message says why.
    """
    vocabulary = with_ranks(vocabulary)
    spec = spec_of(vocabulary)
    pieces = pieces_of(vocabulary)
    unknown = next(i for i, piece in enumerate(pieces) if piece.kind == UNKNOWN)
    control = {piece.text: i for i, piece in enumerate(pieces) if piece.kind == CONTROL}
    trainer = {
        _MODEL_TYPE: _BPE,
        _VOCAB_SIZE: len(pieces),
        _BYTE_FALLBACK: int(bool(spec.byte_fallback)),
        _UNK_ID: unknown,
        _BOS_ID: control.get("<s>", -1),
        _EOS_ID: control.get("</s>", -1),
        _PAD_ID: control.get("<pad>", -1),
    }
    flags = {_DUMMY_PREFIX: int(spec.prefix), _REMOVE_EXTRA: int(spec.remove_extra), _ESCAPE: 1}
    unknown_piece = protobuf.length_field(_UNK_PIECE, pieces[unknown].text.encode("utf-8"))
    names = [
        protobuf.length_field(_NAME, b"user_defined" if spec.charsmap else b"identity"),
        protobuf.length_field(_CHARSMAP, spec.charsmap or b""),
    ]
    return b"".join(
        [
            *(protobuf.length_field(_PIECES, _written(piece)) for piece in pieces),
            protobuf.length_field(_TRAINER, _varints(trainer) + unknown_piece),
            protobuf.length_field(_NORMALIZER, b"".join(names) + _varints(flags)),
        ]
    )


def _varints(values: dict[int, int]) -> bytes:
    return b"".join(protobuf.varint_field(number, value) for number, value in values.items())


def _written(piece: Piece) -> bytes:
    kind = protobuf.varint_field(3, piece.kind) if piece.kind != NORMAL else b""
    return protobuf.length_field(1, piece.text.encode("utf-8")) + protobuf.float_field(2, piece.score) + kind
