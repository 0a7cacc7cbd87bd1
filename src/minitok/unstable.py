"""tiktoken's heuristics for text whose end may go on, as facts about its version 0.14.

`encode_with_unstable` and `_encode_bytes` of tiktoken take the last piece of a text for undecided, and a run of
white-space tokens before it too, because a pattern may cut white space differently when more follows. Both are
reproduced here, id for id; neither is exact in general, and tiktoken says so itself. `Encoding.encode` of bytes
is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from minitok.unicode_classes import WHITE_SPACE_CHARACTERS

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["encode_bytes", "encode_with_unstable"]

_SPACES = frozenset(b" \n\t")


def _split_off_unstable(
    encoding: Encoding, spans: Sequence[tuple[str | bytes, int | None]]
) -> tuple[list[int], bytes]:
    """The ids before the last piece, and the bytes of that piece and of white-space tokens before it.

    There is no last piece, and so nothing unstable, behind a special token.
    """
    encoder = encoding._encoder
    ids: list[int] = []
    last = 0  # how many ids belong to the last piece
    for span, special in spans:
        for piece in encoder.split(span):
            piece_ids = encoder.encode_piece(piece)
            ids += piece_ids
            last = len(piece_ids)
        if special is not None:
            ids.append(special)
            last = 0

    def is_space(token: int) -> bool:
        return token not in encoding._special_token_values and _SPACES.issuperset(encoding._decoder.token(token))

    if last and is_space(ids[-last]):
        while last < len(ids) and is_space(ids[-last - 1]):
            last += 1
    stable = ids[: len(ids) - last]
    return stable, encoding.decode_bytes(ids[len(ids) - last :])


def encode_bytes(encoding: Encoding, data: bytes) -> list[int]:
    """Encode bytes as tiktoken's `_encode_bytes` does.

    If they are not valid UTF-8, the last piece of the valid beginning and all that follows it is merged as one
    piece.
    """
    try:
        return encoding.encode_ordinary(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        valid = data[: error.start].decode("utf-8")
    stable, rest = _split_off_unstable(encoding, [(valid, None)])
    return stable + encoding._encoder.encode_piece(rest + data[len(valid.encode("utf-8")) :])


def encode_with_unstable(
    encoding: Encoding, spans: Sequence[tuple[str | bytes, int | None]]
) -> tuple[list[int], list[list[int]]]:
    """Stable ids, and the sequences of ids that may follow them; see `Encoding.encode_with_unstable`."""
    encoder = encoding._encoder
    stable, rest = _split_off_unstable(encoding, spans)
    completions: set[tuple[int, ...]] = set()
    if not rest:
        return stable, []
    sorted_tokens = encoding.token_byte_values()

    def starting_with(prefix: bytes) -> list[bytes]:
        first = bisect_left(sorted_tokens, prefix)
        last = first
        while last < len(sorted_tokens) and sorted_tokens[last].startswith(prefix):
            last += 1
        return sorted_tokens[first:last]

    # One token that covers all that is unstable.
    for token in starting_with(rest):
        completions.add((encoding._mergeable_ranks[token],))

    # A token that begins inside of it: see what the whole then encodes to.
    for cut in range(1, len(rest)):
        for token in starting_with(rest[cut:]):
            possible = rest[:cut] + token
            try:
                encoded = encoding.encode_ordinary(possible.decode("utf-8"))
            except UnicodeDecodeError:
                encoded = encoder.merge_piece(possible)
            sequence: list[int] = []
            covered = 0
            for i in encoded:
                sequence.append(i)
                covered += len(encoding._decoder.token(i))
                if covered >= len(rest):
                    break
            completions.add(tuple(sequence))

    # White space at the end may be cut off once something else follows: `\s+(?!\S)`.
    if len(rest) > 1:
        last_char = rest.decode("utf-8", "surrogateescape")[-1]
        size = len(last_char.encode("utf-8", "surrogateescape"))
        if len(rest) > size and last_char in WHITE_SPACE_CHARACTERS:
            completions.add((*encoder.merge_piece(rest[:-size]), *encoder.merge_piece(rest[-size:])))
    return stable, [list(sequence) for sequence in sorted(completions)]
