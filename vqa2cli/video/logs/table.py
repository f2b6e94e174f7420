"""Stalls from a CSV table: `start` and `duration`, with a `file` column for several clips."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.records import LoggedStall, StallLog, checked

#: Names a column may have, the first being ours.
_START = ("start", "start_s", "start_sec", "start_time")
_MEDIA_START = ("media_start", "media_start_s", "media_time")
_DURATION = ("duration", "duration_s", "duration_sec", "length")
_END = ("end", "end_s", "end_sec", "end_time")


def read_table(name: str, text: str) -> dict[str | None, StallLog]:
    """Return the log of each file that a table names, None for a table without `file`.

    `start` counts from the first frame of the clip, which holds the stalls; `media_start`
    counts what was played alone. A table without a header holds start and duration. The
    table that `vqa2 stalls --format csv` writes is read back: events that do not count,
    and files that failed, are left out.

    Raises:
        UsageError: a column is missing, a cell is no number, or the stalls are refused.
    """
    rows = _rows(text)
    if not rows:
        raise UsageError(f"{name}: the table is empty; give start,duration and a row per stall")
    header = [cell.strip().lower() for cell in rows[0][1]]
    if all(_is_number(cell) for cell in header):
        header, body = ["start", "duration"], rows
    else:
        body = rows[1:]
    columns = _Columns(name, header)
    stalls: dict[str | None, list[LoggedStall]] = {} if "file" in header else {None: []}
    for line, cells in body:
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if row.get("status") == "error":
            continue
        found = stalls.setdefault(row["file"] if "file" in header else None, [])
        found.extend(columns.stall(line, row))
    clock, recorded = ("session", True) if columns.session else ("media", None)
    empty = StallLog(name, "csv", clock, (), recorded)  # type: ignore[arg-type]
    return {file: checked(empty, found) for file, found in stalls.items()}


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return line number and cells of each line that holds any; `;` and tab part cells too."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


class _Columns:
    """Which columns of a table tell what."""

    def __init__(self, name: str, header: Sequence[str]) -> None:
        self._name = name
        start, media = _first(_START, header), _first(_MEDIA_START, header)
        self.session = start is not None
        self._start = start or media
        self._duration, self._end = _first(_DURATION, header), _first(_END, header)
        if self._start is None or not (self._duration or self._end):
            raise UsageError(
                f"{name}: columns {', '.join(header) or '(none)'}; a table of stalls needs "
                "start (or media_start) and duration"
            )

    def stall(self, line: int, row: dict[str, str]) -> Iterator[LoggedStall]:
        """Yield the stall of a row, nothing for a file without any and for other events."""
        assert self._start is not None
        if row.get("counted") == "0" or not row.get(self._start):
            return
        start_s = self._number(line, row, self._start)
        if self._duration and row.get(self._duration):
            duration_s = self._number(line, row, self._duration)
        elif self._end:
            duration_s = self._number(line, row, self._end) - start_s
        else:
            raise UsageError(f"{self._name}: line {line}: no {self._duration}")
        yield LoggedStall(start_s, duration_s, f"line {line}")

    def _number(self, line: int, row: dict[str, str], column: str) -> float:
        try:
            return float(row.get(column, ""))
        except ValueError as error:
            raise UsageError(
                f"{self._name}: line {line}: {column} is {row.get(column, '')!r}, no number"
            ) from error


def _first(names: Sequence[str], header: Sequence[str]) -> str | None:
    return next((name for name in names if name in header), None)
