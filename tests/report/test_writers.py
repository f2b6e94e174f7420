"""Reports that machines read, whatever the names hold."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.report.assessments import failed, scored
from vqa2cli.report.frames import FramesWriter
from vqa2cli.report.rows import COLUMNS, record_of
from vqa2cli.report.stall_writers import (
    EVENT_COLUMNS,
    StallCsvWriter,
    StallJsonWriter,
    StallSequenceWriter,
    StallSummaryWriter,
)
from vqa2cli.report.writers import CsvWriter, JsonWriter, NdjsonWriter

HOSTILE = [
    '=HYPERLINK("http://x.example","y").mp4', "+1.mp4", "-1.mp4", "@sum.mp4", "\tx.mp4", "\rx.mp4",
    "＝x.mp4", "'quoted.mp4", 'with "quotes", commas\nand lines.mp4', "nul\0.mp4", "x" * 10_000,
]  # fmt: skip


def written(make: Callable[[io.StringIO], Any], rows: list[Any]) -> str:
    stream = io.StringIO(newline="")
    writer = make(stream)
    for row in rows:
        writer.write(row)
    writer.close()
    return stream.getvalue()


def test_json_is_one_object_with_the_records_under_results() -> None:
    records = [record_of(scored()), record_of(failed())]
    report = json.loads(written(JsonWriter, records))
    assert list(report) == ["schema_version", "version", "results"]
    assert report["results"] == records


def test_json_without_files_is_still_json() -> None:
    assert json.loads(written(JsonWriter, []))["results"] == []


def test_ndjson_has_a_line_per_file_as_it_is_done() -> None:
    stream = io.StringIO()
    writer = NdjsonWriter(stream)
    writer.write(record_of(scored("a\nb.mp4")))
    assert stream.getvalue().count("\n") == 1
    writer.write(record_of(failed()))
    files = [json.loads(line)["file"] for line in stream.getvalue().splitlines()]
    assert files == ["a\nb.mp4", "r/broken.mp4"]


def test_csv_keeps_its_shape_whatever_the_names_hold() -> None:
    text = written(CsvWriter, [record_of(scored(name)) for name in HOSTILE])
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == list(COLUMNS)
    assert len(rows) == len(HOSTILE)
    assert {len(row) for row in rows} == {len(COLUMNS)}


@pytest.mark.parametrize("name", HOSTILE[:8])
def test_csv_cells_are_no_formulas_and_lose_nothing(name: str) -> None:
    text = written(CsvWriter, [record_of(scored(name))])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["file"] == f"'{name}"  # drop one apostrophe to get the name back


def test_csv_numbers_are_untouched_even_negative_ones() -> None:
    record = record_of(scored())
    record["stalling"]["time_since_last_stall_sec"] = -0.5
    (row,) = csv.DictReader(io.StringIO(written(CsvWriter, [record]), newline=""))
    assert row["stalling_time_since_last_stall_sec"] == "-0.5"
    assert float(row["score"]) == record["score"]["value"]


def test_frames_are_rows_of_file_frame_time_and_flag() -> None:
    stream = io.StringIO(newline="")
    frames = scored().frames
    assert frames is not None
    FramesWriter(stream).write("=a.mp4", frames)
    assert list(csv.reader(io.StringIO(stream.getvalue(), newline=""))) == [
        ["file", "frame", "pts_time", "stalled"],
        ["'=a.mp4", "0", "0.0", "0"],
        ["'=a.mp4", "1", "0.5", "1"],
    ]


def test_stalls_as_json_hold_file_status_and_stalling() -> None:
    good, bad = json.loads(written(StallJsonWriter, [scored(), failed()]))["results"]
    assert (good["status"], good["stalling"]["rebuffer_number"]) == ("ok", 1)
    assert (bad["status"], bad["stalling"]) == ("error", None)


def test_stalls_as_csv_have_a_row_per_event_and_one_per_file_without() -> None:
    rows = list(csv.reader(io.StringIO(written(StallCsvWriter, [scored(), failed()]))))
    assert rows[0] == list(EVENT_COLUMNS)
    assert {len(row) for row in rows} == {len(EVENT_COLUMNS)}
    assert rows[1][4:7] == ["1.0", "2.5", "1.5"]
    assert rows[2][:3] == ["r/broken.mp4", "error", "corrupt"]


def test_stalls_in_words_and_as_a_sequence_are_a_line_per_file() -> None:
    rows = [scored("a\nb.mp4"), failed()]
    assert written(StallSummaryWriter, rows) == "a\\x0ab.mp4: 1 stall, lasting 1.50 s.\n"
    assert written(StallSequenceWriter, rows) == "01\ta\\x0ab.mp4\n"
