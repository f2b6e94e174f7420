"""What commands say besides their results: lines and a progress bar on stderr."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from vqa2cli.report.plain_text import met, short_line

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment


class Messenger:
    """Says one line at a time on stderr, over the progress bar if there is one."""

    def __init__(self, verbose: int, quiet: bool) -> None:
        self.verbose, self.quiet = verbose, quiet
        self._bar: Any = None
        _set_up_logging(verbose)

    def error(self, line: str) -> None:
        """Say what went wrong; never left out."""
        self._say(line)

    def note(self, line: str) -> None:
        """Say what is worth knowing, unless quiet."""
        if not self.quiet:
            self._say(line)

    def detail(self, line: str) -> None:
        """Say what only a verbose run tells."""
        if self.verbose and not self.quiet:
            self._say(line)

    def following(
        self, rows: Iterable[Assessment], total: int | None, *, on_terminal: bool
    ) -> Iterator[Assessment]:
        """Yield `rows`; tell of each, once it is written, and of the progress.

        `on_terminal` says that results themselves are appearing on the terminal row by row,
        where a bar would get in their way.
        """
        if self.quiet or on_terminal or not sys.stderr.isatty():
            for row in rows:
                yield row
                self._tell(row)
            return
        from tqdm import tqdm

        with tqdm(total=total, unit="file", file=sys.stderr, leave=False) as self._bar:
            for row in rows:
                yield row
                self._tell(row)
                self._bar.update()
        self._bar = None

    def _tell(self, row: Assessment) -> None:
        if row.error is not None:
            self.error(f"{row.file}: {row.error.message}")
        for line in failed_gates(row):
            self.error(line)
        for warning in row.warnings:
            self.detail(f"{row.file}: {warning}")
        if row.timing is not None:
            t = row.timing
            self.detail(
                f"{row.file}: {t.total_s:.2f} s (decode {t.decode_s:.2f}, motion {t.motion_s:.2f}, "
                f"vision {t.vision_s:.2f}, language model {t.llm_s:.2f})"
            )

    def _say(self, line: str) -> None:
        safe = short_line(f"vqa2: {line}")
        if self._bar is None:
            click.echo(safe, err=True)
        else:
            self._bar.write(safe, file=sys.stderr)


def failed_gates(row: Assessment) -> list[str]:
    """Return a line for each gate that a scored file failed; an unscored one says enough."""
    if row.error is not None:
        return []
    return [
        f"{row.file}: gate failed: {gate.rule} ({met(gate.value, gate.reason)})"
        for gate in row.gates
        if not gate.passed
    ]


class _StderrHandler(logging.Handler):
    """Writes records to whatever stderr is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with its traceback if it carries one."""
        click.echo(self.format(record), err=True)


def _set_up_logging(verbose: int) -> None:
    """Send our own log to stderr, and keep libraries' warnings for verbose runs."""
    root = logging.getLogger()
    if not any(isinstance(handler, _StderrHandler) for handler in root.handlers):
        root.addHandler(_StderrHandler())
        root.setLevel(logging.ERROR)
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    for package in ("vqa2cli", "engines"):
        logging.getLogger(package).setLevel(levels[min(verbose, 2)])
    if not verbose:
        warnings.simplefilter("ignore")
