"""A clip's score from its windows' scores."""

from __future__ import annotations

import math

import pytest

from vqa2cli.assessment import Score
from vqa2cli.levels import LEVELS, level_of, score_from_probs, soft_levels
from vqa2cli.pooling import pool_scores, spread


def window(value: float, mass: float = 0.9, reference: float | None = None) -> Score:
    return Score(value, level_of(value), soft_levels(value), mass, reference)


def test_one_window_keeps_its_score_to_the_last_digit() -> None:
    pooled = pool_scores([window(71.234567890123)], [2.0])
    assert pooled.value == 71.234567890123
    assert pooled.level == "good"


def test_a_longer_window_counts_for_more() -> None:
    assert pool_scores([window(80), window(20)], [3.0, 1.0]).value == pytest.approx(65)


def test_the_pooled_probabilities_mean_the_pooled_score() -> None:
    pooled = pool_scores([window(80), window(33), window(5)], [3.0, 1.0, 0.5])
    assert list(pooled.probs) == list(LEVELS)
    assert score_from_probs(pooled.probs) == pytest.approx(pooled.value)


def test_the_worst_fit_of_all_windows_is_the_clips() -> None:
    assert pool_scores([window(50, 0.9), window(50, 0.2)], [1, 1]).level_mass == 0.2


def test_the_reference_score_is_none_where_any_window_has_none() -> None:
    assert pool_scores([window(50, reference=0.6), window(50)], [1, 1]).reference_score is None
    both = pool_scores([window(50, reference=0.6), window(50, reference=0.8)], [1, 3])
    assert both.reference_score == pytest.approx(0.75)


@pytest.mark.parametrize("durations", [[0.0, 0.0], [math.nan, 1.0]])
def test_windows_without_a_known_length_count_alike(durations: list[float]) -> None:
    assert pool_scores([window(80), window(20)], durations).value == pytest.approx(50)


def test_a_clip_without_windows_has_no_score() -> None:
    with pytest.raises(ValueError, match="without windows"):
        pool_scores([], [])


def test_the_spread_is_finite_at_zero_and_ordered() -> None:
    pooled = spread([0.0, 50.0, 100.0], [1, 1, 1])
    assert pooled.min == 0.0
    assert pooled.max == 100.0
    assert pooled.median == 50.0
    assert pooled.mean == pytest.approx(50.0)
    assert pooled.perc1 == pytest.approx(1.0)
    assert pooled.perc10 == pytest.approx(10.0)
    assert pooled.stddev == pytest.approx(math.sqrt(5000 / 3))
    assert pooled.harmonic_mean == pytest.approx(3 / (1 + 1 / 51 + 1 / 101) - 1)
    assert pooled.min <= pooled.harmonic_mean <= pooled.mean


def test_the_mean_of_the_spread_is_the_score() -> None:
    scores = [window(81.3), window(12.7), window(55.1)]
    durations = [2.0, 2.0, 1.3]
    mean = spread([s.value for s in scores], durations).mean
    assert mean == pool_scores(scores, durations).value


def test_probabilities_that_sum_to_a_rounding_more_than_one_stay_on_the_scale() -> None:
    probs = dict.fromkeys(LEVELS, 0.0) | {"high": 1.0 + 2**-52}
    assert sum(probs.values()) > 1
    assert level_of(score_from_probs(probs)) == "high"
    assert math.isnan(score_from_probs(dict.fromkeys(LEVELS, math.nan)))
