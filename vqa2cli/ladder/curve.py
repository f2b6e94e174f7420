"""The rate-quality curve of a ladder, and what it advises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import PchipInterpolator

from vqa2cli.ladder.checks import CHECKS
from vqa2cli.ladder.findings import CheckResult
from vqa2cli.ladder.measured import Ladder, Scored
from vqa2cli.ladder.quality_checks import deficits


@dataclass(frozen=True)
class Point:
    """One rung on the curve: bits a second of video, score, points below the upper hull."""

    rung: str
    bit_rate: int
    score: float
    below_hull: float


@dataclass(frozen=True)
class Advice:
    """What to do with a ladder.

    `drop` a rung, `add` one at `bit_rate` bits a second, or `move` `rung` there.
    """

    action: Literal["drop", "add", "move"]
    rung: str | None
    bit_rate: int | None
    why: str


def curve_of(ladder: Ladder) -> tuple[Point, ...]:
    """Return the points of the curve, cheapest first."""
    return tuple(
        Point(rung.name, rung.bit_rate, rung.score.value, below)
        for rung, below in zip(ladder.rungs, deficits(ladder.rungs), strict=True)
    )


def advise(ladder: Ladder, results: Sequence[CheckResult]) -> tuple[Advice, ...]:
    """Return which rungs to drop, and where one is missing.

    A rung is to be dropped that falls, lies below the hull, or adds a step too small to be
    seen to the nearest cheaper one that stays; where a step is too large, one is missing in its
    middle. A dropped rung and a missing one together are a move.
    """
    drops = _drops(ladder, {result.id: result for result in results})
    gaps = _gaps(ladder, {result.id: result for result in results})
    advice = []
    for (rung, why), (rate, gap) in zip(drops, gaps, strict=False):
        advice.append(Advice("move", rung, rate, f"{why}; {gap}"))
    advice += [Advice("drop", rung, None, why) for rung, why in drops[len(gaps) :]]
    advice += [Advice("add", None, rate, why) for rate, why in gaps[len(drops) :]]
    return tuple(advice)


def _drops(ladder: Ladder, results: dict[str, CheckResult]) -> list[tuple[str, str]]:
    """Return rungs to drop and why, each once."""
    found: dict[str, str] = {}
    for check, why in (
        ("quality-falls", "a cheaper rung is better"),
        ("below-hull", "its neighbours give the same for less"),
    ):
        for finding in results[check].findings:
            found.setdefault(finding.rungs[-1], why)
    if results["step-small"].findings:
        staying = [rung for rung in ladder.rungs if rung.name not in found]
        found |= dict(_unseen(staying, results["step-small"].threshold))
    order = [rung.name for rung in ladder.rungs]
    return sorted(found.items(), key=lambda drop: order.index(drop[0]))


def _unseen(rungs: Sequence[Scored], seen: float) -> Iterator[tuple[str, str]]:
    """Yield what gains less than `seen` over the nearest cheaper rung that stays, and by how much.

    So of several small steps in a row, which together are seen, some stay.
    """
    (check,) = (check for check in CHECKS if check.id == "step-small")
    below = rungs[0]
    for rung in rungs[1:]:
        gain = rung.score.value - below.score.value
        if check.violated(gain, seen):
            yield rung.name, f"the step to it from {below.name}, {gain:.1f} points, cannot be seen"
        else:
            below = rung


def _gaps(ladder: Ladder, results: dict[str, CheckResult]) -> list[tuple[int, str]]:
    """Return the bit rate in the middle of each step that is too large."""
    by_name = {rung.name: rung for rung in ladder.rungs}
    return [
        (
            _rate_between(ladder.rungs, by_name[low], by_name[high]),
            f"the step from {low} to {high} is {finding.value:.1f} points",
        )
        for finding in results["step-large"].findings
        for low, high in [finding.rungs]
    ]


def _rate_between(rungs: Sequence[Scored], low: Scored, high: Scored) -> int:
    """Return where the monotone curve (PCHIP over log bit rate) is halfway from `low` to `high`."""
    x = np.log2([rung.bit_rate for rung in rungs])
    y = np.array([rung.score.value for rung in rungs])
    keep = np.concatenate([[True], np.diff(x) > 0])
    curve = PchipInterpolator(x[keep], y[keep])
    rates = np.linspace(np.log2(low.bit_rate), np.log2(high.bit_rate), 257)
    middle = (low.score.value + high.score.value) / 2
    nearest = int(np.abs(curve(rates) - middle).argmin())
    return 1000 * round(float(2 ** rates[nearest]) / 1000)
