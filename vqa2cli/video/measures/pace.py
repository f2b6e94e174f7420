"""Flicker, shake, stutter, cuts, cadence and drift, from a clip's per-frame scalars."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures.departure import GAMMA, LEAST_LIGHT, usual
from vqa2cli.video.measures.motion import LIKENESS_CODES, MotionArrays
from vqa2cli.video.stall_pictures import SAMPLES

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: A cut differs by `LIKENESS_CODES`, and this many times what neighbours of half a second do; two
#: pictures more alike than this are of one scene, whose light or colour changed; ours.
CUT_RATIO, SAME_SCENE = 4.0, 0.85
#: Seconds to each side that make "around" a frame.
_AROUND_S = 0.5

#: Seconds to each side that the light stands out from in flicker, the picture's place in shake:
#: what swings at 3.3 and 1.7 Hz or faster comes back within that; ours.
FLICKER_REACH_S, SHAKE_REACH_S = 0.15, 0.3

#: A repeat changes less than this share of what frames around it do; after it the picture jumps by
#: at least the other share; ours.
REPEAT_SHARE, JUMP_SHARE = 0.12, 0.5
#: Codes by which a quarter of the frames before a repeat, and of those after it, change at least
#: where most moves: in a still picture some do too, where an encoder refreshes it; ours.
LEAST_MOTION, MOVING_PERCENT = 1.0, 75
#: Repeats that go on longer than this, seconds, are the stall detector's.
LONGEST_HOLD_S = 0.5
#: Share of the holds that must follow a pattern for a steady cadence, longest pattern, and
#: fewest of its turns; ours.
CADENCE_SHARE, CADENCE_PERIOD, CADENCE_TURNS = 0.75, 5, 4
#: Seconds that may have a cadence of their own, and the share of the holds that follow it there: in
#: few holds chance makes a pattern sooner; ours.
SECTION_S, SECTION_SHARE = 2.0, 0.9

#: Seconds that make an end of a shot, for what is usual in it.
_END_S = 0.25


def cuts(motion: MotionArrays) -> Flags:
    """Return which frames [n] are the first of a new scene."""
    around = _rolling(motion.difference, _reach(motion, _AROUND_S), 50)
    floor = np.maximum(LIKENESS_CODES, CUT_RATIO * around)
    return np.asarray((motion.difference > floor) & (motion.likeness < SAME_SCENE))


def shots(cut: Flags) -> Iterator[slice]:
    """Yield the runs of frames from one cut to the next."""
    edges = [0, *np.flatnonzero(cut).tolist(), len(cut)]
    for first, after in pairwise(edges):
        if after > first:
            yield slice(first, after)


def flicker(motion: MotionArrays, cut: Flags, black: float) -> Floats:
    """Return how far each frame's mean luma swings, in % of the mean around it: [n].

    Args:
        black: code of black.
    """
    swing = np.zeros(len(cut), np.float32)
    reach = _reach(motion, FLICKER_REACH_S)
    for shot in shots(cut):
        level = motion.mean[shot] - black
        swing[shot] = 100 * swings(level, reach) / np.maximum(_smooth(level, reach), LEAST_LIGHT)
    return swing


def shake(motion: MotionArrays, cut: Flags, size: tuple[int, int]) -> Floats:
    """Return how far the picture swings to each side in each frame, in % of its short side: [n].

    Args:
        size: width and height of the picture, px.
    """
    short, reach = min(size), _reach(motion, SHAKE_REACH_S)
    off = np.zeros(len(cut), np.float32)
    for shot in shots(cut):
        parts = []
        for moved, length, samples in (
            (motion.dx[shot], size[0], SAMPLES[1]),
            (motion.dy[shot], size[1], SAMPLES[0]),
        ):
            steps = np.array(moved) * length / samples / short
            steps[0] = 0.0  # the step over the cut is none
            parts.append(swings(np.cumsum(steps), reach))
        off[shot] = 100 * np.hypot(*parts)
    return off


def swings(values: Floats, reach: int) -> Floats:
    """Return how far each of `values` [n] swings to one side: half of what it stands out by.

    It stands out by what it is above, or below, all that leads to the other side of the swing
    within `reach` places before and after. A fade and a pan go one way and stand out nowhere.
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, "edge"), reach + 1)
    before, after = windows[: len(values)], windows[reach:]
    above = values - np.maximum(before.min(1), after.min(1))
    below = np.minimum(before.max(1), after.max(1)) - values
    out: Floats = np.maximum(above, below) / 2
    return out


def repeats(motion: MotionArrays) -> Flags:
    """Return which frames [n] show the one before them again while things move around them.

    They do before and after: a calm moment beside a lively one is none. It is enough that a small
    part of the picture moves.
    """
    difference, reach = motion.difference, _reach(motion, _AROUND_S)
    around = _on_both_sides(difference, reach, 90)
    moving = _on_both_sides(motion.liveliest, reach, MOVING_PERCENT)
    same = (difference < REPEAT_SHARE * around) & (moving >= LEAST_MOTION)
    if same.size:
        same[0] = False
    kept = np.zeros(len(same), np.bool_)
    longest = max(1, round(LONGEST_HOLD_S / motion.interval_s))
    for first, after in runs(same):
        jumps = after < len(same) and difference[after] >= JUMP_SHARE * around[after]
        kept[first:after] = jumps and after - first <= longest
    return kept


def runs(flags: Flags) -> Iterator[tuple[int, int]]:
    """Yield (first, after) of each run of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def uneven(motion: MotionArrays, repeated: Flags) -> Flags:
    """Return which repeats [n] are in no `SECTION_S` seconds that have a steady cadence."""
    left = repeated.copy()
    frames = max(2, round(SECTION_S / motion.interval_s))
    for first in range(0, len(repeated), frames // 2):
        if cadence(repeated[first : first + frames], SECTION_SHARE) is not None:
            left[first : first + frames] = False
    return left


def cadence(repeated: Flags, share: float = CADENCE_SHARE) -> tuple[int, ...] | None:
    """Return the pattern of frames per picture that repeats all through, None without one.

    (2,) is every picture twice, (3, 2) the pull-down of film to 60 Hz.

    Args:
        share: of the holds that must follow the pattern.
    """
    fresh = np.flatnonzero(~repeated)
    held = np.diff(fresh)
    for period in range(1, CADENCE_PERIOD + 1):
        if len(held) < (CADENCE_TURNS + 1) * period:
            return None
        pattern = held[period : 2 * period]
        follows = (held[period:] == held[:-period]).mean() >= share
        # Holds so rare that a lone one passes for a pattern are none.
        if follows and pattern.max() > 1 and (held > 1).mean() >= 0.9 * (pattern > 1).mean():
            parts = {int(each) for each in pattern}
            return tuple(parts) if len(parts) == 1 else tuple(sorted(pattern.tolist())[::-1])
    return None


def drift(motion: MotionArrays, cut: Flags, black: float) -> Floats:
    """Return the stops that each frame is brighter than usual in its shot, or darker: [n].

    Args:
        black: code of black.
    """
    stops = np.zeros(len(cut), np.float32)
    ends = _reach(motion, _END_S)
    for shot in shots(cut):
        light = np.log2(np.maximum(motion.mean[shot] - black, LEAST_LIGHT))
        stops[shot] = GAMMA * (light - usual(light, ends, float(np.log2(LEAST_LIGHT))))
    return stops


def _reach(motion: MotionArrays, seconds: float) -> int:
    return max(1, round(seconds / max(motion.interval_s, 1e-3)))


def _smooth(values: Floats | NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the mean over `reach` neighbours to each side; fewer at the ends."""
    total = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    index = np.arange(len(values))
    near = np.minimum(np.minimum(index, len(values) - 1 - index), reach)  # the same on both sides
    mean: NDArray[np.float64] = (total[index + near + 1] - total[index - near]) / (2 * near + 1)
    return mean


def _rolling(values: Floats, reach: int, percent: float) -> Floats:
    """Return a percentile over `reach` neighbours to each side: [n]."""
    return _percentiles(values, reach, 2 * reach + 1, percent)


def _on_both_sides(values: Floats, reach: int, percent: float) -> Floats:
    """Return the lesser of a percentile over `reach` values before and after: [n]."""
    found = _percentiles(values, reach, reach, percent)
    return np.minimum(found[: len(values)], found[reach + 1 :])


def _percentiles(values: Floats, reach: int, length: int, percent: float) -> Floats:
    """Return a percentile of all windows of `length`; both ends are mirrored for `reach` values."""
    padded = np.pad(values, reach, mode="reflect" if len(values) > reach else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)
    found: Floats = np.percentile(windows, percent, axis=1).astype(np.float32)
    return found
