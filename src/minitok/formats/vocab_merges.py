"""`vocab.json` and `merges.txt`, or `encoder.json` and `vocab.bpe`: two files that are one vocabulary like GPT-2's.

The first has each token's id, spelled in GPT-2's alphabet; the second a title and the merges, a pair in each line, in
the order of their ranks. Neither has a pattern: it is GPT-2's. What no merge makes is a special token, if it looks
like one (`<mask>`), or else is only decoded; RoBERTa, BART and their kin have `<s>` and `</s>` around a text, and a
`<mask>` that takes the space before it (`transformers`, `tokenization_roberta.py`).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from minitok.added_tokens import AddedToken
from minitok.explicit_merges import explicit_merges, is_reached_by_merges
from minitok.formats.byte_alphabet import CHARACTER_OF, spell, unspell
from minitok.formats.json_documents import DAMAGED, parse_json
from minitok.patterns import PATTERNS
from minitok.templates import Template
from minitok.vocabulary import Merge, Vocabulary

__all__ = ["NAMES", "beside", "dump", "is_document", "is_file", "parse"]

#: The names of such files in a folder: ids, merges.
NAMES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
_TITLE = b"#version"
_SPECIAL = re.compile(r"<.+>|\[[A-Z_0-9]+\]", re.DOTALL)


def is_file(head: bytes) -> bool:
    """Whether a file that begins so has such merges."""
    return head.startswith(_TITLE)


def is_document(document: dict[str, Any]) -> bool:
    """Whether a JSON document is nothing but ids of tokens."""
    return len(document) > 255 and all(type(i) is int for i in document.values())


def beside(path: Path, *, to_ids: bool) -> Path:
    """The other one of two files: that with the ids, or that with the merges.

    Raises:
        ValueError: it is not there.
    """
    for ids, merges in NAMES:
        other = path.with_name(ids if to_ids else merges)
        if other.is_file():
            return other
    wanted = " or ".join(pair[0 if to_ids else 1] for pair in NAMES)
    raise ValueError(f"{path} is one file of two, and the other, {wanted}, is not beside it")


def parse(ids_data: bytes, merges_data: bytes, source: str, merges_source: str, *, name: str) -> Vocabulary:
    """The vocabulary in the contents of two files.

    Raises:
        ValueError: one is damaged, or they do not belong together; the message names the place.
    """
    ids = parse_json(ids_data, source)
    for token, i in ids.items():
        if type(i) is not int or i < 0:
            raise ValueError(f"{source}: the id of {token!r} is {i!r}; {DAMAGED}")
    merges = _merges(merges_data, ids, source, merges_source)
    made = {i for merge in merges for i in merge} | {ids[c] for c in CHARACTER_OF.values() if c in ids}
    tokens: dict[bytes, int] = {}
    special: dict[str, int] = {}
    only_decoded: dict[int, bytes] = {}
    for spelt, i in ids.items():
        own = unspell(spelt)
        if i in made and own:
            tokens[own] = i
        elif _SPECIAL.fullmatch(spelt):
            special[spelt] = i
        else:
            only_decoded[i] = own or spelt.encode("utf-8", "surrogatepass")
    template: Template | None = None
    added: tuple[AddedToken, ...] = ()
    if "<s>" in special and "</s>" in special:
        start, end = special["<s>"], special["</s>"]
        template = Template((start, "A", end), (start, "A", end, end, "B", end))
        if "<mask>" in special:
            added = (AddedToken("<mask>", special["<mask>"], lstrip=True),)
    try:
        return Vocabulary(
            name,
            tokens,
            merges,
            special,
            PATTERNS["gpt2"].regex,
            whole_piece=False,
            added_tokens=added,
            template=template,
            only_decoded=only_decoded,
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source}: {error}") from None


def _merges(data: bytes, ids: dict[str, int], source: str, merges_source: str) -> list[Merge]:
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{merges_source}: not UTF-8 at byte {error.start}; {DAMAGED}") from None
    merges: dict[tuple[int, int], int] = {}
    for number, line in enumerate(lines, 1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        left, _, right = line.rstrip("\r").partition(" ")
        if not left or not right or " " in right:
            raise ValueError(f"{merges_source}, line {number}: {line[:60]!r} is not two tokens; {DAMAGED}")
        if not (left in ids and right in ids and left + right in ids):
            raise ValueError(
                f"{merges_source}, line {number}: {line[:60]!r} is of tokens, or makes one, that {source} lacks"
            )
        merges.setdefault((ids[left], ids[right]), ids[left + right])
    if not merges:
        raise ValueError(f"{merges_source}: no merges; {DAMAGED}")
    return [(left, right, new) for (left, right), new in merges.items()]


def dump(vocabulary: Vocabulary) -> tuple[bytes, bytes]:
    """The contents of `vocab.json` and of `merges.txt` for a vocabulary.

    Raises:
        ValueError: the two cannot hold it.
    """
    names = {i: spell(token) for token, i in vocabulary.tokens.items()}
    merges = explicit_merges(vocabulary)
    lines = ["#version: 0.2", *(f"{names[left]} {names[right]}" for left, right, _ in merges)]
    ids = {name: i for i, name in names.items()}
    for i, token in vocabulary.only_decoded.items():
        ids[spell(token)] = i
    ids |= vocabulary.special_tokens
    in_order = dict(sorted(ids.items(), key=lambda item: item[1]))
    written = json.dumps(in_order, ensure_ascii=False).encode("utf-8"), ("\n".join(lines) + "\n").encode("utf-8")
    again = parse(*written, "vocab.json", "merges.txt", name=vocabulary.name)
    whole = vocabulary.whole_piece and not is_reached_by_merges(vocabulary)
    same = replace(vocabulary, merges=list(merges), ranks=None, metadata={}, whole_piece=whole)
    if replace(same, tokens=dict(vocabulary.tokens)) != again:
        raise ValueError(
            f"vocab.json and merges.txt cannot hold the vocabulary {vocabulary.name!r}: they are for vocabularies of "
            "bytes with GPT-2's pattern"
        )
    return written
