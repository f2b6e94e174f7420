"""How well a model tells made distortions apart, how bad it finds them, and what it calls clean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.items import Item
from train.kadid import FOUND_AS
from train.peers import scikit_learn
from vqa2cli.assessment import Assessment
from vqa2cli.levels import DEGREES, degree_of
from vqa2cli.report.findings import model_findings

#: KADID level from which a distortion's name is asked for: weaker ones hardly show.
LEAST_LEVEL = 3


@dataclass(frozen=True)
class NameFigures:
    """How right one name is over `n` clips that deserve it."""

    name: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Recognition:
    """Figures of a model that names distortions.

    `names` are of clips distorted at `LEAST_LEVEL` and above, by the likeliest name, and
    `macro_f1` their mean. `degree_within_one` is the share of all `distorted` clips whose degree
    by the pictures' quality is at most one from that of the human mean. Of `clean` encodes, whose
    label says that nothing shows, `called` is the share with a distortion among the findings.
    """

    names: tuple[NameFigures, ...]
    macro_f1: float
    distorted: int
    degree_within_one: float
    clean: int
    called: float


def recognition(
    distorted: Sequence[Item],
    told: Sequence[Assessment],
    encodes: Sequence[Item],
    told_encodes: Sequence[Assessment],
) -> Recognition | None:
    """Return how right a model's distortions are; None where it names none or none was made.

    Args:
        distorted: clips with a made distortion, whose assessments are `told`.
        encodes: clips that are only encoded, whose assessments are `told_encodes`.

    Raises:
        MissingError: scikit-learn is not installed.
    """
    shown = [row.segments[0].distortion for row in told]
    known = [one for one in shown if one is not None]
    if not shown or None in shown:
        return None
    strong = [
        (FOUND_AS[item.distortion_type], one.name)
        for item, one in zip(distorted, known, strict=True)
        if item.distortion is not None and item.distortion[1] >= LEAST_LEVEL
    ]
    names = sorted({true for true, _ in strong})
    rows = scikit_learn().metrics.precision_recall_fscore_support(
        [true for true, _ in strong], [name for _, name in strong], labels=names, zero_division=0.0
    )
    figures = tuple(
        NameFigures(name, int(n), float(precision), float(recall), float(f1))
        for name, precision, recall, f1, n in zip(names, *rows, strict=True)
    )
    near = [
        abs(DEGREES.index(degree_of(one.quality)) - DEGREES.index(degree_of(item.label))) <= 1
        for item, one in zip(distorted, known, strict=True)
    ]
    clean = [
        row
        for item, row in zip(encodes, told_encodes, strict=True)
        if degree_of(item.label) == "none"
    ]
    called = sum(bool(named(row)) for row in clean)
    return Recognition(
        figures,
        sum(one.f1 for one in figures) / max(len(figures), 1),
        len(known),
        sum(near) / len(near),
        len(clean),
        called / max(len(clean), 1),
    )


def named(row: Assessment) -> list[str]:
    """Return the distortions among the model's findings of a clip."""
    return [one.attribute for one in model_findings(row.segments) if one.names_fault]
