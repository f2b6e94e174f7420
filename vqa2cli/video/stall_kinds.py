"""Names each still span: a stall, content that stands still, or doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_text import summary_text
from vqa2cli.video.stall_track import FrameLog, Run
from vqa2cli.video.stalling import StallEvent, Stalling, StallKind


def judge(
    log: FrameLog, whole: Sequence[Run], outside: Sequence[Run], min_stall_s: float, end_s: float
) -> tuple[Stalling, NDArray[np.uint8]]:
    """Return the stalls of a clip and 0 or 1 for every frame."""
    pts = np.asarray(log.pts_s)
    stalled = np.zeros(len(pts), np.uint8)
    origin = float(pts[0]) if len(pts) else 0.0
    events: list[StallEvent] = []
    before = 0.0
    for run in whole:
        open_ended = run.last + 1 >= len(pts)
        start = float(pts[run.first]) - origin
        end = (end_s if open_ended else float(pts[run.last + 1])) - origin
        if end - start < min_stall_s:
            continue
        kind: StallKind = "static" if run.first == 1 or run.blank else "freeze"
        event = StallEvent(start, end, kind, start - before, open_ended, (), 0.5)
        events.append(event)
        if event.counted:
            before += event.duration
            stalled[run.first : run.last + 1] = 1
    return _totals(tuple(events), max(end_s - origin, 0.0)), stalled


def _totals(events: tuple[StallEvent, ...], length_s: float) -> Stalling:
    """Return the events with the paper's five facts."""
    counted = [event for event in events if event.counted]
    later = [event.duration for event in counted if event.kind != "initial_buffering"]
    initial = sum(event.duration for event in counted if event.kind == "initial_buffering")
    ratio = min((sum(later) + initial) / length_s, 1.0) if length_s > 0 else 0.0
    since = max(length_s - counted[-1].end, 0.0) if counted else None
    return Stalling(
        events,
        len(later),
        sum(later),
        ratio,
        initial,
        since,
        summary_text(later, ratio, initial, since),
    )
