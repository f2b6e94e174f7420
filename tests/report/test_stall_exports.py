"""Stalls in other tools' shapes, each with the traps that its reader sets."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.report.assessments import failed, scored
from vqa2cli.assessment import Assessment
from vqa2cli.report.stall_exports import FreezedetectWriter, IntervalsWriter, P1203Writer
from vqa2cli.video.stall_totals import on_media_clock, stalling_of
from vqa2cli.video.stalling import StallEvent, StallKind

LENGTH_S = 20.0


def event(
    start: float, end: float, kind: StallKind = "rebuffer", *, open_ended: bool = False
) -> StallEvent:
    return StallEvent(start, end, kind, start, open_ended, ("motion_drop",), 0.9)


def row(*events: StallEvent) -> Assessment:
    """Return the row of a clip of 20 s with these events."""
    base = scored()
    assert base.media is not None
    return replace(
        base,
        media=replace(base.media, duration=LENGTH_S),
        stalling=stalling_of(on_media_clock(events), LENGTH_S),
    )


def p1203(*rows: Assessment) -> list[dict[str, Any]]:
    stream = io.StringIO()
    writer = P1203Writer(stream)
    for one in rows:
        writer.write(one)
    writer.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def pairs(*events: StallEvent) -> Any:
    (document,) = p1203(row(*events))
    return document["I23"]["stalling"]


def test_p1203_starts_are_media_time() -> None:
    assert pairs(event(4.0, 6.0), event(10.0, 13.0)) == [[0.0, 0.0], [4.0, 2.0], [8.0, 3.0]]


def test_p1203_without_initial_buffering_begins_with_an_empty_pair_at_0() -> None:
    assert pairs(event(4.0, 6.0))[0] == [0.0, 0.0]
    assert pairs(event(0.0, 1.5, "initial_buffering"), event(4.0, 6.0)) == [[0.0, 1.5], [2.5, 2.0]]
    assert pairs() == []


def test_p1203_keeps_a_stall_at_the_very_end_inside_the_media() -> None:
    (document,) = p1203(row(event(5.0, 7.0), event(17.0, 20.0, open_ended=True)))
    (segment,) = document["I13"]["segments"]
    assert segment["duration"] == 15.0
    assert document["I23"]["stalling"][-1] == [15.0, 3.0]


def test_p1203_leaves_out_content_that_stands_still() -> None:
    assert pairs(event(2.0, 9.0, "static"), event(9.5, 12.0, "ambiguous")) == []


def test_p1203_tells_the_video_and_an_empty_audio_and_skips_what_failed() -> None:
    (document,) = p1203(row(event(4.0, 6.0)), failed())
    assert document["I11"]["segments"] == []
    (segment,) = document["I13"]["segments"]
    assert segment == {
        "codec": "h264", "start": 0, "duration": 18.0, "bitrate": 900.0,
        "resolution": "1280x720", "fps": 30.0,
    }  # fmt: skip


def test_freezedetect_lines_have_its_keys_and_always_an_end() -> None:
    stream = io.StringIO()
    writer = FreezedetectWriter(stream)
    writer.write(row(event(4.0, 6.5), event(17.0, 20.0, open_ended=True), event(8, 9, "static")))
    writer.write(failed())
    text = stream.getvalue()
    assert re.findall(r"lavfi\.freezedetect\.freeze_start: ([0-9.]+)", text) == ["4", "17"]
    assert re.findall(r"lavfi\.freezedetect\.freeze_duration: ([0-9.]+)", text) == ["2.5", "3"]
    assert re.findall(r"lavfi\.freezedetect\.freeze_end: ([0-9.]+)", text) == ["6.5", "20"]
    assert all("r/720p.mp4" in line for line in text.splitlines())


@pytest.mark.parametrize("name", ["a\nb.mp4", "\x1b[31m.mp4"])
def test_a_hostile_name_stays_on_its_freezedetect_line(name: str) -> None:
    stream = io.StringIO()
    FreezedetectWriter(stream).write(replace(row(event(4.0, 6.5)), file=name))
    assert len(stream.getvalue().splitlines()) == 3
    assert "\x1b" not in stream.getvalue()


def test_intervals_are_the_stalls_and_what_lies_between() -> None:
    stream = io.StringIO()
    writer = IntervalsWriter(stream)
    writer.write(row(event(0.0, 1.0, "initial_buffering"), event(4.0, 6.0)))
    writer.write(row(event(17.0, 20.0, open_ended=True)))
    writer.write(failed())
    writer.close()
    begun, ended, broken = json.loads(stream.getvalue())["results"]
    assert begun["stall_periods"][1] == {"start": 4.0, "end": 6.0, "duration": 2.0}
    assert begun["content_periods"] == [{"start": 1.0, "end": 4.0}, {"start": 6.0, "end": None}]
    assert ended["stall_periods"] == [{"start": 17.0, "end": None, "duration": 3.0}]
    assert ended["content_periods"] == [{"start": 0.0, "end": 17.0}]
    assert (broken["status"], broken["stall_periods"]) == ("error", None)
