"""What a page shows, as data that JSON can hold.

Tokens are numbered by how often they occur, and the text is a string of these numbers in base 32 (five bits a
character, the lowest first; 32 is added where more follow), in the alphabet of base64. A token that merges make is
told by the two that it is made of, so that its bytes and all its steps follow; others by their bytes, as hexadecimal.
A page therefore takes less room than the text that it shows, for most texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minitok.pipeline import takes_bytes

if TYPE_CHECKING:
    from minitok.encoding import Encoding

__all__ = ["encoding_data", "numbers_as_text"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _code(number: int) -> str:
    out = ""
    while number >= 32:
        out += _ALPHABET[number % 32 + 32]
        number //= 32
    return out + _ALPHABET[number]


def numbers_as_text(numbers: Sequence[int]) -> str:
    """Numbers as a string in base 32.

    >>> numbers_as_text([0, 31, 32])
    'AfgB'
    """
    codes = {number: _code(number) for number in set(numbers)}
    return "".join(map(codes.__getitem__, numbers))


def encoding_data(encoding: Encoding, ids: Sequence[int]) -> dict[str, Any]:
    """The tokens of a text, and what is to be known of each distinct one.

    In the table, by a token's number: `ids` (-1: a byte that is no token), `left` and `right` (-1: no merge makes
    it), `ranks` (null: none), `bytes` (of what no merge makes), `kinds` (of what is outside of the vocabulary), and
    `parts`, of tokens that are taken whole: what their merges come to.
    """
    counts = Counter(ids)
    distinct = sorted(counts, key=lambda i: (-counts[i], i))
    ending = encoding.vocabulary.symbols.end_of_word.encode()
    numbers: dict[int | bytes, int] = {i: number for number, i in enumerate(distinct)}
    table_ids: list[int] = list(distinct)
    left, right = [-1] * len(distinct), [-1] * len(distinct)
    ranks: list[int | None] = [None] * len(distinct)
    spelt: dict[int, str] = {}
    kinds: dict[int, str] = {}
    parts: dict[int, list[str]] = {}

    def decoded(symbol: bytes) -> bytes:
        return symbol.removesuffix(ending) + b" " if ending and symbol.endswith(ending) else symbol

    def number_of(symbol: bytes, i: int | None) -> int:
        key: int | bytes = symbol if i is None else i
        if key not in numbers:
            numbers[key] = len(table_ids)
            table_ids.append(-1 if i is None else i)
            left.append(-1)
            right.append(-1)
            ranks.append(None if i is None else encoding.explain(i).rank)
            spelt[numbers[key]] = decoded(symbol).hex()
        return numbers[key]

    for i in distinct:
        history = encoding.explain(i)
        number = numbers[i]
        ranks[number] = history.rank
        spelt[number] = decoded(history.token).hex() if history.kind == "token" else history.token.hex()
        if history.kind != "token":
            kinds[number] = history.kind
        if len(history.parts) > 1:
            parts[number] = [decoded(part).hex() for part in history.parts]
            continue
        for step in history.steps:
            made = number_of(step.made, step.id)
            left[made] = number_of(step.left, encoding.token_id(step.left))
            right[made] = number_of(step.right, encoding.token_id(step.right))
            ranks[made] = step.rank
            spelt.pop(made, None)
    return {
        "name": encoding.name,
        "vocabulary": encoding.n_vocab,
        "changes": not takes_bytes(encoding.vocabulary),
        "tokens": numbers_as_text([numbers[i] for i in ids]),
        "count": len(ids),
        "distinct": len(distinct),
        "table": {
            "ids": table_ids,
            "left": left,
            "right": right,
            "ranks": None if ranks == table_ids else ranks,
            "bytes": spelt,
            "kinds": kinds,
            "parts": parts,
        },
    }
