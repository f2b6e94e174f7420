"""Checks on the scores of a ladder, all at one display size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vqa2cli.assessment import Segment
from vqa2cli.ladder.findings import Measure
from vqa2cli.ladder.measured import Ladder, Scored
from vqa2cli.ladder.noticeable import CERTAIN_STEP

ONE_RUNG = "fewer than two rungs were scored"


def drops(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure how far the score falls from each rung to the next dearer one."""
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    return [
        Measure(
            (low.name, high.name),
            low.score.value - high.score.value,
            f"{high.name} ({_rate(high)}) scores {high.score.value:.1f}, less than the "
            f"{low.score.value:.1f} of {low.name} ({_rate(low)})",
        )
        for low, high in ladder.steps()
    ]


def gains(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure how much each rung gains over the next cheaper one."""
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    return [
        Measure(
            (low.name, high.name),
            high.score.value - low.score.value,
            f"{high.name} ({_rate(high)}) scores {high.score.value:.1f} after the "
            f"{low.score.value:.1f} of {low.name} ({_rate(low)})",
        )
        for low, high in ladder.steps()
    ]


def gains_that_do_not_fall(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure the gains, but not those that are a fall: another check tells of them."""
    found = gains(ladder)
    if isinstance(found, str):
        return found
    return [gain for gain in found if gain.value >= -CERTAIN_STEP]


def hull_deficits(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure how far each inner rung lies below the line between two others.

    Quality is taken over the logarithm of the bit rate. A rung below such a line costs more
    than a mix of its neighbours for the same quality (convex hull; De Cock et al., ICIP 2016).
    """
    rungs = ladder.rungs
    if len(rungs) < 3:
        return "fewer than three rungs were scored"
    return [
        Measure(
            (rung.name,),
            deficit,
            f"{rung.name} ({_rate(rung)}) scores {rung.score.value:.1f}; the line between its "
            f"neighbours on the hull passes at {rung.score.value + deficit:.1f}",
        )
        for rung, deficit in zip(rungs[1:-1], deficits(rungs)[1:-1], strict=True)
    ]


def deficits(rungs: tuple[Scored, ...]) -> list[float]:
    """Return how far below the upper hull of (log bit rate, score) each rung lies, points."""
    x = [float(np.log2(rung.bit_rate)) for rung in rungs]
    y = [rung.score.value for rung in rungs]
    found = []
    for index in range(len(rungs)):
        lines = [
            float(np.interp(x[index], [x[left], x[right]], [y[left], y[right]]))
            for left in range(index)
            for right in range(index + 1, len(rungs))
            if x[left] < x[right]
        ]
        found.append(max([line - y[index] for line in lines], default=0.0))
    return [max(deficit, 0.0) for deficit in found]


def crossings(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure the share of time in which a cheaper rung scores certainly over the next one.

    Rungs whose whole scores already fall are left to that check.
    """
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    found = []
    for low, high in ladder.steps():
        windows = _common(low.row.segments, high.row.segments)
        if len(windows) < 2 or low.score.value - high.score.value > CERTAIN_STEP:
            continue
        over = [(a, b) for a, b in windows if a.score - b.score > CERTAIN_STEP]
        total = sum(b.end - b.start for _, b in windows)
        share = sum(b.end - b.start for _, b in over) / total
        start, end = (over[0][1].start, over[-1][1].end) if over else (None, None)
        message = (
            f"in {share:.0%} of the time {low.name} scores more than {CERTAIN_STEP:g} over "
            f"{high.name}"
        )
        found.append(Measure((low.name, high.name), share, message, start, end))
    return found or "no two neighbours have windows in common"


def _common(low: tuple[Segment, ...], high: tuple[Segment, ...]) -> list[tuple[Segment, Segment]]:
    """Return the windows that two rungs share: the same place, begun within half a second."""
    return [(a, b) for a, b in zip(low, high, strict=False) if abs(a.start - b.start) < 0.5]


def top_score(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure the best that anybody can get."""
    if not ladder.rungs:
        return "no rung was scored"
    best = max(ladder.rungs, key=lambda rung: rung.score.value)
    return [Measure((best.name,), best.score.value, f"the best rung, {best.name}, {_scores(best)}")]


def bottom_score(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure what the slowest line gets."""
    if not ladder.rungs:
        return "no rung was scored"
    low = ladder.rungs[0]
    return [Measure((low.name,), low.score.value, f"the cheapest rung, {low.name}, {_scores(low)}")]


def worst_windows(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure how far each rung's worst window falls below the whole of it."""
    found = []
    for rung in ladder.rungs:
        if len(rung.row.segments) < 2:
            continue
        worst = min(rung.row.segments, key=lambda segment: segment.score)
        fall = rung.score.value - worst.score
        message = (
            f"{rung.name} scores {worst.score:.1f} at {worst.start:.1f}-{worst.end:.1f} s, "
            f"{fall:.1f} below its {rung.score.value:.1f}"
        )
        found.append(Measure((rung.name,), fall, message, worst.start, worst.end))
    return found or "no rung is longer than a window"


def _scores(rung: Scored) -> str:
    return f"scores {rung.score.value:.1f} at {_rate(rung)}"


def _rate(rung: Scored) -> str:
    return f"{rung.bit_rate / 1000:.0f} kb/s"
