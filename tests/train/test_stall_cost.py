"""What stalling costs: never negative, and more for more of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.recipe import read_recipe
from train.stall_cost import StallCost, draw_stalls, fit_stall_cost

COST = StallCost(per_stall=16.0, per_ratio=8.0, per_initial_second=3.0)


@given(st.integers(0, 8), st.integers(0, 8), st.floats(0, 1), st.floats(0, 1), st.floats(0, 60))
def test_more_stalling_never_costs_less(a: int, b: int, r: float, q: float, initial: float) -> None:
    fewer, more = sorted((a, b))
    shorter, longer = sorted((r, q))
    assert COST.points(more, longer, initial) >= COST.points(fewer, shorter, 0.0) >= 0


def test_no_stall_costs_nothing_and_says_so() -> None:
    drawn = [draw_stalls(COST, np.random.default_rng(seed)) for seed in range(60)]
    free = [text for text, cost in drawn if cost == 0.0]
    assert free
    assert all(text.startswith("No stall") for text in free)
    assert any(cost > 0 for _, cost in drawn)


def test_the_recipe_holds_what_the_ratings_say(shared_dir: Path) -> None:
    fitted = fit_stall_cost(shared_dir / "tables" / "streaming_sessions.csv")
    told = read_recipe("mini").stages[-1].fit.stall_cost
    assert vars(told) == pytest.approx(vars(fitted), abs=0.05)
