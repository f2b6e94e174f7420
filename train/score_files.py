"""Scores read back from a report of `vqa2 score`: CSV, JSON, or one object a line."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.files import read_text
from vqa2cli.errors import UsageError
from vqa2cli.report.rows import COLUMNS
from vqa2cli.report.writers import FORMULA_STARTS


@dataclass(frozen=True)
class FileScore:
    """The score of one file; None where it has none, and `reason` says why."""

    file: str
    score: float | None
    reason: str | None = None


def read_scores(path: Path, column: str = "score") -> list[FileScore]:
    """Return the scores of a report, in its order.

    Args:
        path: what `vqa2 score` wrote: `.csv`, `.json` or `.ndjson`; or any CSV with the columns
            `file` and `column`.
        column: which number to take, by its name in the CSV report.

    Raises:
        UsageError: it cannot be read, has no such column, or names a file twice.
    """
    text = read_text(path)
    rows = (
        _csv_rows(path, text, column) if path.suffix.lower() == ".csv" else _json_rows(path, text)
    )
    found: dict[str, FileScore] = {}
    for line, row in rows:
        score = _score(path, line, row, column)
        if score.file in found:
            raise UsageError(f"{path}, line {line}: {score.file} stands there twice")
        found[score.file] = score
    if not found:
        raise UsageError(f"{path}: no scored file in it")
    return list(found.values())


def _csv_rows(path: Path, text: str, column: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if lacking := {"file", column} - set(reader.fieldnames or ()):
        raise UsageError(
            f"{path}: no column {', '.join(sorted(lacking))}; a report of vqa2 score has both"
        )
    for row in reader:
        file = row["file"] or ""
        # The report puts an apostrophe before what a spreadsheet would take for a formula.
        if file.startswith("'") and file[1:2] in FORMULA_STARTS:
            row["file"] = file[1:]
        yield reader.line_num, row


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield records, flat, of a JSON report or of one object a line."""
    if text.lstrip()[:1] == "{" and "\n{" in text.strip() and '"results"' not in text[:200]:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield number, _flat(path, number, _parsed(path, line, number))
        return
    report = _parsed(path, text, 1)
    records = report.get("results", [report]) if isinstance(report, dict) else report
    if not isinstance(records, list):
        raise UsageError(f"{path}: results is no list; give a report of vqa2 score")
    for number, record in enumerate(records, start=1):
        yield number, _flat(path, number, record)


def _parsed(path: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = line if line > 1 else error.lineno
        raise UsageError(f"{path}, line {where}: malformed JSON ({error.msg})") from error


def _flat(path: Path, number: int, record: Any) -> dict[str, Any]:
    """Return a record under the column names of the CSV report."""
    if not isinstance(record, dict) or "file" not in record:
        raise UsageError(f"{path}, record {number}: not a row of a report of vqa2 score")
    row: dict[str, Any] = {}
    for column, keys in COLUMNS.items():
        value: Any = record
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        row[column] = value
    return row


def _score(path: Path, line: int, row: Mapping[str, Any], column: str) -> FileScore:
    if column not in row:
        raise UsageError(f"{path}: no column {column}; choose of {', '.join(row)}")
    file, value = str(row["file"] or ""), row[column]
    if not file:
        raise UsageError(f"{path}, line {line}: a row without a file")
    if value is None or value == "":
        return FileScore(file, None, row.get("error_message") or f"no {column} in the report")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}, line {line}, {column}: {value!r} is no number") from error
    if not math.isfinite(number):
        raise UsageError(f"{path}, line {line}, {column}: {value} is not finite")
    return FileScore(file, number)
