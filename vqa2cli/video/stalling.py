"""Stalls as records: events and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StallKind = Literal["rebuffer", "initial_buffering", "freeze", "gap", "static", "ambiguous"]

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
class Stalling:
    """All events of a clip and the paper's five facts (paper §3; REFERENCE.md §4.5).

    `stall_ratio` is stalled seconds over the clip's whole length, initial buffering included;
    `rebuffer_number` and `rebuffer_duration_sec` leave the initial buffering out;
    `time_since_last_stall_sec` runs from the end of the last counted event to the end of the
    clip and is None without one.
    """

    events: tuple[StallEvent, ...]
    rebuffer_number: int
    rebuffer_duration_sec: float
    stall_ratio: float
    initial_buffering_sec: float
    time_since_last_stall_sec: float | None
    summary: str
    source: Literal["pixels", "log"] = "pixels"
