"""Sessions of the Waterloo SQoE sets: `data.csv` and a log of chunks for each session.

`data.csv` has `streaming_log`, `mos`, `content` and `device`; each log has a row a chunk with
`chunk_duration` and `rebuffering_duration` (seconds), and `framerate` where known. Rebuffering
comes before its chunk; before the first, it is the initial buffering.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from train.data.rating_tables import csv_records, table_rows
from train.data.ratings import Row, StallTrace
from vqa2cli.errors import UsageError

#: No one was made to wait this long for one chunk, seconds; beyond it a log is in milliseconds.
_MAX_REBUFFERING_S = 120.0


def waterloo_rows(folder: Path, name: str) -> list[Row]:
    """Return the rows of one set's folder, stalls included; the media are `<log>.mp4`.

    Raises:
        UsageError: `data.csv` or a log is missing or malformed.
    """
    rows = table_rows(folder / "data.csv", name)
    return [_with_log(folder / "streaming_logs", row) for row in rows]


def _with_log(logs: Path, row: Row) -> Row:
    log = logs / PurePosixPath(row.media).name
    log = log if log.suffix == ".csv" else log.with_name(f"{log.name}.csv")
    media = f"{row.media.removesuffix('.csv')}.mp4"
    media_s, events, rates = 0.0, [], set()
    for line, chunk in csv_records(log):
        waited = _seconds(log, line, chunk, "rebuffering_duration")
        if waited > 0:
            events.append((media_s, waited))
        media_s += _seconds(log, line, chunk, "chunk_duration")
        if chunk.get("framerate", "").strip():
            rates.add(_seconds(log, line, chunk, "framerate"))
    if media_s == 0:
        raise UsageError(f"{log}: no chunk in it")
    fps = rates.pop() if len(rates) == 1 else row.fps
    return replace(row, media=media, fps=fps, stalls=StallTrace(media_s, tuple(events)))


def _seconds(log: Path, line: int, chunk: dict[str, str], column: str) -> float:
    try:
        value = float(chunk[column])
    except (KeyError, ValueError) as error:
        raise UsageError(f"{log}, line {line}: no number under {column}") from error
    if not 0 <= value <= _MAX_REBUFFERING_S:
        raise UsageError(
            f"{log}, line {line}: {column} of {value:g} s; expected seconds, 0 to "
            f"{_MAX_REBUFFERING_S:g}"
        )
    return value
