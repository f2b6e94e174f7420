"""The frame log as arrays, and how frames differ along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_track import FrameLog

#: Share of the motion that follows which frames next to a stand stay below where it breaks off in
#: one step, made of both by the codec; and the most of them: x265 takes up to six after a stop.
_BROKEN = 0.2
BREAK_FRAMES = 8
#: Share of samples that stay where two frames are equal but for a block or two.
EQUAL = 0.98
#: Share of frames that repeat the one before them from which on a picture is held.
_EXACT = 0.5


@dataclass(frozen=True)
class Clip:
    """The frame log as arrays [n]; times in seconds since the first frame."""

    pts: NDArray[np.float64]
    end_s: float
    key: NDArray[np.bool_]
    moving: NDArray[np.bool_]
    activity: NDArray[np.float32]
    moving_outside: NDArray[np.bool_]
    outside: NDArray[np.float32]
    same: NDArray[np.float32]
    same_outside: NDArray[np.float32]
    shift: NDArray[np.float32]
    noise: NDArray[np.float32]

    @classmethod
    def of(cls, log: FrameLog, end_s: float) -> Clip:
        """Return the arrays of `log`; times start at 0, and the clip ends after its frames."""
        pts = np.asarray(log.pts_s, np.float64)
        origin = float(pts[0]) if len(pts) else 0.0
        pts = np.maximum.accumulate(pts - origin) if len(pts) else pts
        return cls(
            pts,
            max(end_s - origin, float(pts[-1]) if len(pts) else 0.0),
            np.frombuffer(bytes(log.key), np.bool_),
            np.frombuffer(bytes(log.moving), np.bool_),
            np.asarray(log.activity, np.float32),
            np.frombuffer(bytes(log.moving_outside), np.bool_),
            np.asarray(log.outside, np.float32),
            np.asarray(log.same, np.float32),
            np.asarray(log.same_outside, np.float32),
            np.asarray(log.shift, np.float32),
            np.asarray(log.noise, np.float32),
        )

    def around(self) -> Clip:
        """Return the clip with the motion outside the middle of the picture alone."""
        return replace(
            self, moving=self.moving_outside, activity=self.outside, same=self.same_outside
        )

    def time_after(self, index: int) -> float:
        """Return when frame `index` leaves the screen."""
        return float(self.pts[index + 1]) if index + 1 < len(self.pts) else self.end_s


def breaking_off(activity: NDArray[np.float32]) -> tuple[float, int]:
    """Return the activity of three frames where motion breaks off, and where they begin.

    `activity` [n] walks away from a stand. Motion that fades does not fall to a fifth in a step;
    a cut is no motion.
    """
    walked = activity.tolist()
    near, blended, faint = fmean(walked[:3]), 0, 0.0
    for at in range(1, len(walked) - 2):
        faint = max(faint, walked[at - 1])
        beyond = sorted(walked[at : at + 3])[1]
        if beyond > near and faint <= _BROKEN * beyond:
            near, blended = beyond, at
    return near, blended


@dataclass(frozen=True)
class Steps:
    """How frames differ from the one before them; key frames do not count.

    `activity` is the mean of what moved; `repeats` the share of frames that repeat the one
    before them but for a block or two; `same` the median of `FrameLog.same`.
    """

    activity: float
    repeats: float
    same: float

    @classmethod
    def of(cls, clip: Clip, frames: Sequence[int]) -> Steps:
        """Return how `frames` differ; none of them repeat where there are none."""
        at = np.asarray(frames, np.intp)
        at = at[(at > 0) & ~clip.key[at]]
        if not len(at):
            return cls(0.0, 0.0, 0.0)
        equal = clip.same[at] >= EQUAL
        return cls(
            float(clip.activity[at].mean()), float(equal.mean()), float(np.median(clip.same[at]))
        )

    @property
    def exact(self) -> bool:
        """Whether a picture is held: that costs a codec nothing, so most frames come out equal."""
        return self.repeats >= _EXACT
