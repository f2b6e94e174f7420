"""Rated videos in CSV files, by what their columns are called."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from train.data.files import read_text
from train.data.ratings import Row, StallTrace
from train.data.records import Split
from train.data.scales import Scale, bounded_scale, named_scale
from vqa2cli.errors import UsageError

#: What columns are called, lower case; the first that a header has is taken.
_MEDIA: Final = (
    "video", "media", "name", "file_name", "filename", "vid", "flickr_id", "video_name",
    "video_path", "img_path", "session", "streaming_log",
)  # fmt: skip
_SCORES: Final = ("mos", "mos full", "unbiased_mos", "gt_score", "score")
_FPS: Final = ("fps", "frame_rate", "framerate")

#: A column that only one set's table has, and that set's name.
_TELLTALE: Final = {
    "mos_p1": "LSVQ-train",
    "flickr_id": "KoNViD-1k",
    "mos full": "YouTube-UGC",
    "unbiased_mos": "LIVE-Qualcomm",
}

_SPLITS: Final[dict[str, Split]] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "validation": "val",
    "test": "test",
}

#: Fields of the headerless form: path, duration (s), frames a second, score; -1 is unknown.
_BARE_FIELDS: Final = 4

Fields = Mapping[str, str]


def table_rows(path: Path, named: str | None) -> list[Row]:
    """Return the rows of a CSV file.

    Args:
        path: the file.
        named: the set's name where the rows do not give theirs; None goes by the columns, and
            at last by the file's name.

    Raises:
        UsageError: there is no column of media or scores, or a field is malformed.
    """
    lines = [(number, fields) for number, fields in _csv(path) if any(map(str.strip, fields))]
    if not lines:
        raise UsageError(f"{path}: empty; give a CSV with a header")
    header = [field.strip().lower() for field in lines[0][1]]
    if _is_bare(lines[0][1]):
        return [_bare_row(path, line, fields, named or path.stem) for line, fields in lines]
    media, score = _column(header, _MEDIA), _column(header, _SCORES)
    if media is None or score is None:
        lacking, known = ("media", _MEDIA) if media is None else ("scores", _SCORES)
        raise UsageError(f"{path}: no column of {lacking}; known are {', '.join(known)}")
    told = next((name for column, name in _TELLTALE.items() if column in header), path.stem)
    default = named or told
    sessions = "stall_events" in header
    frame_rates = _frame_rates(path.with_name("streaming_chunks.json")) if sessions else {}
    return [
        _Line(path, line, dict(zip(header, fields, strict=False)), frame_rates).row(
            media, score, default
        )
        for line, fields in lines[1:]
    ]


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the fields by column name of each record under a header.

    Raises:
        UsageError: the file cannot be read, or is no CSV.
    """
    records = _csv(path)
    _, header = next(records, (0, []))
    names = [field.strip().lower() for field in header]
    for line, fields in records:
        yield line, dict(zip(names, fields, strict=False))


class _Line:
    """One line of a table under its header."""

    def __init__(self, path: Path, line: int, fields: Fields, rates: Mapping[str, float]) -> None:
        self.path, self.line, self.fields, self.rates = path, line, fields, rates

    def row(self, media: str, score: str, default: str) -> Row:
        """Return the row; `media` and `score` are columns, `default` the set's name."""
        name = self.text(media)
        if not name:
            raise self.wrong(media, "empty")
        extra = self.extra()
        mos = self.number(score)
        if mos is None:
            raise self.wrong(score, "empty; leave out videos without a score")
        split = self.split()
        dataset = self.text("dataset") or default
        if "is_test" in self.fields and dataset == "LSVQ-train" and split == "test":
            dataset = "LSVQ-test"
        return Row(
            line=self.line,
            media=name.replace("\\", "/"),
            mos=mos,
            dataset=dataset,
            scale=self.scale(),
            content=self.text("content"),
            split=split,
            fps=self.fps(extra) or self.rates.get(name),
            stalls=self.stalls(),
        )

    def text(self, column: str) -> str:
        return (self.fields.get(column) or "").strip()

    def number(self, column: str) -> float | None:
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError as error:
            raise self.wrong(column, f"{text!r} is no number") from error
        if not math.isfinite(value):
            raise self.wrong(column, f"{text} is not finite")
        return value

    def scale(self) -> Scale | None:
        low, high = (
            self.number(a) if a in self.fields else self.number(b)
            for a, b in (("lo", "low"), ("hi", "high"))
        )
        if low is not None and high is not None:
            return bounded_scale(low, high)
        return named_scale(self.text("scale"))

    def split(self) -> Split | None:
        marked = self.text("is_test").lower()
        if marked:
            return "test" if marked in {"1", "1.0", "true"} else "train"
        return _SPLITS.get(self.text("split").lower())

    def extra(self) -> dict[str, Any]:
        """Return the object in the column `extra`, where a table has one."""
        text = self.text("extra")
        if not text:
            return {}
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise self.wrong("extra", f"malformed JSON ({error.msg})") from error
        return found if isinstance(found, dict) else {}

    def fps(self, extra: Mapping[str, Any]) -> float | None:
        column = _column(list(self.fields), _FPS)
        stated = self.number(column) if column else extra.get("fps")
        return float(stated) if isinstance(stated, int | float) and stated > 0 else None

    def stalls(self) -> StallTrace | None:
        """Return the trace in `media_dur_s` and `stall_events` ([[position, seconds], …])."""
        if not self.text("stall_events"):
            return None
        length_s = self.number("media_dur_s")
        if length_s is None:
            raise self.wrong("media_dur_s", "empty; stalls need the length of what plays, seconds")
        try:
            events = json.loads(self.text("stall_events"))
            pairs = tuple((float(position), float(length)) for position, length in events)
            return StallTrace(length_s, pairs)
        except (TypeError, ValueError) as error:
            raise self.wrong("stall_events", f"no stall trace ({error})") from error

    def wrong(self, column: str, what: str) -> UsageError:
        return UsageError(f"{self.path}, line {self.line}, {column}: {what}")


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each record's last line, and its fields."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: {error}") from error


def _is_bare(fields: list[str]) -> bool:
    """Return whether a first line is data already: a name, then three numbers."""
    try:
        return len(fields) == _BARE_FIELDS and bool([float(field) for field in fields[1:]])
    except ValueError:
        return False


def _bare_row(path: Path, line: int, fields: list[str], name: str) -> Row:
    if not _is_bare(fields):
        raise UsageError(f"{path}, line {line}: expected path, duration, fps, mos")
    fps, mos = float(fields[2]), float(fields[3])
    if not math.isfinite(mos):
        raise UsageError(f"{path}, line {line}: score {fields[3].strip()} is not finite")
    return Row(line, fields[0].strip(), mos, name, fps=fps if fps > 0 else None)


def _column(header: list[str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in header), None)


def _frame_rates(path: Path) -> dict[str, float]:
    """Return frames a second by session, from the per-chunk detail beside a table of sessions.

    A session whose chunks differ in rate, or state several as `24/25/30` does, has none.
    """
    if not path.is_file():
        return {}
    rates: dict[str, float] = {}
    try:
        for session, detail in json.loads(read_text(path)).items():
            column = _column(detail["columns"], _FPS)
            found = {row[detail["columns"].index(column)] for row in detail["rows"] if column}
            rate = found.pop() if len(found) == 1 else None
            if isinstance(rate, int | float):
                rates[session] = float(rate)
        return rates
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{path}: not per-chunk detail of sessions ({error})") from error
