"""How well scores agree with labels: rank and linear correlation, and error, with intervals.

Two linear correlations are told apart: `plcc` on the scores as they are, and `plcc_fitted` after
the four-parameter logistic that the video quality literature maps scores with; `rmse` and
`rmse_fitted` likewise. What is not defined is None, with the reason.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

Floats = NDArray[np.float64]

#: One name an item: a content, a title, a dataset.
Groups = Sequence[Hashable] | NDArray

#: Fewest items that a correlation is stated of: of three, half of all draws lie at ±0.5 or more.
MIN_ITEMS = 4

#: Fewest items that the logistic's four parameters are fitted to.
MIN_FITTED = 5

#: Resamples for the interval of one content, at most: there are many, each of a few clips.
CONTENT_RESAMPLES = 200

#: Steps of the solver: on all items, and on each resample, which starts from their result.
_STEPS, _STEPS_AGAIN = 5000, 400


@dataclass(frozen=True)
class Estimate:
    """A statistic and its bootstrap interval; `reason` says why either is None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Agreement:
    """Scores against labels: `n` items of `contents` contents.

    `rmse` is in the labels' unit and asks that scores are on the labels' scale. The fitted two
    are after the logistic, None where none fits.
    """

    n: int
    contents: int
    srcc: Estimate
    krcc: Estimate
    plcc: Estimate
    plcc_fitted: Estimate
    rmse: Estimate
    rmse_fitted: Estimate


#: The measures of an agreement, in order.
MEASURES: tuple[str, ...] = tuple(f.name for f in fields(Agreement))[2:]


def srcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Spearman's rank correlation, ties sharing ranks; NaN where either side is constant."""
    x, y = paired(scores, labels)
    return plcc(stats.rankdata(x), stats.rankdata(y))


def plcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Pearson's correlation; NaN where either side is constant."""
    x, y = paired(scores, labels)
    # numpy's, because scipy's computes a p-value along with it: ten times slower in a bootstrap.
    return float(np.corrcoef(x, y)[0, 1]) if _varies(x) and _varies(y) else math.nan


def krcc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Kendall's tau-b; NaN where either side is constant."""
    x, y = paired(scores, labels)
    if not (_varies(x) and _varies(y)):
        return math.nan
    return float(stats.kendalltau(x, y, method="asymptotic").statistic)


def rmse(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the root mean square of score minus label, in the labels' unit."""
    x, y = paired(scores, labels)
    return float(np.sqrt(np.mean((x - y) ** 2)))


@dataclass(frozen=True)
class Logistic:
    """(top - bottom) / (1 + exp(-(z - middle) / |width|)) + bottom, z = (x - mean) / deviation."""

    mean: float
    deviation: float
    parameters: tuple[float, float, float, float]

    def __call__(self, scores: ArrayLike) -> Floats:
        """Return scores [N] mapped to the labels' scale."""
        z = (np.asarray(scores, np.float64) - self.mean) / self.deviation
        return _logistic(z, *self.parameters)


def logistic_fit(
    scores: ArrayLike, labels: ArrayLike, near: Logistic | None = None
) -> Logistic | None:
    """Return the logistic that maps scores to the labels' scale, or None where none fits.

    It is fitted by least squares from (max label, min label, mean score, deviation of the
    scores / 4), the usual start of VQEG's reports, or from `near`. It has to rise: a falling
    score counts as a failed fit.
    """
    x, y = paired(scores, labels)
    if len(x) < MIN_FITTED or not (_varies(x) and _varies(y)):
        return None
    # Standardised first: a mean next to zero leaves the solver without a usable step.
    mean, deviation = float(x.mean()), float(x.std())
    start = (float(y.max()), float(y.min()), 0.0, 0.25)
    if near is not None:
        mean, deviation, start = near.mean, near.deviation, near.parameters
    steps = _STEPS if near is None else _STEPS_AGAIN
    z = (x - mean) / deviation
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optimize.OptimizeWarning)  # only about the covariance
        try:
            top, bottom, middle, width = optimize.curve_fit(
                _logistic, z, y, p0=start, maxfev=steps
            )[0]
        except RuntimeError:  # scipy's word for "did not converge"
            return None
    found = Logistic(mean, deviation, (float(top), float(bottom), float(middle), float(width)))
    mapped = found(x)
    usable = bool(np.isfinite(mapped).all()) and _varies(mapped) and top > bottom
    return found if usable else None


def agreement(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Groups | None = None,
    mapping: Logistic | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Return every measure of agreement with its percentile bootstrap interval.

    Args:
        groups: each item's content; the bootstrap draws whole contents, because versions of one
            content do not vary independently.
        mapping: logistic for the fitted measures; None fits one, and another for each draw.

    Raises:
        ValueError: sides of unequal length, no item, or a value that is not finite.
    """
    x, y = paired(scores, labels)
    units = list(members_of(range(len(x)) if groups is None else groups, len(x)).values())
    fit = mapping or logistic_fit(x, y)
    values = _measures(x, y, fit)
    reasons = _reasons(x, y, values)
    drawn = []
    if len(units) > 1:
        for draw in _draws(units, resamples, seed):
            again = mapping or (fit and logistic_fit(x[draw], y[draw], near=fit))
            drawn.append(_measures(x[draw], y[draw], again))
    tails = (50 * (1 - confidence), 50 * (1 + confidence))
    columns = np.array(drawn, np.float64).reshape(-1, len(MEASURES)).T
    estimates = {
        name: _estimate(value, column, tails, reasons.get(name))
        for name, value, column in zip(MEASURES, values, columns, strict=True)
    }
    return Agreement(len(x), len(units), **estimates)


def agreement_by_group(
    scores: ArrayLike, labels: ArrayLike, groups: Groups, *, resamples: int = 1000, seed: int = 0
) -> dict[Hashable, Agreement]:
    """Return each group's own `agreement`, in order of first appearance.

    The logistic is that of all groups together, since a few items cannot bear four parameters.
    Inside a group the bootstrap draws item by item.
    """
    x, y = paired(scores, labels)
    whole = logistic_fit(x, y)
    return {
        group: agreement(x[members], y[members], mapping=whole, resamples=resamples, seed=seed)
        for group, members in members_of(groups, len(x)).items()
    }


def _measures(x: Floats, y: Floats, fit: Logistic | None) -> list[float]:
    """Return the values of `MEASURES`, NaN where one is not defined."""
    fitted = [math.nan, rmse(x, y), math.nan]
    if fit is not None:
        mapped = fit(x)
        fitted = [plcc(mapped, y), rmse(x, y), rmse(mapped, y)]
    return [srcc(x, y), krcc(x, y), plcc(x, y), *fitted]


def _reasons(x: Floats, y: Floats, values: Sequence[float]) -> dict[str, str]:
    """Return why each measure that has no value has none."""
    reason = None
    if len(x) < MIN_ITEMS:
        reason = f"{len(x)} items; a correlation needs {MIN_ITEMS}"
    elif not _varies(x):
        reason = f"every score is {x[0]:g}"
    elif not _varies(y):
        reason = f"every label is {y[0]:g}"
    if reason is not None:
        return {name: reason for name in MEASURES if name != "rmse"}
    few = f"{len(x)} items; the logistic needs {MIN_FITTED}"
    unfit = few if len(x) < MIN_FITTED else "no rising logistic fits these scores"
    return {name: unfit for name, value in zip(MEASURES, values, strict=True) if math.isnan(value)}


def _estimate(
    value: float, drawn: Floats, tails: tuple[float, float], reason: str | None
) -> Estimate:
    if reason is not None:
        return Estimate(None, reason=reason)
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return Estimate(value, reason="one content: nothing to draw an interval from")
    low, high = np.percentile(known, tails)
    return Estimate(value, float(low), float(high))


def _logistic(z: Floats, top: float, bottom: float, middle: float, width: float) -> Floats:
    rising = special.expit((z - middle) / max(abs(width), 1e-12))
    return np.asarray((top - bottom) * rising + bottom, np.float64)


def paired(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return both sides as float64 [N].

    Raises:
        ValueError: sides of unequal length, no item, or a value that is not finite.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(f"scores {x.shape} and labels {y.shape}; need two equal rows of numbers")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("scores or labels hold a value that is not finite; leave those items out")
    return x, y


def _varies(values: Floats) -> bool:
    return len(values) > 1 and float(np.ptp(values)) > 0


def members_of(groups: Groups, count: int) -> dict[Hashable, NDArray[np.intp]]:
    """Return the places of each group's items, in order of first appearance.

    Raises:
        ValueError: there are not `count` names.
    """
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups for {count} scores; name one a score")
    found: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        found.setdefault(group, []).append(index)
    return {group: np.asarray(members, np.intp) for group, members in found.items()}


def _draws(units: Sequence[NDArray[np.intp]], resamples: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the items of each resample: as many units as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([units[k] for k in rng.integers(len(units), size=len(units))])
        for _ in range(resamples)
    ]
