"""Names each still span: a stall, content that stands still, or doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_candidates import STRETCH_S, candidates, spins
from vqa2cli.video.stall_motion import (
    CADENCE,
    MOST_MOVES,
    Layout,
    Surroundings,
    breaks_off,
    gradual,
    moves_elsewhere,
    sharpened,
    stands_on_cut,
    sustained,
)
from vqa2cli.video.stall_spans import Span, cadence
from vqa2cli.video.stall_steps import Clip
from vqa2cli.video.stall_totals import stalling_of
from vqa2cli.video.stall_track import FrameLog, Run
from vqa2cli.video.stalling import StallEvent, Stalling, StallKind

#: Activity, luma levels over the whole picture, below which motion alone proves little.
_WEAK = 0.3
#: The same where a clip begins with a stand.
_WEAK_START = 0.1
#: The same next to a span, where nearly nothing moved before that.
_WEAK_SOON = 0.2
#: Share of frames that repeat the one before them where a first frame is waited on, and where
#: then most of the picture moves: VP9 goes on refining a picture that it repeats.
_REPEATED_START, _REPEATED_START_BROAD = 0.8, 0.3
#: Activity so faint that coarse coding of it stands and steps by itself; the same before a stand
#: that lasts.
_FAINT, _FAINT_LAST = 0.06, 0.08
#: Activity that is next to nothing: a picture at rest, as coarse coding steps through it.
_NOTHING = 0.03
#: Share of the usual activity that motion on both sides of exact repeats stays below where they
#: are content: a camera slows down and speeds up, a freeze goes on with what it broke off.
_FADING = 0.5
#: Share of the activity before it that a stall may keep.
_DROP = 0.15
#: Median tile difference that shows the grain of a live picture, levels.
_GRAIN = 0.2
#: Kinds of which two are one stall with so few frames between them.
_ONE_STALL: frozenset[StallKind] = frozenset({"freeze", "rebuffer"})
_ONE_STALL_FRAMES = 2
#: Kinds whose edges are cleared of what coding blended there, and how long that may be, seconds.
_SHARPENED: frozenset[StallKind] = frozenset({"freeze", "initial_buffering", "rebuffer"})
_EDGES_S = 0.1
#: Longest hold, in usual holds, of motion that runs at one pace; shorter ones, seconds, are
#: what coarse coding makes of sixty frames a second.
_REGULAR, _SHORT_HOLD_S = 2.5, 0.1
#: Still content shorter than this is not reported, seconds: any film is full of it.
_MIN_STATIC_S = 1.0


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
    spans = candidates(clip, whole, outside, max(min_stall_s - _EDGES_S, _EDGES_S))
    layout = Layout(clip, spans)
    judged: list[tuple[Span, _Verdict]] = []
    for span in spans:
        if span.duration < CADENCE * cadence(clip, span):
            continue
        seen = layout.around(span)
        verdict = _verdict(_Case.of(span, seen))
        sharp = sharpened(span, seen) if verdict.kind in _SHARPENED else span
        _add(judged, sharp, verdict)
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


def _add(judged: list[tuple[Span, _Verdict]], span: Span, verdict: _Verdict) -> None:
    """Add a span; a stall that goes on after a frame or two of recoding is one."""
    if judged and span.first <= judged[-1][0].last:  # what is blended there is blended once
        span = replace(span, first=judged[-1][0].last + 1, start=judged[-1][0].end)
    if judged and {judged[-1][1].kind, verdict.kind} <= _ONE_STALL:
        last, known = judged[-1]
        if span.first - last.last - 1 <= _ONE_STALL_FRAMES:
            both = replace(last, last=max(last.last, span.last), end=max(last.end, span.end))
            judged[-1] = both, max(known, verdict, key=lambda one: one.confidence)
            return
    judged.append((span, verdict))


@dataclass(frozen=True)
class _Case:
    """A span to judge, and what is `seen` of it: whether it `moved` before and `moves` after.

    `held` tells whether it shows that the stream stood.
    """

    span: Span
    seen: Surroundings
    moved: bool
    moves: bool
    held: bool

    @classmethod
    def of(cls, span: Span, seen: Surroundings) -> _Case:
        """Return the case of `span`."""
        held = breaks_off(seen)
        moved, moves = (sustained(side, span, held) for side in (seen.before, seen.after))
        moves = moves and (held or seen.after.activity >= _NOTHING)
        return cls(span, seen, moved, moves, held)

    @property
    def initial(self) -> bool:
        """Whether the clip begins with it."""
        return self.span.start == 0

    @property
    def brief(self) -> bool:
        """Whether what moves beside it is no more than the change of a slide."""
        before = self.seen.before.stretch if self.moved else 0.0
        return max(before, self.seen.after.stretch if self.moves else 0.0) < STRETCH_S

    def ends(self) -> tuple[str, ...]:
        """Return the evidence of its end."""
        if self.span.last + 1 >= len(self.seen.clip.pts):
            return ("end_of_clip",)
        return ("motion_resumes",) if self.moves else ()


def _verdict(case: _Case) -> _Verdict:
    """Return what a span is, by the motion on both sides of it."""
    span, turned = case.span, spins(case.span)
    if span.turns and not turned:
        return _Verdict("rebuffer", ("motion_drop", "motion_resumes", "middle_moves"), 0.6)
    if turned and (case.moved or case.moves or case.initial):
        kind: StallKind = "initial_buffering" if case.initial else "rebuffer"
        return _Verdict(kind, ("spinner", *case.ends()), 0.95 if case.moves else 0.85)
    if span.returns and case.moved:
        return _Verdict("rebuffer", ("black_screen", "same_shot"), 0.7)
    if span.blank:
        return _Verdict("static", ("blank",), 0.9)
    if not (case.moves if case.initial else case.moved):
        return _Verdict("static", ("no_motion",), 0.8)
    if case.brief and (case.initial or not case.held):
        return _Verdict("ambiguous", ("short_motion",), 0.4)
    return _at_start(case) if case.initial else _after_motion(case)


def _at_start(case: _Case) -> _Verdict:
    """Return what a span is that holds the first frame, without a spinner, before motion.

    A player repeats the first frame as it is; a live picture that hardly moves is not equal.
    """
    after = case.seen.after
    broad = after.steps.same < MOST_MOVES
    if case.seen.resting.repeats < (_REPEATED_START_BROAD if broad else _REPEATED_START):
        return _Verdict("ambiguous", ("noise_goes_on",), 0.4)
    if after.cut and not case.span.covers:
        return _Verdict("ambiguous", ("cut_after",), 0.4)
    if not case.held:
        if gradual(after, exact=False):
            return _Verdict("ambiguous", ("starts_slowly",), 0.4)
        irregular = after.longest_hold > max(_REGULAR * after.usual_hold, _SHORT_HOLD_S)
        if irregular or after.activity < _WEAK_START:
            return _Verdict("ambiguous", ("weak_motion",), 0.4)
    return _Verdict("initial_buffering", ("motion_resumes",), 0.5)


def _after_motion(case: _Case) -> _Verdict:
    """Return what a span is that follows motion."""
    before = case.seen.before
    if case.span.gap:
        return _Verdict("gap", ("timestamp_gap", *case.ends()), 0.85)
    if case.span.comes_up:
        return _Verdict("static", ("fades_in",), 0.7)
    if before.cut and not case.span.covers:
        if not case.moves or case.seen.after.cut:
            return _Verdict("static", ("cut_before",), 0.7)
        if stands_on_cut(case.seen):
            return _Verdict("freeze", ("cut_before", *case.ends(), "exact_repeats"), 0.5)
        return _Verdict("ambiguous", ("cut_before",), 0.4)
    if case.span.slow:
        return _Verdict("static", ("slow_change",), 0.7)
    if doubt := _doubt(case):
        return _Verdict("ambiguous", (doubt,), 0.4)
    confidence = 0.6 + (0.2 if case.moves else 0.0) - (0.1 if before.activity < _WEAK else 0.0)
    evidence = ("motion_drop", *case.ends())
    if case.seen.resting.exact:
        return _Verdict("freeze", (*evidence, "exact_repeats"), round(confidence + 0.1, 2))
    return _Verdict("freeze", evidence, confidence)


def _doubt(case: _Case) -> str | None:
    """Return why a span after motion may be content at rest; None without a reason."""
    told = case.held or case.span.dims  # a player shows that it waits
    if not told and (doubt := _slowing(case)):
        return doubt
    if not _ends_at_once(case) and moves_elsewhere(case.span, case.moves):
        return "moves_elsewhere" if case.moves else "left_the_picture"
    noise = float(np.median(case.seen.clip.noise[case.span.first : case.span.last + 1]))
    before = case.seen.before
    if before.activity < _WEAK and noise > _GRAIN and noise > 0.5 * before.noise:
        return "noise_goes_on"
    return None


def _ends_at_once(case: _Case) -> bool:
    """Whether a stream stood to its end and all moved up to that: of what leaves ever less does."""
    before = case.seen.before
    return case.held and not case.moves and before.near >= _FADING * before.activity


def _broken_soon(case: _Case) -> bool:
    """Whether motion that began shortly before a span goes on after it as it was."""
    near = case.seen.before.near, case.seen.after.near
    return case.moves and min(near) >= max(_WEAK_SOON, _FADING * max(near))


def _slowing(case: _Case) -> str | None:
    """Return why motion beside a span may be what comes to rest by itself; None without one."""
    before, after, exact = case.seen.before, case.seen.after, case.seen.resting.exact
    if before.activity < (_FAINT if case.moves else _FAINT_LAST) and not _broken_soon(case):
        return "weak_motion"
    if case.seen.resting.activity > _DROP * before.activity:
        return "small_drop"
    if not case.moves and before.near < _FAINT_LAST:
        return "comes_to_rest"
    if exact and case.moves:
        if all(each.near < _FADING * each.activity for each in (before, after)):
            return "comes_to_rest"
    elif gradual(before, exact):
        return "comes_to_rest"
    elif case.moves and gradual(after, exact):
        return "starts_slowly"
    return None
