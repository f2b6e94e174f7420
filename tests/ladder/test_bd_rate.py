"""Bjontegaard deltas, where arithmetic on paper tells what they must be."""

from __future__ import annotations

import re

import pytest

from tests.ladder.rungs import HEALTHY, ladder, rung
from vqa2cli.ladder.bd_rate import bd_rate
from vqa2cli.ladder.measured import Ladder


def changed(rate: float = 1.0, points: float = 0.0, rungs: int = len(HEALTHY)) -> Ladder:
    """Return the healthy ladder at `rate` times its bit rates, each rung so many points better."""
    return ladder(
        [rung(height, kbps * rate, score + points) for height, kbps, score in HEALTHY[:rungs]]
    )


@pytest.mark.parametrize(("rate", "percent"), [(0.5, -50.0), (0.8, -20.0), (1.0, 0.0), (2, 100.0)])
def test_the_same_scores_at_a_share_of_the_bit_rate_are_that_share(rate, percent):
    found = bd_rate(changed(rate), changed())
    assert found.bd_rate == pytest.approx(percent, abs=0.01)
    assert found.overlap == (HEALTHY[0][2], HEALTHY[-1][2])
    assert found.reason is None


@pytest.mark.parametrize("points", [-3.0, 0.0, 5.0])
def test_points_gained_at_every_bit_rate_are_the_gain(points):
    found = bd_rate(changed(points=points), changed())
    assert found.bd_score == pytest.approx(points, abs=0.01)
    assert found.bd_rate is not None
    assert found.bd_rate * points <= 0


def test_a_rung_that_scores_no_more_than_a_cheaper_one_is_no_point_of_the_curve():
    odd = [rung(height, kbps, score) for height, kbps, score in HEALTHY]
    odd.insert(3, rung(480, 900, 40.0))
    found = bd_rate(ladder(odd), changed())
    assert found.bd_rate == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (changed(rungs=3), "needs 4 rungs .* found 3"),
        (ladder([rung(h, k, s / 10 + 90) for h, k, s in HEALTHY]), "no score in common"),
    ],
)
def test_what_is_not_defined_is_no_number_and_has_a_reason(other, reason):
    found = bd_rate(other, changed())
    assert (found.bd_rate, found.bd_score) == (None, None)
    assert found.reason is not None
    assert re.search(reason, found.reason)


def test_ladders_with_no_bit_rate_in_common_still_have_a_bd_rate():
    found = bd_rate(changed(rate=100.0), changed())
    assert found.bd_rate == pytest.approx(9900.0, rel=1e-3)
    assert found.bd_score is None
    assert found.reason == "the two ladders have no bit rate in common"
