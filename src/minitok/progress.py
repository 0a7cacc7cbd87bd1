"""The progress bar of long work."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(show: bool, **options: Any) -> AbstractContextManager[Any]:
    """A context in which there is a bar on standard error, or None where it is not to be shown.

    Args:
        show: whether to show it.
        options: those of `tqdm`.
    """
    if not show:
        return nullcontext()
    from tqdm import tqdm

    return tqdm(file=sys.stderr, miniters=1, mininterval=0.2, **options)
