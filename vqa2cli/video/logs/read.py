"""Find the log of each clip: one file, one file with names in it, or a folder of logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.p1203 import p1203_log
from vqa2cli.video.logs.players import is_player_event, player_log
from vqa2cli.video.logs.records import StallLog
from vqa2cli.video.logs.table import read_table
from vqa2cli.video.sources import Rendition, Source

#: Suffixes of logs in a folder.
SUFFIXES = frozenset({".json", ".ndjson", ".jsonl", ".csv", ".tsv", ".log", ".txt"})
#: Longest log read, bytes.
MAX_LOG_BYTES = 64 * 2**20


def stall_logs(path: Path, clips: Sequence[Source]) -> dict[str, StallLog]:
    """Return the log of each clip that has one, by the clip's name in the report.

    Args:
        path: a log, or a folder of them, each named like its clip (`720p.csv` for
            `720p.mp4`, for rung `720p` of a playlist).
        clips: what is worked on.

    Raises:
        UsageError: a log cannot be read, fits no clip, or names no clip where there are
            several.
    """
    if path.is_dir():
        logs = _folder(path)
    else:
        found = read_log(path)
        if None in found:
            return _for_all(path, found[None], clips)
        logs = {name: log for name, log in found.items() if name is not None}
    by_clip: dict[str, StallLog] = {}
    for name, log in logs.items():
        fitting = [clip for clip in clips if _names(clip) & {name, Path(name).name}]
        if not fitting:
            raise UsageError(f"{path}: the log of {name!r} fits none of the inputs")
        by_clip.update({str(clip): log for clip in fitting})
    return by_clip


def _for_all(path: Path, log: StallLog, clips: Sequence[Source]) -> dict[str, StallLog]:
    """Return a log that names no clip as that of the only one, or of all rungs of one."""
    if len({_file(clip) for clip in clips}) > 1:
        raise UsageError(
            f"{path}: the log names no file and there are {len(clips)} inputs; add a file "
            "column, or give a folder with a log for each"
        )
    return {str(clip): log for clip in clips}


def _file(clip: Source) -> Path:
    return clip.playlist if isinstance(clip, Rendition) else clip


def _names(clip: Source) -> set[str]:
    """Return what a log may call a clip: its path, name, name without suffix, rung."""
    file = _file(clip)
    names = {str(clip), clip.name, str(file), file.name, file.stem}
    return names | {clip.rung} if isinstance(clip, Rendition) and clip.rung else names


def _folder(folder: Path) -> dict[str, StallLog]:
    logs = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        found = read_log(path)
        if list(found) != [None]:
            raise UsageError(f"{path}: a log in a folder is named like its clip, not in itself")
        logs[path.stem] = found[None]
    if not logs:
        raise UsageError(f"{folder}: no log in this folder ({', '.join(sorted(SUFFIXES))})")
    return logs


def read_log(path: Path) -> dict[str | None, StallLog]:
    """Return the logs in a file by the clip they name, None for one that names none.

    Raises:
        UsageError: it cannot be read, is of no known format, or its stalls are refused.
    """
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no such log of stalls")
        if path.stat().st_size > MAX_LOG_BYTES:
            raise UsageError(f"{path}: longer than {MAX_LOG_BYTES >> 20} MiB; is it a log?")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no UTF-8 text, hence no log of stalls") from error
    if text.lstrip()[:1] in ("{", "["):
        return _documents(path.name, _json(path.name, text))
    return read_table(path.name, text)


def _json(name: str, text: str) -> list[Any]:
    """Return the values of a JSON file, or of one with a value a line."""
    try:
        whole = json.loads(text)
        return whole if isinstance(whole, list) else [whole]
    except (ValueError, RecursionError):
        pass
    values = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{name}: line {number} is no JSON") from error
    return values


def _documents(name: str, values: Sequence[Any]) -> dict[str | None, StallLog]:
    """Return the logs of P.1203 documents, of objects with `events`, or of bare events."""
    if values and all(is_player_event(value) for value in values):
        return {None: player_log(name, values)}
    logs: dict[str | None, StallLog] = {}
    for value in values:
        if not isinstance(value, dict) or not ("I23" in value or "events" in value):
            raise UsageError(
                f"{name}: neither P.1203 input (I23) nor a player's events (event, timestamp)"
            )
        file = value.get("file")
        if file in logs or (file is not None and not isinstance(file, str)):
            raise UsageError(f"{name}: a log for {file!r} twice; give each its own file")
        if "I23" in value:
            logs[file] = p1203_log(name, value)
        elif isinstance(value["events"], list):
            logs[file] = player_log(name, value["events"])
        else:
            raise UsageError(f"{name}: events is no list")
    if not logs or (None in logs and len(logs) > 1):
        raise UsageError(f"{name}: some logs name their file and others do not")
    return logs
