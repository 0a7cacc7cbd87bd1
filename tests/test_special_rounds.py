"""Special tokens at random, from fixed seeds: see special_rounds.py."""

from __future__ import annotations

import pytest

from tests.agreement import implementations
from tests.special_rounds import run_round

pytestmark = pytest.mark.once  # each test asks both backends


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_both_backends_do_the_same(first: int) -> None:
    for seed in range(first, first + 100):
        run_round(seed, implementations())
