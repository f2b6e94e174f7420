"""From an assessment to an explanation: words, findings with causes, and the worst moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np

from vqa2cli.assessment import Assessment, Finding
from vqa2cli.config import VERSION
from vqa2cli.levels import DEGREES, in_words
from vqa2cli.report.causes import Cause, cause_of
from vqa2cli.report.diagnostics import finding_sentence
from vqa2cli.report.findings import overlaps
from vqa2cli.report.rows import Record, record_of, strict_record
from vqa2cli.video.measures.records import MEASURES, STEP_S, SignalMeasures

#: Most of the worst moments named, and the least seconds between two.
MOST_MOMENTS: Final = 3
MOMENTS_APART_S: Final = 1.0
#: Findings named in the depiction's first sentence.
_NAMED = 4
#: Text of an answering model that is kept of one part of a clip, characters.
MAX_TEXT: Final = 8000

#: How much a word for stalls counts beside the degrees of findings.
_WEIGHTS: Final = {
    **{word: index for index, word in enumerate(DEGREES)}, "short": 1, "long": 3
}  # fmt: skip


@dataclass(frozen=True)
class Explained:
    """A finding with its probable cause."""

    finding: Finding
    cause: Cause


@dataclass(frozen=True)
class Moment:
    """A bad moment: its time in seconds, what is wrong then, and a picture of it if saved."""

    time_s: float
    attributes: tuple[str, ...]
    frame: str | None = None


@dataclass(frozen=True)
class Said:
    """What a model that answers wrote of the part of a clip from `start` to `end`, seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Depiction:
    """A clip in the words of a model that answers, part by part."""

    model: str
    parts: tuple[Said, ...]


@dataclass(frozen=True)
class Explanation:
    """All that is told of one clip.

    `text` is written over the findings; `depiction` is a model's own, None where none was asked.
    They may differ: both are shown.
    """

    row: Assessment
    text: str
    depiction: Depiction | None
    findings: tuple[Explained, ...]
    moments: tuple[Moment, ...]


def explain(row: Assessment, depiction: Depiction | None = None) -> Explanation:
    """Return the explanation of a clip that was read, with what a model wrote of it."""
    findings = row.diagnostics.findings if row.diagnostics else ()
    codec = row.media.codec_name if row.media else ""
    named = tuple(Explained(f, cause_of(f, row.measures, codec)) for f in findings)
    length_s = (row.media.duration if row.media else None) or 0.0
    return Explanation(
        row=row,
        text=account(row, named),
        depiction=depiction,
        findings=named,
        moments=worst_moments(findings, row.measures, length_s),
    )


def depiction_of(model: str, parts: Sequence[Said]) -> Depiction:
    """Return a model's words, shortened where they are endless; equal neighbours are one part."""
    kept: list[Said] = []
    for part in parts:
        text = part.text.strip()[:MAX_TEXT]
        if kept and kept[-1].text == text:
            kept[-1] = Said(kept[-1].start, part.end, text)
        else:
            kept.append(Said(part.start, part.end, text))
    return Depiction(model, tuple(kept))


def account(row: Assessment, findings: Sequence[Explained]) -> str:
    """Return the clip in words, each taken from a finding: what, why, and the verdict."""
    ranked = sorted(findings, key=lambda one: -_weight(one.finding))
    told = [one for one in ranked if one.finding.names_fault]
    sentences = [finding_sentence(one.finding) for one in told[:_NAMED]]
    if len(told) > _NAMED:
        rest = ", ".join(in_words(one.finding.attribute) for one in told[_NAMED:])
        sentences.append(f"Besides: {rest}.")
    if not told:
        sentences = ["Measures and model find nothing wrong with the signal."]
    worst = next((one for one in told if _weight(one.finding) > 1), None)
    if worst is not None:
        named = in_words(worst.finding.attribute)
        sentences.append(f"Probable cause of the {named}: {worst.cause.cause}.")
    if row.score is not None:
        verdict = f"the model rates the quality of this video {row.score.level.capitalize()}"
        sentences.append(f"Taken as a whole, {verdict} ({row.score.value:.1f} of 100).")
    return " ".join(sentences)


def _weight(finding: Finding) -> int:
    return _WEIGHTS.get(finding.degree, 1)


def worst_moments(
    findings: Sequence[Finding], measures: SignalMeasures | None, length_s: float
) -> tuple[Moment, ...]:
    """Return the moments at which most is wrong, worst first.

    Half seconds weigh the degrees of the findings over them; of equal ones the middle of
    their run is taken, so that a frame of it shows what the finding means.
    """
    count = measures.values.shape[1] if measures else max(int(np.ceil(length_s / STEP_S)), 1)
    weights = np.zeros(count)
    for finding in findings:
        for cell in range(count):
            if overlaps(finding, cell * STEP_S, (cell + 1) * STEP_S):
                weights[cell] += _weight(finding)
    moments: list[Moment] = []
    while len(moments) < MOST_MOMENTS and weights.max() > 0:
        peak = _middle_of_peak(weights)
        time_s = min((peak + 0.5) * STEP_S, max(length_s - 0.01, 0.0))
        over = [f for f in findings if overlaps(f, peak * STEP_S, (peak + 1) * STEP_S)]
        moments.append(Moment(round(time_s, 3), tuple(dict.fromkeys(f.attribute for f in over))))
        near = int(MOMENTS_APART_S / STEP_S)
        weights[max(peak - near, 0) : peak + near + 1] = 0
    return tuple(moments)


def _middle_of_peak(weights: np.ndarray) -> int:
    first = int(weights.argmax())
    after = first
    while after < len(weights) and weights[after] == weights[first]:
        after += 1
    return (first + after - 1) // 2


def with_frames(told: Explanation, frames: Sequence[str]) -> Explanation:
    """Return the explanation with the pictures of its moments, in their order."""
    moments = [replace(m, frame=f) for m, f in zip(told.moments, frames, strict=True)]
    return replace(told, moments=tuple(moments))


def time_code(seconds: float) -> str:
    """Return `H:MM:SS.ss`."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 100:05.2f}"


def span_of(finding: Finding) -> str:
    """Return when a finding holds, in time codes."""
    if finding.start is None or finding.end is None:
        return "all along"
    return time_span(finding.start, finding.end)


def time_span(start_s: float, end_s: float) -> str:
    """Return from when to when, in time codes."""
    return f"{time_code(start_s)}–{time_code(end_s)}"


def explanation_record(told: Explanation) -> Record:
    """Return the explanation as strict JSON values, the measures with it."""
    row = told.row
    record: Record = {
        "version": VERSION,
        **record_of(row),
        "explanation": {
            "text": told.text,
            "depiction": None if told.depiction is None else asdict(told.depiction),
            "findings": [
                {
                    **asdict(one.finding),
                    "rule": one.cause.id,
                    "cause": one.cause.cause,
                    "action": one.cause.action,
                }
                for one in told.findings
            ],
            "worst_moments": [
                {"time_code": time_code(m.time_s), **asdict(m)} for m in told.moments
            ],
            "measures": _measures(row.measures),
        },
    }
    return strict_record(record)


def _measures(measures: SignalMeasures | None) -> Record | None:
    if measures is None:
        return None
    series = {
        each.name: [round(float(v), 4) for v in row]
        for each, row in zip(MEASURES, measures.values, strict=True)
    }
    return {
        "step_s": STEP_S,
        "cuts_s": list(measures.cuts_s),
        "cadence": measures.cadence,
        "units": {each.name: each.unit for each in MEASURES},
        "series": series,
    }
