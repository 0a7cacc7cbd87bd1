"""Texts as a column has them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

from minitok.column_files import JoinedTexts


def joined(texts: Sequence[str | bytes], before: bytes = b"") -> JoinedTexts:
    """Texts one behind the other in memory, with something before the first and behind the last."""
    encoded = [text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = array("q", accumulate(map(len, encoded), initial=len(before)))
    return JoinedTexts(memoryview(before + b"".join(encoded) + before), memoryview(offsets))
