"""Where a command's report goes, in which format, and how rows get there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vqa2cli.errors import MissingError, UsageError
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
    ".xml": "junit", ".prom": "prometheus", ".html": "html", ".htm": "html", ".md": "md",
}  # fmt: skip


def format_of(chosen: str | None, output: Path | None, known: Sequence[str], default: str) -> str:
    """Return the format chosen, else the one the suffix of `output` means, else the default.

    A `.txt` file takes the default: what the command shows on a terminal.

    Raises:
        UsageError: `output` has a suffix that means none of the `known` formats.
    """
    if chosen is not None or output is None:
        return chosen or default
    suffix = output.suffix.lower()
    meant = default if suffix == ".txt" else SUFFIXES.get(suffix)
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


@dataclass(frozen=True)
class Outputs:
    """Where the reports of a run go: `output` (stdout if None) as `chosen`, and more files."""

    chosen: str
    output: Path | None
    others: tuple[tuple[str, Path], ...]

    @classmethod
    def of(
        cls,
        chosen: str | None,
        output: Path | None,
        others: Sequence[Path],
        known: Sequence[str],
    ) -> Outputs:
        """Return the outputs as the options name them.

        Raises:
            UsageError: a suffix means none of the `known` formats.
        """
        named = tuple((format_of(None, other, known, "table"), other) for other in others)
        return cls(format_of(chosen, output, known, "table"), output, named)

    @property
    def formats(self) -> tuple[str, ...]:
        """Every format that is written."""
        return (self.chosen, *(name for name, _ in self.others))

    @property
    def grows_on_terminal(self) -> bool:
        """Whether results appear on the terminal as they come, where a bar would be in the way."""
        return self.chosen != "table" and self.output is None and sys.stdout.isatty()

    @contextmanager
    def open(self) -> Iterator[list[tuple[str, TextSink]]]:
        """Give each format with its stream; files appear when the block ends.

        Raises:
            UsageError: a file cannot be written.
        """
        with ExitStack() as stack:
            first = (self.chosen, stack.enter_context(open_output(self.output)))
            rest = [(name, stack.enter_context(open_output(path))) for name, path in self.others]
            yield [first, *rest]


def check_installed(formats: Sequence[str], *, against: bool) -> None:
    """Make sure, before hours of work, that what the reports need is installed.

    Raises:
        MissingError: it is not; the message says how to get it.
    """
    for wanted, package, what in (
        ("html" in formats, "matplotlib", "the HTML report"),
        (against, "bjontegaard", "--against"),
    ):
        if wanted and find_spec(package) is None:
            raise MissingError(f"{what} needs {package}: pip install 'vqa2[report]'")


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
