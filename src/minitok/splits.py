"""How a text is cut into pieces in several stages, as data.

A vocabulary whose text is cut by one expression has a `pattern`; this is for all others. Each stage cuts the pieces
that the one before left. They do what the pre-tokenizers of `tokenizers` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from minitok.pretokenizer import check_pattern, compile_pattern
from minitok.text import check_no_surrogates

__all__ = ["BEHAVIORS", "Behavior", "PrefixPieces", "Split", "Stage", "keep_text", "split_in_stages"]

Behavior = Literal["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]
BEHAVIORS: tuple[Behavior, ...] = get_args(Behavior)

#: A stretch of a text, and whether it is a match.
_Stretch = tuple[int, int, bool]


@dataclass(frozen=True)
class Split:
    """Cut where a regular expression matches.

    Attributes:
        pattern: the expression.
        behavior: what becomes of a match: a piece of its own ("isolated"), none ("removed"), the end of the piece
            before it ("merged_with_previous"), the beginning of the next ("merged_with_next"), one piece with the
            matches beside it ("contiguous").
        invert: what lies between matches is taken for the matches.

    Raises:
        ValueError: the expression does not compile, or the behavior is none of these.
    """

    pattern: str
    behavior: Behavior = "isolated"
    invert: bool = False

    def __post_init__(self) -> None:
        if self.behavior not in BEHAVIORS:
            raise ValueError(f"the behavior of a split is {self.behavior!r}; expected one of {', '.join(BEHAVIORS)}")
        check_pattern(self.pattern)

    def cutter(self) -> Callable[[str, bool], Iterable[str]]:
        """A piece, and whether it begins the text, to its pieces."""
        regex = compile_pattern(self.pattern)
        arrange = _ARRANGE[self.behavior]

        def cut(text: str, _: bool) -> Iterable[str]:
            stretches: list[_Stretch] = []
            end = 0
            for found in regex.finditer(text):
                first, last = found.span()
                if end < first:
                    stretches.append((end, first, self.invert))
                stretches.append((first, last, not self.invert))
                end = last
            if end < len(text):
                stretches.append((end, len(text), self.invert))
            return [text[first:last] for first, last in arrange(stretches) if first < last]

        return cut


@dataclass(frozen=True)
class PrefixPieces:
    """Put something before each piece that does not begin with it.

    Attributes:
        text: what.
        only_first: only before the piece that begins the text.

    Raises:
        ValueError: it has a surrogate.
    """

    text: str
    only_first: bool = False

    def __post_init__(self) -> None:
        check_no_surrogates(self.text, "the prefix of pieces,")

    def cutter(self) -> Callable[[str, bool], Iterable[str]]:
        """A piece, and whether it begins the text, to the one piece that it becomes."""

        def cut(text: str, is_first: bool) -> Iterable[str]:
            wanted = (is_first or not self.only_first) and not text.startswith(self.text)
            return (self.text + text if wanted else text,)

        return cut


Stage = Split | PrefixPieces


def split_in_stages(stages: Sequence[Stage]) -> Callable[[str, bool], list[str]]:
    r"""What cuts a text, of which is told whether anything is before it, into its pieces.

    >>> cut = split_in_stages([Split(r"\s", "removed"), Split(r"\d{1,3}")])
    >>> cut("in 20251 days", True)
    ['in', '202', '51', 'days']
    """
    cutters = [stage.cutter() for stage in stages]

    def cut(text: str, is_first: bool) -> list[str]:
        pieces = [text] if text else []
        for cutter in cutters:
            pieces = [part for number, piece in enumerate(pieces) for part in cutter(piece, is_first and number == 0)]
        return pieces

    return cut


def keep_text(stages: Sequence[Stage]) -> bool:
    """Whether the pieces of a text, side by side, are the text, but for what the first stage puts before it."""
    return all(
        number == 0 if isinstance(stage, PrefixPieces) else stage.behavior != "removed"
        for number, stage in enumerate(stages)
    )


# -- What becomes of matches: `SplitDelimiterBehavior` of `tokenizers` (tokenizer/normalizer.rs, `split`) -----------


def _isolated(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    return [(first, last) for first, last, _ in stretches]


def _removed(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    return [(first, last) for first, last, matches in stretches if not matches]


def _contiguous(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    before = False
    for first, last, matches in stretches:
        if out and matches == before:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
        before = matches
    return out


def _merged_with_previous(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    before = False
    for first, last, matches in stretches:
        if out and matches and not before:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
        before = matches
    return out


def _merged_with_next(stretches: Sequence[_Stretch]) -> list[tuple[int, int]]:
    mirrored = [(-last, -first, matches) for first, last, matches in reversed(stretches)]
    return [(-last, -first) for first, last in reversed(_merged_with_previous(mirrored))]


_ARRANGE: dict[str, Callable[[Sequence[_Stretch]], list[tuple[int, int]]]] = {
    "isolated": _isolated,
    "removed": _removed,
    "merged_with_previous": _merged_with_previous,
    "merged_with_next": _merged_with_next,
    "contiguous": _contiguous,
}
