"""The specification of applying merges, in plain Python that is also fast Python.

Longer than 500 lines because all that the compiled twin `_fastmerge` does is specified here, in the same names:

    Encoder        ordinary text -> ids (split, then merge; no special tokens)
    Decoder        ids -> bytes
    SpecialFinder  text -> where special tokens stand in it
    RankTable      the tokens of a rank file, in a form that a backend has for itself

**Applying merges.** A piece that is a whole token is that token, if the vocabulary says so. Otherwise it starts
as the ids of its bytes, and the adjacent pair of lowest rank merges, leftmost first among equals, until no pair
has a rank. In a rank file (`merges=None`) every pair of tokens whose concatenation is a token is a merge at
that token's rank, which is its id, unless the vocabulary has `ranks` apart from ids; then several tokens may have one
rank, and are equals.

Where pieces begin as characters (`Symbols`), a character that is a token is one symbol. Any other one is its bytes,
which nothing merges; they become the ids of the bytes, or all together the id of what is unknown.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from operator import gt, index
from typing import Any

from minitok._errors import bad_offsets, missing_byte
from minitok.column_files import JoinedTexts
from minitok.pretokenizer import bytes_of, get_pretokenizer, text_of
from minitok.symbols import BYTES, Symbols
from minitok.table_merges import TableMerges

__all__ = ["Decoder", "Encoder", "RankTable", "SpecialFinder"]

#: Pieces whose ids are remembered; when it is full the memory starts anew. About 50 MB.
CACHE_PIECES = 1 << 18
#: Longer pieces are not remembered.
CACHED_LENGTH = 64
#: From this many symbols on a heap beats looking for the minimum.
HEAP_SYMBOLS = 96

#: `Encoder.encode_plain` leaves longer texts, for which threads may pay, to others.
PLAIN_LENGTH = 1 << 17

_NO_RANK = 1 << 62
_RIGHT_BITS = 32
_RIGHT_MASK = (1 << _RIGHT_BITS) - 1


class _PieceCache(dict[str | bytes, tuple[int, ...]]):
    """Piece -> ids; a missing piece is encoded on the way."""

    def __init__(self, encode_piece: Callable[[bytes], list[int]]) -> None:
        super().__init__()
        self._encode_piece = encode_piece

    def __missing__(self, piece: str | bytes) -> tuple[int, ...]:
        # Strict: a lone surrogate must not pass for a byte (see `Encoder.encode`).
        ids = tuple(self._encode_piece(piece.encode("utf-8") if isinstance(piece, str) else piece))
        if len(piece) <= CACHED_LENGTH:
            if len(self) >= CACHE_PIECES:
                self.clear()
            self[piece] = ids
        return ids


#: Where a special token begins and ends in a text, in characters of a str or bytes, and its id.
Place = tuple[int, int, int]


class SpecialFinder:
    """Where special tokens stand in a text.

    Where several begin at the same place the longest counts; if that is not allowed, the search goes on behind its
    first character.

    Args:
        ids: special token to id.
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = ids
        longest_first = sorted(ids, key=len, reverse=True)
        # No bytes spell a surrogate.
        spelt = {token.encode("utf-8"): token for token in longest_first if not re.search("[\ud800-\udfff]", token)}
        self._names: dict[str | bytes, str] = {token: token for token in ids} | spelt
        self._in_text = re.compile("|".join(map(re.escape, longest_first)))
        self._in_bytes = re.compile(b"|".join(map(re.escape, sorted(spelt, key=len, reverse=True))))

    def places(self, text: str | bytes, allowed: Set[str]) -> list[Place]:
        """The start, end and id of each allowed special token, in order."""
        regex: re.Pattern[Any] = self._in_text if isinstance(text, str) else self._in_bytes
        places: list[Place] = []
        at = 0
        while allowed and (found := regex.search(text, at)):
            name = self._names[found.group()]
            if name in allowed:
                places.append((*found.span(), self._ids[name]))
                at = found.end()
            else:
                at = found.start() + 1
        return places


class Encoder:
    """Ordinary text to ids, for one vocabulary and pattern.

    Args:
        tokens: token bytes to id; distinct ids below 2**32 - 256.
        merges: (left id, right id, new id) in rank order, or None for a rank file.
        pattern: the regular expression that cuts text into pieces, or None.
        whole_piece: whether a piece that is a token is taken whole.
        symbols: what a piece begins as. (Its `end_of_word` and `fuse_unknown` are not this class's: see `pipeline`.)
        ranks: without merges, the rank of each token in the order of ids, if that is not its id.
    """

    def __init__(
        self,
        tokens: Mapping[bytes, int],
        merges: Sequence[tuple[int, int, int]] | None,
        pattern: str | None,
        whole_piece: bool = True,
        symbols: Symbols = BYTES,
        ranks: Sequence[int] | None = None,
    ) -> None:
        self._tokens = tokens
        self._whole_piece = whole_piece
        self._symbols = symbols
        self._pretokenizer = get_pretokenizer(pattern)
        largest = max(tokens.values(), default=0)
        # A byte without a token may still merge into one: it gets a stand-in id that is never emitted.
        self._stand_ins = {largest + 1 + b: b for b in range(256) if bytes([b]) not in tokens}
        stand_in_of = {b: i for i, b in self._stand_ins.items()}
        self._byte_ids = [tokens[bytes([b])] if bytes([b]) in tokens else stand_in_of[b] for b in range(256)]
        #: The symbol of each character that is a token, where pieces begin as characters.
        self._character_ids: dict[str, int] = {}
        if symbols.characters:
            spelt = ((token.decode("utf-8"), i) for token, i in tokens.items() if len(token) <= 4)
            self._character_ids = {character: i for character, i in spelt if len(character) == 1}
        #: What each pair makes, where a rank does not tell it because several tokens have the same.
        self._made_of: dict[int, int] | None = None
        if merges is None:
            known = dict(tokens) | {bytes([b]): i for i, b in self._stand_ins.items()}
            self._ranks = _implied_ranks(tokens, known)
            self._made: Sequence[int] = range(largest + 1)  # the rank is the id
            if ranks is not None:
                rank_of = dict(zip(sorted(tokens.values()), ranks, strict=True))
                self._made_of = self._ranks
                self._ranks = {pair: rank_of[made] for pair, made in self._ranks.items()}
        else:
            # The first of two merges of the same pair is the one that applies.
            self._ranks = {
                left << _RIGHT_BITS | right: rank for rank, (left, right, _) in reversed(list(enumerate(merges)))
            }
            self._made = [new for _, _, new in merges]
        self._cache = _PieceCache(self.encode_piece)

    def encode(
        self,
        text: str | bytes,
        limit: int | None = None,
        num_threads: int = 1,
        places: Sequence[Place] = (),
        before: str = "",
    ) -> list[int]:
        """The ids of a text.

        Args:
            text: a str, or bytes; bytes that are not valid UTF-8 are characters of their own.
            limit: stop as soon as there are more ids than this, at any point after.
            num_threads: how many threads to use; plain Python has no use for more than one.
            places: where special tokens stand, in order; all else is ordinary text.
            before: what is encoded as if it stood before the text, whose places do not count it; with a str only.

        Raises:
            UnicodeEncodeError: a str with a lone surrogate.
            ValueError: a byte that the vocabulary lacks.
        """
        if before and isinstance(text, str):
            text = before + text
            places = [(start + len(before), end + len(before), special) for start, end, special in places]
        if not places:
            return self._encode_ordinary(text, limit)
        ids: list[int] = []
        at = 0
        for start, end, special in places:
            ids += self._encode_ordinary(text[at:start], limit)
            ids.append(special)
            at = end
            if limit is not None and len(ids) > limit:
                return ids
        return ids + self._encode_ordinary(text[at:], limit)

    def _encode_ordinary(self, text: str | bytes, limit: int | None) -> list[int]:
        lookup: Callable[[str], Sequence[int]] = self._cache.__getitem__
        if isinstance(text, bytes):
            try:
                text = text.decode("utf-8")
            except UnicodeDecodeError:
                # The cache never sees escaped bytes: in a str the same surrogates are an error.
                text = text_of(text)
                lookup = self._encode_escaped
        ids: list[int] = []
        try:
            for chunk in self._pretokenizer.chunks(text):
                ids.extend(chain.from_iterable(map(lookup, self._pretokenizer.split(chunk))))
                if limit is not None and len(ids) > limit:
                    break
        except UnicodeEncodeError:
            text.encode("utf-8")  # raises the same, but tells the place in the text, not in the piece
            raise
        return ids

    def encode_plain(self, text: object, without: str) -> list[int] | None:
        """The ids of a str of moderate length that has none of the characters `without` and no surrogate; else None.

        Most calls are of this kind, and many are so short that all else takes longer.
        """
        if type(text) is not str or len(text) >= PLAIN_LENGTH or any(c in text for c in without):
            return None
        try:
            return self.encode(text)
        except UnicodeEncodeError:
            return None

    def count_plain(self, text: object, without: str) -> int | None:
        """How many ids `encode_plain` gives; None where it gives none."""
        ids = self.encode_plain(text, without)
        return None if ids is None else len(ids)

    def encode_uint32(
        self, text: str | bytes, num_threads: int = 1, places: Sequence[Place] = (), before: str = ""
    ) -> bytes | bytearray:
        """The ids as unsigned 32-bit numbers in the machine's byte order."""
        return bytearray(array("I", self.encode(text, places=places, before=before)).tobytes())

    def encode_many_uint32(
        self,
        texts: Sequence[Any],
        without: str | None,
        spans: Callable[[Any], Iterable[tuple[str | bytes, int | None]]],
    ) -> tuple[bytes | bytearray, bytes | bytearray]:
        """Encode several texts.

        Args:
            texts: strings or bytes.
            without: a str that has none of these characters, and no surrogate, is ordinary text; None: none is.
            spans: the ordinary spans of any other text, each with the special token behind it, or None.

        Returns:
            The ids of all, and how many each text has: unsigned 32-bit and signed 64-bit numbers.
        """
        ids = array("I")
        counts = array("q")
        for text in texts:
            before = len(ids)
            plain = None if without is None else self.encode_plain(text, without)
            if plain is None:
                for span, special in spans(text):
                    ids.extend(self.encode(span))
                    if special is not None:
                        ids.append(special)
            else:
                ids.extend(plain)
            counts.append(len(ids) - before)
        return bytearray(ids.tobytes()), bytearray(counts.tobytes())

    def encode_joined_uint32(
        self, texts: JoinedTexts, behind: int | None
    ) -> tuple[bytes | bytearray, bytes | bytearray]:
        """Encode several texts that lie one behind the other in memory; otherwise as `encode_many_uint32`.

        Args:
            texts: where they are.
            behind: the special token behind each of them, or None.

        Raises:
            ValueError: a text that is not inside of the data.
        """
        places = texts.offsets.tolist()
        if any(map(gt, places, places[1:])) or places[0] < 0 or places[-1] > len(texts.data):
            raise bad_offsets()
        return self.encode_many_uint32(list(texts), None, lambda text: ((text, behind),))

    def count(
        self,
        text: str | bytes,
        limit: int | None = None,
        num_threads: int = 1,
        places: Sequence[Place] = (),
        before: str = "",
    ) -> int:
        """How many ids `encode` gives; with a limit, some number above it as soon as that is certain."""
        return len(self.encode(text, limit, places=places, before=before))

    def tables(self, source: bytes, note: bytes) -> Iterable[bytes] | None:
        """What `RankTable.from_tables` takes, part by part: all tables, with a note; None if there are none.

        Args:
            source: a SHA-256 of what the vocabulary was read from.
            note: what else there is to know.
        """
        return None

    def split(self, text: str | bytes) -> list[bytes]:
        """The pieces of a text, as bytes."""
        if isinstance(text, str):
            text.encode("utf-8")  # a lone surrogate must not pass for a byte
        return [bytes_of(piece) for piece in self._pretokenizer.split(text_of(text))]

    def encode_pieces(self, pieces: Sequence[bytes]) -> list[int]:
        """The ids of pieces that were cut elsewhere, one behind the other."""
        return list(chain.from_iterable(map(self._cache.__getitem__, pieces)))

    def encode_piece(self, piece: bytes) -> list[int]:
        """The ids of one piece; nothing is split."""
        if self._whole_piece:
            token = self._tokens.get(piece)
            if token is not None:
                return [token]
        return self.merge_piece(piece)

    def merge_piece(self, piece: bytes) -> list[int]:
        """The ids of one piece by merges alone, even if it is a token."""
        ids = self._first_ids(piece)
        ids = self._merge_short(ids) if len(ids) < HEAP_SYMBOLS else self._merge_long(ids)
        if self._stand_ins and not self._stand_ins.keys().isdisjoint(ids):
            return self._without_stand_ins(ids)
        return ids

    def _first_ids(self, piece: bytes) -> list[int]:
        """What a piece begins as."""
        if not self._symbols.characters:
            return [self._byte_ids[b] for b in piece]
        ids: list[int] = []
        for character in text_of(piece):
            i = self._character_ids.get(character)
            if i is None:
                ids += [self._byte_ids[b] for b in bytes_of(character)]
            else:
                ids.append(i)
        return ids

    def _without_stand_ins(self, ids: list[int]) -> list[int]:
        """Ids with those of bytes instead of their stand-ins, or one id for each unknown character."""
        out = []
        for i in ids:
            b = self._stand_ins.get(i)
            if b is None:
                out.append(i)
            elif self._symbols.byte_ids is not None:
                out.append(self._symbols.byte_ids[b])
            elif self._symbols.unknown_id is None:
                raise missing_byte(b)
            elif not (self._symbols.characters and 0x80 <= b < 0xC0):  # a character's first byte speaks for it
                out.append(self._symbols.unknown_id)
        return out

    def _made_by(self, rank: int, left: int, right: int) -> int:
        """The symbol that the merge of a pair makes, whose rank this is."""
        return self._made[rank] if self._made_of is None else self._made_of[left << _RIGHT_BITS | right]

    def _encode_escaped(self, piece: str) -> list[int]:
        return self.encode_piece(bytes_of(piece))

    def _merge_short(self, ids: list[int]) -> list[int]:
        """Merge by looking for the least rank each time: `ranks[i]` is that of the pair at i."""
        rank_of = self._ranks.get
        ranks = [rank_of(a << _RIGHT_BITS | b, _NO_RANK) for a, b in pairwise(ids)]
        while ranks:
            best = min(ranks)
            if best == _NO_RANK:
                break
            i = ranks.index(best)
            ids[i : i + 2] = [self._made_by(best, ids[i], ids[i + 1])]
            del ranks[i]
            if i < len(ranks):
                ranks[i] = rank_of(ids[i] << _RIGHT_BITS | ids[i + 1], _NO_RANK)
            if i:
                ranks[i - 1] = rank_of(ids[i - 1] << _RIGHT_BITS | ids[i], _NO_RANK)
        return ids

    def _merge_long(self, ids: list[int]) -> list[int]:
        """Merge with a heap of (rank, position), each packed into one number; O(n log n).

        `ranks[p]` is the true rank of the pair that begins at p, against which entries are checked.
        """
        rank_of = self._ranks.get
        count = len(ids)
        after = list(range(1, count + 1))  # after[p] == count: p is the last
        before = list(range(-1, count - 1))
        ranks = [rank_of(a << _RIGHT_BITS | b, _NO_RANK) for a, b in pairwise(ids)]
        ranks.append(_NO_RANK)
        shift = count.bit_length()
        mask = (1 << shift) - 1
        heap = [rank << shift | p for p, rank in enumerate(ranks) if rank != _NO_RANK]
        heapify(heap)
        while heap:
            entry = heappop(heap)
            p = entry & mask
            rank = entry >> shift
            if ranks[p] != rank:
                continue
            gone = after[p]
            right = after[gone]
            left = before[p]
            ids[p] = new = self._made_by(rank, ids[p], ids[gone])
            ranks[gone] = _NO_RANK
            ids[gone] = -1
            after[p] = right
            if right < count:
                before[right] = p
                ranks[p] = rank = rank_of(new << _RIGHT_BITS | ids[right], _NO_RANK)
                if rank != _NO_RANK:
                    heappush(heap, rank << shift | p)
            else:
                ranks[p] = _NO_RANK
            if left >= 0:
                ranks[left] = rank = rank_of(ids[left] << _RIGHT_BITS | new, _NO_RANK)
                if rank != _NO_RANK:
                    heappush(heap, rank << shift | left)
        return [i for i in ids if i >= 0]


def _implied_ranks(tokens: Mapping[bytes, int], symbols: Mapping[bytes, int]) -> dict[int, int]:
    """The merges of a rank file: each way to cut a token into two symbols, at the token's rank."""
    ranks = {}
    symbol = symbols.get
    for token, rank in tokens.items():
        for cut in range(1, len(token)):
            left = symbol(token[:cut])
            if left is not None:
                right = symbol(token[cut:])
                if right is not None:
                    ranks[left << _RIGHT_BITS | right] = rank
    return ranks


class RankTable(Mapping[bytes, int]):
    """The tokens of a vocabulary in the order of their ids, checked: token to id.

    It exists so that a backend can take its tables from a file without making a Python object of each token. This
    one has no tables, and no such objects: a dict is all that it needs.

    Attributes:
        merges: if the tables are of a vocabulary that has some: those, else None.
        ranks: the same for the ranks of its tokens.
        note: what was written beside the tables.
    """

    merges: TableMerges | None = None
    ranks: tuple[int, ...] | None = None
    note: bytes = b""

    @property
    @abstractmethod
    def largest(self) -> int:
        """The largest id."""

    @classmethod
    def parse(cls, data: bytes) -> RankTable | None:
        """The tokens of a rank file; None: read it in another way, which also finds what is wrong with it."""
        return None

    @staticmethod
    def find_json_model(data: bytes) -> tuple[int, int, int, int] | None:
        """Where the values of `vocab` and `merges` in the model of a `tokenizer.json` begin and end.

        Returns:
            None if they cannot be found, or there is no other way to read them than that for any JSON.
        """
        return None

    @classmethod
    def parse_json_model(
        cls, data: bytes, place: tuple[int, int, int, int], apart: Collection[str]
    ) -> tuple[RankTable, dict[str, int]] | None:
        """The tokens and merges of a `tokenizer.json` that are spelled in GPT-2's alphabet of bytes.

        Args:
            data: the file.
            place: what `find_json_model` said.
            apart: strings that are not to be tokens, each once.

        Returns:
            The tokens, with their `merges`, and the ids that the file has for strings apart. None if it is to be read
            in another way, which also finds what is wrong with it.
        """
        return None

    @classmethod
    def from_tables(cls, memory: memoryview, source: bytes) -> RankTable | None:
        """The tokens whose tables are in a buffer, which is not copied and must not change.

        Args:
            memory: what `tables` gave, of this class or of an `Encoder`, aligned to 64 bytes.
            source: the SHA-256 that was given to it: of what the tables have to be of.

        Returns:
            None if the tables are damaged, of another file, or of another version.
        """
        return None

    @abstractmethod
    def tables(self, source: bytes) -> Iterable[bytes]:
        """All tables as one block, part by part; `source` is the SHA-256 of the rank file."""

    @abstractmethod
    def in_base64(self) -> bytes:
        """The tokens in base64, in the order of their ids, with a newline behind each."""

    @abstractmethod
    def merge_list(self) -> list[tuple[int, int, int]]:
        """The merges as a list of (left id, right id, new id)."""

    @abstractmethod
    def as_dict(self) -> dict[bytes, int]:
        """Token to id, as a dict that is made when it is first asked for."""


class Decoder:
    """Ids to bytes.

    Args:
        tokens: token to id.
        special_tokens: id to bytes; a token hides a special one of the same id, as in tiktoken.
    """

    def __init__(self, tokens: Mapping[bytes, int], special_tokens: Mapping[int, bytes]) -> None:
        self._token_of = {**special_tokens, **{number: token for token, number in tokens.items()}}

    def token(self, number: int) -> bytes:
        """The bytes of one id.

        Raises:
            KeyError: no token has it.
            TypeError: it is not an integer.
        """
        return self._token_of[index(number)]

    def decode(self, ids: Iterable[int]) -> bytes:
        """The bytes of the tokens, one behind the other.

        Raises:
            KeyError: an id that no token has.
            TypeError: an id that is not an integer.
        """
        return b"".join(map(self._token_of.__getitem__, map(index, ids)))
