"""From measures to findings: an attribute, a degree and a span of time, each with its source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vqa2cli.assessment import QUALITY, Finding, Segment
from vqa2cli.levels import DEGREES, degree_of, in_words
from vqa2cli.video.measures.records import BLACK_CELL, UNITS, SignalMeasures
from vqa2cli.video.media import HDR

#: Cells that a span may miss and go on.
_GAP = 1
#: Cells that a finding must last, in clips longer than that: one may be chance.
_LEAST_CELLS = 2
_TONE: Final = frozenset({"luma", "contrast", "saturation"})
#: Levels of the model that make a window a finding, and how bad it is.
_MODEL_DEGREES: Final = {"poor": "noticeable", "low": "severe"}
#: Probability from which the model is sure of a distortion's name: on a third of mini's validation
#: clips all 87 names of 167 distorted ones are right from here on, and 4 of 109 clean encodes are
#: given one; of other makers' 97 of 112 names, and 32 of 410. From 0.5 on it is eight and ten right
#: names fewer, and one and eight clean encodes.
_SURE: Final = 0.4


@dataclass(frozen=True)
class Rule:
    """From which values of a measure on an attribute is slight, noticeable and severe.

    `above` says on which side bad values lie. `basis` is "fitted" for thresholds calibrated on
    degraded clips, "convention" for those set by hand; a degree that is never reached is None.
    """

    attribute: str
    measure: str
    above: bool
    slight: float
    noticeable: float | None
    severe: float | None
    basis: str

    def degrees(self, values: NDArray[np.float32]) -> NDArray[np.intp]:
        """Return the degree of each value, an index of `DEGREES`; NaN has none."""
        found = np.zeros(len(values), np.intp)
        for degree, limit in enumerate((self.slight, self.noticeable, self.severe), start=1):
            if limit is not None:
                with np.errstate(invalid="ignore"):
                    reached = values >= limit if self.above else values <= limit
                found[reached] = degree
        return found


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """Return the table of thresholds that ships with the package."""
    table = files("vqa2cli.report") / "tables" / "thresholds.json"
    return rules_of(json.loads(table.read_text(encoding="utf-8")))


def rules_of(table: dict[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a table of thresholds."""
    return tuple(
        Rule(
            attribute,
            row["measure"],
            row["above"],
            row["slight"],
            row["noticeable"],
            row["severe"],
            row["basis"],
        )
        for attribute, rows in table["attributes"].items()
        for row in rows
    )


def signal_findings(
    measures: SignalMeasures, transfer: str | None = None, table: Sequence[Rule] | None = None
) -> tuple[Finding, ...]:
    """Return what the measures find, by attribute and time.

    Neighbouring half seconds in which an attribute is slight or worse are one finding; its
    degree is the one a quarter of them reach, its value the measure there. Where two measures tell
    of one attribute, one that says no more than the other over all of its time is left out.

    Args:
        transfer: transfer characteristic; light and colour of HDR are not judged.
        table: rules; None takes those of the package.
    """
    dark = np.nan_to_num(measures.of("black")) >= BLACK_CELL
    found: list[Finding] = []
    for rule in rules() if table is None else table:
        if transfer in HDR and rule.measure in _TONE:
            continue
        values = measures.of(rule.measure).copy()
        if rule.measure not in ("black", "letterbox"):
            values[dark] = np.nan
        found += (_finding(rule, measures, values, span) for span in _spans(rule.degrees(values)))
    found = _told_once(found)
    if measures.cadence is not None:
        found.append(Finding("duplicate_cadence", "slight", None, None, "measurement", None, None))
    return tuple(found)


def _told_once(found: Sequence[Finding]) -> list[Finding]:
    """Return `found` but for what another of the same attribute tells, all along and as bad.

    Of two that are the same the first stays.
    """

    def widest_first(place: int) -> tuple[float, float, int, int]:
        first, last = _seconds(found[place])
        return first, -last, -DEGREES.index(found[place].degree), place

    # By attribute and degree, until when those that began before are told.
    told: dict[str, list[float]] = {one.attribute: [0.0] * len(DEGREES) for one in found}
    kept = []
    for place in sorted(range(len(found)), key=widest_first):
        one = found[place]
        last, degree, until = _seconds(one)[1], DEGREES.index(one.degree), told[one.attribute]
        if max(until[degree:]) < last:
            until[degree] = last
            kept.append(place)
    return [found[place] for place in sorted(kept)]


def _seconds(finding: Finding) -> tuple[float, float]:
    """Return a finding's start and end; the whole clip is from 0 to infinity."""
    return (
        0.0 if finding.start is None else finding.start,
        float("inf") if finding.end is None else finding.end,
    )


def _finding(
    rule: Rule, measures: SignalMeasures, values: NDArray[np.float32], span: tuple[int, int]
) -> Finding:
    first, last = span
    inside = values[first : last + 1]
    value = float(np.nanquantile(inside, 0.75 if rule.above else 0.25))
    degree = int(rule.degrees(np.array([value], np.float32))[0])
    whole = first == 0 and last == measures.values.shape[1] - 1
    start, end = (None, None) if whole else measures.span_s(first, last)
    unit = UNITS[rule.measure] or None
    name = DEGREES[max(degree, 1)]
    return Finding(rule.attribute, name, start, end, "measurement", round(value, 4), unit)


def _spans(degrees: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each run of cells with any degree, short gaps closed."""
    bad = np.flatnonzero(degrees)
    if not bad.size:
        return
    breaks = np.flatnonzero(np.diff(bad) > _GAP + 1)
    firsts = bad[np.concatenate(([0], breaks + 1))]
    lasts = bad[np.concatenate((breaks, [len(bad) - 1]))]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        if last - first + 1 >= min(_LEAST_CELLS, len(degrees)):
            yield first, last


def model_findings(segments: Sequence[Segment]) -> tuple[Finding, ...]:
    """Return what the model finds: runs of poor and low windows, and distortions it is sure of.

    A distortion's degree is that of the mean quality of its windows' pictures, its value the mean
    probability of its name, percent.
    """
    return (*_quality_findings(segments), *_distortion_findings(segments))


def borne_out(found: Sequence[Finding], others: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return `found`, slight ones noticeable where others name the same at some time of theirs.

    Measures know pictures by a few numbers and the model by what it has seen; what both name is
    as a rule more than slight to people, too (`docs/diagnostics.md`).
    """
    return tuple(
        replace(one, degree="noticeable")
        if one.degree == "slight"
        and any(
            other.attribute == one.attribute and overlaps(one, *_seconds(other)) for other in others
        )
        else one
        for one in found
    )


def _quality_findings(segments: Sequence[Segment]) -> Iterator[Finding]:
    for degree, run in _runs(segments, lambda one: _MODEL_DEGREES.get(one.level)):
        worst = min(one.score for one in run)
        yield Finding(QUALITY, degree, run[0].start, run[-1].end, "model", worst, "points")


def _distortion_findings(segments: Sequence[Segment]) -> Iterator[Finding]:
    for name, run in _runs(segments, _sure_of):
        shown = [one.distortion for one in run if one.distortion is not None]
        degree = degree_of(float(np.mean([one.quality for one in shown])))
        whole = len(run) == len(segments)
        start, end = (None, None) if whole else (run[0].start, run[-1].end)
        value = round(100 * float(np.mean([one.prob for one in shown])), 1)
        yield Finding(name, degree, start, end, "model", value, "%")


def _sure_of(segment: Segment) -> str | None:
    """Return the name of a window's distortion where the model is sure and it shows."""
    shown = segment.distortion
    if shown is None or shown.name == "none" or shown.prob < _SURE:
        return None
    return shown.name if degree_of(shown.quality) != "none" else None


def _runs(
    segments: Sequence[Segment], key: Callable[[Segment], str | None]
) -> list[tuple[str, list[Segment]]]:
    """Return runs of windows that follow one another and have the same key, None left out."""
    runs: list[list[Segment]] = []
    for segment in segments:
        last = runs[-1][-1] if runs else None
        if last and key(segment) == key(last) and last.end == segment.start:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return [(name, run) for run in runs if (name := key(run[0])) is not None]


def contradictions(segments: Sequence[Segment], found: Sequence[Finding]) -> list[str]:
    """Return a sentence for each thing that the model and the measures do not agree on."""
    told = []
    severe = [f for f in found if f.source == "measurement" and f.degree == "severe"]
    praised = [s for s in segments if s.level in ("high", "good")]
    for finding in severe:
        over = [s for s in praised if overlaps(finding, s.start, s.end)]
        if over:
            told.append(
                f"The measures find severe {in_words(finding.attribute)} where the model "
                f"rates {over[0].start:.2f}-{over[-1].end:.2f} s {over[0].level}: they disagree."
            )
    for segment in segments:
        if segment.level == "low" and not any(
            f.source == "measurement" and overlaps(f, segment.start, segment.end) for f in found
        ):
            told.append(
                f"The model rates {segment.start:.2f}-{segment.end:.2f} s low, and the measures "
                "find nothing there."
            )
    return told


def overlaps(finding: Finding, start: float, end: float) -> bool:
    """Return whether a finding touches the seconds from `start` to `end`."""
    first, last = _seconds(finding)
    return first < end and last > start
