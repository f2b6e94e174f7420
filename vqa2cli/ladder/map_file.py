"""A map: a CSV or JSON file that says which file is which rung of which title."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vqa2cli.errors import UsageError, VideoError
from vqa2cli.gates.names import nearest
from vqa2cli.ladder.titles import Rung, Title, in_order
from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.playlists.expand import Refused, is_playlist, playlist_rungs
from vqa2cli.video.sources import Rendition, Source

#: Columns of a map, the first two required; `bit_rate` is declared, bits a second.
COLUMNS: Final = (
    "title", "file", "rung", "bit_rate", "width", "height", "frame_rate", "codecs",
)  # fmt: skip


def read_map(path: Path) -> list[Title]:
    """Return the titles of a map, in the order of their first rows.

    Raises:
        UsageError: it cannot be read, has an unknown column, or a row lacks its title or file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    titles: dict[str, list[Rung]] = {}
    for number, row in enumerate(rows, 1):
        where = f"{path}, row {number}"
        for column in row:
            if column not in COLUMNS:
                raise UsageError(f"{where}: no column {column!r}{nearest(str(column), COLUMNS)}")
        title, file = str(row.get("title") or ""), str(row.get("file") or "")
        if not title or not file:
            raise UsageError(f"{where}: title and file are needed")
        titles.setdefault(title, []).append(_rung(where, path.parent, file, row))
    if not titles:
        raise UsageError(f"{path}: the map has no row; give title and file a line")
    return [Title(name, in_order(rungs), "map") for name, rungs in titles.items()]


def _csv_rows(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{path}: no CSV ({error})") from error


def _json_rows(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{path}: no JSON ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: a map is a list of objects with title and file")
    return rows


def _rung(where: str, folder: Path, file: str, row: Mapping[str, Any]) -> Rung:
    clip = _clip(where, folder, file)
    declared = clip.declared if isinstance(clip, Rendition) else DeclaredFacts()
    told = {
        "average_bandwidth": _number(where, row, "bit_rate", int),
        "width": _number(where, row, "width", int),
        "height": _number(where, row, "height", int),
        "frame_rate": _number(where, row, "frame_rate", float),
        "codecs": str(row["codecs"]) if row.get("codecs") else None,
    }
    declared = replace(declared, **{key: value for key, value in told.items() if value is not None})
    name = clip.rung if isinstance(clip, Rendition) else Path(file).stem
    return Rung(clip, str(row.get("rung") or name), declared)


def _clip(where: str, folder: Path, file: str) -> Source | Refused:
    """Return the file a map names; `PLAYLIST#RUNG` is a rung of a playlist."""
    path = folder / file
    playlist, _, wanted = file.rpartition("#")
    if path.exists() or not wanted or not is_playlist(Path(playlist)):
        if is_playlist(path):
            raise UsageError(f"{where}: {file} is a playlist; name a rung of it as {file}#720p")
        return path
    try:
        rungs = playlist_rungs(folder / playlist)
    except VideoError as error:
        return Refused(path, error)
    names = {clip.rung: clip for clip in rungs if isinstance(clip, Rendition)}
    if wanted not in names:
        raise UsageError(f"{where}: {playlist} has no rung {wanted}{nearest(wanted, names)}")
    return names[wanted]


def _number(where: str, row: Mapping[str, Any], column: str, kind: type) -> Any:
    value = row.get(column)
    if value in (None, ""):
        return None
    try:
        number = kind(value)
    except (ValueError, TypeError):
        number = None
    if number is None or not 0 < number < 1e12:
        raise UsageError(f"{where}: {column} {value!r} is no number above 0")
    return number
