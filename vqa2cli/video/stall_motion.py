"""The motion beside a span, and what it says of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_pictures import EDGES
from vqa2cli.video.stall_spans import REACH_S, Span, rest
from vqa2cli.video.stall_steps import BREAK_FRAMES, EQUAL, Clip, Steps, breaking_off
from vqa2cli.video.stall_track import CODING_FRAMES

#: Frames that a codec blends out of a held picture and the motion after it, and the share of
#: the activity that follows which they stay below.
_BLENDED_FRAMES = 3
_BLENDED = 0.5
#: Share of frames beside a span that are new, at most, where every frame is shown twice: such
#: motion is half of what it is from one new frame to the next.
_SHOWN_TWICE = 0.6
#: How much motion is looked at on each side of a span, seconds.
_LOOK_S = 1.0
#: A change of scene moves tile means this far (90th percentile, levels), and this many times
#: the usual: into a still slide measures 60 where the pan before it does 8.
_CUT_SHIFT = 10.0
_CUT_GAIN = 3.0
#: Frames next to a span of which most move so far too where it is fast motion, no cut.
_CUT_AMONG = 6
#: A stall lasts this many times the holds around it: below, it is the cadence of the content.
CADENCE = 3.0
#: Fewest moving frames on a side that make motion of it.
_FEWEST_MOVING = 4
#: Share of the usual activity that motion still has where it breaks off; the same beside a
#: picture that is repeated exactly: a camera that comes to rest leaves noise.
_ABRUPT = 0.3
_ABRUPT_EXACT = 0.25
#: Least share of the places that move on one side of a freeze which move on the other too, or
#: lie beside: a freeze holds things where they are, and what has left comes back elsewhere.
_SAME_PLACES = 0.7
#: Share of the places that moved last, at the edges of the picture, from which on they left it.
_AT_EDGES = 0.5
#: Share of the picture so small that what moved there may have been leaving it whatever follows.
_SMALL = 0.02

#: Least share of frames of a stand that repeat the one before them, and least median share of
#: samples that do, and the most of such frames beside it, where the stream itself stood; the
#: same beside a stand that lasts.
_HELD_REPEATS, _HELD_SAME, _LIVE_REPEATS, _LIVE_REPEATS_LAST = 0.85, 0.99, 0.08, 0.05
#: Share of samples that stay as they are from frame to frame (median) beside it: below, the
#: camera moves; above, what coding leaves of a picture at rest may be as little.
_STANDING = (0.45, 0.975)
#: Share of samples that stay from frame to frame below which most of a picture moves.
MOST_MOVES = 0.6
#: How many frames next to it are looked at by themselves, and the share of the usual change that
#: is left in them, or in those before a stand that lasts: what comes to rest changes ever less.
_CLOSING_FRAMES = 8
_CLOSING, _CLOSING_LAST = 0.5, 0.75


@dataclass(frozen=True)
class Motion:
    """The motion on one side of a span, other spans skipped.

    `frames` moved, at most `longest_hold` seconds apart, `usual_hold` at the median;
    `stretch` seconds lie between the span and the next one, infinite before the first.
    `activity` and `noise` are medians. `near` is the activity of three frames where the motion
    breaks off, `blended` how many fainter ones a codec has made between them and the
    span; `cut`: one of the three changes the scene. `steps` tells of all frames that were looked
    at, `closing` of those next to the span.
    """

    frames: int
    longest_hold: float
    usual_hold: float
    stretch: float
    activity: float
    noise: float
    near: float
    blended: int
    cut: bool
    steps: Steps
    closing: Steps


@dataclass(frozen=True)
class Surroundings:
    """What is seen of a span: how its own frames differ, and the motion on both sides of it.

    `clip` is what it was seen in: without the middle of the picture where the span `turns`.
    `settled` tells of its frames without the first few, in which a codec refines what stopped.
    """

    clip: Clip
    resting: Steps
    settled: Steps
    before: Motion
    after: Motion


class Layout:
    """The spans of a clip in order, and which of them holds a frame."""

    def __init__(self, clip: Clip, spans: Sequence[Span]) -> None:
        self.clip = clip
        self.spans = spans
        self._place = {id(span): place for place, span in enumerate(spans)}
        self._holder = np.full(len(clip.pts), -1, np.int32)
        for place, span in enumerate(spans):
            self._holder[span.first : span.last + 1] = place

    def around(self, span: Span) -> Surroundings:
        """Return what is seen of one of the spans, of a second on each side; others are skipped."""
        clip = self.clip.around() if span.turns else self.clip
        place, resting = self._place[id(span)], rest(clip, span)
        held = span.first if span.gap and span.first > 0 else span.first - 1
        stretch = span.start - self.spans[place - 1].end if place else math.inf
        elsewhere = self._elsewhere(place)
        before = _motion(clip, range(held, -1, -1), elsewhere, stretch, resting.exact)
        later = self.spans[place + 1].start if place + 1 < len(self.spans) else clip.end_s
        ahead = range(span.last + 1, len(clip.pts))
        after = _motion(clip, ahead, elsewhere, later - span.end, resting.exact)
        settled = Steps.of(clip, range(span.first + _settling(span), span.last + 1))
        return Surroundings(clip, resting, settled, before, after)

    def _elsewhere(self, place: int) -> Callable[[int], bool]:
        """Return what tells of a frame whether it lies in a span other than that of `place`."""
        return lambda index: self._holder[index] not in (-1, place)


def _settling(span: Span) -> int:
    """Return how many frames a codec may still refine at the beginning of `span`."""
    return min(CODING_FRAMES, (span.last - span.first + 1) // 4)


def _motion(
    clip: Clip,
    indices: Sequence[int],
    elsewhere: Callable[[int], bool],
    stretch: float,
    exact: bool,
) -> Motion:
    """Return the motion along `indices`, walking away from a span that may repeat exactly.

    Frames that lie `elsewhere`, in other spans, are skipped.
    """
    seen: list[int] = []
    moving: list[int] = []
    holds: list[float] = []
    seen_s = hold = 0.0
    previous = None
    for index in indices:
        if abs(clip.pts[index] - clip.pts[indices[0]]) > REACH_S or seen_s > _LOOK_S:
            break
        if elsewhere(index):
            previous = None
            continue
        step = 0.0 if previous is None else abs(float(clip.pts[index] - clip.pts[previous]))
        seen_s, hold, previous = seen_s + step, hold + step, index
        seen.append(index)
        if clip.moving[index]:
            moving.append(index)
            holds.append(hold)
            hold = 0.0
    longest = max([*holds, hold])
    steps, closing = Steps.of(clip, seen), Steps.of(clip, seen[:_CLOSING_FRAMES])
    if not moving:
        return Motion(0, longest, longest, stretch, 0.0, 0.0, 0.0, 0, False, steps, closing)
    far = moving[3:] or moving
    reach = (BREAK_FRAMES if exact else 0) + 3
    alone = list(takewhile(lambda at: not elsewhere(at), indices[: 2 * reach]))
    near, blended = breaking_off(clip.activity[alone[:reach] or list(indices[:3])])
    fresh = [at for at in alone if clip.same[at] < EQUAL]
    if 3 <= len(fresh) <= _SHOWN_TWICE * len(alone):
        near = max(near, breaking_off(clip.activity[fresh[:reach]])[0])
    beside = clip.shift[list(indices[blended : blended + _CUT_AMONG])]
    usual_shift = max(float(np.median(clip.shift[far])), float(np.median(beside)))
    return Motion(
        len(moving),
        longest,
        float(np.median(holds)),
        stretch,
        float(np.median(clip.activity[far])),
        float(np.median(clip.noise[far])),
        near,
        blended,
        float(beside[:3].max()) > max(_CUT_SHIFT, _CUT_GAIN * usual_shift),
        steps,
        closing,
    )


def sharpened(span: Span, seen: Surroundings) -> Span:
    """Return `span` with the frames that coarse coding made of it and of the motion beside it."""
    clip, before, after = seen.clip, seen.before, seen.after
    lived, live = ((1 + side.steps.same) / 2 for side in (before, after))
    first, last = max(span.first - before.blended, 0), span.last
    if span.turns:  # around it, a frame that lives is of the motion however faint
        beside = range(span.first - 1, first - 1, -1)
        first = span.first - sum(1 for _ in takewhile(lambda at: clip.same[at] >= lived, beside))
    while not span.turns and last - span.last < _BLENDED_FRAMES and _blends(clip, last + 1, live):
        last += 1
    start = span.start if first == span.first else float(clip.pts[first])
    end = span.end if last == span.last else clip.time_after(last)
    return replace(span, first=first, last=last, start=start, end=end)


def _blends(clip: Clip, index: int, live: float) -> bool:
    """Whether frame `index` has little of the motion that follows it.

    One in which a smaller share of samples than `live` stays as it is lives already.
    """
    follows = clip.activity[index + 1 : index + 1 + CODING_FRAMES]
    if not len(follows) or not clip.moving[index] or clip.same[index] < live:
        return False
    return bool(clip.activity[index] < _BLENDED * np.median(follows))


def sustained(motion: Motion, span: Span, held: bool = False) -> bool:
    """Whether a side of `span` moved, and at a pace that makes the span stand out.

    Where the stream is known to be `held` in it, content that stands beside it does not matter.
    """
    paced = held or motion.longest_hold <= span.duration / CADENCE
    return motion.frames >= _FEWEST_MOVING and paced


def gradual(motion: Motion, exact: bool) -> bool:
    """Whether motion fades towards the span instead of breaking off."""
    return motion.near < (_ABRUPT_EXACT if exact else _ABRUPT) * motion.activity


def breaks_off(seen: Surroundings, least_held: float = _HELD_REPEATS) -> bool:
    """Whether every frame of a span repeats and none beside it does, though most of it stands.

    Then it is the stream that stood: a live picture at rest is never equal for long, and what a
    coarse codec makes equal it makes equal while something else moves, too. Where all of the
    picture moves it is the camera that does, which may come to rest; then it says nothing.
    `least_held` is the share of frames of it that repeat.
    """
    goes_on = bool(seen.after.frames)
    held = seen.settled if goes_on else seen.resting  # what comes to rest is refined as well
    stood = held.repeats >= least_held and held.same >= _HELD_SAME
    beside = [side for side in (seen.before, seen.after) if side.frames]
    left, most = (_CLOSING, _LIVE_REPEATS) if goes_on else (_CLOSING_LAST, _LIVE_REPEATS_LAST)
    return stood and bool(beside) and all(_lives_on(side, left, most) for side in beside)


def stops_whole(seen: Surroundings) -> bool:
    """Whether a picture of which most moves on both sides repeats, sample by sample, in between.

    A camera that comes to rest does so slowly or leaves noise; `gradual` tells of the first.
    """
    stood = seen.settled.repeats >= _HELD_REPEATS and seen.settled.same >= _HELD_SAME
    steps = (seen.before.steps, seen.after.steps)
    return stood and all(side.same < MOST_MOVES and side.repeats <= _LIVE_REPEATS for side in steps)


def stands_on_cut(seen: Surroundings) -> bool:
    """Whether the first picture of a shot repeats until most of it moves, at once and for long.

    A live picture is never equal for long, and a camera that sets out does so slowly.
    """
    after = seen.after
    stood = seen.settled.repeats >= _HELD_REPEATS
    lives = after.steps.repeats <= _LIVE_REPEATS and after.steps.same < MOST_MOVES
    return stood and lives and not gradual(after, exact=False)


def _lives_on(side: Motion, left: float, most_repeats: float) -> bool:
    """Whether next to no frame beside a span repeats, though most of the picture stands, up to it.

    `left` is the least share of the usual change next to the span.
    """
    least, most = _STANDING
    whole, closing = 1 - side.steps.same, 1 - side.closing.same
    lives = side.steps.repeats <= most_repeats and least <= side.steps.same <= most
    return side.frames >= _FEWEST_MOVING and lives and closing >= left * whole


def moves_elsewhere(span: Span, moves: bool) -> bool:
    """Whether what moved before `span` left, so that the picture may well be at rest."""
    left, met = span.left, span.met
    if left is None or not left.any():
        return False
    if not moves or met is None or not met.any() or left.mean() < _SMALL:
        return int((left & EDGES).sum()) > _AT_EDGES * int(left.sum())
    pairs = ((left, met), (met, left))
    shares = (float((_nearby(a) & b).sum() / b.sum()) for a, b in pairs)
    return max(shares) < _SAME_PLACES


def _nearby(places: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return `places` and those next to them."""
    padded = np.pad(places, 1)
    tall, wide = places.shape
    shifted = (padded[y : y + tall, x : x + wide] for y in range(3) for x in range(3))
    near: NDArray[np.bool_] = np.logical_or.reduce(list(shifted))
    return near
