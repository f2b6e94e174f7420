"""What `vqa2 ladder` writes once its titles are judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from vqa2cli.cli.worst_frames import WorstFrames
from vqa2cli.report.output import TextSink

if TYPE_CHECKING:
    from vqa2cli.ladder.record import Verdict

FORMATS: Final = ("table", "json", "csv", "junit", "prometheus", "github", "html")


class LadderReports:
    """Takes verdicts; every report is written when closed, so also of a run that is stopped."""

    def __init__(self, outputs: Sequence[tuple[str, TextSink]]) -> None:
        self._outputs = outputs
        self.frames_of = WorstFrames()
        self.verdicts: list[Verdict] = []

    def close(self) -> None:
        """Write every report."""
        from vqa2cli.ladder.record import report_of

        report = report_of(self.verdicts)
        for chosen, stream in self._outputs:
            self._write(chosen, report, stream)

    def _write(self, chosen: str, report: dict[str, Any], stream: TextSink) -> None:
        from vqa2cli.report import ladder_text
        from vqa2cli.report.rows import compact_json

        if chosen == "table":
            ladder_text.write_ladders(report, stream)
        elif chosen == "csv":
            ladder_text.write_rungs(report, stream)
        elif chosen == "json":
            stream.write(compact_json(report) + "\n")
        else:
            stream.write(self.frames_of.formats()[chosen](report))
        stream.flush()
