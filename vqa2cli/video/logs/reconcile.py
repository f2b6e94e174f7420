"""Put the stalls of a log and those of the picture together, and say where they differ.

The log is the truth about when the player stalled. A stall of the picture that it lacks is
listed as ambiguous and does not count. Where no logged stall shows, or the clip is too short
to hold them, it is taken for the media that was played, and the stalls lengthen it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.records import LoggedStall, StallLog
from vqa2cli.video.stall_totals import on_media_clock, stalling_of
from vqa2cli.video.stalling import (
    LogReport,
    StallDifference,
    StallEvent,
    Stalling,
    StallKind,
)

#: Furthest that a logged stall and one of the picture begin apart, seconds. hls.js tells of
#: a stall 1.25 s after the playhead stopped (its `detectStallWithCurrentTimeMs`).
MATCH_S = 1.5
#: Least difference of length that is reported, seconds.
LENGTH_DIFFERENCE_S = 0.5
#: How far a log may reach past the end of the clip, seconds: its clock is not the clip's.
END_S = 0.5


@dataclass(frozen=True)
class _Placed:
    """A logged stall on the clock of the clip's session, and what of the picture fits it."""

    logged: LoggedStall
    start: float
    media_start: float
    seen: StallEvent | None

    @property
    def end(self) -> float:
        return self.start + self.logged.duration_s


def reconcile(pixels: Stalling, length_s: float, log: StallLog) -> Stalling:
    """Return the stalls of `log`, compared with those of the picture.

    Args:
        pixels: what was seen in a clip.
        length_s: length of the clip, seconds.
        log: what its player told.

    Raises:
        UsageError: a stall of the log lies past the end of the clip.
    """
    placed = _placed(pixels, log)
    recorded = log.recorded
    if recorded is None:
        holds = all(one.end <= length_s + END_S for one in placed)
        recorded = holds and (not placed or any(one.seen for one in placed))
    if not recorded:
        placed = [replace(one, seen=None) for one in placed]
    placed = [_within(one, length_s, log, recorded=recorded) for one in placed]
    used = [one.seen for one in placed if one.seen]
    unlogged = [
        event if recorded else _later(event, placed) for event in pixels.events if event not in used
    ]
    total_s = length_s if recorded else length_s + sum(one.logged.duration_s for one in placed)
    events = [_told(one, total_s, recorded=recorded) for one in placed]
    events += [_doubted(event) for event in unlogged]
    report = LogReport(
        log.name,
        log.form,
        recorded,
        len(used),
        tuple(_differences(placed, unlogged)),
        log.notes,
    )
    ordered = on_media_clock(sorted(events, key=lambda event: event.start))
    return stalling_of(ordered, total_s, source="log", log=report)


def _placed(pixels: Stalling, log: StallLog) -> list[_Placed]:
    """Return each logged stall with the nearest event of the picture that is still free."""
    free = list(pixels.events)
    placed = []
    for logged, (start, media_start) in zip(log.stalls, log.both_clocks(), strict=True):
        fitting = [event for event in free if abs(event.start - start) <= MATCH_S]
        # Stalls first: a slide beside one may begin nearer.
        seen = min(
            fitting, key=lambda event: (not event.counted, abs(event.start - start)), default=None
        )
        if seen is not None:
            free.remove(seen)
        placed.append(_Placed(logged, start, media_start, seen))
    return placed


def _within(one: _Placed, length_s: float, log: StallLog, *, recorded: bool) -> _Placed:
    """Return a stall that ends with the clip at the latest.

    Raises:
        UsageError: it lies past the end.
    """
    last = one.end if recorded else one.media_start
    if last > length_s + END_S:
        what = "lasts until" if recorded else "starts at media time"
        raise UsageError(
            f"{log.name}: {one.logged.entry}: {what} {last:.2f} s, past the end of the clip "
            f"({length_s:.2f} s); is it the log of another clip?"
        )
    over = max(last - length_s, 0.0)
    if not over:
        return one
    if not recorded:
        return replace(one, start=one.start - over, media_start=length_s)
    start = min(one.start, length_s)
    return replace(one, start=start, logged=replace(one.logged, duration_s=length_s - start))


def _told(one: _Placed, total_s: float, *, recorded: bool) -> StallEvent:
    """Return a logged stall as an event."""
    kind: StallKind = "initial_buffering" if one.media_start < 1e-3 else "rebuffer"
    seen = ("seen_in_pixels", *one.seen.evidence) if one.seen else ("not_in_pixels",)
    confidence = 0.99 if one.seen else 0.6 if recorded else 0.9
    return StallEvent(
        one.start,
        one.end,
        kind,
        one.media_start,
        one.end >= total_s - 1e-3,
        ("log", *seen),
        confidence,
    )


def _doubted(event: StallEvent) -> StallEvent:
    """Return a stall of the picture that the log lacks as one that does not count."""
    if not event.counted:
        return event
    evidence = (*event.evidence, "not_in_log")
    return replace(event, kind="ambiguous", evidence=evidence, confidence=0.5)


def _later(event: StallEvent, placed: list[_Placed]) -> StallEvent:
    """Return an event of the media where the session shows it: after the stalls before it."""
    shift = sum(one.logged.duration_s for one in placed if one.media_start <= event.start)
    return replace(event, start=event.start + shift, end=event.end + shift)


def _differences(placed: list[_Placed], unlogged: list[StallEvent]) -> list[StallDifference]:
    found = []
    for one in placed:
        told_s = one.logged.duration_s
        if one.seen is None:
            found.append(StallDifference("not_in_pixels", one.start, told_s, one.logged.entry))
        elif abs(one.seen.duration - told_s) >= LENGTH_DIFFERENCE_S:
            by = one.seen.duration - told_s
            found.append(StallDifference("duration", one.start, told_s, one.logged.entry, by))
    found += [
        StallDifference("not_in_log", event.start, event.duration, None)
        for event in unlogged
        if event.counted
    ]
    return sorted(found, key=lambda difference: difference.start)


def difference_warnings(stalling: Stalling) -> list[str]:
    """Return what a reader of the report should know of a log and the picture, in sentences."""
    log = stalling.log
    if log is None:
        return []
    kinds = [difference.kind for difference in log.differences]
    unseen, unlogged = kinds.count("not_in_pixels"), kinds.count("not_in_log")
    warnings = [f"{log.file}: {note}" for note in log.notes]
    if not log.recorded:
        warnings.append(
            f"the clip does not hold the {_stalls(unseen)} of {log.file}, so it is taken for the "
            "media that was played, and the stalls lengthen it"
        )
    elif unseen:
        warnings.append(f"{_stalls(unseen)} in {log.file} not seen in the picture")
    if unlogged:
        warnings.append(f"{_stalls(unlogged)} of the picture not in {log.file}, not counted")
    if kinds.count("duration"):
        count = kinds.count("duration")
        warnings.append(f"{_stalls(count)} in {log.file} shown shorter or longer than logged")
    return warnings


def _stalls(count: int) -> str:
    return f"{count} stall{'' if count == 1 else 's'}"


def stalled_frames(pts_s: NDArray[np.float64], stalling: Stalling) -> NDArray[np.uint8]:
    """Return 0 or 1 for every frame: shown within a stall that counts.

    All are 0 where the clip is the media that was played: it holds none of the stalls.
    """
    flags = np.zeros(len(pts_s), np.uint8)
    if stalling.log is None or stalling.log.recorded:
        for event in stalling.events:
            if event.counted:
                flags[(pts_s >= event.start - 1e-6) & (pts_s < event.end - 1e-6)] = 1
    return flags
