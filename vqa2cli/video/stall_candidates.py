"""Spans that may be stalls: still altogether, still around a spinner, or gaps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vqa2cli.video.stall_motion import (
    Layout,
    breaks_off,
    gradual,
    moves_elsewhere,
    stops_whole,
    sustained,
)
from vqa2cli.video.stall_pictures import TILES
from vqa2cli.video.stall_spans import Span, gap_spans, still_spans, with_gaps
from vqa2cli.video.stall_steps import Clip
from vqa2cli.video.stall_track import Run

#: Motion that fills this long beside a span, seconds, is more than the change of a slide.
STRETCH_S = 0.75
#: Share of frames that repeat around a middle that moves, where the stream stood: coding a
#: spinner changes some of them.
_HELD_AROUND = 0.6
#: Share of the picture that must have moved for a stand of all but its middle to be a player's.
_BROAD = 0.06
#: Greatest share of a stand outside the middle in which the middle stands too, if it stirs.
_STIRRED = 0.6
#: Longest such stand, seconds: a spinner has been seen by then, and a camera may have stopped.
_UNTURNED_S = 3.0
#: Least activity around a middle that moves on, luma levels over the whole picture.
_WEAK_AROUND = 0.22
#: Greatest length of a span outside the middle, in lengths of the same one anywhere.
_SAME_SPAN = 1.2
#: A spinner: shortest time seen, seconds; least share of frames that turn it, and that warm
#: a tile of it; greatest height and width of its box in shares of the picture; least overlap
#: of its heat with the same turned by half about the picture's centre.
_SPINNER_S = 0.5
_SPINNER_TURNS = 0.2
_SPINNER_WARM = 0.04
_SPINNER_BOX = (0.56, 0.44)
_SPINNER_ALIKE = 0.5


def candidates(
    clip: Clip, whole: Sequence[Run], outside: Sequence[Run], min_stall_s: float
) -> list[Span]:
    """Return the spans to judge, in order: with a spinner, still altogether, or gaps."""
    still, around = still_spans(clip, whole), still_spans(clip.around(), outside)
    layout = Layout(clip.around(), around)
    turning = [
        replace(span, turns=True)
        for span in around
        if span.duration >= min_stall_s and (spins(span) or _stirs(layout, span, still))
    ]
    spans = [_without_middle(span, around) for span in still if not any(_over(turning, span))]
    spans = with_gaps([*spans, *turning], gap_spans(clip, min_stall_s))
    return [span for span in spans if span.duration >= min_stall_s - 1e-6]


def _without_middle(span: Span, around: Sequence[Span]) -> Span:
    """Return what stood outside the middle where all that changed in `span` lay inside.

    A spinner so small or so coarsely coded that it cannot be followed looks like slow change.
    """
    if not span.slow:
        return span
    same = (
        other for other in _over(around, span)
        if not other.slow and other.first <= span.first and other.last >= span.last
        and other.duration <= _SAME_SPAN * span.duration
    )  # fmt: skip
    return next(same, span)


def _stirs(layout: Layout, span: Span, still: Sequence[Span]) -> bool:
    """Whether all but the middle of the picture stops and goes on as in a stall, and it does not.

    A spinner seen for less than a turn moves in the middle, and so does what is shown there.
    `layout` is of what stands outside the middle, `still` what stands altogether.
    """
    if span.duration > _UNTURNED_S and not span.dims:
        return False
    over = _over(still, span)
    inside = (min(each.last, span.last) - max(each.first, span.first) + 1 for each in over)
    if max(inside, default=0) >= _STIRRED * (span.last - span.first + 1):
        return False
    seen = layout.around(span)
    before, after = seen.before, seen.after
    if not (sustained(before, span) and sustained(after, span)):
        return False
    if breaks_off(seen, _HELD_AROUND):
        return True
    cut = (before.cut and not span.covers) or (after.cut and not span.dims)
    if cut or any(gradual(side, seen.resting.exact) for side in (before, after)):
        return False
    if stops_whole(seen):
        return True
    if span.left is None or span.met is None or min(span.left.mean(), span.met.mean()) < _BROAD:
        return False
    least = min(before.activity, after.activity), min(before.stretch, after.stretch)
    strong = least[0] >= _WEAK_AROUND and least[1] >= STRETCH_S
    return strong and not moves_elsewhere(span, moves=True)


def _over(spans: Sequence[Span], span: Span) -> Iterator[Span]:
    """Yield those of `spans`, in order and none over another, that share a frame with `span`."""
    begin = bisect_left(spans, span.first, key=lambda other: other.last)
    for place in range(begin, len(spans)):
        if spans[place].first > span.last:
            return
        yield spans[place]


def spins(span: Span) -> bool:
    """Whether something turned about the middle of the picture, and nothing else moved.

    A ring warms the tiles it turns over alike on opposite sides; a face or an object does not.
    """
    if span.heat is None or span.duration < _SPINNER_S:
        return False
    frames = span.last - span.first + 1
    hot = span.heat >= max(2, _SPINNER_WARM * frames)
    if not hot.any() or span.active < _SPINNER_TURNS * frames:
        return False
    for axis, most in enumerate(_SPINNER_BOX):
        lines = np.flatnonzero(hot.any(1 - axis))
        if (lines[-1] - lines[0] + 1) / TILES[axis] > most:
            return False
    turned = span.heat[::-1, ::-1]
    alike = np.minimum(span.heat, turned).sum() / np.maximum(span.heat, turned).sum()
    return bool(alike >= _SPINNER_ALIKE)
