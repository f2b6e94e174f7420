"""How right the findings are on clips whose degradation is known and that set no threshold.

    python -m train.diagnostics_evaluation DEGRADED... [--clean CLIPS] [--split val] [--model NAME]

DEGRADED are folders of `vqa2 data degrade` or corpora; CLIPS a folder of undegraded clips with a
manifest. Prints Markdown: a row an attribute, then what is found on undegraded clips. With a model,
what it sees counts beside what is measured.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from train.diagnostics_calibration import FITTED
from train.diagnostics_data import (
    KIN,
    Labelled,
    clean_clips,
    labelled_clips,
    measures_of,
    names_of,
)
from train.option_types import EITHER, FOLDER
from vqa2cli import load_model, score
from vqa2cli.assessment import Finding
from vqa2cli.levels import DEGREES
from vqa2cli.report.findings import overlaps, signal_findings

#: What tells the findings of a file and its length in seconds, None of one that is not read.
Find = Callable[[Path], tuple[tuple[Finding, ...], float] | None]

#: Degree from which a finding counts as a claim.
CLAIM = DEGREES.index("noticeable")


@dataclass
class Tally:
    """Counts of one attribute.

    `wanted` are clips labelled noticeable or worse, `found` those with a finding of any degree
    over the label's span, `claimed` those with one of at least noticeable; `right` and `wrong`
    are claims with and without a label under them.
    """

    wanted: int = 0
    found: int = 0
    claimed: int = 0
    right: int = 0
    wrong: int = 0
    near: list[bool] = field(default_factory=list)
    overlap: list[float] = field(default_factory=list)


def evaluate(clips: Sequence[tuple[Labelled, Sequence[Finding], float]]) -> dict[str, Tally]:
    """Return the counts of each attribute.

    Args:
        clips: label, findings and length in seconds of each clip.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    for label, findings, length_s in clips:
        end_s = length_s if label.end_s is None else label.end_s
        names = names_of(label)
        named = [finding for finding in findings if finding.attribute in names]
        if label.attribute is not None:
            _recall(tallies[label.attribute], label, named, end_s, length_s)
        for finding in findings:
            right = finding.attribute in names
            name = label.attribute if right and label.attribute else finding.attribute
            _precision(tallies[name], label, finding, right, end_s)
    return tallies


def _recall(
    tally: Tally, label: Labelled, named: Sequence[Finding], end_s: float, length_s: float
) -> None:
    mine = [f for f in named if overlaps(f, label.start_s, end_s)]
    if label.degree >= CLAIM:
        tally.wanted += 1
        tally.found += bool(mine)
        tally.claimed += any(DEGREES.index(f.degree) >= CLAIM for f in mine)
    if mine:
        best = max(mine, key=lambda f: iou(f, label.start_s, end_s, length_s))
        tally.near.append(abs(DEGREES.index(best.degree) - label.degree) <= 1)
        tally.overlap.append(iou(best, label.start_s, end_s, length_s))


def _precision(tally: Tally, label: Labelled, finding: Finding, right: bool, end_s: float) -> None:
    if DEGREES.index(finding.degree) < CLAIM:
        return
    inside = overlaps(finding, label.start_s, end_s)
    if right:
        tally.right += inside
        tally.wrong += not inside
    elif not (inside and finding.attribute in KIN.get(label.kind or "", ())):
        tally.wrong += 1


def iou(finding: Finding, start_s: float, end_s: float, length_s: float) -> float:
    """Return the intersection over union of a finding's span and another."""
    first = 0.0 if finding.start is None else finding.start
    last = length_s if finding.end is None else finding.end
    union = max(last, end_s) - min(first, start_s)
    return max(min(last, end_s) - max(first, start_s), 0.0) / union if union > 0 else 0.0


def table(tallies: dict[str, Tally]) -> list[str]:
    """Return the Markdown table of the counts, and a row of all."""
    lines = [
        "| attribute | labelled | found at all | found as noticeable or worse | precision | "
        "degree within one | span IoU |",
        "|---|---|---|---|---|---|---|",
    ]
    whole = Tally()
    for name in (*FITTED, *sorted(tallies.keys() - FITTED)):
        tally = tallies.get(name, Tally())
        if name in FITTED or tally.right + tally.wrong:
            lines.append(_line(name, tally))
        for part in ("wanted", "found", "claimed", "right", "wrong"):
            setattr(whole, part, getattr(whole, part) + getattr(tally, part))
        whole.near += tally.near
        whole.overlap += tally.overlap
    return [*lines, _line("**all**", whole)]


def _line(name: str, tally: Tally) -> str:
    claims = tally.right + tally.wrong
    near = np.mean(tally.near) if tally.near else float("nan")
    overlap = np.mean(tally.overlap) if tally.overlap else float("nan")
    cells = (
        share(tally.found, tally.wanted),
        share(tally.claimed, tally.wanted),
        share(tally.right, claims),
        "–" if np.isnan(near) else f"{near:.2f}",
        "–" if np.isnan(overlap) else f"{overlap:.2f}",
    )
    return f"| {name} | {tally.wanted} | {' | '.join(cells)} |"


def share(part: int, whole: int, digits: int = 2) -> str:
    """Return a share with its counts."""
    return f"{part / whole:.{digits}f} ({part}/{whole})" if whole else "–"


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=EITHER)
@click.option("--clean", type=FOLDER)
@click.option("--split", default="val", show_default=True)
@click.option("--model", help="Name, directory or hub id of a model whose findings count too.")
def main(folders: tuple[Path, ...], clean: Path | None, split: str, model: str | None) -> None:
    """Measure and print."""
    find = finder(model)
    judged = []
    for folder in folders:
        for clip in labelled_clips(folder, split):
            found = find(clip.path) if clip.kind is not None else None
            if found is not None:
                judged.append((clip, *found))
    click.echo(f"{len(judged)} degraded clips of split {split}\n")
    click.echo("\n".join(table(evaluate(judged))))
    if clean is not None:
        click.echo("\n" + "\n".join(clean_lines(clean, split, find)))


def finder(model: str | None) -> Find:
    """Return what tells of the signal measures, and with a model of the distortions it sees."""
    if model is None:
        return _measured
    loaded = load_model(model)

    def seen(path: Path) -> tuple[tuple[Finding, ...], float] | None:
        row = score(path, loaded)
        if row.diagnostics is None or row.measures is None:
            return None
        told = tuple(f for f in row.diagnostics.findings if f.names_fault)
        return told, row.measures.end_s

    return seen


def _measured(path: Path) -> tuple[tuple[Finding, ...], float] | None:
    measures = measures_of(path)
    return None if measures is None else (signal_findings(measures), measures.end_s)


def clean_lines(folder: Path, split: str, find: Find) -> list[str]:
    """Return what `find` finds on undegraded clips as noticeable or worse, by clip."""
    counts: Counter[str] = Counter()
    lines, clips = [], 0
    for clip in clean_clips(folder, split):
        name, found = clip.content, find(clip.path)
        if found is None:
            continue
        clips += 1
        for f in found[0]:
            if DEGREES.index(f.degree) >= CLAIM:
                counts[f.attribute] += 1
                when = "all along" if f.start is None else f"{f.start:g}-{f.end:g} s"
                lines.append(f"- {name}: {f.attribute} {f.degree}, {when} ({f.value}, {f.source})")
    total = sum(counts.values())
    head = f"{total} findings of noticeable or worse on {clips} clips: {total / max(clips, 1):.2f}"
    return [f"{head} a clip", *lines]


if __name__ == "__main__":
    main()
