"""Still runs and timestamp gaps, joined into spans of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_steps import BREAK_FRAMES, Clip, Steps, breaking_off
from vqa2cli.video.stall_track import CODING_FRAMES, Run

#: Frames a codec takes to refine a picture that has just come to a stand.
_SETTLING_FRAMES = 16
#: Share of the motion before a stand that frames of refining it may have: soon after it began,
#: later, and at a key frame; and the most of such frames in a row.
_REFINED_SOON, _REFINED_LATER, _REFINED_AT_KEY = 0.2, 0.05, 0.5
_REFINED_FRAMES = 4
#: Frames in which a player lays something over a picture that stands, and for how long it stands
#: before and after, seconds, where it is not dimmed: a cadence of few frames a second does not.
_LAID_FRAMES = 2
_LAID_S = 0.25
#: Creeps beyond which it is the content that changes slowly, not the coding.
_CREEPS = 3
#: Largest step (90th percentile of tile means, levels) that may lie inside one span.
_JOIN_SHIFT = 6.0
#: A gap lasts at least this many usual frame intervals, and this many long ones nearby.
_GAP_INTERVALS = 3.0
_GAP_OF_LONG = 2.0
#: Intervals looked at on each side of one to know what is usual there.
_NEARBY = 30
#: How far from a span motion and holds are looked for, seconds.
REACH_S = 4.0


@dataclass(frozen=True)
class Span:
    """A stretch in which the picture stood: frames `first` to `last`, seconds `start` to `end`.

    `gap`: frames are missing from it. `creeps` counts where change without a visible step
    added up, `_CREEPS` where it led to a long run. `heat` [18, 32] counts frames that moved
    a tile, `active` frames that moved any; `left` and `met` [18, 32] mark the tiles that moved
    before it and after. `turns`: it stands but for its middle, where a spinner turns or the
    picture moves on. `covers`: it shows the picture before it with something over a part, or
    dimmed, as `dims` says; `laid` are the frames in which that was done. `comes_up`: it faded in on
    black. `returns`: it is black but for its middle, and then the shot before it goes on.
    """

    first: int
    last: int
    start: float
    end: float
    gap: bool = False
    creeps: int = 0
    blank: bool = False
    heat: NDArray[np.uint32] | None = None
    active: int = 0
    left: NDArray[np.bool_] | None = None
    met: NDArray[np.bool_] | None = None
    turns: bool = False
    covers: bool = False
    dims: bool = False
    comes_up: bool = False
    returns: bool = False
    laid: frozenset[int] = frozenset()

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    @property
    def slow(self) -> bool:
        """Whether the picture went on changing, slowly."""
        return self.creeps >= _CREEPS


def still_spans(clip: Clip, runs: Sequence[Run]) -> list[Span]:
    """Return `runs` as spans, joined where only recoding or slow change lies between."""
    spans: list[Span] = []
    for run in runs:
        first = run.first - run.dims  # the picture was dimmed when it stood
        start, end = float(clip.pts[first]), clip.time_after(run.last)
        span = Span(
            first,
            run.last,
            start,
            end,
            blank=run.blank,
            heat=run.heat,
            active=run.active,
            left=run.left,
            met=run.met,
            covers=run.covers,
            dims=run.dims,
            comes_up=run.comes_up,
            returns=run.returns,
            laid=frozenset([run.first - 1] if run.covers else []),
        )
        if spans and (joint := _joint(clip, spans[-1], run)) is not None:
            span = _join(spans.pop(), span, creeps=joint)
        spans.append(span)
    return [_from_start(span) for span in spans]


def _from_start(span: Span) -> Span:
    """Return `span`, from time 0 when it holds the very first frame, or is laid over it."""
    begins = span.first <= 1 + span.covers
    return replace(span, first=0, start=0.0) if begins else span


def _joint(clip: Clip, before: Span, run: Run) -> int | None:
    """Return None where `run` is a span of its own, else how many creeps join the two."""
    between = run.first - before.last - 1
    if run.again or _laid_over(clip, before, run) or _refines(clip, before, run):
        return 0
    near = slice(max(before.last - CODING_FRAMES, 0), run.first + CODING_FRAMES)
    recoding = bool(clip.key[near].any()) and between <= CODING_FRAMES
    if not run.crept or run.jump > _JOIN_SHIFT or not (recoding or between <= 1):
        return None
    if recoding or before.last - before.first < _SETTLING_FRAMES:
        return 0
    return _CREEPS if run.last - run.first >= CODING_FRAMES else 1


def _laid_over(clip: Clip, before: Span, run: Run) -> bool:
    """Whether a player laid something over a picture that stood."""
    if not run.covers or run.first - before.last - 1 > _LAID_FRAMES:
        return False
    lasts_s = clip.time_after(run.last) - float(clip.pts[run.first])
    return run.dims or min(before.duration, lasts_s) >= _LAID_S


def _refines(clip: Clip, before: Span, run: Run) -> bool:
    """Whether what lies between two stands is next to nothing beside the motion before them."""
    if run.first - before.last - 1 > _REFINED_FRAMES or before.first < 2:
        return False
    moved, _ = breaking_off(clip.activity[: before.first][: -BREAK_FRAMES - 4 : -1])
    share = _REFINED_SOON if before.last - before.first < _SETTLING_FRAMES else _REFINED_LATER
    if clip.key[before.last : run.first + 2].any():
        share = _REFINED_AT_KEY
    return bool(clip.activity[before.last + 1 : run.first].max(initial=0) <= share * moved)


def _join(a: Span, b: Span, *, creeps: int) -> Span:
    """Return the span from the start of `a` to the end of `b`."""
    heat = a.heat if b.heat is None else b.heat if a.heat is None else a.heat + b.heat
    return replace(
        a,
        last=max(a.last, b.last),
        end=max(a.end, b.end),
        gap=a.gap or b.gap,
        creeps=a.creeps + b.creeps + creeps,
        blank=a.blank and b.blank,
        heat=heat,
        active=a.active + b.active,
        left=b.left if a.left is None else a.left,
        met=b.met,
        comes_up=a.comes_up or b.comes_up,
        returns=b.returns,
        laid=a.laid | b.laid,
    )


def gap_spans(clip: Clip, min_stall_s: float) -> list[Span]:
    """Return where frames are missing: a frame stays far longer than its neighbours do."""
    ends = np.append(clip.pts[1:], clip.end_s)
    intervals = ends - clip.pts
    spans = []
    for index in np.flatnonzero(intervals >= min_stall_s):
        sides = intervals[max(index - _NEARBY, 0) : index], intervals[index + 1 :][:_NEARBY]
        around = np.concatenate(sides)
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
            merged[-1] = _join(merged[-1], span, creeps=0)
        else:
            merged.append(span)
    return merged


def rest(clip: Clip, span: Span) -> Steps:
    """Return how the frames of `span` differ, which hardly do."""
    frames = range(span.first, span.last + 1)
    return Steps.of(clip, [at for at in frames if at not in span.laid])


def cadence(clip: Clip, span: Span) -> float:
    """Return the usual time between moving frames around `span`, seconds; 0 without any.

    The upper quartile, so that the repeats of a pull-up count and a second stall does not.
    """
    begin = int(np.searchsorted(clip.pts, span.start - REACH_S, side="right"))
    end = int(np.searchsorted(clip.pts, span.end + REACH_S))
    moving = begin + np.flatnonzero(clip.moving[begin:end])
    holds = np.diff(clip.pts[moving])
    outside = (moving[1:] <= span.first) | (moving[:-1] > span.last)
    return float(np.quantile(holds[outside], 0.75)) if outside.any() else 0.0
