"""Where a command's report goes, in which format, and how rows get there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vqa2cli.errors import UsageError
from vqa2cli.report.output import TextSink, report_file

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment
    from vqa2cli.report.frames import FramesWriter
    from vqa2cli.report.writers import Writer

    Row = TypeVar("Row")
    MakeWriter = Callable[[TextSink], Writer[Row]]

#: Format of an output file by its suffix.
SUFFIXES = {
    ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv",
    ".xml": "junit", ".prom": "prometheus", ".html": "html",
}  # fmt: skip


def format_of(chosen: str | None, output: Path | None, known: Sequence[str], default: str) -> str:
    """Return the format chosen, else the one the suffix of `output` means, else the default.

    Raises:
        UsageError: `output` has a suffix that means none of the `known` formats.
    """
    if chosen is not None or output is None:
        return chosen or default
    meant = SUFFIXES.get(output.suffix.lower())
    if meant is None or meant not in known:
        raise UsageError(
            f"{output}: the suffix {output.suffix or '(none)'} tells no format; "
            f"add --format with one of {', '.join(known)}"
        )
    return meant


def open_output(output: Path | None) -> AbstractContextManager[TextSink]:
    """Give the stream of `output`, or stdout.

    Raises:
        UsageError: `output` cannot be written.
    """
    return nullcontext(sys.stdout) if output is None else report_file(output)


@contextmanager
def open_frames(path: Path | None) -> Iterator[FramesWriter | None]:
    """Give a writer of per-frame rows, or None where no file is asked for."""
    if path is None:
        yield None
        return
    from vqa2cli.report.frames import FramesWriter

    with report_file(path) as stream:
        yield FramesWriter(stream)


def write_rows(
    rows: Iterable[Assessment],
    record_of: Callable[[Assessment], Row],
    writer: Writer[Row],
    frames: FramesWriter | None,
) -> dict[str, bool]:
    """Write every row as it comes; return whether any was unscored, and any gate failed."""
    unscored = gate_failed = False
    for row in rows:
        writer.write(record_of(row))
        if frames is not None and row.frames is not None:
            frames.write(row.file, row.frames)
        unscored |= row.error is not None
        gate_failed |= any(not gate.passed for gate in row.gates)
    return {"unscored": unscored, "gate_failed": gate_failed}
