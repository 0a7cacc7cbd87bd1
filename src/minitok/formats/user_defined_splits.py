"""How a `tokenizer.json` says that user-defined pieces are looked for behind a prefix that each text gets.

In SentencePiece a text gets its prefix first, and then user-defined pieces are looked for in it. What `tokenizers`
looks for in normalized text is normalized itself, and gets the prefix, too: it would be found only behind a space.
What does the same is:

    two stages      Text is cut at the pieces, the longest first. Each is a piece of its own then, and of the model's
                    vocabulary, but nothing merges to it.
    ignore_merges   So what is a token as a whole is that token.

Now other names of the vocabulary are tokens as a whole, too, which they are not in SentencePiece: special tokens and
those of bytes, and tokens that no merges make. No text is one of them alone as long as it has the prefix, but what
stands between two pieces may be. Where such a name stands alone it is cut in two, in the second stage, at a place
that no merge crosses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from minitok.formats.space_marks import SPACE_MARK
from minitok.pipeline import encoder_of
from minitok.vocabulary import Vocabulary

__all__ = ["guard_pattern", "listed_pieces", "pieces_pattern"]

#: Up to this sum of squared lengths names are cut at every place. (Gemma's 6,500 have 900,000.)
MOST_TO_CUT = 5_000_000


def pieces_pattern(pieces: Iterable[str]) -> str:
    r"""The expression that finds pieces, the longest first.

    >>> pieces_pattern(["[a]", "[a]b"])
    '\\[a\\]b|\\[a\\]'
    """
    return "|".join(map(re.escape, sorted(pieces, key=lambda piece: (-len(piece), piece))))


def listed_pieces(pattern: str) -> list[str] | None:
    r"""The pieces that an expression finds; None if it is none that `pieces_pattern` makes.

    >>> listed_pieces(r"\[a\]b|\[a\]"), listed_pieces(r"\s+")
    (['[a]b', '[a]'], None)
    """
    spelt = re.findall(r"(?:[^\\|]|\\.)+", pattern, re.DOTALL)
    pieces = [re.sub(r"\\(.)", r"\1", piece, flags=re.DOTALL) for piece in spelt]
    return pieces if pieces and pieces_pattern(pieces) == pattern else None


def guard_pattern(vocabulary: Vocabulary, names: Mapping[str, int]) -> str | None:
    """The expression that cuts names which are no token of text as a whole; None if there are none.

    Args:
        vocabulary: what merges them.
        names: the model's names but those of user-defined pieces, with their ids.

    Raises:
        ValueError: a name cannot be cut; the message says which.
    """
    merge = encoder_of(vocabulary).merge_piece
    unknown = vocabulary.symbols.unknown_id

    def merged(name: str) -> list[int]:
        return merge(name.replace(SPACE_MARK, " ").encode("utf-8", "surrogatepass"))

    cuts: dict[str, list[str]] = {}
    room = MOST_TO_CUT
    for name, i in names.items():
        if len(name) ** 2 <= room:
            ids = merged(name)
            if ids == [i]:
                continue
        room -= len(name) ** 2
        if room < 0:
            raise ValueError(f"names that are no token of text as a whole are too many or too long, as {name[:60]!r}")
        for at in range(1, len(name)):
            left, right = merged(name[:at]), merged(name[at:])
            is_fused = unknown is not None and left[-1] == right[0] == unknown
            if left + right == ids and not is_fused and name[at:] not in names:
                cuts.setdefault(name[:at], []).append(name[at:])
                break
        else:
            raise ValueError(
                f"{name[:60]!r} would be the token {i} where it stands alone behind a user-defined piece"
            )
    return "|".join(rf"\A{re.escape(left)}(?=(?:{pieces_pattern(cuts[left])})\z)" for left in sorted(cuts)) or None
