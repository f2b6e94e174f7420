"""The record of a ladder run: a report of `vqa2 score` with the ladders beside its results.

docs/ladder.md explains every key; a JSON Schema ships with the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from vqa2cli.config import SCHEMA_VERSION, VERSION
from vqa2cli.ladder.bd_rate import BdRate
from vqa2cli.ladder.curve import Advice, Point
from vqa2cli.ladder.findings import CheckResult
from vqa2cli.ladder.measured import Ladder
from vqa2cli.report.rows import Record, record_of, strict_record


@dataclass(frozen=True)
class Verdict:
    """A ladder and everything said of it."""

    ladder: Ladder
    results: tuple[CheckResult, ...]
    curve: tuple[Point, ...]
    advice: tuple[Advice, ...]
    bd_rate: BdRate | None = None

    @property
    def failed(self) -> bool:
        """Whether a check or a gate of a rung failed."""
        gates = [gate for row in self.ladder.rows for gate in row.gates]
        checks = any(result.status == "failed" for result in self.results)
        return checks or any(not gate.passed for gate in gates)

    @property
    def unscored(self) -> bool:
        """Whether a rung could not be scored."""
        return bool(self.ladder.unscored)


def ladder_record(verdict: Verdict) -> Record:
    """Return one ladder as strict JSON values; `results` of its rungs stand elsewhere."""
    ladder = verdict.ladder
    size = ladder.display
    points = {point.rung: point for point in verdict.curve}
    record: Record = {
        "title": ladder.title,
        "grouped_by": ladder.grouped_by,
        "display": f"{size[0]}x{size[1]}" if size else None,
        "status": _status(verdict),
        "rungs": [
            {
                "name": rung.name,
                "file": rung.row.file,
                "bit_rate": rung.bit_rate,
                "peak_bit_rate": rung.peak_bit_rate,
                "score": rung.score.value,
                "below_hull": points[rung.name].below_hull,
                "key_frames": list(rung.marks.keyframes_s) if rung.marks else None,
                "black": [list(span) for span in rung.marks.black_s] if rung.marks else None,
            }
            for rung in ladder.rungs
        ],
        "unscored": [
            {"name": name, "file": row.file, "message": row.error.message if row.error else
             "it has no bit rate or no length, so it is no rung"}
            for name, row in ladder.unscored
        ],
        "checks": [asdict(result) for result in verdict.results],
        "advice": [asdict(advice) for advice in verdict.advice],
        "bd_rate": asdict(verdict.bd_rate) if verdict.bd_rate else None,
    }  # fmt: skip
    return strict_record(record)


def report_of(verdicts: Sequence[Verdict]) -> Record:
    """Return the whole report: `results` as `vqa2 score` has them, and `ladders`."""
    rows = [row for verdict in verdicts for row in verdict.ladder.rows]
    return {
        "schema_version": SCHEMA_VERSION,
        "version": VERSION,
        "results": [record_of(row) for row in rows],
        "ladders": [ladder_record(verdict) for verdict in verdicts],
    }


def _status(verdict: Verdict) -> str:
    if verdict.unscored:
        return "incomplete"
    return "failed" if verdict.failed else "passed"
