"""The merges of a vocabulary whose tables were found ready, listed only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, overload

__all__ = ["TableMerges"]

_Merge = tuple[int, int, int]


class _Table(Protocol):
    def merge_list(self) -> list[_Merge]: ...


class TableMerges(Sequence[_Merge]):
    """(left id, right id, new id) in order of rank; equal to a list of the same merges, and pickled as one.

    Args:
        table: the backend's `RankTable` that has them.

    Attributes:
        table: the same.
    """

    def __init__(self, table: _Table) -> None:
        self.table = table
        self._listed: list[_Merge] | None = None

    def _all(self) -> list[_Merge]:
        if self._listed is None:
            self._listed = self.table.merge_list()
        return self._listed

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, place: int) -> _Merge: ...
    @overload
    def __getitem__(self, place: slice) -> list[_Merge]: ...
    def __getitem__(self, place: int | slice) -> _Merge | list[_Merge]:
        return self._all()[place]

    def __iter__(self) -> Iterator[_Merge]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, TableMerges) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self._all(),)
