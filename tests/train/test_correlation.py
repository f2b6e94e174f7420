"""Agreement of scores and labels, and the simple peers they are compared with."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from scipy import stats

from train import peers
from train.correlation import (
    MEASURES,
    Estimate,
    agreement,
    agreement_by_group,
    krcc,
    logistic_fit,
    plcc,
    rmse,
    srcc,
)
from train.ordering import ordering, ordering_by_group
from vqa2cli.errors import MissingError
from vqa2cli.video.media import StreamFacts

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


@pytest.mark.parametrize("ties", [False, True])
def test_values_are_those_of_scipy(ties):
    scores, labels = noisy(15), LABELS
    if ties:
        scores, labels = np.round(scores, -1), np.round(labels, -1)
    assert (len(set(scores)) < 15) == ties
    assert srcc(scores, labels) == pytest.approx(stats.spearmanr(scores, labels).statistic)
    assert plcc(scores, labels) == pytest.approx(stats.pearsonr(scores, labels).statistic)
    assert krcc(scores, labels) == pytest.approx(stats.kendalltau(scores, labels).statistic)


def test_intervals_are_those_of_scipys_percentile_bootstrap():
    scores = noisy(20)
    ours = agreement(scores, LABELS, resamples=400)
    for name, statistic in (("srcc", srcc), ("rmse", rmse)):
        theirs = stats.bootstrap(
            (scores, LABELS), statistic, paired=True, vectorized=False, method="percentile",
            n_resamples=400, rng=np.random.default_rng(9),
        ).confidence_interval  # fmt: skip
        mine = getattr(ours, name)
        width = theirs.high - theirs.low
        assert mine.low == pytest.approx(theirs.low, abs=0.2 * width)
        assert mine.high == pytest.approx(theirs.high, abs=0.2 * width)


@pytest.mark.parametrize(
    ("scores", "labels", "reason"),
    [
        (np.full(40, 5.0), LABELS, "every score is 5"),
        (LABELS, np.full(40, 3.5), "every label is 3.5"),
        (LABELS[:3], LABELS[:3], "3 items; a correlation needs 4"),
    ],
)
def test_what_is_not_defined_is_null_with_the_reason(scores, labels, reason):
    result = agreement(scores, labels, resamples=20)
    for name in ("srcc", "krcc", "plcc", "plcc_fitted", "rmse_fitted"):
        assert getattr(result, name) == Estimate(None, reason=reason)
    assert result.rmse.value == pytest.approx(rmse(scores, labels))


def test_the_logistic_straightens_an_s_curve():
    scores = np.linspace(-1, 1, 40)
    labels = 10 + 80 / (1 + np.exp(-(scores - 0.2) / 0.15))
    result = agreement(scores, labels, resamples=20)
    assert result.plcc.value < 0.97
    assert result.plcc_fitted.value == pytest.approx(1, abs=1e-6)
    assert result.rmse_fitted.value == pytest.approx(0, abs=1e-3)
    assert result.rmse.value > 40
    fit = logistic_fit(scores, labels)
    top, bottom, middle, width = fit.parameters
    assert (top, bottom) == pytest.approx((90, 10), abs=0.01)
    assert middle * fit.deviation + fit.mean == pytest.approx(0.2, abs=1e-3)
    assert abs(width) * fit.deviation == pytest.approx(0.15, abs=1e-3)


def test_a_logistic_that_cannot_be_fitted_says_why():
    few = agreement((1, 2, 3, 4), (2, 1, 3, 4), resamples=20)
    assert few.plcc.value == pytest.approx(0.8)
    assert few.plcc_fitted == Estimate(None, reason="4 items; the logistic needs 5")
    falling = agreement(-LABELS, LABELS, resamples=20)
    assert falling.plcc.value == pytest.approx(-1)
    assert falling.plcc_fitted.value is None  # a score that falls is not turned around
    assert "no rising logistic" in falling.rmse_fitted.reason


def test_one_content_has_values_and_no_interval():
    result = agreement(noisy(9), LABELS, groups=["a"] * 40, resamples=20)
    assert result.contents == 1
    assert result.srcc.value > 0.9
    assert result.srcc.low is None
    assert "one content" in result.srcc.reason


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    first, again = (agreement(noisy(15), LABELS, resamples=100, seed=4) for _ in range(2))
    assert first == again
    for estimate in (getattr(first, name) for name in MEASURES):
        assert estimate.low < estimate.value < estimate.high
    wide = agreement(noisy(40), LABELS, resamples=100, seed=4)
    assert wide.srcc.high - wide.srcc.low > first.srcc.high - first.srcc.low


def test_copies_of_a_content_do_not_narrow_the_interval_of_contents():
    scores, labels = np.repeat(noisy(25), 8), np.repeat(LABELS, 8)
    contents = np.repeat(np.arange(40), 8).tolist()
    naive = agreement(scores, labels, resamples=100).srcc
    honest = agreement(scores, labels, groups=contents, resamples=100).srcc
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
    scores, labels = [1, 2, 3, 4, 9, 8, 7, 6, 5], [1, 2, 3, 4, 1, 2, 3, 4, 5]
    summary = agreement_by_group(scores, labels, list("aaaabbbbc"), resamples=20)
    assert list(summary) == ["a", "b", "c"]
    assert summary["a"].srcc.value == pytest.approx(1)
    assert summary["a"].rmse.value == 0
    assert summary["b"].srcc.value == pytest.approx(-1)
    assert summary["b"].n == 4
    assert "1 items" in summary["c"].srcc.reason


def test_groups_are_measured_under_the_logistic_of_all():
    scores = np.linspace(-1, 1, 40)
    labels = 10 + 80 / (1 + np.exp(-(scores - 0.2) / 0.15))
    shifted = labels + np.repeat([0, 0, 0, 10], 10)  # the last ten are better than they score
    last = agreement_by_group(scores, shifted, np.repeat(list("abcd"), 10), resamples=20)["d"]
    assert last.rmse_fitted.value > 1.5
    own = agreement(scores[30:], shifted[30:], resamples=20)
    assert own.rmse_fitted.value < 0.5


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [([1, 2], [1], "equal rows"), ([1, math.nan], [1, 2], "not finite"), ([], [], "equal rows")],
)
def test_sides_that_cannot_be_compared_are_refused(scores, labels, words):
    with pytest.raises(ValueError, match=words):
        srcc(scores, labels)


def test_more_bits_a_pixel_count_as_better_and_unknown_ones_as_unknown():
    facts = [StreamFacts("h264", bits, 1280, 720, 25.0) for bits in (0.05, 0.5, None)]
    few, many, unknown = peers.log_bits_per_pixel(facts)
    assert many - few == pytest.approx(1)
    assert math.isnan(unknown)


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
