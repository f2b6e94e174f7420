"""`vqa2 stalls` from end to end, without a model."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_the_summary_is_a_line_per_file(vqa2: Run, clips: Path) -> None:
    done = vqa2("stalls", clips)
    assert (done.code, done.err) == (0, "")
    moving, stalled = done.out.splitlines()
    assert moving.startswith(f"{clips / 'moving.mp4'}: No stall")
    assert stalled.startswith(f"{clips / 'stalled.mp4'}: 1 stall")


def test_json_holds_every_file_and_its_stalls(vqa2: Run, clips: Path, bad_clips: Path) -> None:
    done = vqa2("stalls", clips, bad_clips / "text.mp4", "--format", "json")
    rows = json.loads(done.out)["results"]
    assert done.code == 3
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert {"file", "status", "stalling"} <= rows[0].keys()
    (event,) = rows[1]["stalling"]["events"]
    assert event["start"] == pytest.approx(1.0, abs=0.1)
    assert event["duration"] == pytest.approx(1.0, abs=0.1)


def test_the_sequence_has_a_digit_per_frame(vqa2: Run, clips: Path) -> None:
    done = vqa2("stalls", clips / "stalled.mp4", "--format", "sequence")
    flags, _, name = done.out.rstrip("\n").partition("\t")
    assert name == str(clips / "stalled.mp4")
    assert len(flags) == 45
    assert set(flags) == {"0", "1"}


def test_csv_has_a_row_per_event(vqa2: Run, clips: Path, tmp_path: Path) -> None:
    report = tmp_path / "stalls.csv"
    assert vqa2("stalls", clips, "-o", report, "--frames", tmp_path / "frames.csv").code == 0
    moving, stalled = csv.DictReader(io.StringIO(report.read_text(encoding="utf-8")))
    assert moving["start"] == ""
    assert float(stalled["duration"]) == pytest.approx(1.0, abs=0.1)
    assert (tmp_path / "frames.csv").read_text().startswith("file,frame,pts_time,stalled")


def test_a_shorter_stall_than_asked_for_is_not_reported(vqa2: Run, clips: Path) -> None:
    done = vqa2("stalls", clips / "stalled.mp4", "--min-stall", "1.5", "--format", "json")
    assert json.loads(done.out)["results"][0]["stalling"]["events"] == []
