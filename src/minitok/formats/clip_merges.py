"""CLIP's `bpe_simple_vocab_16e6.txt`: a title, then merges, a pair in each line; what ends a piece ends with `</w>`.

The file says neither how many of its merges count, nor the pattern; both stand in CLIP's own code
(`clip/simple_tokenizer.py` of openai/CLIP), as does all else here. That code repairs texts before (with ftfy, and by
unescaping HTML), which is not done here: it depends on the version of ftfy. White space and case are as there.
"""

from __future__ import annotations

from minitok.formats.byte_alphabet import CHARACTER_OF, unspell
from minitok.normalizers import Lowercase, Normalizer, Replace, Strip, UnicodeForm
from minitok.splits import Split
from minitok.symbols import Symbols
from minitok.templates import Template
from minitok.vocabulary import Merge, Vocabulary

__all__ = ["dump", "is_file", "parse"]

_TITLE = b'"bpe_simple_vocab'
_END = "</w>"
#: Of 49,152 ids, 512 are bytes and 2 were meant for special tokens.
MERGES = 49152 - 256 - 2
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
_SPLIT = Split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", invert=True)
_NORMALIZERS: tuple[Normalizer, ...] = (UnicodeForm("NFC"), Replace(r"\s+", " ", is_regex=True), Strip(), Lowercase())


def is_file(head: bytes) -> bool:
    """Whether a file that begins so is of this format."""
    return head.startswith(_TITLE)


def parse(data: bytes, source: str, *, name: str) -> Vocabulary:
    """The vocabulary of the file.

    Raises:
        ValueError: it is damaged; the message names the place.
    """
    try:
        lines = data.decode("utf-8").split("\n")[1 : MERGES + 1]
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: not UTF-8 at byte {error.start}; the file is damaged, get it anew") from None
    spelt = [*CHARACTER_OF.values(), *(character + _END for character in CHARACTER_OF.values())]
    ids = {token: i for i, token in enumerate(spelt)}
    merges: list[Merge] = []
    for number, line in enumerate(lines, 2):
        parts = line.split()
        new = "".join(parts)
        if len(parts) != 2 or not ids.keys() >= set(parts) or new in ids:
            raise ValueError(f"{source}, line {number}: {line[:60]!r} is no merge of two tokens; the file is damaged")
        merges.append((ids[parts[0]], ids[parts[1]], ids.setdefault(new, len(ids))))
    if len(merges) < MERGES:
        raise ValueError(f"{source}: {len(merges)} merges, expected {MERGES}; the file is truncated")
    tokens: dict[bytes, int] = {}
    for token, i in ids.items():
        own = unspell(token.removesuffix(_END)) or b""
        tokens[own + _END.encode() if token.endswith(_END) else own] = i
    special = {token: len(ids) + number for number, token in enumerate(_SPECIAL)}
    start, end = special.values()
    return Vocabulary(
        name,
        tokens,
        merges,
        special,
        None,
        whole_piece=False,
        symbols=Symbols(end_of_word=_END),
        normalizers=_NORMALIZERS,
        splits=(_SPLIT,),
        template=Template((start, "A", end)),
    )


def dump(vocabulary: Vocabulary) -> bytes:
    """The file of a vocabulary that came from one, or is like one.

    Raises:
        ValueError: it is not.
    """
    merges = vocabulary.merges or ()
    names = {i: token for token, i in vocabulary.tokens.items()}
    lines = ['"bpe_simple_vocab_16e6.txt#version: 0.2']
    for left, right, _ in merges:
        lines.append(" ".join(map(_spelt, (names[left], names[right]))))
    data = ("\n".join(lines) + "\n").encode("utf-8")
    if len(merges) != MERGES or parse(data, "", name=vocabulary.name) != vocabulary:
        raise ValueError(f"CLIP's file cannot hold the vocabulary {vocabulary.name!r}: it has to be like CLIP's")
    return data


def _spelt(token: bytes) -> str:
    ending = _END if token.endswith(_END.encode()) else ""
    return "".join(CHARACTER_OF[b] for b in token.removesuffix(ending.encode())) + ending
