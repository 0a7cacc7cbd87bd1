"""minbpe's `.model`: a text file with a pattern, special tokens and merges (`minbpe/base.py`).

minbpe v1
the pattern, or an empty line
how many special tokens there are
special token and id, in a line each
left id and right id of each merge; the first makes the id 256, the next 257, …
"""

from __future__ import annotations

from minitok.explicit_merges import explicit_merges
from minitok.patterns import find_named_pattern
from minitok.vocabulary import Merge, Vocabulary

__all__ = ["dump", "is_file", "parse"]

#: More bytes of all tokens are a sign of damage, as each merge may double the length. (o200k's have 1,500,000.)
MOST_BYTES = 1 << 25
_TITLE = "minbpe v1"
_DAMAGED = "the file is damaged or is not a model of minbpe; get it anew"


def is_file(head: bytes) -> bool:
    """Whether a file that begins so is of this format."""
    return head.startswith(_TITLE.encode())


def parse(data: bytes, source: str, *, name: str) -> Vocabulary:
    """The vocabulary of a model.

    Raises:
        ValueError: the file is damaged; the message names the place.
    """
    try:
        # What ends a line for a file, and no more: a token may have other ends of lines in it.
        text = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        title, pattern, *lines = text.removesuffix("\n").split("\n")
        count = int(lines[0])
    except (ValueError, IndexError):
        raise ValueError(f"{source}: no title, pattern and number of special tokens; {_DAMAGED}") from None
    if title.strip() != _TITLE or not 0 <= count < len(lines):
        raise ValueError(f"{source}: the title is {title[:40]!r}, special tokens {count}; {_DAMAGED}")
    special: dict[str, int] = {}
    for number, line in enumerate(lines[1 : count + 1], 4):
        token, _, i = line.rpartition(" ")
        if not token or not i.isdecimal() or len(i) > 10:
            raise ValueError(f"{source}, line {number}: {line[:60]!r} is not a special token and its id; {_DAMAGED}")
        special[token] = int(i)
    tokens = [bytes([b]) for b in range(256)]
    merges: dict[tuple[int, int], int] = {}
    room = MOST_BYTES
    for number, line in enumerate(lines[count + 1 :], count + 4):
        fields = line.split()
        if len(fields) != 2 or not all(field.isdecimal() and len(field) <= 10 for field in fields):
            raise ValueError(f"{source}, line {number}: {line[:60]!r} is not two ids; {_DAMAGED}")
        left, right = map(int, fields)
        if max(left, right) >= len(tokens) or (left, right) in merges:
            raise ValueError(
                f"{source}, line {number}: the merge {line[:60]!r} is of an id to come, or twice; {_DAMAGED}"
            )
        length = len(tokens[left]) + len(tokens[right])
        room -= length
        if room < 0:
            raise ValueError(
                f"{source}, line {number}: the merge makes a token of {length} bytes, and all have more than "
                f"{MOST_BYTES}; {_DAMAGED}"
            )
        merges[left, right] = len(tokens)
        tokens.append(tokens[left] + tokens[right])
    ids: dict[bytes, int] = {}
    for place, made in enumerate(tokens):
        if ids.setdefault(made, place) != place:
            raise ValueError(f"{source}: the ids {ids[made]} and {place} are both {made[:60]!r}; {_DAMAGED}")
    listed: list[Merge] = [(left, right, new) for (left, right), new in merges.items()]
    named = find_named_pattern(pattern)
    regex = named.regex if named else pattern or None
    try:
        return Vocabulary(name, ids, listed, special, regex, whole_piece=False)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None


def dump(vocabulary: Vocabulary) -> bytes:
    """The model of a vocabulary.

    Raises:
        ValueError: the format cannot hold it.
    """
    merges = sorted(explicit_merges(vocabulary), key=lambda merge: merge[2])
    single = all(vocabulary.tokens.get(bytes([b])) == b for b in range(256))
    made = [new for *_, new in merges]
    extras = (vocabulary.splits, vocabulary.added_tokens, vocabulary.normalizers, vocabulary.symbols.characters)
    if merges != list(explicit_merges(vocabulary)) or not single or made != list(range(256, 256 + len(made))):
        raise ValueError(
            f"a minbpe model cannot hold the vocabulary {vocabulary.name!r}: its ids are not the bytes, and then "
            "what each merge makes"
        )
    pattern = vocabulary.pattern or ""
    if any(extras) or "\n" in pattern or any(token.split() != [token] for token in vocabulary.special_tokens):
        raise ValueError(
            f"a minbpe model cannot hold the vocabulary {vocabulary.name!r}: it says no more than merges, a pattern, "
            "and special tokens without white space"
        )
    lines = [_TITLE, pattern, str(len(vocabulary.special_tokens))]
    lines += [f"{token} {i}" for token, i in vocabulary.special_tokens.items()]
    lines += [f"{left} {right}" for left, right, _ in merges]
    return ("\n".join(lines) + "\n").encode("utf-8")
