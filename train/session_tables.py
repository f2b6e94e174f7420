"""Streaming sessions that people rated, read from a table and the chunks beside it.

SESSIONS.csv has a row a session: `dataset`, `session`, `content`, `media_dur_s`, `mos`, and
`mos100` where the scale is absolute; `stall_events`, JSON [[media_pos_s, dur_s], ...], position 0
being the initial buffering, or else `init_buffer_s`, `n_stalls` and `stall_total_s`; `vmaf` of the
whole where there are no chunks. CHUNKS.json holds {session: {"columns": [...], "rows": [...]}},
a row a chunk or a second. Its `rebuffering_duration` passes *before* its chunk, in the first row
as initial buffering; it is taken where the table tells of no stalls at all.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.files import read_text
from train.session_quality import Chunks, Source, windows_of
from vqa2cli.errors import UsageError
from vqa2cli.pooling import spread
from vqa2cli.session import Pause, Window
from vqa2cli.video.stalling import StallKind

#: Columns that no table may lack.
_NEEDED = ("session", "media_dur_s", "mos")

#: Scale of `mos100`, and of a `mos` that runs from 0 to 100.
FULL_SCALE = "0-100"


@dataclass(frozen=True)
class RatedSession:
    """One session: its windows and pauses on the media clock, and people's mean opinion.

    `scale` names the unit of `label`; `source` says what the windows' scores rest on.
    """

    name: str
    dataset: str
    content: str
    label: float
    scale: str
    duration_s: float
    windows: tuple[Window, ...]
    pauses: tuple[Pause, ...]
    source: Source

    @property
    def stalled_s(self) -> float:
        """Seconds of stalls, initial buffering left out."""
        return sum(p.duration_s for p in self.pauses if p.kind != "initial_buffering")

    @property
    def initial_s(self) -> float:
        """Seconds of initial buffering."""
        return sum(p.duration_s for p in self.pauses if p.kind == "initial_buffering")

    @property
    def mean_quality(self) -> float:
        """Mean score of the windows, weighted by their seconds."""
        spans = [window.end_s - window.start_s for window in self.windows]
        return spread([window.score for window in self.windows], spans).mean


@dataclass(frozen=True)
class LeftOut:
    """A row that cannot be used, by its line in the table (the header is line 1)."""

    line: int
    session: str
    reason: str


def read_sessions(table: Path, chunks: Path | None) -> tuple[list[RatedSession], list[LeftOut]]:
    """Return the rated sessions of a table, in order, and the rows left out.

    Raises:
        UsageError: a file cannot be read, a column is missing, or no row can be used.
    """
    lines = csv.DictReader(io.StringIO(read_text(table), newline=""))
    if lacking := [name for name in _NEEDED if name not in (lines.fieldnames or ())]:
        raise UsageError(f"{table}: no column {', '.join(lacking)}; it needs {', '.join(_NEEDED)}")
    details = _read_chunks(chunks)
    found: list[RatedSession] = []
    left_out: list[LeftOut] = []
    for row in lines:
        try:
            found.append(_session(row, details.get(row["session"]), table.stem))
        except ValueError as error:
            left_out.append(LeftOut(lines.line_num, row["session"] or "", str(error)))
    if not found:
        first = f"; line {left_out[0].line}: {left_out[0].reason}" if left_out else ""
        raise UsageError(f"{table}: no session that can be used{first}")
    return found, left_out


def _read_chunks(path: Path | None) -> dict[str, Chunks]:
    if path is None:
        return {}
    try:
        told = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}: not JSON ({error})") from error
    if not isinstance(told, dict) or not all(map(_is_chunks, told.values())):
        raise UsageError(f'{path}: not {{session: {{"columns": [...], "rows": [[...], ...]}}}}')
    return told


def _is_chunks(told: Any) -> bool:
    return isinstance(told, dict) and all(
        isinstance(told.get(k), list) for k in ("columns", "rows")
    )


def _session(row: Mapping[str, str], chunks: Chunks | None, table: str) -> RatedSession:
    """Return the session of a row.

    Raises:
        ValueError: a field is malformed; the message says which.
    """
    duration_s = _number(row, "media_dur_s")
    if duration_s <= 0:
        raise ValueError(f"media_dur_s is {duration_s:g}; it must be over 0")
    full = bool(row.get("mos100"))
    used = chunks if chunks and chunks["rows"] else None
    try:
        windows, source = windows_of(used, row, duration_s)
    except (TypeError, IndexError) as error:
        raise ValueError(f"its chunks are malformed ({error})") from error
    return RatedSession(
        name=row["session"],
        dataset=row.get("dataset") or table,
        content=row.get("content") or row["session"],
        label=_number(row, "mos100" if full else "mos"),
        scale=FULL_SCALE if full else row.get("scale") or "unknown",
        duration_s=windows[-1].end_s,
        windows=tuple(windows),
        pauses=tuple(_pauses(row, used, windows[-1].end_s)),
        source=source,
    )


def _pauses(row: Mapping[str, str], chunks: Chunks | None, duration_s: float) -> list[Pause]:
    """Return what the row, or else its chunks, tell of stalls."""
    if row.get("stall_events"):
        return _told_events(row, duration_s)
    if row.get("n_stalls") or row.get("stall_total_s"):
        return _spread(row, duration_s)
    if chunks and "rebuffering_duration" in chunks["columns"]:
        return _before_chunks(chunks, duration_s)
    return _initial(row)


def _told_events(row: Mapping[str, str], duration_s: float) -> list[Pause]:
    try:
        events = [(float(at), float(length)) for at, length in json.loads(row["stall_events"])]
    except (json.JSONDecodeError, TypeError, ValueError) as error:
        told = row["stall_events"]
        raise ValueError(f"stall_events is not [[position, seconds], ...]: {told:.60}") from error
    if bad := [event for event in events if not all(0 <= x < math.inf for x in event)]:
        raise ValueError(f"stall_events holds {list(bad[0])}; position and length are from 0 on")
    pauses = [_pause(at, length, duration_s) for at, length in events if length > 0]
    # Some tables leave the initial buffering to its own column.
    return pauses if any(at == 0 for at, _ in events) else [*_initial(row), *pauses]


def _pause(at_s: float, length_s: float, duration_s: float) -> Pause:
    kind: StallKind = "initial_buffering" if at_s == 0 else "rebuffer"
    return Pause(min(at_s, duration_s), length_s, kind)


def _spread(row: Mapping[str, str], duration_s: float) -> list[Pause]:
    """Return stalls of which only number and sum are told: equal ones, evenly spread."""
    count, total_s = int(_number(row, "n_stalls")), _number(row, "stall_total_s")
    if count < 0 or total_s < 0 or (total_s > 0 and count == 0):
        raise ValueError(f"n_stalls is {count} and stall_total_s {total_s:g}")
    places = [duration_s * (k + 1) / (count + 1) for k in range(count)]
    return [*_initial(row), *(Pause(at, total_s / count) for at in places)]


def _before_chunks(chunks: Chunks, duration_s: float) -> list[Pause]:
    names, pauses, at_s = list(chunks["columns"]), [], 0.0
    for line in chunks["rows"]:
        row = dict(zip(names, line, strict=False))
        if row["rebuffering_duration"]:
            pauses.append(_pause(at_s, float(row["rebuffering_duration"]), duration_s))
        at_s += float(row.get("chunk_duration", duration_s / len(chunks["rows"])))
    return pauses


def _initial(row: Mapping[str, str]) -> list[Pause]:
    seconds = _number(row, "init_buffer_s") if row.get("init_buffer_s") else 0.0
    return [Pause(0.0, seconds, "initial_buffering")] if seconds > 0 else []


def _number(row: Mapping[str, str], column: str) -> float:
    told = (row.get(column) or "").strip()
    try:
        value = float(told)
    except ValueError:
        raise ValueError(f"{column} is {told!r}; it must be a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{column} is {told}; it must be finite")
    return value
