"""Bjontegaard deltas between two ladders of one title."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Final

from vqa2cli.errors import MissingError
from vqa2cli.ladder.measured import Ladder

#: Interpolation of both curves: Akima's follows the points without the swings of a cubic
#: (Herglotz et al., "Beyond Bjontegaard", ICIP 2022).
METHOD: Final = "akima"

#: Fewest rungs of a curve, as in VCEG-M33.
MIN_RUNGS: Final = 4


@dataclass(frozen=True)
class BdRate:
    """How a ladder compares with another.

    `bd_rate` is the mean difference in bit rate at equal score, percent (below 0: this ladder
    needs less); `bd_score` that in score at equal bit rate, points. `overlap` is the range of
    scores that both curves share, None where they share none. What is not defined is None,
    and `reason` says why.
    """

    against: str
    bd_rate: float | None = None
    bd_score: float | None = None
    overlap: tuple[float, float] | None = None
    reason: str | None = None


def bd_rate(ladder: Ladder, anchor: Ladder) -> BdRate:
    """Return how `ladder` compares with `anchor`.

    Raises:
        MissingError: the library for it is not installed.
    """
    curves = [_curve(anchor), _curve(ladder)]
    reason = _why_not(curves)
    if reason is not None:
        return BdRate(anchor.title, reason=reason)
    try:
        import bjontegaard
    except ImportError as error:
        raise MissingError(
            "--against needs the bjontegaard package: pip install 'vqa2[report]'"
        ) from error
    (rate_a, score_a), (rate_b, score_b) = curves
    low, high = max(score_a[0], score_b[0]), min(score_a[-1], score_b[-1])
    arguments = (rate_a, score_a, rate_b, score_b, METHOD)
    quiet = {"require_matching_points": False, "min_overlap": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of stands in `overlap`
        rate = _finite(bjontegaard.bd_rate(*arguments, **quiet))
        score = _finite(bjontegaard.bd_psnr(*arguments, **quiet))
    lacking = None if score is not None else "the two ladders have no bit rate in common"
    return BdRate(anchor.title, rate, score, (low, high), lacking)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _curve(ladder: Ladder) -> tuple[list[float], list[float]]:
    """Return bit rates and scores of the rungs that each score more than all cheaper ones."""
    rates: list[float] = []
    scores: list[float] = []
    for rung in ladder.rungs:
        if not scores or (rung.score.value > scores[-1] and rung.bit_rate > rates[-1]):
            rates.append(float(rung.bit_rate))
            scores.append(rung.score.value)
    return rates, scores


def _why_not(curves: list[tuple[list[float], list[float]]]) -> str | None:
    rungs = min(len(rates) for rates, _ in curves)
    if rungs < MIN_RUNGS:
        return (
            f"a curve needs {MIN_RUNGS} rungs that each score more than all cheaper ones, "
            f"found {rungs}"
        )
    if max(scores[0] for _, scores in curves) >= min(scores[-1] for _, scores in curves):
        return "the two ladders have no score in common"
    return None
