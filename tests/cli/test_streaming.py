"""Playlists, logs of stalls and ladders from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run
from tests.clips import moving_clip, stalled_clip
from tests.video.playlist_media import ladder, media_playlist, scene, stalled


def rows(done: Outcome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.out)["results"]
    return found


@pytest.fixture(scope="module")
def frames() -> list[Any]:
    return scene(3.0)


def test_every_rung_of_a_playlist_is_scored_under_its_name(
    vqa2: Run, tmp_path: Path, model_dir: Path, frames: list[Any]
) -> None:
    playlist = ladder(tmp_path, frames, frames)
    done = vqa2("score", playlist, "--model", model_dir, "--streaming", "--format", "json")
    assert (done.code, done.err) == (0, "")
    low, high = rows(done)
    assert [low["file"], high["file"]] == [f"{playlist}#72p", f"{playlist}#120p"]
    assert high["declared"] == {
        "bandwidth": 200_000, "average_bandwidth": 150_000, "width": 160, "height": 120,
        "frame_rate": 25.0, "codecs": None,
    }  # fmt: skip
    assert high["media"]["width"] == 160
    assert 0 <= high["score"]["value"] <= 100
    assert vqa2("score", playlist, "--model", model_dir, "-o", tmp_path / "a.csv").code == 0


def test_a_stall_of_one_rung_is_its_defect_and_one_of_all_is_content(
    vqa2: Run, tmp_path: Path, frames: list[Any]
) -> None:
    one = ladder(tmp_path / "one", frames, stalled(frames))
    every = ladder(tmp_path / "every", stalled(frames), stalled(frames))
    low, high = rows(vqa2("stalls", one, "--format", "json"))
    assert (low["stalling"]["rebuffer_number"], high["stalling"]["rebuffer_number"]) == (0, 1)
    for row in rows(vqa2("stalls", every, "--format", "json")):
        assert row["stalling"]["rebuffer_number"] == 0
        assert row["stalling"]["events"][0]["kind"] == "static"


def test_a_score_is_made_with_the_stalls_that_the_rungs_agree_on(
    vqa2: Run, tmp_path: Path, model_dir: Path, frames: list[Any]
) -> None:
    playlist = ladder(tmp_path, stalled(frames), stalled(frames))
    done = vqa2("score", playlist, "--model", model_dir, "--streaming", "--format", "json")
    for row in rows(done):
        assert row["stalling"]["rebuffer_number"] == 0
        assert "taken as content" in row["diagnostics"]["text"]
        assert "stall" not in {found["attribute"] for found in row["diagnostics"]["findings"]}


def test_files_of_the_same_content_are_checked_when_asked(vqa2: Run, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        stalled_clip(tmp_path / name)
    apart = rows(vqa2("stalls", tmp_path, "--format", "json"))
    together = rows(vqa2("stalls", tmp_path, "--same-content", "--format", "json"))
    assert [row["stalling"]["rebuffer_number"] for row in apart] == [1, 1]
    assert [row["stalling"]["rebuffer_number"] for row in together] == [0, 0]


def test_a_playlist_that_cannot_be_used_is_one_row_and_one_line(vqa2: Run, tmp_path: Path) -> None:
    good = moving_clip(tmp_path / "good.mp4")
    bad = media_playlist(tmp_path / "bad.m3u8", "#EXTINF:1,", "http://127.0.0.1:9/x.ts")
    done = vqa2("stalls", bad, good, "--format", "json")
    refused, fine = rows(done)
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert refused["error"]["kind"] == "playlist"
    assert fine["status"] == "ok"


def test_a_report_never_overwrites_a_segment(vqa2: Run, tmp_path: Path, frames: list[Any]) -> None:
    playlist = ladder(tmp_path, frames[:25], frames[:25])
    segment = tmp_path / "72p" / "index0.ts"
    before = segment.read_bytes()
    done = vqa2("stalls", playlist, "--format", "json", "-o", segment)
    assert done.code == 2
    assert segment.read_bytes() == before


def test_a_folder_says_that_its_playlists_are_passed_over(vqa2: Run, tmp_path: Path) -> None:
    moving_clip(tmp_path / "a.mp4")
    media_playlist(tmp_path / "index.m3u8", "#EXTINF:1,", "a.mp4")
    assert "name it" in vqa2("stalls", tmp_path).err


def test_what_stalls_exports_it_reads_back(vqa2: Run, clips: Path, tmp_path: Path) -> None:
    for name, form in (("a.json", "p1203"), ("a.csv", "csv")):
        clip = clips / "stalled.mp4"
        assert vqa2("stalls", clip, "--format", form, "-o", tmp_path / name).code == 0
        done = vqa2("stalls", clip, "--stalls", tmp_path / name, "--format", "json")
        (row,) = rows(done)
        assert (done.code, row["warnings"]) == (0, [])
        stalling = row["stalling"]
        assert (stalling["source"], stalling["rebuffer_number"]) == ("log", 1)
        assert stalling["log"]["matched"] == 1
        assert stalling["log"]["differences"] == []


def test_a_log_lengthens_a_session_whose_clip_does_not_stall(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"I23": {"stalling": [[0, 1], [0.5, 2]]}}')
    clip = clips / "moving.mp4"
    done = vqa2(
        "score", clip, "--model", model_dir, "--streaming", "--stalls", log, "--format", "json"
    )
    (row,) = rows(done)
    assert row["stalling"]["stall_ratio"] == pytest.approx(3 / 4)
    assert len(row["stalling"]["log"]["differences"]) == 2
    assert any("does not" in w or "lengthen" in w for w in row["warnings"])
    again = vqa2("stalls", clip, "--stalls", log, "--format", "p1203")
    assert json.loads(again.out)["I23"]["stalling"] == [[0, 1], [0.5, 2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start,duration\n1,1\n1.5,1\n", "line 3"),
        ("start,duration\n-1,1\n", "line 2"),
        ("start,duration\n99,1\n", "past the end"),
        ("start,duration\n1,x\n", "line 2"),
    ],
)
def test_a_bad_log_is_one_line_and_code_2(
    vqa2: Run, clips: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "log.csv").write_text(text)
    done = vqa2("stalls", clips / "stalled.mp4", "--stalls", tmp_path / "log.csv")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "log.csv" in done.err
    assert words in done.err


def test_a_log_needs_streaming(vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path) -> None:
    done = vqa2("score", clips, "--model", model_dir, "--stalls", tmp_path / "log.csv")
    assert done.code == 2
    assert "--streaming" in done.err
