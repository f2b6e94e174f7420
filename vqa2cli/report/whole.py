"""Formats that need the whole report: made when the last file is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vqa2cli.config import SCHEMA_VERSION, VERSION
from vqa2cli.report.output import TextSink
from vqa2cli.report.rows import Record


def junit(report: Record) -> str:
    """Return the report as JUnit XML."""
    from vqa2cli.report.junit import junit_xml

    return junit_xml(report)


def prometheus(report: Record) -> str:
    """Return the report in Prometheus' text format."""
    from vqa2cli.report.prometheus import prometheus_text

    return prometheus_text(report)


def github(report: Record) -> str:
    """Return the report as annotations of GitHub Actions."""
    from vqa2cli.report.github import github_annotations

    return github_annotations(report)


#: Formats by name, each loaded when it is used. A page, which shows pictures of the clips, is made
#: by `vqa2cli.cli.worst_frames`.
WHOLE: Final[dict[str, Callable[[Record], str]]] = {
    "junit": junit,
    "prometheus": prometheus,
    "github": github,
}


class WholeWriter:
    """Gathers records and writes one of `WHOLE` when closed."""

    def __init__(self, stream: TextSink, render: Callable[[Record], str]) -> None:
        self._stream, self._render = stream, render
        self._records: list[Record] = []

    def write(self, record: Record) -> None:
        """Keep one record for the report."""
        self._records.append(record)

    def close(self) -> None:
        """Write the report of the records so far."""
        report = {
            "schema_version": SCHEMA_VERSION,
            "version": VERSION,
            "results": self._records,
        }
        self._stream.write(self._render(report))
        self._stream.flush()
