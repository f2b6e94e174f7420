"""The table people read: one line a file, safe whatever the names hold."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import one_line
from vqa2cli.report.rows import Record

#: Columns a table may take where no terminal limits it, so that no cell is cut.
_UNLIMITED = 100_000

#: Columns of a file's name that notes do not take from it.
_FILE_WIDTH = 48

_COLOURS = {"high": "green", "good": "green", "fair": "yellow", "poor": "red", "low": "red"}


class TableWriter:
    """Gathers records and draws the table when closed."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._records: list[Record] = []

    def write(self, record: Record) -> None:
        """Keep one record for the table."""
        self._records.append(record)

    def close(self) -> None:
        """Draw the table; without records nothing is drawn."""
        if self._records:
            show(table_of(self._records), self._stream)


def show(table: Table, stream: TextSink) -> None:
    """Draw `table`: in colour and to fit on a terminal, elsewhere plain and as wide as it is.

    Nothing in it is taken for markup, an emoji code or something to highlight.
    """
    is_terminal = bool(getattr(stream, "isatty", lambda: False)())
    if is_terminal:
        _console(stream, None).print(table)
        return
    drawn = io.StringIO()
    _console(drawn, _UNLIMITED).print(table)
    lines = drawn.getvalue().strip("\n").splitlines()
    stream.write("".join(f"{line.rstrip()}\n" for line in lines if line.strip()))
    stream.flush()


def _console(stream: TextSink, width: int | None) -> Console:
    return Console(
        file=stream,  # type: ignore[arg-type]  # rich writes and flushes, no more
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=width is None,
        width=width,
    )


def table_of(records: list[Record]) -> Table:
    """Return the table of score records, a row each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    longest = max(len(one_line(record["file"])) for record in records)
    table.add_column("file", overflow="fold", min_width=min(longest, _FILE_WIDTH))
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("worst window", no_wrap=True)
    table.add_column("stalls", no_wrap=True)
    table.add_column("notes")
    for record in records:
        table.add_row(*_cells(record))
    return table


def _cells(record: Record) -> tuple[Text, ...]:
    score = record["score"]
    level = score["level"] if score else ""
    return (
        Text(one_line(record["file"])),
        Text(f"{score['value']:.1f}" if score else "-"),
        Text(level, style=_COLOURS.get(level, "")),
        Text(_worst(record)),
        Text(_stalls(record)),
        # Cut where the terminal ends; other formats and stderr have it whole.
        Text(one_line(_notes(record)), "" if score else "red", no_wrap=True, overflow="ellipsis"),
    )


def _worst(record: Record) -> str:
    segments = record["segments"]
    if len(segments) < 2:
        return ""
    worst = min(segments, key=lambda segment: float(segment["score"]))
    return f"{worst['score']:.1f} at {worst['start']:.1f}-{worst['end']:.1f} s"


def _stalls(record: Record) -> str:
    stalling = record["stalling"]
    if stalling is None:
        return ""
    total = stalling["rebuffer_duration_sec"] + stalling["initial_buffering_sec"]
    count = stalling["rebuffer_number"] + (stalling["initial_buffering_sec"] > 0)
    session = record["session"]
    cost = f", -{session['stall_cost']:.1f}" if session else ""
    return f"{count} ({total:.1f} s{cost})" if count else "none"


def _notes(record: Record) -> str:
    error = record["error"]
    parts = [f"{error['kind']}: {error['message']}"] if error else []
    return "; ".join([*parts, *record["warnings"]])
