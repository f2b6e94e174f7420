"""Where the report of `vqa2 ladder` goes: one output and any number of files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vqa2cli.cli.reports import SUFFIXES, format_of, open_output
from vqa2cli.errors import MissingError
from vqa2cli.report.output import TextSink

if TYPE_CHECKING:
    from vqa2cli.ladder.record import Verdict

FORMATS: Final = ("table", "json", "csv", "junit", "prometheus", "github", "html")


def check_installed(chosen: str, others: Sequence[Path], *, against: bool) -> None:
    """Make sure, before hours of work, that what the reports need is installed.

    Raises:
        MissingError: it is not; the message says how to get it.
    """
    page = "html" in (chosen, *(SUFFIXES.get(other.suffix.lower()) for other in others))
    for wanted, package, what in (
        (page, "matplotlib", "the HTML report"),
        (against, "bjontegaard", "--against"),
    ):
        if wanted and find_spec(package) is None:
            raise MissingError(f"{what} needs {package}: pip install 'vqa2[report]'")


class LadderReports:
    """Takes verdicts; every report is written when closed, so also of a run that is stopped."""

    def __init__(self, outputs: Sequence[tuple[str, TextSink]]) -> None:
        self._outputs = outputs
        self.verdicts: list[Verdict] = []

    def close(self) -> None:
        """Write every report."""
        from vqa2cli.ladder.record import report_of

        report = report_of(self.verdicts)
        for chosen, stream in self._outputs:
            _write(chosen, report, stream)


def _write(chosen: str, report: dict[str, object], stream: TextSink) -> None:
    from vqa2cli.report import ladder_text
    from vqa2cli.report.rows import compact_json
    from vqa2cli.report.whole import WHOLE

    if chosen == "table":
        ladder_text.write_ladders(report, stream)
    elif chosen == "csv":
        ladder_text.write_rungs(report, stream)
    elif chosen == "json":
        stream.write(compact_json(report) + "\n")
    else:
        stream.write(WHOLE[chosen](report))
    stream.flush()


@contextmanager
def open_reports(
    chosen: str, output: Path | None, others: Sequence[Path]
) -> Iterator[LadderReports]:
    """Give the reports of a run: `chosen` on `output` or stdout, and a file for each of `others`.

    Raises:
        UsageError: a file cannot be written, or its suffix tells no format.
    """
    formats = [format_of(None, other, FORMATS, "table") for other in others]
    with ExitStack() as stack:
        streams = [stack.enter_context(open_output(path)) for path in (output, *others)]
        reports = LadderReports(list(zip([chosen, *formats], streams, strict=True)))
        # Closed before the files are, and after Ctrl-C too.
        stack.callback(reports.close)
        yield reports
