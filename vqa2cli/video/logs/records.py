"""The stalls of a log, checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from vqa2cli.errors import UsageError

LogFormat = Literal["p1203", "hls.js", "dash.js", "player", "csv"]

#: Starts closer than this, seconds, are the same.
SAME_S = 1e-3


@dataclass(frozen=True)
class LoggedStall:
    """One stall: start and length in seconds; `entry` is what messages call it."""

    start_s: float
    duration_s: float
    entry: str


@dataclass(frozen=True)
class StallLog:
    """The stalls of one playback, in order, none over another.

    Attributes:
        name: file it stands in.
        form: its format.
        clock: "media" where starts count what was played alone, "session" where they count
            the stalls as well, from the first moment of the session.
        stalls: those longer than nothing.
        recorded: whether the clip is a recording that holds the stalls; None: not told.
        notes: what was put right, in sentences.
    """

    name: str
    form: LogFormat
    clock: Literal["media", "session"]
    stalls: tuple[LoggedStall, ...]
    recorded: bool | None = None
    notes: tuple[str, ...] = ()

    def both_clocks(self) -> list[tuple[float, float]]:
        """Return the start of each stall in session and in media time, seconds."""
        starts, stood_s = [], 0.0
        for stall in self.stalls:
            if self.clock == "media":
                starts.append((stall.start_s + stood_s, stall.start_s))
            else:
                starts.append((stall.start_s, stall.start_s - stood_s))
            stood_s += stall.duration_s
        return starts


def checked(log: StallLog, stalls: Iterable[LoggedStall]) -> StallLog:
    """Return `log` with `stalls`: sorted by start, those of no length left out.

    Raises:
        UsageError: one is negative or no number, or lies over another.
    """
    kept = []
    for stall in stalls:
        _check_numbers(log.name, stall)
        if stall.duration_s > 0:
            kept.append(stall)
    ordered = sorted(kept, key=lambda stall: stall.start_s)
    notes = log.notes if ordered == kept else (*log.notes, "the log's entries were not in order")
    for before, after in pairwise(ordered):
        _check_apart(log, before, after)
    return replace(log, stalls=tuple(ordered), notes=notes)


def _check_numbers(name: str, stall: LoggedStall) -> None:
    for what, seconds in (("start", stall.start_s), ("duration", stall.duration_s)):
        if not math.isfinite(seconds) or seconds < 0:
            raise UsageError(
                f"{name}: {stall.entry}: a {what} of {seconds:g} s; give seconds from 0 up"
            )


def _check_apart(log: StallLog, before: LoggedStall, after: LoggedStall) -> None:
    """Check that two stalls in order are apart; media time stands still during a stall."""
    if log.clock == "media":
        if after.start_s - before.start_s < SAME_S:
            raise UsageError(
                f"{log.name}: {after.entry}: a second stall at media time {after.start_s:g} s, "
                f"where {before.entry} is; join the two"
            )
    elif after.start_s < before.start_s + before.duration_s - SAME_S:
        raise UsageError(
            f"{log.name}: {after.entry}: starts at {after.start_s:g} s, inside {before.entry}, "
            f"which lasts until {before.start_s + before.duration_s:g} s"
        )
