"""The same call to every implementation, and their results or errors compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import minitok
from minitok import _backend
from tests.conftest import seam

Outcome = tuple[str, Any]


def outcome(call: Callable[[], Any]) -> Outcome:
    """What a call returns, or the type and the message of what it raises."""
    try:
        return "returned", call()
    except Exception as error:
        return type(error).__name__, str(error)


def implementations() -> list[Any]:
    """The backends to compare: always the pure one, and the one that the suite runs on."""
    return [seam(name) for name in dict.fromkeys(("python", _backend.BACKEND))]


def encoding_on(module: Any, **arguments: Any) -> minitok.Encoding:
    """An encoding whose work is done by one backend, whichever the suite runs on."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("Decoder", "Encoder"):
            patch.setattr(_backend, name, getattr(module, name))
        return minitok.Encoding("either", **arguments)


def agree(call: Callable[[Any], Any], reference: Callable[[], Any] | None = None) -> Any:
    """Run `call(backend)` for each backend, and the reference if there is one; all must do the same.

    Returns:
        What they returned.

    Raises:
        AssertionError: they differ, or they raised.
    """
    outcomes = {module.__name__: outcome(lambda: call(module)) for module in implementations()}
    if reference is not None:
        outcomes["reference"] = outcome(reference)
    first = next(iter(outcomes.values()))
    assert all(other == first for other in outcomes.values()), outcomes
    assert first[0] == "returned", first
    return first[1]


def agree_to_raise(call: Callable[[Any], Any]) -> Outcome:
    """As `agree`, for a call that must raise; returns the type's name and the message."""
    outcomes = {module.__name__: outcome(lambda: call(module)) for module in implementations()}
    first = next(iter(outcomes.values()))
    assert all(other == first for other in outcomes.values()), outcomes
    assert first[0] != "returned", first
    return first
