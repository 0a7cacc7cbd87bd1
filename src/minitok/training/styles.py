"""How others train, as data: what `train(like=...)` changes so that it learns, merge for merge, what they learn.

What was found by reading their sources and by experiment, and what the tests hold against them:

- **Hugging Face `tokenizers`**, `BpeTrainer` (`tokenizers/src/models/bpe/trainer.rs` and `word.rs`, 0.23) with
  `initial_alphabet=ByteLevel.alphabet()`. Ids go to the special tokens, then to the bytes in the order of the
  characters that stand for them, then to the merges. Ties go to the smallest (left id, right id). `min_frequency` 0
  is 1. A token of more than two bytes has to be *shorter* than `max_token_length`; two bytes may always merge.
  Special tokens in a corpus are text like any other; where the merges make one of them, spelled in stand-in
  characters, it keeps its id there, and is a token besides it here. The pattern is GPT-2's, as in
  `ByteLevel(use_regex=True)`; with another one there it is that of
  `Sequence([Split(Regex(...), "isolated"), ByteLevel(use_regex=False)])`.
- **rustbpe** (`src/lib.rs`, 0.1). The bytes, then the merges; ties go to the smallest (left id, right id); every pair
  that occurs may be merged. Its default pattern is cl100k's as it was first published, which cuts white space at the
  end of a text in another way. It knows no special tokens; nanochat gives them the ids behind all others.
- **tiktoken's educational trainer** (`tiktoken/_educational.py`, 0.14, `SimpleBytePairEncoding.train`). As rustbpe,
  but ties go to the pair that is met first in the corpus. Where no pair is left it raises an error, while `train`
  returns what has been learnt.

None of them cuts the corpus at special tokens, so `train` does not either when it learns like them.

Where a pattern leaves something out between its matches, rustbpe and the educational trainer drop it; Hugging Face
and minitok make it a piece. So patterns should match all of a text, as all named ones do. Character classes are those
of the regular expression engine of each, whose Unicode versions differ by what is new in them. Counts above 2**31 are
right here, and overflow there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from minitok.patterns import DEFAULT_PATTERN

__all__ = ["STYLES", "TrainingStyle", "find_style"]


@dataclass(frozen=True)
class TrainingStyle:
    """How a trainer counts, decides and numbers.

    Attributes:
        name: by which `train(like=...)` knows it.
        pattern: how text is cut if nothing else is said: a name or a regular expression.
        byte_order: the bytes in the order of their ids.
        ties: which of several pairs of equal count is merged; as for `Learner`.
        min_frequency: what it is if nothing else is said.
        length_is_exclusive: whether a token of more than two bytes has to be shorter than `max_token_length`.
        special_tokens_first: whether special tokens have the first ids, or the last.
        cuts_special_tokens: whether special tokens separate documents in a corpus, or are text.
    """

    name: str
    pattern: str = DEFAULT_PATTERN
    byte_order: bytes = bytes(range(256))
    ties: Literal["ids", "first"] = "ids"
    min_frequency: int = 1
    length_is_exclusive: bool = False
    special_tokens_first: bool = False
    cuts_special_tokens: bool = False

    def longest_token(self, max_token_length: int | None) -> int | None:
        """The bytes of the longest token that may be made.

        >>> STYLES["huggingface"].longest_token(16), STYLES["minitok"].longest_token(16)
        (15, 16)
        """
        if max_token_length is None or not self.length_is_exclusive:
            return max_token_length
        return max(2, max_token_length - 1)


def _by_stand_ins() -> bytes:
    """The bytes by the code points of the characters that stand for them in GPT-2's byte-level vocabularies.

    Visible characters of Latin-1 stand for themselves; the other bytes get the code points from 256 on, in order.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    return bytes(sorted(range(256), key=lambda b: (b not in visible, b)))


#: cl100k as it was published first; rustbpe's `GPT4_PATTERN`.
_FIRST_CL100K = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]"""
    r"""|\s+(?!\S)|\s+"""
)

#: By name. "minitok" is what `train` does of itself.
STYLES: dict[str, TrainingStyle] = {
    style.name: style
    for style in (
        TrainingStyle("minitok", min_frequency=2, cuts_special_tokens=True),
        TrainingStyle(
            "huggingface",
            pattern="gpt2",
            byte_order=_by_stand_ins(),
            length_is_exclusive=True,
            special_tokens_first=True,
        ),
        TrainingStyle("rustbpe", pattern=_FIRST_CL100K),
        TrainingStyle("tiktoken-educational", pattern="gpt2", ties="first"),
    )
}


def find_style(name: str) -> TrainingStyle:
    """The style that has a name.

    Raises:
        ValueError: none has.
    """
    if name not in STYLES:
        raise ValueError(f"like is {name!r}; expected one of {', '.join(map(repr, STYLES))}")
    return STYLES[name]
