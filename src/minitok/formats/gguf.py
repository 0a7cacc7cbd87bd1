"""GGUF, the file of llama.cpp's models: the vocabulary in its header is read; files with nothing else are written.

A file begins with `GGUF`, a version, how many tensors and how many values there are, and then the values: a name, a
type, and what it is (ggml's `docs/gguf.md`). Those of the vocabulary are called `tokenizer.ggml.…`. No more is read
than the header, however large the file.

    model    "gpt2": tokens in GPT-2's alphabet, and merges; or "llama": SentencePiece's pieces with scores and types
    pre      what cuts the text, by a name that llama.cpp gives it (`src/llama-vocab.cpp`); here known are _PRE

What a tokenizer does to texts before (as NFC, with Qwen) is not in the file, and llama.cpp does not do it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any

from minitok.added_tokens import AddedToken
from minitok.explicit_merges import explicit_merges, is_reached_by_merges, with_ranks
from minitok.formats.byte_alphabet import spell, unspell
from minitok.formats.sentencepiece_pieces import (
    CONTROL,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    Piece,
    Spec,
    of_pieces,
    pieces_of,
    spec_of,
)
from minitok.formats.space_marks import SPACE_MARK
from minitok.patterns import PATTERNS, find_named_pattern
from minitok.templates import Template
from minitok.vocabulary import Merge, Vocabulary

__all__ = ["dump", "read"]

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_DAMAGED = "the file is damaged or is not a GGUF file; get it anew"
_PREFIX = "tokenizer.ggml."

#: Type number to struct's letter; and the numbers of the others.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_UINT32, _INT32, _FLOAT32, _BOOL = 4, 5, 6, 7
#: A string, an array, or a header with more is damaged. (Gemma 3's has 515,000 merges, and 17 MB.)
MOST_STRING, MOST_ITEMS, MOST_BYTES = 1 << 24, 1 << 20, 1 << 26


@dataclass(frozen=True)
class _Pre:
    """What a pre-tokenizer's name stands for: a named pattern, and whether a piece that is a token is taken whole."""

    pattern: str
    whole_piece: bool = False


#: By llama.cpp's name; the first of several with one meaning is the one that is written.
_PRE = {
    "gpt-2": _Pre("r50k"),
    "phi-2": _Pre("r50k"),
    "jina-es": _Pre("r50k"),
    "jina-de": _Pre("r50k"),
    "jina-v2-es": _Pre("r50k"),
    "jina-v2-de": _Pre("r50k"),
    "roberta-bpe": _Pre("r50k"),
    "gigachat": _Pre("r50k"),
    "llama-bpe": _Pre("llama3", True),
    "llama3": _Pre("llama3", True),
    "llama-v3": _Pre("llama3", True),
    "qwen2": _Pre("qwen2"),
    "deepseek-r1-qwen": _Pre("qwen2"),
    "deepseek-v3": _Pre("deepseek"),
    "gpt-4o": _Pre("o200k"),
    "llama4": _Pre("o200k"),
    "tekken": _Pre("tekken", True),
}


# -- Reading -----------------------------------------------------------------------------------------------------


class _Header:
    """The values of a header, read one behind the other."""

    def __init__(self, file: IO[bytes], source: str) -> None:
        self._file = file
        self._source = source
        self._left = MOST_BYTES

    def _damaged(self, what: str) -> ValueError:
        return ValueError(f"{self._source}: {what}, at byte {self._file.tell()}; {_DAMAGED}")

    def _take(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise self._damaged(f"a header of more than {MOST_BYTES} bytes")
        data = self._file.read(size)
        if len(data) < size:
            raise self._damaged("the header is truncated")
        return data

    def _numbers(self, letter: str, count: int) -> tuple[Any, ...]:
        return struct.unpack(f"<{count}{letter}", self._take(count * struct.calcsize(f"<{letter}")))

    def _string(self) -> bytes:
        (size,) = self._numbers("Q", 1)
        if size > MOST_STRING:
            raise self._damaged(f"a string of {size} bytes")
        return self._take(size)

    def _value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self._numbers(_SCALARS[kind], 1)[0]
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY or depth > 3:
            raise self._damaged(f"a value of type {kind}")
        item_kind, count = (*self._numbers("I", 1), *self._numbers("Q", 1))
        if count > MOST_ITEMS:
            raise self._damaged(f"an array of {count} items")
        if item_kind in _SCALARS:
            return list(self._numbers(_SCALARS[item_kind], count))
        return [self._value(item_kind, depth + 1) for _ in range(count)]

    def values(self) -> dict[str, Any]:
        """Those of the vocabulary, by name."""
        if self._take(4) != _MAGIC:
            raise self._damaged("no GGUF file")
        (version,) = self._numbers("I", 1)
        if version not in _VERSIONS:
            raise ValueError(f"{self._source}: version {version} of GGUF is not supported, only {_VERSIONS}")
        _, count = self._numbers("Q", 2)
        if count > MOST_ITEMS:
            raise self._damaged(f"a header of {count} values")
        found: dict[str, Any] = {}
        for _ in range(count):
            name = self._string().decode("utf-8", "replace")
            (kind,) = self._numbers("I", 1)
            value = self._value(kind)
            if name.startswith(_PREFIX) or name == "general.name":
                found[name.removeprefix(_PREFIX)] = value
        return found


def read(file: IO[bytes], source: str, *, name: str) -> Vocabulary:
    """The vocabulary in the header of a file that is open at its beginning.

    Raises:
        ValueError: the file is damaged, has no vocabulary, or one that is not known here; the message names it.
    """
    values = _Header(file, source).values()
    model = values.get("model")
    try:
        if model == b"gpt2":
            return _of_merges(values, name)
        if model == b"llama":
            return _of_pieces(values, name)
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: a token is not UTF-8 ({error}); {_DAMAGED}") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None
    what = "there is no vocabulary" if model is None else f"the tokenizer {str(model)[:60]} is not supported"
    raise ValueError(f"{source}: {what}; expected 'gpt2' or 'llama' as tokenizer.ggml.model")


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _array(values: dict[str, Any], key: str, kind: type, count: int | None = None) -> list[Any]:
    value = values.get(key)
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise ValueError(f"{_PREFIX}{key} is missing, or not an array of {kind.__name__}; {_DAMAGED}")
    if count is not None and len(value) != count:
        raise ValueError(f"{_PREFIX}{key} has {len(value)} items for {count} tokens; {_DAMAGED}")
    return value


def _of_pieces(values: dict[str, Any], name: str) -> Vocabulary:
    tokens = [token.decode("utf-8") for token in _array(values, "tokens", bytes)]
    scores = _array(values, "scores", float, len(tokens))
    kinds = _array(values, "token_type", int, len(tokens))
    listed = set(tokens)
    pieces = []
    for token, score, kind in zip(tokens, scores, kinds):
        # llama.cpp looks for user-defined pieces in the text as it is: their spaces are spaces.
        marked = token.replace(" ", SPACE_MARK) if kind == USER_DEFINED else token
        pieces.append(Piece(token if marked in listed else marked, score, kind))
    vocabulary = of_pieces(pieces, Spec(prefix=bool(values.get("add_space_prefix", True))), name)
    return _with_template(vocabulary, values)


def _of_merges(values: dict[str, Any], name: str) -> Vocabulary:
    pre = _text(values.get("pre", b"default"))
    if pre not in _PRE:
        raise ValueError(f"the pre-tokenizer {pre!r} is not supported; these are: {', '.join(_PRE)}")
    spelt = [token.decode("utf-8") for token in _array(values, "tokens", bytes)]
    kinds = _array(values, "token_type", int, len(spelt)) if "token_type" in values else [NORMAL] * len(spelt)
    ids = {token: i for i, token in enumerate(spelt)}
    if len(ids) < len(spelt):
        raise ValueError(f"a token stands there twice; {_DAMAGED}")
    tokens: dict[bytes, int] = {}
    special: dict[str, int] = {}
    added: list[AddedToken] = []
    only_decoded: dict[int, bytes] = {}
    for (i, token), kind in zip(enumerate(spelt), kinds):
        own = unspell(token)
        if kind == CONTROL:
            special[token] = i
        elif kind == USER_DEFINED:
            added.append(AddedToken(token, i))
        elif kind == UNUSED or not own:
            if kind != UNUSED:
                only_decoded[i] = token.encode()
        else:
            tokens[own] = i
    merges: dict[tuple[int, int], Merge] = {}
    for number, line in enumerate(_array(values, "merges", bytes)):
        left, _, right = line.decode("utf-8").partition(" ")
        if not (left in ids and right in ids and left + right in ids):
            raise ValueError(f"{_PREFIX}merges[{number}] is {line[:60]!r}: not two tokens that make one; {_DAMAGED}")
        merge = ids[left], ids[right], ids[left + right]
        merges.setdefault(merge[:2], merge)
    vocabulary = Vocabulary(
        name,
        tokens,
        list(merges.values()),
        special,
        PATTERNS[_PRE[pre].pattern].regex,
        whole_piece=_PRE[pre].whole_piece,
        added_tokens=tuple(added),
        only_decoded=only_decoded,
    )
    return _with_template(vocabulary, values)


def _with_template(vocabulary: Vocabulary, values: dict[str, Any]) -> Vocabulary:
    before = [values["bos_token_id"]] if values.get("add_bos_token") and "bos_token_id" in values else []
    behind = [values["eos_token_id"]] if values.get("add_eos_token") and "eos_token_id" in values else []
    return replace(vocabulary, template=Template((*before, "A", *behind))) if before or behind else vocabulary


# -- Writing -----------------------------------------------------------------------------------------------------


def dump(vocabulary: Vocabulary) -> bytes:
    """A file with the vocabulary alone.

    Raises:
        ValueError: such a file cannot hold it; the message says why.
    """
    values = [
        _named("general.architecture", _STRING, b"llama"),
        _named("general.name", _STRING, vocabulary.name.encode()),
    ]
    listed = _piece_values(vocabulary) if vocabulary.symbols.characters else _merge_values(vocabulary)
    values += [_named(_PREFIX + key, kind, value) for key, kind, value in [*listed, *_template_values(vocabulary)]]
    return _MAGIC + struct.pack("<IQQ", 3, 0, len(values)) + b"".join(values)


def _refused(vocabulary: Vocabulary, why: str) -> ValueError:
    return ValueError(f"a GGUF file cannot hold the vocabulary {vocabulary.name!r}: {why}")


_Value = tuple[str, int, Any]


def _template_values(vocabulary: Vocabulary) -> list[_Value]:
    if vocabulary.template is None:
        return []
    single = vocabulary.template.single
    at = single.index("A")
    if at > 1 or len(single) - at > 2 or vocabulary.template.pair:
        raise _refused(vocabulary, f"its template is {vocabulary.template}, not one id before and behind the text")
    values: list[_Value] = []
    for what, ids in (("bos", single[:at]), ("eos", single[at + 1 :])):
        if ids:
            values += [(f"{what}_token_id", _UINT32, ids[0]), (f"add_{what}_token", _BOOL, True)]
    return values


def _piece_values(vocabulary: Vocabulary) -> list[_Value]:
    vocabulary = with_ranks(vocabulary)
    spec = spec_of(vocabulary)
    if spec.charsmap is not None or spec.remove_extra or not spec.byte_fallback:
        raise _refused(vocabulary, "it has a map of characters, or removes spaces, or has no byte fallback")
    pieces = pieces_of(vocabulary)
    return [
        ("model", _STRING, b"llama"),
        ("pre", _STRING, b"default"),
        ("tokens", _STRING, [_as_looked_for(piece).encode() for piece in pieces]),
        ("scores", _FLOAT32, [piece.score for piece in pieces]),
        ("token_type", _INT32, [piece.kind for piece in pieces]),
        ("add_space_prefix", _BOOL, spec.prefix),
    ]


def _as_looked_for(piece: Piece) -> str:
    return piece.text.replace(SPACE_MARK, " ") if piece.kind == USER_DEFINED else piece.text


def _merge_values(vocabulary: Vocabulary) -> list[_Value]:
    named = find_named_pattern(vocabulary.pattern)
    whole = vocabulary.whole_piece
    either = is_reached_by_merges(vocabulary)
    fitting = [
        name
        for name, pre in _PRE.items()
        if named is not None and pre.pattern == named.name and (either or pre.whole_piece == whole)
    ]
    if not fitting:
        raise _refused(vocabulary, f"llama.cpp has no name for what cuts its text, {vocabulary.pattern!r}")
    extras = (vocabulary.normalizers, vocabulary.splits, vocabulary.symbols.end_of_word, vocabulary.decoded_prefix)
    if any(extras) or any(token.has_flags or token.normalized for token in vocabulary.added_tokens):
        raise _refused(vocabulary, "it has normalizers, splits in stages or flags of added tokens")
    names = {i: (spell(token), NORMAL) for token, i in vocabulary.tokens.items()}
    names |= {i: (token.decode("utf-8", "replace"), NORMAL) for i, token in vocabulary.only_decoded.items()}
    names |= {token.id: (token.content, USER_DEFINED) for token in vocabulary.added_tokens}
    names |= {i: (token, CONTROL) for token, i in vocabulary.special_tokens.items()}
    listed = [names.get(i, (f"[PAD{i}]", UNUSED)) for i in range(vocabulary.n_vocab)]
    merges = [f"{names[left][0]} {names[right][0]}".encode() for left, right, _ in explicit_merges(vocabulary)]
    if len({name for name, _ in listed}) < len(listed):
        raise _refused(vocabulary, "two of its tokens would be spelled alike")
    return [
        ("model", _STRING, b"gpt2"),
        ("pre", _STRING, fitting[0].encode()),
        ("tokens", _STRING, [name.encode("utf-8", "surrogatepass") for name, _ in listed]),
        ("token_type", _INT32, [kind for _, kind in listed]),
        ("merges", _STRING, merges),
    ]


def _named(name: str, kind: int, value: Any) -> bytes:
    if isinstance(value, list):
        items = _PACK_ALL[kind](value)
        return _string(name.encode()) + struct.pack("<IIQ", _ARRAY, kind, len(value)) + items
    return _string(name.encode()) + struct.pack("<I", kind) + _PACK_ALL[kind]([value])


def _string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def _packer(letter: str) -> Callable[[list[Any]], bytes]:
    return lambda items: struct.pack(f"<{len(items)}{letter}", *items)


_PACK_ALL: dict[int, Callable[[list[Any]], bytes]] = {
    _STRING: lambda items: b"".join(map(_string, items)),
    **{kind: _packer(letter) for kind, letter in _SCALARS.items()},
}
