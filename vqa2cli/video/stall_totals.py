"""From stall events to the paper's five facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vqa2cli.video.stall_text import summary_text
from vqa2cli.video.stalling import LogReport, StallEvent, Stalling, StallSource


def stalling_of(
    events: Sequence[StallEvent],
    length_s: float,
    *,
    source: StallSource = "pixels",
    log: LogReport | None = None,
) -> Stalling:
    """Return `events` with the five facts of those that count.

    Args:
        events: in order of their start.
        length_s: whole length that the events lie in, stalls included, seconds.
        source: where the events come from.
        log: what comparing a log with the pixels gave, if there was one.
    """
    counted = [event for event in events if event.counted]
    later = [event.duration for event in counted if event.kind != "initial_buffering"]
    initial = sum(event.duration for event in counted if event.kind == "initial_buffering")
    ratio = min((sum(later) + initial) / length_s, 1.0) if length_s > 0 else 0.0
    since = max(length_s - counted[-1].end, 0.0) if counted else None
    return Stalling(
        tuple(events),
        len(later),
        float(sum(later)),
        ratio,
        float(initial),
        since,
        summary_text(later, ratio, initial, since),
        source,
        log,
    )


def on_media_clock(events: Sequence[StallEvent]) -> tuple[StallEvent, ...]:
    """Return `events`, each with its `media_start` after the counted ones before it."""
    timed: list[StallEvent] = []
    stood_s = 0.0
    for event in events:
        timed.append(replace(event, media_start=event.start - stood_s))
        stood_s += event.duration if event.counted else 0.0
    return tuple(timed)
