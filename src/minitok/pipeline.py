"""From a vocabulary to what encodes with it.

A vocabulary that is tokens, merges and a pattern goes straight to the backend's `Encoder`, and so do most. With
others there is more to be done to a text, which is done here, once for both backends, with the same methods:

    the text        special tokens that the caller allows are cut out, and added tokens: in one pass, because one may
                    hide another. If special tokens were looked for, all come as places; else they are found here.
    what is left    is normalized; then tokens that are looked for in normalized text are cut out, also in one pass
    what is left    goes to the backend whole, if one pattern cuts it (or none): with the places of all that was cut
                    out, which have no length any more; or is cut into pieces here, which the backend merges

Bytes are text here: each byte that is not valid UTF-8 is U+FFFD, as it is to SentencePiece.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from typing import Any

from minitok import _backend
from minitok.added_tokens import AddedToken, Place, finder
from minitok.alignment import align, can_align
from minitok.column_files import JoinedTexts
from minitok.normalizers import Prepend, compose
from minitok.offsets import character_offsets
from minitok.pretokenizer import get_pretokenizer
from minitok.splits import keep_text, split_in_stages
from minitok.symbols import BYTES
from minitok.text import decoded_text
from minitok.threads import WORTHWHILE
from minitok.vocabulary import Vocabulary

__all__ = ["AnyEncoder", "PipelineEncoder", "decoder_of", "encoder_of", "piece_encoder_of", "takes_bytes"]

#: For as many sets of special tokens what encodes with them is kept.
MOST_REMEMBERED = 16
#: Stands for the end of a piece: a byte that no text has.
_END = b"\xff"


def takes_bytes(vocabulary: Vocabulary) -> bool:
    """Whether any bytes can be encoded as they are: nothing is done to a text but to cut and to merge it."""
    extras = (vocabulary.normalizers, vocabulary.splits, vocabulary.added_tokens)
    return not any(extras) and vocabulary.symbols == BYTES


def encoder_of(vocabulary: Vocabulary) -> AnyEncoder:
    """What encodes with a vocabulary."""
    return _core(vocabulary, vocabulary.pattern) if takes_bytes(vocabulary) else PipelineEncoder(vocabulary)


def piece_encoder_of(vocabulary: Vocabulary) -> _backend.Encoder:
    """What takes each text for one piece, of a vocabulary that `takes_bytes`."""
    return _core(vocabulary, None)


def decoder_of(vocabulary: Vocabulary) -> _backend.Decoder:
    """What decodes the ids of a vocabulary."""
    others = vocabulary.other_ids()
    if vocabulary.symbols.end_of_word:
        return _backend.Decoder(
            {}, {i: token for i, token in enumerate(vocabulary.token_list()) if token is not None}
        )
    return _backend.Decoder(vocabulary.tokens, others)


def _core(vocabulary: Vocabulary, pattern: str | None) -> _backend.Encoder:
    tokens, merges = vocabulary.tokens, vocabulary.merges
    if vocabulary.symbols.end_of_word:
        tokens, merges = _with_end_byte(vocabulary)
    if vocabulary.ranks is None and vocabulary.symbols == BYTES:
        return _backend.Encoder(tokens, merges, pattern, vocabulary.whole_piece)
    return _backend.Encoder(tokens, merges, pattern, vocabulary.whole_piece, vocabulary.symbols, vocabulary.ranks)


def _with_end_byte(vocabulary: Vocabulary) -> tuple[dict[bytes, int], list[tuple[int, int, int]]]:
    """Tokens and merges for pieces with an end byte: the first merges are those of the last byte with it."""
    ending = vocabulary.symbols.end_of_word.encode()
    tokens: dict[bytes, int] = {}
    for token, i in vocabulary.tokens.items():
        if _END not in token:  # no text has it: such tokens cannot be reached
            tokens[token.removesuffix(ending) + _END if token.endswith(ending) else token] = i
    # The end byte has a symbol of its own, which never stays.
    end = max(tokens.values()) + 1
    last = [(tokens[b], end, tokens[b + _END]) for b in _single_bytes() if b in tokens and b + _END in tokens]
    kept = set(tokens.values())
    merges = [merge for merge in vocabulary.merges or () if kept.issuperset(merge)]
    return tokens | {_END: end}, last + merges


def _single_bytes() -> list[bytes]:
    return [bytes([b]) for b in range(255)]


class PipelineEncoder:
    """Ordinary text to ids, for a vocabulary with more than a pattern; has the methods of the backend's `Encoder`."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        name_of = {i: name for name, i in vocabulary.special_tokens.items()}
        added = [token for token in vocabulary.added_tokens if token.id not in name_of]
        #: What encodes text that is normalized, and cuts it by the pattern if there is one.
        self.core = _core(vocabulary, vocabulary.pattern)
        #: Tokens that are cut out of a text as it is, and of a normalized one.
        self.raw_tokens: Sequence[AddedToken] = [token for token in added if not token.normalized]
        self.normalized_tokens: Sequence[AddedToken] = [token for token in added if token.normalized]
        self._find_raw = finder(self.raw_tokens)
        self._find_normalized = finder(self.normalized_tokens)
        #: Special tokens that are looked for in normalized text, if they are allowed.
        self._special = {
            name_of[token.id]: token for token in vocabulary.added_tokens if token.normalized and token.id in name_of
        }
        self._others: dict[tuple[frozenset[str], bool], PipelineEncoder] = {}
        self._normalize = compose(vocabulary.normalizers)
        self._normalizers = vocabulary.normalizers
        symbols = vocabulary.symbols
        keeps_text = symbols.unknown_id is None and not symbols.end_of_word and keep_text(vocabulary.splits)
        self._is_aligned = keeps_text and can_align(vocabulary.normalizers)
        #: What the last normalizer puts before each text, if that can be left to the core (a copy of a long text
        #: costs a tenth of its encoding), and what the others do. No token that is cut out may have a part in it.
        self._before = ""
        self._normalize_rest = self._normalize
        found = [*added, *self._special.values()]
        if vocabulary.normalizers and self._find_raw is None and not any(t.has_flags for t in found):
            *rest, last = vocabulary.normalizers
            if isinstance(last, Prepend) and not last.once and not any(t.content[0] in last.text for t in found):
                self._before = last.text
                self._normalize_rest = compose(rest)
        #: What each piece ends with, for the core.
        self.ending = _END if vocabulary.symbols.end_of_word else b""
        #: The unknown id, if it does not stand beside itself.
        self.fused = vocabulary.symbols.unknown_id if vocabulary.symbols.fuse_unknown else None
        self._cut: Callable[[str, bool], list[str]] | None = None
        if vocabulary.splits:
            self._cut = split_in_stages(vocabulary.splits)
        elif self.ending:
            pretokenizer = get_pretokenizer(vocabulary.pattern)
            self._cut = lambda text, _: pretokenizer.split(text)

    def behind(self, special: frozenset[str], *, has_found: bool) -> PipelineEncoder:
        """The same for a caller who looks for special tokens.

        Args:
            special: the special tokens that are allowed. Those that are looked for in normalized text are found here.
            has_found: whether the caller has looked for tokens in the text as it is; all of them come as places.
        """
        names = special.intersection(self._special)
        if not names and not (has_found and self._find_raw):
            return self
        other = self._others.get((names, has_found))
        if other is None:
            other = copy(self)
            if has_found:
                other.raw_tokens, other._find_raw = (), None
            other.normalized_tokens = [*(self._special[name] for name in names), *self.normalized_tokens]
            other._find_normalized = finder(other.normalized_tokens)
            if len(self._others) >= MOST_REMEMBERED:
                self._others.clear()
            self._others[names, has_found] = other
        return other

    # -- What is done to a text ----------------------------------------------------------------------------------

    def _spans(self, text: str, places: Sequence[Place]) -> Iterator[tuple[str, int | None]]:
        """The text between tokens that were cut out of it, as it is; each with the id behind it, or None."""
        at = 0
        for start, end, number in places:
            yield text[at:start], number
            at = end
        yield text[at:], None

    def _parts(self, text: str, places: Sequence[Place]) -> Iterator[tuple[str, int | None]]:
        """Normalized text between tokens, each with the id of the token behind it, or None."""
        for span, number in self._spans(text, places):
            raw = self._find_raw(span) if self._find_raw is not None else ()
            for part, inner in self._spans(span, raw):
                done = self._normalize(part) if self._normalize is not None else part
                yield done, inner
            if number is not None:
                yield "", number

    def _prepared(self, text: str | bytes, places: Sequence[Place]) -> tuple[str, Sequence[Place], str]:
        """Normalized text, in which tokens stand at places, and what the core is to put before it."""
        plain = _text(text)
        if not places and self._find_raw is None:
            if self._normalize_rest is not None:
                plain = self._normalize_rest(plain)
            found = self._find_normalized(plain) if self._find_normalized is not None else ()
            return plain, found, self._before if plain else ""
        texts: list[str] = []
        moved: list[Place] = []
        at = 0
        for part, number in self._parts(plain, places):
            if self._find_normalized is not None:
                moved += [(at + start, at + end, inner) for start, end, inner in self._find_normalized(part)]
            texts.append(part)
            at += len(part)
            if number is not None:
                moved.append((at, at, number))
        return "".join(texts), moved, ""

    def _ids(self, text: str | bytes, limit: int | None, num_threads: int, places: Sequence[Place]) -> list[int]:
        if self._cut is None:
            prepared, found, before = self._prepared(text, places)
            if self.fused is None:
                return self.core.encode(prepared, limit, num_threads, found, before)
            return self._fuse(self.core.encode(prepared, None, num_threads, found, before))
        ids = []
        is_first = True
        for part, number in self._parts(_text(text), places):
            inner = self._find_normalized(part) if self._find_normalized is not None else ()
            for stretch, inner_number in self._spans(part, inner):
                if stretch:
                    pieces = [piece.encode("utf-8") + self.ending for piece in self._cut(stretch, is_first)]
                    more = self.core.encode_pieces(pieces)
                    ids += more if self.fused is None else self._fuse(more)
                    is_first = False
                if inner_number is not None:
                    ids.append(inner_number)
                    is_first = False
            if number is not None:
                ids.append(number)
                is_first = False
            if limit is not None and len(ids) > limit:
                break
        return ids

    def _fuse(self, ids: list[int]) -> list[int]:
        """Ids in which the unknown one does not stand beside itself."""
        unknown = self.fused
        return [i for at, i in enumerate(ids) if i != unknown or at == 0 or ids[at - 1] != unknown]

    # -- The methods of the backend's `Encoder` ------------------------------------------------------------------

    def encode(
        self, text: str | bytes, limit: int | None = None, num_threads: int = 1, places: Sequence[Place] = ()
    ) -> list[int]:
        """The ids of a text; see the backend's `Encoder`."""
        return self._ids(text, limit, num_threads, places)

    def encode_plain(self, text: object, without: str) -> list[int] | None:
        """The ids of a str that is not long, and has none of the characters `without` and no surrogate; else None."""
        if type(text) is not str or len(text) >= 2 * WORTHWHILE or any(c in text for c in without):
            return None
        try:
            return self._ids(text, None, 1, ())
        except UnicodeEncodeError:
            return None

    def count_plain(self, text: object, without: str) -> int | None:
        """How many ids `encode_plain` gives; None where it gives none."""
        ids = self.encode_plain(text, without)
        return None if ids is None else len(ids)

    def encode_uint32(
        self, text: str | bytes, num_threads: int = 1, places: Sequence[Place] = ()
    ) -> bytes | bytearray:
        """The ids as unsigned 32-bit numbers in the machine's byte order."""
        if self._cut is None and self.fused is None:
            prepared, found, before = self._prepared(text, places)
            return self.core.encode_uint32(prepared, num_threads, found, before)
        return bytearray(array("I", self._ids(text, None, num_threads, places)).tobytes())

    def encode_many_uint32(
        self,
        texts: Sequence[Any],
        without: str | None,
        spans: Callable[[Any], Iterable[tuple[str | bytes, int | None]]],
    ) -> tuple[bytes | bytearray, bytes | bytearray]:
        """Encode several texts; see the backend's `Encoder`. Spans are taken for texts of their own."""
        ids = array("I")
        counts = array("q")
        for text in texts:
            before = len(ids)
            plain = None if without is None else self.encode_plain(text, without)
            if plain is None:
                for span, special in spans(text):
                    ids.extend(self._ids(span, None, 1, ()))
                    if special is not None:
                        ids.append(special)
            else:
                ids.extend(plain)
            counts.append(len(ids) - before)
        return bytearray(ids.tobytes()), bytearray(counts.tobytes())

    def encode_joined_uint32(
        self, texts: JoinedTexts, behind: int | None
    ) -> tuple[bytes | bytearray, bytes | bytearray]:
        """Encode several texts that lie one behind the other; see the backend's `Encoder`."""
        return self.encode_many_uint32(list(texts), None, lambda text: ((text, behind),))

    def count(
        self, text: str | bytes, limit: int | None = None, num_threads: int = 1, places: Sequence[Place] = ()
    ) -> int:
        """How many ids `encode` gives; with a limit, some number above it as soon as that is certain."""
        if self._cut is None and self.fused is None:
            prepared, found, before = self._prepared(text, places)
            return self.core.count(prepared, limit, num_threads, found, before)
        return len(self._ids(text, limit, num_threads, places))

    def encode_with_spans(
        self, text: str, places: Sequence[Place], length_of: Callable[[int], int]
    ) -> tuple[list[int], list[tuple[int, int]]] | None:
        """Ids, and for each the start and end, in characters, of what it stands for in the text.

        Args:
            text: the text.
            places: as in `encode`.
            length_of: how many bytes of normalized text an id stands for.

        Returns:
            None if this vocabulary does something to a text that no character can be followed through.
        """
        if not self._is_aligned:
            return None
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        begin = 0
        raw = places or (self._find_raw(text) if self._find_raw is not None else ())
        for start, end, number in [*raw, (len(text), len(text), None)]:
            part, sources = align(self._normalizers, text[begin:start])
            inner = self._find_normalized(part) if self._find_normalized is not None else ()
            at = 0
            for first, last, inner_number in [*inner, (len(part), len(part), None)]:
                pieces = self._pieces(part[at:first], is_first=not ids)
                stretch = "".join(pieces)
                # What a stage put before it belongs to the first character.
                added = len(stretch) - (first - at)
                stood = sources[at : at + 1] * added + sources[at:first]
                more = [i for piece in pieces for i in self.core.encode_piece(piece.encode("utf-8"))]
                found = character_offsets(stretch, [length_of(i) for i in more])
                ids += more
                spans += [(begin + stood[left][0], begin + stood[right - 1][1]) for left, right in found]
                if inner_number is not None:
                    ids.append(inner_number)
                    spans.append((begin + sources[first][0], begin + sources[last - 1][1]))
                at = last
            if number is not None:
                ids.append(number)
                spans.append((start, end))
            begin = end
        return ids, spans

    def _pieces(self, stretch: str, *, is_first: bool) -> list[str]:
        if self._cut is not None:
            return self._cut(stretch, is_first) if stretch else []
        return [piece.decode("utf-8") for piece in self.core.split(stretch)]

    def tables(self, source: bytes, note: bytes) -> Iterable[bytes] | None:
        """What merges the pieces, as one block, part by part; see the backend's `Encoder`.

        Returns:
            None if it has another form there.
        """
        return None if self.ending else self.core.tables(source, note)

    def split(self, text: str | bytes) -> list[bytes]:
        """The pieces of a text, normalized, as bytes; added tokens are not cut out."""
        plain = _text(text)
        if self._normalize is not None:
            plain = self._normalize(plain)
        return [p.encode("utf-8") for p in self._cut(plain, True)] if self._cut else self.core.split(plain)

    def encode_piece(self, piece: bytes) -> list[int]:
        """The ids of one piece; nothing is normalized or split."""
        return self.core.encode_piece(piece + self.ending)

    def merge_piece(self, piece: bytes) -> list[int]:
        """The ids of one piece by merges alone, even if it is a token."""
        return self.core.merge_piece(piece + self.ending)


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else decoded_text(text)


AnyEncoder = _backend.Encoder | PipelineEncoder
