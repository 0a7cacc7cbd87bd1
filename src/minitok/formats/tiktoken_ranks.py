"""tiktoken's rank files: a line for each token, its bytes in base64, a space, and its rank, which is its id.

Such a file holds no pattern and no special tokens.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from minitok import _backend
from minitok.patterns import PATTERNS, resolve_pattern
from minitok.vocabulary import MAX_ID, Vocabulary

__all__ = ["dump", "is_file", "parse", "parse_ranks", "read_tokens"]

_REMEDY = "the file is damaged or is not a tiktoken rank file; get it anew"


def read_tokens(data: bytes, source: str) -> Mapping[bytes, int]:
    """The tokens of a rank file: token to id.

    Args:
        data: the file's content.
        source: what messages call it.

    Raises:
        ValueError: a line that is not a token and a rank, a token or a rank given twice, a byte without a token.
    """
    table = _backend.RankTable.parse(data)
    return parse_ranks(data.splitlines(), source) if table is None else table


def parse_ranks(lines: Iterable[bytes], source: str) -> dict[bytes, int]:
    r"""The tokens of a rank file that is given by its lines, in their order; see `read_tokens`.

    >>> parse_ranks([b"YQ== 0\n"], "example")
    Traceback (most recent call last):
    ValueError: example: no token for 255 of the 256 bytes, 0x00 the first; the file is truncated...
    """
    ranks: dict[bytes, int] = {}
    line_of: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or not fields[1].isdigit() or len(fields[1]) > 10:
            raise ValueError(
                f"{source}, line {number}: expected a token in base64, a space and a rank, "
                f"found {_shortened(line)}; {_REMEDY}"
            )
        try:
            token = a2b_base64(fields[0], strict_mode=True)
        except Base64Error as error:
            raise ValueError(
                f"{source}, line {number}: bad base64 {_shortened(fields[0])} ({error}); {_REMEDY}"
            ) from None
        rank = int(fields[1])
        if rank > MAX_ID:
            raise ValueError(f"{source}, line {number}: the rank {rank} is above {MAX_ID}; {_REMEDY}")
        if token in ranks:
            raise ValueError(
                f"{source}, line {number}: the token {token!r} stands in line "
                f"{line_of[ranks[token]]} already; {_REMEDY}"
            )
        if rank in line_of:
            raise ValueError(
                f"{source}, line {number}: the rank {rank} stands in line {line_of[rank]} already; {_REMEDY}"
            )
        ranks[token] = rank
        line_of[rank] = number
    missing = [b for b in range(256) if bytes([b]) not in ranks]
    if missing:
        raise ValueError(
            f"{source}: no token for {len(missing)} of the 256 bytes, 0x{missing[0]:02x} the first; "
            "the file is truncated or its vocabulary is not byte-level"
        )
    return ranks


def _shortened(line: bytes) -> str:
    return repr(line if len(line) <= 60 else line[:60] + b"...")


def is_file(head: bytes) -> bool:
    """Whether a file that begins so may be a rank file."""
    return re.match(rb"\s*[A-Za-z0-9+/]+=*[ \t]+[0-9]", head) is not None


def parse(
    data: bytes, source: str, *, name: str, pattern: str | None, special_tokens: Mapping[str, int] | None
) -> Vocabulary:
    """The vocabulary of a rank file; `pattern` must be given, as the file has none."""
    tokens = read_tokens(data, source)
    if pattern is None:
        raise ValueError(
            f"{source} is a tiktoken rank file, which holds no pattern: pass pattern=, the name of one "
            f"({', '.join(sorted(PATTERNS))}) or a regular expression, and special_tokens= if there are any"
        )
    return Vocabulary(name, tokens, None, dict(special_tokens or {}), resolve_pattern(pattern))


def dump(vocabulary: Vocabulary) -> bytes:
    """The rank file of a vocabulary, in the order of ranks.

    Raises:
        ValueError: its ranks are not its ids, which the format cannot say.
    """
    if vocabulary.merges is not None or not vocabulary.whole_piece or vocabulary.ranks is not None:
        raise ValueError(
            f"vocabulary {vocabulary.name!r} has merges whose ranks are not its ids, which a tiktoken file cannot "
            "hold; save it in the format 'minitok'"
        )
    if not vocabulary.is_rank_file():
        raise ValueError(
            f"vocabulary {vocabulary.name!r} is more than ranked tokens and a pattern, which a tiktoken file cannot "
            "hold; save it in the format 'minitok'"
        )
    in_order = sorted(vocabulary.tokens.items(), key=lambda item: item[1])
    return b"".join(b"%s %d\n" % (b64encode(token), rank) for token, rank in in_order)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
