"""What was measured, told in short sentences: nothing here is guessed or generated."""

from __future__ import annotations

from collections.abc import Sequence

from vqa2cli.assessment import Diagnostics, Finding, Score, Segment, SessionVerdict
from vqa2cli.report.findings import contradictions, model_findings, signal_findings
from vqa2cli.video.media import Closed
from vqa2cli.video.stalling import StallEvent, Stalling

#: How a stall of each kind is called in a sentence.
_KINDS = {
    "rebuffer": "stall (rebuffering)",
    "initial_buffering": "initial buffering",
    "freeze": "stall (frozen picture)",
    "gap": "stall (gap in the timestamps)",
    "static": "still picture, taken as content",
    "ambiguous": "still picture, stall or content",
}

#: Seconds below which a stall is called by the word; our own convention, made for reading.
_STALL_DEGREES = ((1.0, "short"), (3.0, "noticeable"), (float("inf"), "long"))


def diagnose(
    score: Score,
    segments: Sequence[Segment],
    stalling: Stalling | None,
    warnings: Sequence[str],
    session: SessionVerdict | None = None,
    signal: Sequence[Finding] | None = None,
) -> Diagnostics:
    """Return the sentences and findings of one clip, from its measured facts alone.

    Score and level come first, then the worst window when there are several, each stall with
    what it costs, what they cost together, what is wrong with the signal (`signal`; None where
    it was not measured), where model and measures disagree, and each warning.
    """
    events = stalling.events if stalling else ()
    costs = session.costs if session else (0.0,) * len(events)
    sentences = [
        f"Quality is {score.level}: {score.value:.1f} of 100.",
        *_worst_window(segments),
        *(["No stall was found."] if stalling and not events else []),
        *(_stall_sentence(event, cost) for event, cost in zip(events, costs, strict=True)),
        *_without_stalls(session),
        *(finding_sentence(finding) for finding in signal or ()),
        *([] if signal is None else contradictions(segments, signal)),
        *(f"Warning: {warning.rstrip('.')}." for warning in warnings),
    ]
    stalls = [_stall_finding(event) for event in events if event.counted]
    findings = (*stalls, *(signal or ()), *model_findings(segments))
    return Diagnostics(text=" ".join(sentences), findings=findings)


def signal_diagnostics(closed: Closed) -> Diagnostics | None:
    """Return sentences and findings of a clip that no model scored; None if nothing was sought."""
    signal = signal_of(closed)
    if signal is None and closed.stalling is None:
        return None
    events = closed.stalling.events if closed.stalling else ()
    sentences = [
        *(["No stall was found."] if closed.stalling and not events else []),
        *(_stall_sentence(event, 0.0) for event in events),
        *(finding_sentence(finding) for finding in signal or ()),
    ]
    stalls = [_stall_finding(event) for event in events if event.counted]
    return Diagnostics(text=" ".join(sentences), findings=(*stalls, *(signal or ())))


def signal_of(closed: Closed) -> tuple[Finding, ...] | None:
    """Return what the measures of a clip find, None where it was not measured."""
    if closed.measures is None:
        return None
    return signal_findings(closed.measures, closed.media.color_transfer)


def finding_sentence(finding: Finding) -> str:
    """Return one finding in words: what, how badly, when, and the value behind it."""
    when = "all along"
    if finding.start is not None and finding.end is not None:
        when = _span(finding.start, finding.end)
    name = finding.attribute.replace("_", " ")
    value = ""
    if finding.value is not None:
        unit = finding.unit or ""
        value = f" ({finding.value:.3g}{unit if unit == '%' else f' {unit}' if unit else ''})"
    return f"{name[0].upper()}{name[1:]}: {finding.degree}, {when}{value}."


def _worst_window(segments: Sequence[Segment]) -> list[str]:
    if len(segments) < 2:
        return []
    worst = min(segments, key=lambda segment: segment.score)
    best = max(segments, key=lambda segment: segment.score)
    return [
        f"The worst of {len(segments)} windows, {_span(worst.start, worst.end)}, scores "
        f"{worst.score:.1f} ({worst.level}); the best scores {best.score:.1f}."
    ]


def _without_stalls(session: SessionVerdict | None) -> list[str]:
    if session is None or not any(session.costs):
        return []
    return [f"Without stalls the score would be {session.without_stalls:.1f}."]


def _stall_sentence(event: StallEvent, cost: float) -> str:
    until = ", to the end of the clip" if event.open_ended else ""
    until += f", costs {cost:.1f} points" if cost else ""
    what = _KINDS[event.kind]
    return (
        f"{what[0].upper()}{what[1:]} of {event.duration:.2f} s, "
        f"{_span(event.start, event.end)}{until}."
    )


def _stall_finding(event: StallEvent) -> Finding:
    degree = next(word for limit, word in _STALL_DEGREES if event.duration < limit)
    return Finding(
        attribute=event.kind,
        degree=degree,
        start=event.start,
        end=event.end,
        source="measurement",
        value=event.duration,
        unit="s",
    )


def _span(start: float, end: float) -> str:
    return f"{start:.2f}-{end:.2f} s"
