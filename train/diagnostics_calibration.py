"""Fits the thresholds of findings to degraded clips of a training split.

    python -m train.diagnostics_calibration FOLDER... [--clean CLIPS] [--out FILE]

Folders are a corpus of `vqa2 train mini`, and what `vqa2 data degrade` made. For every attribute
and degree the threshold is the value that best tells clips of at least that degree (the share of
them that reaches it, less that of milder or of clean ones, whichever is larger), under a limit on
how many clean clips pass. Clips with another fault, which does not bring this one with it, count as
clean of it: in use there are more of those than of any other kind.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from train.diagnostics_data import (
    KIN,
    Labelled,
    at_fault,
    clean_clips,
    labelled_clips,
    measures_of,
)
from train.option_types import EITHER, FOLDER
from vqa2cli.video.measures.records import STEP_S, SignalMeasures


@dataclass(frozen=True)
class Gauge:
    """A measure that tells of an attribute, and whether it is bad `above` or below.

    `in_shot`: it tells a part of a shot from the rest, so clips at fault all along say nothing of
    it. Undegraded clips of full length count as clean, and those with another fault all through.
    `least` is the least that is worth telling, where a measure is 0 for most clips.
    """

    measure: str
    above: bool
    in_shot: bool = False
    least: float | None = None

    @property
    def sign(self) -> float:
        """What makes bad values the high ones."""
        return 1.0 if self.above else -1.0


#: What is measured of each fitted attribute.
FITTED = {
    "blur": (Gauge("blur", True), Gauge("blur_in_shot", True, in_shot=True)),
    "noise": (Gauge("noise", True),),
    "blocking": (Gauge("blockiness", True),),
    "banding": (Gauge("banding", True),),
    "underexposure": (Gauge("luma", False),),
    "overexposure": (Gauge("luma", True),),
    "low_contrast": (Gauge("contrast", False),),
    "undersaturation": (
        Gauge("saturation", False),
        Gauge("saturation_in_shot", False, in_shot=True),
    ),
    "oversaturation": (
        Gauge("saturation", True),
        Gauge("saturation_in_shot", True, in_shot=True),
    ),
    "flicker": (Gauge("flicker", True),),
    "camera_shake": (Gauge("shake", True),),
    "stutter": (Gauge("stutter", True),),
    "exposure_drift": (Gauge("exposure_drift", True, least=0.1),),
}

#: Attributes for which undegraded clips of full length count as clean, but for those judged to be
#: at fault, and no more short ones than those: they have few chances. In the others clips as they
#: came may truly be at fault (dark, soft, hand-held), and lossless copies of shrunk originals
#: count, and clips with another fault.
LONG_CLEAN = frozenset({"flicker", "stutter", "exposure_drift"})

#: Attributes that no degradation makes; their thresholds are set by hand.
CONVENTION: dict[str, dict[str, Any]] = {
    "interlacing": {"measure": "combing", "slight": 10.0, "noticeable": 25.0, "severe": 50.0},
    "black": {"measure": "black", "slight": 50.0, "noticeable": 90.0, "severe": None},
    "letterbox": {"measure": "letterbox", "slight": 3.0, "noticeable": None, "severe": None},
}

#: Most clean clips that may pass for slight, noticeable and severe.
FALSE_LIMITS = (0.10, 0.02, 0.01)
#: Fewest clips of a degree that a threshold is fitted to.
LEAST_CLIPS = 4

#: Cells in a row that speak for a clean clip: 2 s.
RUN_CELLS = 4

TABLE = Path(__file__).parents[1] / "vqa2cli" / "report" / "tables" / "thresholds.json"


def value_of(
    clip: Labelled, measures: SignalMeasures, name: str, above: bool, whole: bool = False
) -> float:
    """Return what a finding would go by: the bad quarter of the degraded cells; NaN for none.

    Of a clean clip, and with `whole` of any, it is the worst `RUN_CELLS` in a row, since a long one
    has many chances.
    """
    values = measures.of(name)
    if clip.kind is None or whole:
        return _worst_run(values, above)
    end_s = measures.end_s if clip.end_s is None else clip.end_s
    first = int(np.ceil(clip.start_s / STEP_S - 1e-6))
    inside = values[first : max(int(end_s / STEP_S + 1e-6), first + 1)]
    known = inside[np.isfinite(inside)]
    return float(np.quantile(known, 0.75 if above else 0.25)) if known.size else float("nan")


def _worst_run(values: np.ndarray, above: bool) -> float:
    share, worst = (0.75, max) if above else (0.25, min)
    starts = range(max(len(values) - RUN_CELLS, 0) + 1)
    runs = [values[first : first + RUN_CELLS] for first in starts]
    found = [float(np.quantile(run, share)) for run in runs if np.isfinite(run).all()]
    return worst(found) if found else float("nan")


def fit(
    positive: np.ndarray, milder: np.ndarray, clean: Sequence[np.ndarray], limit: float
) -> float | None:
    """Return the threshold (bad is high) that tells `positive` best from the rest.

    Args:
        clean: clips clean of the fault, by what they are.
        limit: largest share of each of `clean` at or above it.

    Returns:
        None where no threshold tells them apart at all.
    """
    rest = [each for each in (milder, np.concatenate(clean)) if each.size]
    if not rest:
        return None
    best, found = 0.0, None
    for candidate in np.unique(positive):
        if any((each >= candidate).mean() > limit for each in clean if each.size):
            continue
        passed = max(float((each >= candidate).mean()) for each in rest)
        gain = float((positive >= candidate).mean()) - passed
        if gain > best:
            best, found = gain, float(candidate)
    if found is None:
        return None
    negative = np.concatenate(rest)
    below = negative[negative < found]
    return (found + float(below.max())) / 2 if below.size else found


def thresholds(
    attribute: str, gauge: Gauge, clips: Iterable[tuple[Labelled, SignalMeasures]]
) -> dict | None:
    """Return the row of a measure of one attribute; None where there is nothing to fit it to."""
    by_degree, clean = _values(attribute, gauge, clips)
    row: dict = {"measure": gauge.measure, "above": gauge.above}
    last = -np.inf if gauge.least is None else gauge.sign * gauge.least
    for degree, name in enumerate(("slight", "noticeable", "severe"), start=1):
        bad = np.array([v for d, values in by_degree.items() if d >= degree for v in values])
        mild = np.array([v for d, values in by_degree.items() if d < degree for v in values])
        told = None
        if len(bad) >= LEAST_CLIPS:
            told = fit(bad, mild, clean, FALSE_LIMITS[degree - 1])
        if told is not None:
            last = max(told, last)
            told = round(gauge.sign * last, 4)
        row[name] = told
    if row["slight"] is None:
        row["slight"] = row["noticeable"] if row["noticeable"] is not None else row["severe"]
    if row["slight"] is None:
        return None
    row |= {
        "basis": "fitted",
        "clips": sum(map(len, by_degree.values())),
        "clean_clips": sum(map(len, clean)),
    }
    return row


def _values(
    attribute: str, gauge: Gauge, clips: Iterable[tuple[Labelled, SignalMeasures]]
) -> tuple[dict[int, list[float]], list[np.ndarray]]:
    """Return the values of degraded clips by degree and of groups clean of the fault, bad high."""
    by_degree: dict[int, list[float]] = defaultdict(list)
    short: list[float] = []
    long: list[float] = []
    for clip, measures in clips:
        own = clip.kind is not None and clip.attribute == attribute
        if gauge.in_shot and own and clip.end_s is None:
            continue
        whole = gauge.in_shot and not own
        value = gauge.sign * value_of(clip, measures, gauge.measure, gauge.above, whole)
        if not np.isfinite(value):
            continue
        if own:
            by_degree[clip.degree].append(value)
        elif (clip.content, attribute) in at_fault():
            continue
        elif clip.undegraded:
            long.append(value)
        elif clip.kind is None or _clean_of(attribute, clip.kind):
            short.append(value)
    if gauge.in_shot:
        return by_degree, [np.array(long), np.array(short)]
    if attribute in LONG_CLEAN:
        return by_degree, [np.array(long + short[: len(long)])]
    return by_degree, [np.array(short)]


def _clean_of(attribute: str, kind: str) -> bool:
    """Whether clips of another kind of fault speak for how others should measure."""
    return attribute not in LONG_CLEAN and attribute not in KIN.get(kind, ())


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=EITHER)
@click.option(
    "--clean",
    type=FOLDER,
    help="Undegraded clips with a manifest; they count as clean for what needs length.",
)
@click.option("--out", type=click.Path(path_type=Path), default=TABLE, show_default=True)
@click.option(
    "--clips-per-kind",
    type=int,
    default=60,
    show_default=True,
    help="At most so many of each kind at fault all along, and as many over a part.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="MEASURE",
    type=click.Choice(sorted({each.measure for row in FITTED.values() for each in row})),
    help="Fit the rows of this measure alone, others as they ship; may be given again.",
)
def main(
    folders: tuple[Path, ...],
    clean: Path | None,
    out: Path,
    clips_per_kind: int,
    only: tuple[str, ...],
) -> None:
    """Fit and write the table."""
    taken: dict[tuple[str | None, bool], int] = defaultdict(int)
    measured = []
    for folder in folders:
        for clip in sorted(labelled_clips(folder, "train"), key=lambda c: _shuffled(c.path)):
            sort = (clip.kind, clip.end_s is None)  # those at fault all along, and over a part
            if clip.kind is not None and taken[sort] >= clips_per_kind:
                continue
            measures = measures_of(clip.path)
            if measures is not None:
                taken[sort] += 1
                measured.append((clip, measures))
    for clip in clean_clips(clean, "train") if clean else ():
        measures = measures_of(clip.path)
        if measures is not None:
            measured.append((clip, measures))
    rows = _rows(measured, only)
    rows |= {
        attribute: [{**row, "above": True, "basis": "convention"}]
        for attribute, row in CONVENTION.items()
    }
    table = {
        "made_by": "python -m train.diagnostics_calibration CORPUS DEGRADED --clean CLIPS",
        "split": "train",
        "false_limits": FALSE_LIMITS,
        "attributes": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _rows(
    measured: Sequence[tuple[Labelled, SignalMeasures]], only: Sequence[str]
) -> dict[str, list[dict]]:
    """Return the rows of each attribute; with `only`, those of other measures as they ship."""
    shipped = json.loads(TABLE.read_text(encoding="utf-8"))["attributes"] if only else {}
    rows: dict[str, list[dict]] = {}
    for attribute, gauges in FITTED.items():
        for gauge in gauges:
            if only and gauge.measure not in only:
                found = [
                    row for row in shipped.get(attribute, ()) if row["measure"] == gauge.measure
                ]
            else:
                row = thresholds(attribute, gauge, measured)
                click.echo(f"{attribute}: {row}", err=True)
                found = [] if row is None else [row]
            if found:
                rows.setdefault(attribute, []).extend(found)
    return rows


def _shuffled(path: Path) -> int:
    """Return an order that mixes contents and is the same on every machine."""
    from zlib import crc32

    return crc32(path.name.encode())


if __name__ == "__main__":
    main()
