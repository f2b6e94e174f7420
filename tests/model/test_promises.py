"""A score put together of what the model says and of what such streams are usually worth."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from vqa2cli.assessment import Distortion, Score
from vqa2cli.config import MOST_PROMISED
from vqa2cli.levels import level_of, score_from_probs, soft_levels
from vqa2cli.model.promises import LOST_WITHIN, USUAL_SHARE, is_broken, weighed

CLEAN, BLURRED = Distortion("none", 0.9, 70.0), Distortion("blur", 0.9, 40.0)


def saying(value: float, mass: float = 1.0) -> Score:
    return Score(value, level_of(value), soft_levels(value), mass, None)


def test_where_nothing_is_usual_the_score_stands() -> None:
    assert weighed(saying(50.0), None, CLEAN, None) == saying(50.0)
    assert not is_broken(saying(0.0), None)


@pytest.mark.parametrize("usual", [42.0, 50.0, 58.0, 75.0 - 20.0])
def test_a_kept_promise_draws_the_score_part_of_the_way_to_what_is_usual(usual: float) -> None:
    for shown in (CLEAN, None):
        score = weighed(saying(50.0), usual, shown, None)
        assert score.value == pytest.approx(50.0 + USUAL_SHARE * (usual - 50.0))


def test_a_score_above_what_is_usual_is_drawn_down_however_far() -> None:
    score = weighed(saying(90.0), 40.0, CLEAN, None)
    assert score.value == pytest.approx(90.0 + USUAL_SHARE * (40.0 - 90.0))


def test_pictures_that_show_a_distortion_are_not_drawn_to_what_is_usual_of_encodes() -> None:
    assert weighed(saying(50.0), 58.0, BLURRED, None) == saying(50.0)


def test_of_a_broken_promise_the_score_is_what_pictures_alone_are_worth() -> None:
    usual = 50.0 + MOST_PROMISED + LOST_WITHIN
    assert is_broken(saying(50.0), usual)
    assert weighed(saying(50.0), usual, CLEAN, saying(30.0)).value == pytest.approx(30.0)
    assert weighed(saying(50.0), usual, BLURRED, saying(45.0)).value == pytest.approx(40.0)


def test_pictures_never_raise_the_score_of_a_broken_promise() -> None:
    assert weighed(saying(50.0), 90.0, CLEAN, saying(65.0)).value == pytest.approx(50.0)


def test_belief_is_lost_bit_by_bit() -> None:
    """A hair more of a promise never moves a score far."""
    usual = [50.0 + 0.1 * step for step in range(500)]
    scores = [weighed(saying(50.0), each, CLEAN, saying(20.0)).value for each in usual]
    moves = [abs(after - before) for before, after in pairwise(scores)]
    assert max(moves) < 0.6
    assert max(scores) < 50.0 + USUAL_SHARE * (MOST_PROMISED + LOST_WITHIN / 2)
    assert scores[-1] == pytest.approx(20.0)


@pytest.mark.parametrize("usual", [30.0, 52.0, 66.0, 95.0])
def test_level_and_belief_go_with_the_score_and_the_mass_stays_the_models(usual: float) -> None:
    score = weighed(saying(50.0, mass=0.8), usual, CLEAN, saying(25.0, mass=0.1))
    assert sum(score.probs.values()) == pytest.approx(1.0)
    assert score.value == pytest.approx(score_from_probs(score.probs))
    assert score.level == level_of(score.value)
    assert score.level_mass == 0.8


def test_an_answer_that_is_no_number_stays_none() -> None:
    nan = Score(math.nan, "low", dict.fromkeys(soft_levels(0.0), math.nan), 1.0, None)
    assert not is_broken(nan, 90.0)
    assert math.isnan(weighed(nan, 90.0, CLEAN, None).value)
