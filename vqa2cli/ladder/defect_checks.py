"""Checks for what is broken in some rungs and not in the others."""

from __future__ import annotations

from collections.abc import Iterable

from vqa2cli.ladder.findings import Measure
from vqa2cli.ladder.measured import Ladder

_Span = tuple[float, float]

#: Furthest that one black span begins or ends apart in two rungs, seconds (as stalls do).
_APART_S = 0.5

_KINDS = {
    "rebuffer": "a stall", "initial_buffering": "initial buffering", "freeze": "a frozen picture",
    "gap": "a gap in the timestamps",
}  # fmt: skip


def stalls(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure each stall that is left once the rungs were checked against each other."""
    if not any(rung.stalling for rung in ladder.rungs):
        return "no stalls were looked for"
    return [
        Measure(
            (rung.name,),
            event.duration,
            f"{rung.name} has {_KINDS.get(event.kind, event.kind)} of {event.duration:.2f} s at "
            f"{event.start:.2f} s that not every rung has",
            event.start,
            event.end,
        )
        for rung in ladder.rungs
        if rung.stalling is not None
        for event in rung.stalling.events
        if event.counted
    ]


def black(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure each span of black that at most half of the rungs have."""
    rungs = [(rung.name, rung.marks.black_s) for rung in ladder.rungs if rung.marks is not None]
    if len(rungs) < 2:
        return "fewer than two rungs were looked at"
    found = []
    for name, spans in rungs:
        for start, end in spans:
            others = [other for told, other in rungs if told != name]
            having = sum(any(_same((start, end), span) for span in other) for other in others)
            if 2 * (having + 1) <= len(rungs):
                message = f"{name} is black for {end - start:.2f} s from {start:.2f} s on"
                found.append(Measure((name,), end - start, message, start, end))
    return found


def _same(a: _Span, b: _Span) -> bool:
    return abs(a[0] - b[0]) <= _APART_S and abs(a[1] - b[1]) <= _APART_S
