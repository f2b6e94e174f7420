"""Whole reports: files good and bad, ladders healthy and not, and names that attack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.ladder.rungs import HEALTHY, failed_rung, ladder, rung, with_rung
from tests.report.assessments import failed, scored
from vqa2cli.assessment import Gate
from vqa2cli.config import SCHEMA_VERSION, VERSION
from vqa2cli.ladder.judge import verdict_on
from vqa2cli.ladder.measured import Ladder
from vqa2cli.ladder.record import report_of
from vqa2cli.report.rows import record_of

#: Names that a page, a feed or a terminal must show as text.
NAMES = (
    "<script>alert(1)</script>.mp4", '"><img src=x onerror=alert(1)>.mp4', "a'b\"c&amp;d.mp4",
    "{{ 7 * 7 }}{% raw %}.mp4", "emoji 🎬🏳️‍🌈.mp4", "שלום עולם.mp4", "a\u202egpj.mp4",
    "]]>--&gt;.mp4", "esc\x1b[31m\x00\ufffe.mp4", "$x^2$ \\frac{1}{2}.mp4", "a%0A::error::b.mp4",
    b"bad\xff.mp4".decode("utf-8", "surrogateescape"), "very " * 60 + "long.mp4",
)  # fmt: skip

FAILED_GATE = Gate("score.value >= 60", 50.0, False)
LACKING_GATE = Gate("stalling.stall_ratio <= 1", None, False, "stalling.stall_ratio has no value")


def score_report(*names: str) -> dict[str, Any]:
    """Return a report of `vqa2 score`: a good file, one whose gates fail, a failed one, `names`."""
    rows = [
        scored(),
        replace(scored("r/gates.mp4"), gates=(FAILED_GATE, LACKING_GATE)),
        failed(),
        *(scored(name) for name in names),
    ]
    records = [record_of(row) for row in rows]
    return {"schema_version": SCHEMA_VERSION, "version": VERSION, "results": records}


def ladder_report() -> dict[str, Any]:
    """Return a report of three ladders: healthy, with faults, and with a rung that failed."""
    faulty = with_rung(4, score=45.0, stalls=[(2.0, 3.0)], declared={"height": 700, "width": 1200})
    broken = ladder([*(rung(*told) for told in HEALTHY[:3]), failed_rung(720)])
    made = [ladder(), replace(faulty, title="faulty"), replace(broken, title="broken")]
    return report_of([_renamed(one) for one in made])


def hostile_ladder_report() -> dict[str, Any]:
    """Return a report of a ladder whose title, rungs and files have hostile names."""
    rungs = []
    for name, told in zip(NAMES, [*HEALTHY, *HEALTHY], strict=False):
        made, row = rung(*told)
        rungs.append((replace(made, name=name), replace(row, file=f"{told[0]}/{name}")))
    made = ladder(rungs)
    return report_of([verdict_on(replace(made, title=NAMES[0]), {})])


def _renamed(made: Ladder) -> Any:
    """Return the verdict on a ladder, its files named after its title."""
    rungs = tuple(
        replace(one, row=replace(one.row, file=f"{made.title}/{one.name}")) for one in made.rungs
    )
    unscored = tuple(
        (name, replace(row, file=f"{made.title}/{name}")) for name, row in made.unscored
    )
    return verdict_on(replace(made, rungs=rungs, unscored=unscored), {})
