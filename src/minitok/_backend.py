"""The one module that knows there are two backends.

`MINITOK_BACKEND` chooses: `auto` (default: compiled if it is there), `python`, or `native` (an error if it is not
there). A compiled module that is present but cannot be imported is reported, never passed over in silence.
"""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

__all__ = [
    "BACKEND",
    "Decoder",
    "Encoder",
    "Learner",
    "PieceCounter",
    "RankTable",
    "SpecialFinder",
    "classify_tokens",
    "count_ids",
    "count_parts",
    "measure_records",
    "merge_records",
    "partition_records",
    "utf8_prefix",
]

_VARIABLE = "MINITOK_BACKEND"
_NATIVE_MODULES = ("minitok._fastmerge", "minitok._fastlearn")


def _choose() -> str:
    wanted = os.environ.get(_VARIABLE, "auto") or "auto"
    if wanted not in ("auto", "python", "native"):
        raise ValueError(f"{_VARIABLE}={wanted!r}: expected auto, python or native")
    if wanted == "python":
        return "python"
    if not any(map(find_spec, _NATIVE_MODULES)):
        if wanted == "native":
            raise ImportError(
                f"{_VARIABLE}=native, but {_NATIVE_MODULES[0]} is not installed: install a wheel for this platform, "
                "or build with a C compiler and MINITOK_REQUIRE_EXTENSIONS=1 to see why it does not compile"
            )
        return "python"
    try:
        for module in _NATIVE_MODULES:
            __import__(module)
    except ImportError as error:
        if wanted == "native":
            raise
        warnings.warn(
            f"{module} is installed but does not load ({error}); using the slower pure Python backend. "
            f"Reinstall minitok, or set {_VARIABLE}=python to accept this.",
            RuntimeWarning,
            stacklevel=2,
        )
        return "python"
    return "native"


#: "native" or "python".
BACKEND: str = _choose()

if TYPE_CHECKING or BACKEND == "python":
    from minitok._pycount import (
        PieceCounter,
        classify_tokens,
        count_ids,
        count_parts,
        measure_records,
        merge_records,
        partition_records,
        utf8_prefix,
    )
    from minitok._pylearn import Learner
    from minitok._pymerge import Decoder, Encoder, RankTable, SpecialFinder
else:
    from minitok._fastlearn import (
        Learner,
        PieceCounter,
        classify_tokens,
        count_ids,
        count_parts,
        measure_records,
        merge_records,
        partition_records,
        utf8_prefix,
    )
    from minitok._fastmerge import Decoder, Encoder, RankTable, SpecialFinder
