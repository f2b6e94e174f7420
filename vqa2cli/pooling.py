"""From the scores of windows to the score of a clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqa2cli.assessment import PooledMetrics, Score
from vqa2cli.levels import LEVELS, level_of


def pool_scores(scores: Sequence[Score], durations_s: Sequence[float]) -> Score:
    """Return the clip's score: the mean of its windows, weighted by their seconds.

    Value, probabilities and reference score are weighted means; `reference_score` is None if
    any window has none. `level_mass` is the least of the windows', so that one misfit shows.

    Raises:
        ValueError: there is no window.
    """
    weights = _weights(durations_s)
    value = float(np.clip(_mean([s.value for s in scores], weights), 0.0, 100.0))
    references = [s.reference_score for s in scores if s.reference_score is not None]
    return Score(
        value=value,
        level=level_of(value),
        probs={word: _mean([s.probs[word] for s in scores], weights) for word in LEVELS},
        level_mass=min(s.level_mass for s in scores),
        reference_score=_mean(references, weights) if len(references) == len(scores) else None,
    )


def spread(values: Sequence[float], durations_s: Sequence[float]) -> PooledMetrics:
    """Return how windows' scores (0-100) are spread over the clip.

    `mean` is weighted by seconds and equals the clip's score. The others count every window
    once. Percentiles interpolate linearly; `stddev` is the population's; `harmonic_mean` is
    libvmaf's, `n / sum(1 / (x + 1)) - 1`, which is defined at 0 too.

    Raises:
        ValueError: there is no window.
    """
    weights = _weights(durations_s)
    x = np.asarray(values, np.float64)
    perc1, perc5, median, perc10 = (float(p) for p in np.percentile(x, (1, 5, 50, 10)))
    return PooledMetrics(
        mean=float(np.clip(_mean(values, weights), 0.0, 100.0)),
        min=float(x.min()),
        max=float(x.max()),
        harmonic_mean=float(1.0 / np.mean(1.0 / (x + 1.0)) - 1.0),
        median=median,
        stddev=float(x.std()),
        perc1=perc1,
        perc5=perc5,
        perc10=perc10,
    )


def _weights(durations_s: Sequence[float]) -> NDArray[np.float64]:
    """Return shares of the clip that add up to 1; equal ones where no duration is known."""
    if not durations_s:
        raise ValueError("a clip without windows has no score")
    seconds = np.asarray(durations_s, np.float64)
    if not np.all(np.isfinite(seconds)) or seconds.min() < 0 or seconds.sum() == 0:
        seconds = np.ones_like(seconds)
    shares: NDArray[np.float64] = seconds / seconds.sum()
    return shares


def _mean(values: Sequence[float], weights: NDArray[np.float64]) -> float:
    """Return the weighted mean; a single window keeps its value to the last digit."""
    return float(values[0]) if len(values) == 1 else float(np.dot(values, weights))
