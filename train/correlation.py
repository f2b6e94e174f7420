"""How well scores agree with labels: rank and linear correlation, error, and pairwise order.

Two linear correlations are told apart: `plcc` on the scores as they are, and `plcc_fitted` after
the four-parameter logistic that the video quality literature maps scores with.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]

#: One name an item: a content, a title, a dataset.
Groups = Sequence[Hashable] | NDArray


@dataclass(frozen=True)
class Estimate:
    """A statistic and its bootstrap interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Scores against labels. `plcc_fitted` and `rmse` are after the logistic where `fitted`.

    Where the fit failed both are of the raw scores, and `fitted` is False.
    """

    n: int
    srcc: Estimate
    plcc: Estimate
    krcc: Estimate
    plcc_fitted: float
    rmse: float
    fitted: bool


@dataclass(frozen=True)
class Ordering:
    """How many pairs a score puts in the right order; a tie counts half."""

    right: float
    pairs: int

    @property
    def share(self) -> float:
        """Share of pairs in the right order, 0-1; NaN without a pair."""
        return self.right / self.pairs if self.pairs else math.nan


@dataclass(frozen=True)
class GroupAgreement:
    """One group's scores against its labels."""

    n: int
    srcc: float
    plcc: float
    mean_error: float
    """Mean of score minus label: positive where the group is scored too high."""


def srcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Spearman's rank correlation; NaN where either side is constant."""
    x, y = _paired(scores, labels)
    return float(stats.spearmanr(x, y).statistic) if _varies(x) and _varies(y) else math.nan


def plcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Pearson's correlation of the raw scores; NaN where either side is constant."""
    x, y = _paired(scores, labels)
    return float(stats.pearsonr(x, y).statistic) if _varies(x) and _varies(y) else math.nan


def krcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Kendall's tau-b; NaN where either side is constant."""
    x, y = _paired(scores, labels)
    return float(stats.kendalltau(x, y).statistic) if _varies(x) and _varies(y) else math.nan


def rmse(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the root mean square of score minus label, in the labels' unit."""
    x, y = _paired(scores, labels)
    return float(np.sqrt(np.mean((x - y) ** 2)))


def logistic_fit(scores: ArrayLike, labels: ArrayLike) -> Floats | None:
    """Return the scores mapped to the labels' scale, or None where the fit fails.

    The map is (b1 - b2) / (1 + exp(-(x - b3) / |b4|)) + b2, fitted by least squares from
    b = (max label, min label, mean score, deviation of the scores / 4): the four-parameter
    logistic of the VQEG reports. It has to rise: a falling score counts as a failed fit.
    """
    x, y = _paired(scores, labels)
    if len(x) < 5 or not (_varies(x) and _varies(y)):
        return None
    # Standardised first: a mean next to zero leaves the solver without a usable step.
    z = (x - x.mean()) / x.std()
    start = (float(y.max()), float(y.min()), 0.0, 0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optimize.OptimizeWarning)  # only about the covariance
        try:
            fitted, _ = optimize.curve_fit(_logistic, z, y, p0=start, maxfev=5000)
        except RuntimeError:  # scipy's word for "did not converge"
            return None
    mapped = np.asarray(_logistic(z, *fitted), np.float64)
    usable = bool(np.isfinite(mapped).all()) and _varies(mapped) and fitted[0] > fitted[1]
    return mapped if usable else None


def agreement(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Return every measure of agreement, the correlations with intervals.

    `groups` names each item's content; with it the bootstrap draws whole contents, because
    versions of one content do not vary independently.

    Raises:
        ValueError: sides of unequal length, fewer than two items, or a value that is not finite.
    """
    x, y = _paired(scores, labels)
    draws = _draws(len(x), groups, resamples, seed)

    def estimate(statistic: Callable[[ArrayLike, ArrayLike], float]) -> Estimate:
        values = np.array([statistic(x[draw], y[draw]) for draw in draws])
        values = values[np.isfinite(values)]
        tails = (50 * (1 - confidence), 50 * (1 + confidence))
        low, high = np.percentile(values, tails) if len(values) else (math.nan, math.nan)
        return Estimate(statistic(x, y), float(low), float(high))

    mapped = logistic_fit(x, y)
    final = x if mapped is None else mapped
    return Agreement(
        n=len(x),
        srcc=estimate(srcc),
        plcc=estimate(plcc),
        krcc=estimate(krcc),
        plcc_fitted=plcc(final, y),
        rmse=rmse(final, y),
        fitted=mapped is not None,
    )


def ordering(scores: ArrayLike, labels: ArrayLike, groups: Groups, min_gap: float) -> Ordering:
    """Return how many same-group pairs, at least `min_gap` apart in label, `scores` orders rightly.

    With renditions grouped by title this asks what a ladder needs: is the better one scored higher?
    """
    each = ordering_by_group(scores, labels, groups, min_gap).values()
    return Ordering(sum(one.right for one in each), sum(one.pairs for one in each))


def ordering_by_group(
    scores: ArrayLike, labels: ArrayLike, groups: Groups, min_gap: float
) -> dict[Hashable, Ordering]:
    """Return the `ordering` of each group, in order of first appearance."""
    x, y = _paired(scores, labels)
    if min_gap < 0:
        raise ValueError(f"min_gap is {min_gap}; choose 0 or more")
    found: dict[Hashable, Ordering] = {}
    for group, members in _members(groups, len(x)).items():
        a, b = np.triu_indices(len(members), k=1)
        gap = y[members[b]] - y[members[a]]
        asked = (np.abs(gap) >= min_gap) & (gap != 0)
        agrees = np.sign(x[members[b]] - x[members[a]]) * np.sign(gap)
        found[group] = Ordering(float(((agrees[asked] + 1) / 2).sum()), int(asked.sum()))
    return found


def by_group(
    scores: ArrayLike, labels: ArrayLike, groups: Groups
) -> dict[Hashable, GroupAgreement]:
    """Return each group's agreement, in order of first appearance."""
    x, y = _paired(scores, labels)
    return {
        group: GroupAgreement(
            n=len(members),
            srcc=srcc(x[members], y[members]) if len(members) > 1 else math.nan,
            plcc=plcc(x[members], y[members]) if len(members) > 1 else math.nan,
            mean_error=float(np.mean(x[members] - y[members])),
        )
        for group, members in _members(groups, len(x)).items()
    }


def _logistic(x: Floats, b1: float, b2: float, b3: float, b4: float) -> Floats:
    return np.asarray((b1 - b2) * special.expit((x - b3) / max(abs(b4), 1e-12)) + b2)


def _paired(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return both sides as float64 [N], checked."""
    x, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(f"scores {x.shape} and labels {y.shape}; need two equal rows of numbers")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("scores or labels hold a value that is not finite; leave those items out")
    return x, y


def _varies(values: Floats) -> bool:
    return len(values) > 1 and float(np.ptp(values)) > 0


def _members(groups: Groups, count: int) -> dict[Hashable, NDArray[np.intp]]:
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups for {count} scores; name one a score")
    found: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        found.setdefault(group, []).append(index)
    return {group: np.asarray(members, np.intp) for group, members in found.items()}


def _draws(count: int, groups: Groups | None, resamples: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the items of each resample: drawn one by one, or by whole groups."""
    units = list(_members(range(count) if groups is None else groups, count).values())
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([units[k] for k in rng.integers(len(units), size=len(units))])
        for _ in range(resamples)
    ]
