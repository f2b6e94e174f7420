"""What was measured, told in short sentences: nothing here is guessed or generated."""

from __future__ import annotations

from collections.abc import Sequence

from vqa2cli.assessment import Diagnostics, Finding, Score, Segment, SessionVerdict
from vqa2cli.levels import in_words
from vqa2cli.report.findings import borne_out, contradictions, model_findings, signal_findings
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
    it was not measured), which distortions the model sees, where model and measures disagree, and
    each warning. What both name is noticeable at least.
    """
    judged = model_findings(segments)
    if signal is not None:
        signal, judged = borne_out(signal, judged), borne_out(judged, signal)
    sentences = [
        f"Quality is {score.level}: {score.value:.1f} of 100.",
        *_worst_window(segments),
        *_stalls_told(stalling, session.costs if session else None),
        *_without_stalls(session),
        *(finding_sentence(finding) for finding in signal or ()),
        *(finding_sentence(one) for one in judged if one.names_fault),
        *([] if signal is None else contradictions(segments, signal)),
        *(f"Warning: {warning.rstrip('.')}." for warning in warnings),
    ]
    findings = (*_stall_findings(stalling), *(signal or ()), *judged)
    return Diagnostics(text=" ".join(sentences), findings=findings)


def signal_diagnostics(closed: Closed) -> Diagnostics | None:
    """Return sentences and findings of a clip that no model scored; None if nothing was sought."""
    signal = signal_of(closed)
    if signal is None and closed.stalling is None:
        return None
    sentences = [
        *_stalls_told(closed.stalling),
        *(finding_sentence(finding) for finding in signal or ()),
    ]
    findings = (*_stall_findings(closed.stalling), *(signal or ()))
    return Diagnostics(text=" ".join(sentences), findings=findings)


def signal_of(closed: Closed) -> tuple[Finding, ...] | None:
    """Return what the measures of a clip find, None where it was not measured."""
    if closed.measures is None:
        return None
    return signal_findings(closed.measures, closed.media.color_transfer)


def finding_sentence(finding: Finding) -> str:
    """Return one finding in words: what, how badly, when, and the value behind it.

    A distortion that the model sees comes with how sure it is.
    """
    when = "all along"
    if finding.start is not None and finding.end is not None:
        when = _span(finding.start, finding.end)
    name, value = in_words(finding.attribute), value_of(finding)
    if finding.source == "model" and finding.names_fault:
        return f"The model sees {name}: {finding.degree}, {when} ({value} sure)."
    behind = f" ({value})" if value else ""
    return f"{name[0].upper()}{name[1:]}: {finding.degree}, {when}{behind}."


def value_of(finding: Finding) -> str:
    """Return a finding's value with its unit, empty where it has none."""
    if finding.value is None:
        return ""
    unit = finding.unit or ""
    return f"{finding.value:.3g}{unit if unit.startswith('%') else f' {unit}' if unit else ''}"


def _worst_window(segments: Sequence[Segment]) -> list[str]:
    if len(segments) < 2:
        return []
    worst = min(segments, key=lambda segment: segment.score)
    best = max(segments, key=lambda segment: segment.score)
    return [
        f"The worst of {len(segments)} windows, {_span(worst.start, worst.end)}, scores "
        f"{worst.score:.1f} ({worst.level}); the best scores {best.score:.1f}."
    ]


def _stalls_told(stalling: Stalling | None, costs: Sequence[float] | None = None) -> list[str]:
    """Return a sentence for each stall with what it costs, or that there is none."""
    if stalling is None:
        return []
    if not stalling.events:
        return ["No stall was found."]
    dues = costs if costs is not None else (0.0,) * len(stalling.events)
    return [_stall_sentence(*told) for told in zip(stalling.events, dues, strict=True)]


def _stall_findings(stalling: Stalling | None) -> list[Finding]:
    events = stalling.events if stalling else ()
    return [_stall_finding(event) for event in events if event.counted]


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
