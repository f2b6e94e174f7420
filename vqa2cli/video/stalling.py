"""Stalls as records: events and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StallKind = Literal["rebuffer", "initial_buffering", "freeze", "gap", "static", "ambiguous"]

#: Where stalls come from: seen in the picture, or told by a player's log.
StallSource = Literal["pixels", "log"]

#: Kinds that count as stalls in the summary; `static` and `ambiguous` are content or doubt.
COUNTED_KINDS: frozenset[StallKind] = frozenset({"rebuffer", "initial_buffering", "freeze", "gap"})


@dataclass(frozen=True)
class StallEvent:
    """One span in which the picture stood still.

    Times are seconds of presentation since the first frame; `media_start` is the same onset
    on the media clock: presentation time less the stalls before it. `open_ended` means the
    clip ended while it stood.
    """

    start: float
    end: float
    kind: StallKind
    media_start: float
    open_ended: bool
    evidence: tuple[str, ...]
    confidence: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start

    @property
    def counted(self) -> bool:
        """Whether the summary counts it as a stall."""
        return self.kind in COUNTED_KINDS


@dataclass(frozen=True)
class StallDifference:
    """One thing the log of stalls and the pixels do not agree on.

    `not_in_pixels`: a logged stall without a still picture; `not_in_log`: a stall of the
    picture that the log lacks; `duration`: both have it and differ by `seconds`, the pixels'
    less the log's. `start` is on the clock of the events.
    """

    kind: Literal["not_in_pixels", "not_in_log", "duration"]
    start: float
    duration: float
    entry: str | None
    seconds: float | None = None


@dataclass(frozen=True)
class LogReport:
    """How a log of stalls compares with the pixels.

    `recorded` tells whether the clip holds the stalls, as a recording of a screen does; else
    it is the media that was played, and the stalls lengthen it.
    """

    file: str
    format: str
    recorded: bool
    matched: int
    differences: tuple[StallDifference, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stalling:
    """All events of a clip and the paper's five facts (paper §3; REFERENCE.md §4.5).

    `stall_ratio` is stalled seconds over the clip's whole length, initial buffering included;
    `rebuffer_number` and `rebuffer_duration_sec` leave the initial buffering out;
    `time_since_last_stall_sec` runs from the end of the last counted event to the end of the
    clip and is None without one. With a log, times and length are those of the session: of the
    clip itself where it is a recording, else of the clip lengthened by the logged stalls.
    """

    events: tuple[StallEvent, ...]
    rebuffer_number: int
    rebuffer_duration_sec: float
    stall_ratio: float
    initial_buffering_sec: float
    time_since_last_stall_sec: float | None
    summary: str
    source: StallSource = "pixels"
    log: LogReport | None = None
