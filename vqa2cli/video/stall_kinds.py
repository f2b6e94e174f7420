"""Names each still span: a stall, content that stands still, or doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_spans import (
    Clip,
    Motion,
    Span,
    cadence,
    gap_spans,
    motion_after,
    motion_before,
    rest,
    still_spans,
    unblended,
    with_gaps,
)
from vqa2cli.video.stall_totals import stalling_of
from vqa2cli.video.stall_track import EDGES, TILES, FrameLog, Run
from vqa2cli.video.stalling import StallEvent, Stalling, StallKind

#: A stall lasts this many times the holds around it: below, it is the cadence of the content.
_CADENCE = 3.0
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
#: Activity, luma levels over the whole picture, below which motion alone proves little.
_WEAK = 0.3
#: The same where a clip begins with a stand, and around a middle that moves on.
_WEAK_START, _WEAK_AROUND = 0.1, 0.22
#: Activity so faint that coarse coding of it stands and steps by itself.
_FAINT = 0.08
#: Share of the activity before it that a stall may keep.
_DROP = 0.15
#: Median tile difference that shows the grain of a live picture, levels.
_GRAIN = 0.2
#: Frames between two freezes that make them one.
_ONE_FREEZE_FRAMES = 2
#: Share of the picture that must have moved for a stand of all but its middle to be a player's.
_BROAD = 0.06
#: Greatest share of a stand outside the middle in which the middle stands too, if it stirs.
_STIRRED = 0.6
#: Greatest length of a span outside the middle, in lengths of the same one anywhere.
_SAME_SPAN = 1.2
#: Kinds whose edges are cleared of what coding blended there, and how long that may be, seconds.
_SHARPENED: frozenset[StallKind] = frozenset({"freeze", "initial_buffering", "rebuffer"})
_EDGES_S = 0.1
#: Longest hold, in usual holds, of motion that runs at one pace.
_REGULAR = 2.5
#: Still content shorter than this is not reported, seconds: any film is full of it.
_MIN_STATIC_S = 1.0
#: Motion that fills this long beside a span, seconds, is more than the change of a slide.
_STRETCH_S = 0.75
#: A spinner: shortest time seen, seconds; least share of frames that turn it, and that warm
#: a tile of it; greatest height and width of its box in shares of the picture; least overlap
#: of its heat with the same turned by half about the picture's centre.
_SPINNER_S = 0.5
_SPINNER_TURNS = 0.2
_SPINNER_WARM = 0.04
_SPINNER_BOX = (0.56, 0.44)
_SPINNER_ALIKE = 0.5


@dataclass(frozen=True)
class _Verdict:
    kind: StallKind
    evidence: tuple[str, ...]
    confidence: float


def judge(
    log: FrameLog, whole: Sequence[Run], outside: Sequence[Run], min_stall_s: float, end_s: float
) -> tuple[Stalling, NDArray[np.uint8]]:
    """Return the stalls of a clip and 0 or 1 for every frame.

    Args:
        log: scalars of every frame.
        whole: runs in which nothing moved.
        outside: runs in which nothing moved outside the middle of the picture.
        min_stall_s: shortest event reported, seconds.
        end_s: time the last frame leaves the screen, on the clock of the timestamps.
    """
    clip = Clip.of(log, end_s)
    # What coding blends at its edges may make up for what a span lacks.
    spans = _candidates(clip, whole, outside, max(min_stall_s - _EDGES_S, _EDGES_S))
    judged: list[tuple[Span, _Verdict]] = []
    for span in spans:
        if (verdict := _verdict(clip, span, spans)) is not None:
            _add(judged, _sharpened(clip, span, spans, verdict), verdict)
    events: list[StallEvent] = []
    stalled = np.zeros(len(clip.pts), np.uint8)
    stood_s = 0.0
    for span, verdict in judged:
        if span.duration < min_stall_s - 1e-6:
            continue
        open_ended = span.last + 1 >= len(clip.pts)
        event = StallEvent(
            span.start,
            span.end,
            verdict.kind,
            span.start - stood_s,
            open_ended,
            verdict.evidence,
            verdict.confidence,
        )
        if not event.counted and event.duration < _MIN_STATIC_S:
            continue
        events.append(event)
        if event.counted:
            stood_s += event.duration
            stalled[span.first : span.last + 1] = 1
    return stalling_of(tuple(events), clip.end_s), stalled


def _sharpened(clip: Clip, span: Span, spans: Sequence[Span], verdict: _Verdict) -> Span:
    """Return `span` with the frames that coding blended out of it, where its kind shows them."""
    if verdict.kind not in _SHARPENED:
        return span
    others = [other for other in spans if other is not span]
    if span.turns:
        clip = clip.around()
    return unblended(clip, span, motion_before(clip, span, others))


def _add(judged: list[tuple[Span, _Verdict]], span: Span, verdict: _Verdict) -> None:
    """Add a span; a freeze that goes on after a frame or two of recoding is one."""
    if judged and span.first <= judged[-1][0].last:  # what is blended there is blended once
        span = replace(span, first=judged[-1][0].last + 1, start=judged[-1][0].end)
    if judged and judged[-1][1].kind == verdict.kind == "freeze":
        last, known = judged[-1]
        if span.first - last.last - 1 <= _ONE_FREEZE_FRAMES:
            both = replace(last, last=max(last.last, span.last), end=max(last.end, span.end))
            judged[-1] = both, max(known, verdict, key=lambda one: one.confidence)
            return
    judged.append((span, verdict))


def _candidates(
    clip: Clip, whole: Sequence[Run], outside: Sequence[Run], min_stall_s: float
) -> list[Span]:
    """Return the spans to judge, in order: with a spinner, still altogether, or gaps."""
    around = still_spans(clip, outside)
    still = still_spans(clip, whole)
    turning = [
        replace(span, turns=True)
        for span in around
        if span.duration >= min_stall_s and (_spins(span) or _stirs(clip, span, around, still))
    ]
    spans = [
        _without_middle(span, around)
        for span in still
        if not any(_overlap(span, other) for other in turning)
    ]
    spans = with_gaps([*spans, *turning], gap_spans(clip, min_stall_s))
    return [span for span in spans if span.duration >= min_stall_s - 1e-6]


def _without_middle(span: Span, around: Sequence[Span]) -> Span:
    """Return what stood outside the middle where all that changed in `span` lay inside.

    A spinner so small or so coarsely coded that it cannot be followed looks like slow change.
    """
    if not span.slow:
        return span
    same = (
        other for other in around
        if not other.slow and other.first <= span.first and other.last >= span.last
        and other.duration <= _SAME_SPAN * span.duration
    )  # fmt: skip
    return next(same, span)


def _stirs(clip: Clip, span: Span, around: Sequence[Span], still: Sequence[Span]) -> bool:
    """Whether all but the middle of the picture stops and goes on as in a stall, and it does not.

    A spinner seen for less than a turn moves in the middle, and so does what is shown there.
    """
    inside = (min(each.last, span.last) - max(each.first, span.first) + 1 for each in still)
    if max(inside, default=0) >= _STIRRED * (span.last - span.first + 1):
        return False
    if span.left is None or span.met is None or min(span.left.mean(), span.met.mean()) < _BROAD:
        return False
    clip, others = clip.around(), [other for other in around if other is not span]
    before, after = motion_before(clip, span, others), motion_after(clip, span, others)
    if not (_sustained(before, span) and _sustained(after, span)) or before.cut or after.cut:
        return False
    least = min(before.activity, after.activity), min(before.stretch, after.stretch)
    if least[0] < _WEAK_AROUND or least[1] < _STRETCH_S or _elsewhere(span, moves=True):
        return False
    exact = rest(clip, span)[1]
    return not (_gradual(before, exact) or _gradual(after, exact))


def _overlap(a: Span, b: Span) -> bool:
    """Whether two spans share a frame."""
    return a.first <= b.last and b.first <= a.last


def _spins(span: Span) -> bool:
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


def _verdict(clip: Clip, span: Span, spans: Sequence[Span]) -> _Verdict | None:
    """Return what `span` is; None where it is the cadence of its surroundings."""
    if span.duration < _CADENCE * cadence(clip, span):
        return None
    others = [other for other in spans if other is not span]
    if span.turns:
        clip = clip.around()
    before, after = motion_before(clip, span, others), motion_after(clip, span, others)
    moved, moves = _sustained(before, span), _sustained(after, span)
    if span.turns and not _spins(span):
        return _Verdict("rebuffer", ("motion_drop", "motion_resumes", "middle_moves"), 0.6)
    if _spins(span) and (moved or moves or span.start == 0):
        kind: StallKind = "initial_buffering" if span.start == 0 else "rebuffer"
        return _Verdict(kind, ("spinner", *_ends(clip, span, moves)), 0.95 if moves else 0.85)
    if span.blank:
        return _Verdict("static", ("blank",), 0.9)
    if not (moves if span.start == 0 else moved):
        return _Verdict("static", ("no_motion",), 0.8)
    if max(before.stretch if moved else 0.0, after.stretch if moves else 0.0) < _STRETCH_S:
        return _Verdict("ambiguous", ("short_motion",), 0.4)
    if span.start == 0:
        return _at_start(after)
    return _after_motion(clip, span, before, after, moves)


def _sustained(motion: Motion, span: Span) -> bool:
    """Whether a side of `span` moved, and at a pace that makes the span stand out."""
    return motion.frames >= _FEWEST_MOVING and motion.longest_hold <= span.duration / _CADENCE


def _ends(clip: Clip, span: Span, moves: bool) -> tuple[str, ...]:
    """Return the evidence of a span's end."""
    if span.last + 1 >= len(clip.pts):
        return ("end_of_clip",)
    return ("motion_resumes",) if moves else ()


def _at_start(after: Motion) -> _Verdict:
    """Return what a span is that holds the first frame, without a spinner, before motion."""
    if after.cut:
        return _Verdict("ambiguous", ("cut_after",), 0.4)
    if _gradual(after, exact=False):
        return _Verdict("ambiguous", ("starts_slowly",), 0.4)
    if after.longest_hold > _REGULAR * after.usual_hold or after.activity < _WEAK_START:
        return _Verdict("ambiguous", ("weak_motion",), 0.4)
    return _Verdict("initial_buffering", ("motion_resumes",), 0.5)


def _after_motion(clip: Clip, span: Span, before: Motion, after: Motion, moves: bool) -> _Verdict:
    """Return what a span is that follows motion."""
    if span.gap:
        return _Verdict("gap", ("timestamp_gap", *_ends(clip, span, moves)), 0.85)
    if before.cut:
        if moves and not after.cut:
            return _Verdict("ambiguous", ("cut_before",), 0.4)
        return _Verdict("static", ("cut_before",), 0.7)
    if span.slow:
        return _Verdict("static", ("slow_change",), 0.7)
    if doubt := _doubt(clip, span, before, after, moves):
        return _Verdict("ambiguous", (doubt,), 0.4)
    confidence = 0.6 + (0.2 if moves else 0.0) - (0.1 if before.activity < _WEAK else 0.0)
    evidence = ("motion_drop", *_ends(clip, span, moves))
    if rest(clip, span)[1]:
        return _Verdict("freeze", (*evidence, "exact_repeats"), round(confidence + 0.1, 2))
    return _Verdict("freeze", evidence, confidence)


def _doubt(clip: Clip, span: Span, before: Motion, after: Motion, moves: bool) -> str | None:
    """Return why a span after motion may be content at rest; None without a reason."""
    activity, exact = rest(clip, span)
    if before.activity < _FAINT:
        return "weak_motion"
    if activity > _DROP * before.activity:
        return "small_drop"
    rests, starts = _gradual(before, exact), moves and _gradual(after, exact)
    if not moves and before.near < _FAINT:
        return "comes_to_rest"
    if rests and (starts or not (exact and moves)):
        return "comes_to_rest"
    if starts and not exact:
        return "starts_slowly"
    if _elsewhere(span, moves):
        return "moves_elsewhere" if moves else "left_the_picture"
    noise = float(np.median(clip.noise[span.first : span.last + 1]))
    if before.activity < _WEAK and noise > _GRAIN and noise > 0.5 * before.noise:
        return "noise_goes_on"
    return None


def _elsewhere(span: Span, moves: bool) -> bool:
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


def _gradual(motion: Motion, exact: bool) -> bool:
    """Whether motion fades towards the span instead of breaking off."""
    return motion.near < (_ABRUPT_EXACT if exact else _ABRUPT) * motion.activity
