"""Still runs and timestamp gaps, joined into spans of time, and what surrounds each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_track import FrameLog, Run

#: Frames a recoding may be spread over around its key frame: x265 blends over four.
_RECODING_FRAMES = 5
#: Frames a codec takes to refine a picture that has just come to a stand.
_SETTLING_FRAMES = 12
#: Largest step (90th percentile of tile means, levels) that may lie inside one span.
_JOIN_SHIFT = 6.0
#: A gap lasts at least this many usual frame intervals, and this many long ones nearby.
_GAP_INTERVALS = 3.0
_GAP_OF_LONG = 2.0
#: Intervals looked at on each side of one to know what is usual there.
_NEARBY = 30
#: How far motion is looked for on each side of a span, seconds, and how far past other spans.
_LOOK_S = 1.0
_REACH_S = 4.0


@dataclass(frozen=True)
class Clip:
    """The frame log as arrays [n]; times in seconds since the first frame."""

    pts: NDArray[np.float64]
    end_s: float
    key: NDArray[np.bool_]
    moving: NDArray[np.bool_]
    activity: NDArray[np.float32]
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
            np.asarray(log.shift, np.float32),
            np.asarray(log.noise, np.float32),
        )

    def time_after(self, index: int) -> float:
        """Return when frame `index` leaves the screen."""
        return float(self.pts[index + 1]) if index + 1 < len(self.pts) else self.end_s


@dataclass(frozen=True)
class Span:
    """A stretch in which the picture stood: frames `first` to `last`, seconds `start` to `end`.

    `gap`: frames are missing from it. `slow`: it changed without a visible step. `heat`
    [18, 32] counts frames that moved a tile, `active` frames that moved any.
    """

    first: int
    last: int
    start: float
    end: float
    gap: bool = False
    slow: bool = False
    blank: bool = False
    heat: NDArray[np.uint32] | None = None
    active: int = 0

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Motion:
    """The motion on one side of a span: frames that moved, `activity` and `shift` their medians.

    `longest_hold` is the longest time between two of them, seconds; `near` the activity of
    the strongest of the three closest to the span; `cut`: the closest are a change of scene.
    """

    frames: int
    seconds: float
    longest_hold: float
    activity: float
    near: float
    cut: bool


def still_spans(clip: Clip, runs: Sequence[Run]) -> list[Span]:
    """Return `runs` as spans, joined where only recoding or slow change lies between."""
    spans: list[Span] = []
    for run in runs:
        start, end = float(clip.pts[run.first]), clip.time_after(run.last)
        span = Span(
            run.first, run.last, start, end, blank=run.blank, heat=run.heat, active=run.active
        )
        if spans and (joint := _joint(clip, spans[-1], run)) is not None:
            span = _join(spans.pop(), span, slow=joint)
        spans.append(span)
    return [_from_start(span) for span in spans]


def _from_start(span: Span) -> Span:
    """Return `span`, from time 0 when it holds the very first frame."""
    return replace(span, first=0, start=0.0) if span.first == 1 else span


def _joint(clip: Clip, before: Span, run: Run) -> bool | None:
    """Return None where `run` is a span of its own, else whether slow change joins the two."""
    between = run.first - before.last - 1
    near = slice(max(before.last - _RECODING_FRAMES, 0), run.first + _RECODING_FRAMES)
    recoding = bool(clip.key[near].any()) and between <= _RECODING_FRAMES
    if run.jump > _JOIN_SHIFT or not (recoding or (run.crept and between <= 1)):
        return None
    return not recoding and before.last - before.first >= _SETTLING_FRAMES


def _join(a: Span, b: Span, *, slow: bool) -> Span:
    """Return the span from the start of `a` to the end of `b`."""
    heat = a.heat if b.heat is None else b.heat if a.heat is None else a.heat + b.heat
    return replace(
        a,
        last=max(a.last, b.last),
        end=max(a.end, b.end),
        gap=a.gap or b.gap,
        slow=a.slow or b.slow or slow,
        blank=a.blank and b.blank,
        heat=heat,
        active=a.active + b.active,
    )


def gap_spans(clip: Clip, min_stall_s: float) -> list[Span]:
    """Return where frames are missing: a frame stays far longer than its neighbours do."""
    ends = np.append(clip.pts[1:], clip.end_s)
    intervals = ends - clip.pts
    spans = []
    for index in np.flatnonzero(intervals >= min_stall_s):
        around = np.delete(
            intervals[max(index - _NEARBY, 0) : index + _NEARBY + 1], min(index, _NEARBY)
        )
        if not len(around):
            continue
        usual, long = float(np.median(around)), float(np.quantile(around, 0.9))
        least = max(_GAP_INTERVALS * usual, _GAP_OF_LONG * long, min_stall_s + usual)
        if intervals[index] >= least:
            start, end = float(clip.pts[index]) + usual, float(ends[index])
            spans.append(Span(int(index), int(index), start, end, gap=True))
    return spans


def with_gaps(spans: Sequence[Span], gaps: Sequence[Span]) -> list[Span]:
    """Return both kinds in order; a gap inside or beside a still span lengthens it."""
    merged: list[Span] = []
    for span in sorted([*spans, *gaps], key=lambda span: (span.first, span.last)):
        if merged and (merged[-1].gap or span.gap) and span.first <= merged[-1].last + 1:
            merged[-1] = _join(merged[-1], span, slow=False)
        else:
            merged.append(span)
    return merged


def motion_before(clip: Clip, span: Span, spans: Sequence[Span]) -> Motion:
    """Return the motion of the second before `span`, other `spans` skipped."""
    held = span.first if span.gap and span.first > 0 else span.first - 1
    return _motion(clip, range(held, -1, -1), spans)


def motion_after(clip: Clip, span: Span, spans: Sequence[Span]) -> Motion:
    """Return the motion of the second after `span`, other `spans` skipped."""
    return _motion(clip, range(span.last + 1, len(clip.pts)), spans)


def _motion(clip: Clip, indices: Sequence[int], spans: Sequence[Span]) -> Motion:
    """Return the motion along `indices`, walking away from a span."""
    moving: list[int] = []
    seen_s = hold = longest = 0.0
    for index in indices:
        if seen_s >= _LOOK_S or abs(clip.pts[index] - clip.pts[indices[0]]) > _REACH_S:
            break
        if _inside(index, spans):
            continue
        shown = clip.time_after(index) - float(clip.pts[index])
        seen_s += shown
        hold += shown
        if clip.moving[index]:
            moving.append(index)
            longest, hold = max(longest, hold), 0.0
    if not moving:
        return Motion(0, seen_s, max(longest, hold), 0.0, 0.0, False)
    far = moving[1:] or moving
    near = [index for index in indices[:3] if index in moving]
    shift = float(np.median(clip.shift[far]))
    cut = max((float(clip.shift[index]) for index in near), default=0.0)
    return Motion(
        len(moving),
        seen_s,
        max(longest, hold),
        float(np.median(clip.activity[far])),
        max((float(clip.activity[index]) for index in near), default=0.0),
        cut > max(10.0, 3.0 * shift),
    )


def _inside(index: int, spans: Sequence[Span]) -> bool:
    """Whether frame `index` stands in one of `spans`."""
    return any(span.first <= index <= span.last for span in spans)
