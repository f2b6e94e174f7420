"""Logs of stalls: what each format says, and what is refused with the entry's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.read import read_log, stall_logs
from vqa2cli.video.logs.records import StallLog
from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.sources import Rendition


def log_of(path: Path, content: Any) -> StallLog:
    """Write a log and return what is read from it."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    (found,) = read_log(path).values()
    return found


def spans(log: StallLog) -> list[tuple[float, float]]:
    return [(stall.start_s, pytest.approx(stall.duration_s)) for stall in log.stalls]


def refusal(path: Path, content: Any) -> str:
    with pytest.raises(UsageError) as caught:
        log_of(path, content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def p1203(*pairs: Any) -> dict[str, Any]:
    return {"I23": {"streamId": 42, "stalling": list(pairs)}}


def test_p1203_pairs_are_media_time_and_empty_ones_are_nothing(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.json", p1203([0, 0], [3.5, 2], [8, 1.25]))
    assert (log.form, log.clock) == ("p1203", "media")
    assert spans(log) == [(3.5, 2.0), (8.0, 1.25)]
    assert log.both_clocks() == [(3.5, 3.5), (10.0, 8.0)]


@pytest.mark.parametrize(
    ("pairs", "entry", "words"),
    [
        ([[1, 1], [-2, 1]], "I23.stalling[1]", "start of -2 s"),
        ([[1, -1]], "I23.stalling[0]", "duration of -1 s"),
        ([[1, float("nan")]], "I23.stalling[0]", "duration of nan"),
        ([[1, float("inf")]], "I23.stalling[0]", "duration of inf"),
        ([[1, 1], [1, 2]], "I23.stalling[1]", "second stall at media time 1"),
        ([[1, 1], [3]], "I23.stalling[1]", "no pair"),
        ([["1", "1"]], "I23.stalling[0]", "no pair"),
        ([[1, True]], "I23.stalling[0]", "no pair"),
    ],
)
def test_a_bad_p1203_entry_is_named(
    tmp_path: Path, pairs: list[Any], entry: str, words: str
) -> None:
    told = refusal(tmp_path / "a.json", p1203(*pairs))
    assert told.startswith("a.json: ")
    assert entry in told
    assert words in told


def test_entries_out_of_order_are_sorted_and_noted(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.json", p1203([8, 1], [3, 2]))
    assert spans(log) == [(3.0, 2.0), (8.0, 1.0)]
    assert "not in order" in log.notes[0]
    table = log_of(tmp_path / "a.csv", "start,duration\n8,1\n3,2\n")
    assert spans(table) == [(3.0, 2.0), (8.0, 1.0)]


@pytest.mark.parametrize(
    ("text", "clock", "found"),
    [
        ("start,duration\n3,2\n", "session", [(3.0, 2.0)]),
        ("duration;start\n2;3\n", "session", [(3.0, 2.0)]),
        ("Start_s\tEnd_s\n3\t5\n", "session", [(3.0, 2.0)]),
        ("media_start,duration\n3,2\n", "media", [(3.0, 2.0)]),
        ("3,2\n7.5,0.5\n", "session", [(3.0, 2.0), (7.5, 0.5)]),
        ("\ufeffstart,duration\r\n\r\n3,2\r\n", "session", [(3.0, 2.0)]),
        ("start,duration,counted\n1,1,0\n3,2,1\n", "session", [(3.0, 2.0)]),
        ("start,duration\n", "session", []),
    ],
)
def test_a_table_of_stalls(
    tmp_path: Path, text: str, clock: str, found: list[tuple[float, float]]
) -> None:
    log = log_of(tmp_path / "a.csv", text)
    assert (log.form, log.clock, spans(log)) == ("csv", clock, found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start,duration\n3,2\n4,1\n", "line 3: starts at 4 s, inside line 2"),
        ("start,duration\n3,two\n", "line 2: duration is 'two'"),
        ("start,duration\n-3,2\n", "line 2: a start of -3 s"),
        ("start,end\n3,2\n", "line 2: a duration of -1 s"),
        ("start,duration\n3,\n", "line 2: no duration"),
        ("when,how_long\n3,2\n", "needs start"),
        ("start\n3\n", "needs start"),
        ("", "empty"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path / "a.csv", text)


def event(name: str, ms: float, at: float | None = None, **more: Any) -> dict[str, Any]:
    position = {} if at is None else {"currentTime": at}
    return {"event": name, "timestamp": ms, **position, **more}


HLS = [
    event("hlsManifestLoading", 1000),
    event("playing", 2500, 0.0),
    event("hlsError", 6500, 4.0, data={"type": "mediaError", "details": "bufferStalledError"}),
    event("hlsError", 7000, 4.0, data={"details": "bufferStalledError", "fatal": False}),
    event("hlsStallResolved", 8500, 4.0),
    event("ended", 20000, 15.5),
]


def test_an_hls_js_log_has_initial_buffering_and_stalls_in_media_time(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.json", HLS)
    assert (log.form, log.clock) == ("hls.js", "media")
    assert spans(log) == [(0.0, 1.5), (4.0, 2.0)]
    assert log.stalls[1].entry == "event 3"


def test_the_order_of_fields_and_events_and_the_shape_of_the_file_do_not_matter(
    tmp_path: Path,
) -> None:
    turned = [dict(reversed(entry.items())) for entry in reversed(HLS)]
    lines = "\n".join(json.dumps(entry) for entry in HLS)
    expected = log_of(tmp_path / "a.json", HLS)
    shuffled = log_of(tmp_path / "a.json", turned)
    assert spans(shuffled) == spans(expected)
    assert "not in order" in shuffled.notes[0]
    assert log_of(tmp_path / "a.json", lines) == expected
    assert log_of(tmp_path / "a.json", {"events": HLS}) == expected


def test_a_dash_js_stall_lasts_until_every_kind_of_media_is_loaded(tmp_path: Path) -> None:
    log = log_of(
        tmp_path / "a.ndjson",
        [
            {"type": "manifestLoadingStarted", "timestamp": "2026-01-01T00:00:00.000+00:00"},
            {"type": "playbackPlaying", "timestamp": "2026-01-01T00:00:01+00:00"},
            {"type": "bufferStalled", "mediaType": "video", "timestamp": "2026-01-01T00:00:05Z"},
            {"type": "BUFFERSTALLED", "mediaType": "audio", "timestamp": "2026-01-01T00:00:05.5Z"},
            {"type": "bufferLoaded", "mediaType": "video", "timestamp": "2026-01-01T00:00:06Z"},
            {"type": "bufferLoaded", "mediaType": "audio", "timestamp": "2026-01-01T00:00:07Z"},
        ],
    )
    assert (log.form, log.clock) == ("dash.js", "session")
    assert spans(log) == [(0.0, 1.0), (5.0, 2.0)]
    assert log.both_clocks()[1] == pytest.approx((5.0, 4.0))


def test_neither_a_seek_nor_the_elements_stalled_is_a_stall(tmp_path: Path) -> None:
    log = log_of(
        tmp_path / "a.json",
        [
            event("playing", 0, 0.0),
            event("stalled", 1000, 1.0),
            event("seeking", 2000, 30.0),
            event("waiting", 2100, 30.0),
            event("seeked", 4000, 30.0),
            event("waiting", 6000, 32.0),
            event("playing", 6500, 32.0),
        ],
    )
    assert (log.form, spans(log)) == ("player", [(32.0, 0.5)])


def test_a_stall_that_no_event_ends_lasts_as_long_as_the_log(tmp_path: Path) -> None:
    started = [event("playing", 0, 0.0), event("waiting", 3000, 3.0)]
    log = log_of(tmp_path / "a.json", [*started, event("timeupdate", 5000, 3.0)])
    assert spans(log) == [(3.0, 2.0)]
    assert "without an end" in refusal(tmp_path / "a.json", started)


def test_two_stalls_with_nothing_played_between_are_one(tmp_path: Path) -> None:
    log = log_of(
        tmp_path / "a.json",
        [
            event("loadstart", 0), event("playing", 1000, 0.0),
            event("waiting", 1010, 0.0), event("playing", 1510, 0.0),
        ],
    )  # fmt: skip
    assert spans(log) == [(0.0, 1.5)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"event": "waiting"}], "neither P.1203"),
        ({"events": [{"event": "waiting"}]}, "event 1 (waiting) has no time"),
        ({"events": [{"timestamp": 1}]}, "event 1 has no name"),
        ({"events": {}}, "no list"),
        ({"I23": []}, "no list `stalling`"),
        ({"stalls": []}, "neither P.1203"),
        ("[1, 2", "line 1 is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ([], "name their file"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, content: Any, words: str) -> None:
    assert words in refusal(tmp_path / "a.json", content)


def test_one_log_is_that_of_the_only_input_or_of_all_rungs(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("1,2\n")
    clip, other = Path("r/720p.mp4"), Path("r/360p.mp4")
    assert list(stall_logs(log, [clip])) == ["r/720p.mp4"]
    with pytest.raises(UsageError, match="file column"):
        stall_logs(log, [clip, other])
    rungs = [Rendition(Path("m.m3u8"), name, (), DeclaredFacts()) for name in ("720p", "360p")]
    assert list(stall_logs(log, rungs)) == ["m.m3u8#720p", "m.m3u8#360p"]


def test_a_file_column_and_a_file_key_name_the_clip(tmp_path: Path) -> None:
    clips = [Path("r/720p.mp4"), Path("r/360p.mp4"), Path("r/180p.mp4")]
    table = tmp_path / "log.csv"
    table.write_text("file,start,duration\n720p.mp4,1,2\nr/360p.mp4,,\n720p.mp4,5,1\n")
    logs = stall_logs(table, clips)
    assert spans(logs["r/720p.mp4"]) == [(1.0, 2.0), (5.0, 1.0)]
    assert spans(logs["r/360p.mp4"]) == []
    assert "r/180p.mp4" not in logs
    lines = tmp_path / "log.json"
    lines.write_text("\n".join(json.dumps({"file": f.name, **p1203([1, 1])}) for f in clips))
    assert set(stall_logs(lines, clips)) == set(map(str, clips))
    with pytest.raises(UsageError, match=r"360p\.mp4.*fits none"):
        stall_logs(lines, clips[:1])


def test_a_folder_holds_a_log_for_each_clip(tmp_path: Path) -> None:
    (tmp_path / "720p.csv").write_text("1,2\n")
    (tmp_path / "360p.json").write_text(json.dumps(p1203([3, 1])))
    (tmp_path / "README.md").write_text("not a log")
    clips = [Path("r/720p.mp4"), Path("r/360p.mp4")]
    logs = stall_logs(tmp_path, clips)
    assert {name: log.form for name, log in logs.items()} == {
        "r/720p.mp4": "csv", "r/360p.mp4": "p1203",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"360p.*fits none"):
        stall_logs(tmp_path, clips[:1])


def test_a_log_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such log"):
        read_log(tmp_path / "gone.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        read_log(tmp_path / "binary.csv")
