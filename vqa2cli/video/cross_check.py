"""Renditions of one content against each other: what stands still in all of them is content.

A picture that stands in every rung stood in what was encoded; one that stands in a few
rungs alone was spoiled on its way there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vqa2cli.video.stall_totals import on_media_clock, stalling_of
from vqa2cli.video.stalling import StallEvent, Stalling

#: Furthest that one quiet span begins apart in two rungs, seconds.
APART_S = 0.5
#: Least share of their union that one quiet span has in common in two rungs.
_IN_COMMON = 0.5


def cross_check(rungs: Sequence[Stalling], lengths_s: Sequence[float]) -> list[Stalling]:
    """Return the stalls of each rung, judged with the others at hand.

    A quiet span of every rung becomes `static` (evidence `in_every_rung`). One that at most
    half of the rungs have is a defect: one that was content or in doubt becomes a `freeze`
    (evidence `other_rungs_move`). Gaps in the timestamps are no content and stay. A single
    rung stays as it is, and so do stalls from a log.

    Args:
        rungs: stalls of renditions of the same content, in any order.
        lengths_s: length of each, seconds.
    """
    if len(rungs) < 2:
        return list(rungs)
    checked = []
    for index, (rung, length_s) in enumerate(zip(rungs, lengths_s, strict=True)):
        if rung.source == "log":
            checked.append(rung)
            continue
        others = [*rungs[:index], *rungs[index + 1 :]]
        events = [_judged(event, others) for event in rung.events]
        same = tuple(events) == rung.events
        checked.append(rung if same else stalling_of(on_media_clock(events), length_s))
    return checked


def _judged(event: StallEvent, others: Sequence[Stalling]) -> StallEvent:
    """Return `event` as its presence in the other rungs makes it."""
    if event.kind == "gap":
        return event
    quiet = sum(any(_same_span(event, other) for other in rung.events) for rung in others)
    if quiet == len(others):
        evidence = (*event.evidence, "in_every_rung")
        return replace(event, kind="static", evidence=evidence, confidence=0.95)
    if 2 * (quiet + 1) > len(others) + 1:
        return event  # most rungs have it, so it may be content that a few of them lost
    evidence = (*event.evidence, "other_rungs_move")
    if event.counted:
        return replace(event, evidence=evidence, confidence=max(event.confidence, 0.95))
    return replace(event, kind="freeze", evidence=evidence, confidence=0.8)


def _same_span(a: StallEvent, b: StallEvent) -> bool:
    """Whether two events are one span of the content, on the clock of either kind.

    A stall that lengthens one rung shifts all that follows, but not its media time.
    """
    return _alike(a.start, b.start, a, b) or _alike(a.media_start, b.media_start, a, b)


def _alike(start_a: float, start_b: float, a: StallEvent, b: StallEvent) -> bool:
    if abs(start_a - start_b) > APART_S:
        return False
    end_a, end_b = start_a + a.duration, start_b + b.duration
    common = min(end_a, end_b) - max(start_a, start_b)
    return common >= _IN_COMMON * (max(end_a, end_b) - min(start_a, start_b))
