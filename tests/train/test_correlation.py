"""Agreement of scores and labels, and the simple peers they are compared with."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from train import peers
from train.correlation import (
    agreement,
    by_group,
    krcc,
    logistic_fit,
    ordering,
    ordering_by_group,
    plcc,
    rmse,
    srcc,
)
from vqa2cli.errors import MissingError

LABELS = np.linspace(5, 95, 40)


def noisy(deviation, seed=0):
    return LABELS + np.random.default_rng(seed).normal(0, deviation, LABELS.size)


def test_rank_correlations_ignore_a_bend_and_the_linear_one_does_not():
    bent = np.exp(LABELS / 15)
    assert srcc(bent, LABELS) == pytest.approx(1)
    assert krcc(bent, LABELS) == pytest.approx(1)
    assert plcc(bent, LABELS) < 0.85
    assert plcc(3 * LABELS - 7, LABELS) == pytest.approx(1)
    assert srcc(-LABELS, LABELS) == pytest.approx(-1)


def test_known_values_of_a_small_table():
    scores, labels = (1, 2, 3, 4), (10, 30, 20, 40)
    assert srcc(scores, labels) == pytest.approx(0.8)
    assert krcc(scores, labels) == pytest.approx(2 / 3)
    assert plcc(scores, labels) == pytest.approx(0.8)
    assert rmse(scores, (2, 3, 4, 5)) == pytest.approx(1)


def test_a_constant_score_has_no_correlation():
    result = agreement(np.ones(40), LABELS, resamples=20)
    assert math.isnan(result.srcc.value)
    assert math.isnan(result.plcc.low)
    assert math.isnan(result.plcc_fitted)
    assert not result.fitted
    assert result.rmse == pytest.approx(rmse(np.ones(40), LABELS))


def test_the_logistic_straightens_an_s_curve():
    scores = np.linspace(-1, 1, 40)
    labels = 10 + 80 / (1 + np.exp(-(scores - 0.2) / 0.15))
    result = agreement(scores, labels, resamples=20)
    assert result.fitted
    assert result.plcc.value < 0.97
    assert result.plcc_fitted == pytest.approx(1, abs=1e-6)
    assert result.rmse == pytest.approx(0, abs=1e-3)


def test_a_fit_that_cannot_be_made_leaves_the_raw_scores_and_says_so():
    few = agreement((1, 2, 3, 4), (2, 1, 3, 4), resamples=20)
    assert not few.fitted
    assert few.plcc_fitted == few.plcc.value
    assert logistic_fit(-LABELS, LABELS) is None  # a score that falls is not turned around


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    first, again = (agreement(noisy(15), LABELS, resamples=200, seed=4) for _ in range(2))
    assert first == again
    for estimate in (first.srcc, first.plcc, first.krcc):
        assert estimate.low < estimate.value < estimate.high
    wide = agreement(noisy(40), LABELS, resamples=200, seed=4)
    assert wide.srcc.high - wide.srcc.low > first.srcc.high - first.srcc.low


def test_copies_of_a_content_do_not_narrow_the_interval_of_contents():
    scores, labels = np.repeat(noisy(25), 8), np.repeat(LABELS, 8)
    contents = np.repeat(np.arange(40), 8).tolist()
    naive = agreement(scores, labels, resamples=200).srcc
    honest = agreement(scores, labels, groups=contents, resamples=200).srcc
    assert honest.high - honest.low > 1.8 * (naive.high - naive.low)


def test_ordering_asks_only_far_enough_pairs_of_one_group_and_halves_ties():
    groups = ["a", "a", "a", "b", "b"]
    labels = [10, 50, 52, 0, 100]
    scores = [1, 2, 2, 9, 3]
    found = ordering_by_group(scores, labels, groups, min_gap=5)
    assert (found["a"].right, found["a"].pairs) == (2, 2)
    assert (found["b"].right, found["b"].pairs) == (0, 1)
    total = ordering(scores, labels, groups, min_gap=5)
    assert (total.right, total.pairs) == (2, 3)
    assert total.share == pytest.approx(2 / 3)
    assert ordering(scores, labels, groups, min_gap=0).right == 2.5
    assert math.isnan(ordering(scores, labels, list("vwxyz"), min_gap=5).share)


def test_equal_labels_are_no_pair():
    assert ordering([1, 2], [50, 50], ["a", "a"], min_gap=0).pairs == 0


def test_groups_are_summed_up_each_for_itself():
    scores, labels = [1, 2, 3, 9, 8, 5], [1, 2, 3, 4, 5, 5]
    summary = by_group(scores, labels, list("aaabbc"))
    assert list(summary) == ["a", "b", "c"]
    assert summary["a"].srcc == pytest.approx(1)
    assert summary["a"].mean_error == 0
    assert summary["b"].srcc == pytest.approx(-1)
    assert summary["b"].mean_error == pytest.approx(4)
    assert math.isnan(summary["c"].srcc)


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [([1, 2], [1], "equal rows"), ([1, math.nan], [1, 2], "not finite"), ([], [], "equal rows")],
)
def test_sides_that_cannot_be_compared_are_refused(scores, labels, words):
    with pytest.raises(ValueError, match=words):
        srcc(scores, labels)


def test_more_bits_a_pixel_and_a_lower_quantiser_count_as_better():
    bits = peers.log_bits_per_pixel([1e6, 2e6], [1280, 1280], [720, 720], [25, 25])
    assert bits[1] - bits[0] == pytest.approx(1)
    assert peers.mean_qp([[20, 30], [40]]).tolist() == [-25, -40]
    with pytest.raises(ValueError, match="above zero"):
        peers.log_bits_per_pixel([0], [1], [1], [1])


@pytest.fixture(scope="module")
def learnable():
    pytest.importorskip("sklearn", reason="scikit-learn comes with the train extra")
    rng = np.random.default_rng(7)
    features = rng.normal(size=(160, 6))
    labels = 50 + 12 * features[:, 0] - 8 * np.tanh(features[:, 1]) + rng.normal(0, 1, 160)
    return features, labels, (np.arange(160) // 4).tolist()


def test_the_regression_learns_what_features_tell_and_repeats(learnable):
    x, y, contents = learnable
    first, again = (
        peers.brisque_svr(x[:120], y[:120], x[120:], groups=contents[:120], seed=1)
        for _ in range(2)
    )
    assert np.array_equal(first, again)
    assert srcc(first, y[120:]) > 0.9
    assert rmse(first, y[120:]) < 6


def test_facts_may_be_missing(learnable):
    x, y, contents = learnable
    holed = x.copy()
    holed[::7, 2] = np.nan
    holed[:, 5] = np.nan
    predicted = peers.facts_svr(holed[:120], y[:120], holed[120:], groups=contents[:120])
    assert srcc(predicted, y[120:]) > 0.9


def test_items_of_one_content_share_a_fold():
    contents = [f"c{k % 9}" for k in range(45)]
    folds = peers._folds(45, contents, seed=3)
    assert set(folds.tolist()) == set(range(peers.FOLDS))
    for content in set(contents):
        assert len({fold for fold, c in zip(folds, contents, strict=True) if c == content}) == 1


def test_a_missing_scikit_learn_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingError, match=r"vqa2\[train\]"):
        peers.brisque_svr(np.eye(6), np.arange(6), np.eye(6))


def test_features_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="same columns"):
        peers.brisque_svr(np.eye(6), np.arange(6), np.eye(5))
