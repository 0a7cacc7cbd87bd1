"""What a model expects before and behind the ids of a text: BOS, EOS and the like. Never applied unasked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Template"]

#: Where the ids of the first and of the second text stand.
FIRST, SECOND = "A", "B"


@dataclass(frozen=True)
class Template:
    """Ids around the ids of one text, or of two.

    Attributes:
        single: ids, and "A" where those of the text stand.
        pair: ids, with "A" and "B" for two texts; empty if the model takes no two.

    Raises:
        ValueError: "A" is not in `single`, or "A" and "B" not in a `pair`; anything else that is no id.

    >>> Template(single=(1, "A", 2)).apply([7, 8])
    [1, 7, 8, 2]
    """

    single: tuple[int | str, ...]
    pair: tuple[int | str, ...] = ()

    def __post_init__(self) -> None:
        for parts, texts in ((self.single, [FIRST]), (self.pair, [FIRST, SECOND] if self.pair else [])):
            found = [part for part in parts if isinstance(part, str)]
            if sorted(found) != texts:
                raise ValueError(f"a template of {len(texts)} texts is made of ids and of {texts}, not of {found}")

    def apply(self, first: Sequence[int], second: Sequence[int] | None = None) -> list[int]:
        """The ids of one text or of two, with what belongs around them.

        Raises:
            ValueError: two texts, but there is no template for two.
        """
        if second is not None and not self.pair:
            raise ValueError("this vocabulary's template takes one text, not two")
        out: list[int] = []
        for part in self.single if second is None else self.pair:
            if isinstance(part, int):
                out.append(part)
            else:
                out.extend(first if part == FIRST or second is None else second)
        return out
