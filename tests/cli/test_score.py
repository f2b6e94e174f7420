"""`vqa2 score` from end to end: real files, a tiny model, every way out."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.clips import moving_clip
from vqa2cli.report.rows import COLUMNS


def results(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["results"]
    return found


def test_a_folder_is_scored_into_a_table(vqa2: Run, clips: Path, model_dir: Path) -> None:
    done = vqa2("score", clips, "--model", model_dir)
    assert (done.code, done.err) == (0, "")
    assert "moving.mp4" in done.out
    assert "stalled.mp4" in done.out


def test_json_on_stdout_is_whole_even_when_verbose(vqa2: Run, clips: Path, model_dir: Path) -> None:
    done = vqa2("score", clips, "--model", model_dir, "--streaming", "--format", "json", "-vv")
    assert done.code == 0
    moving, stalled = results(done.out)
    assert moving["stalling"]["rebuffer_number"] == 0
    assert stalled["stalling"]["rebuffer_number"] == 1
    session = stalled["session"]
    assert stalled["score"]["value"] == session["with_stalls"] < session["without_stalls"]
    assert moving["session"]["stall_cost"] == 0
    assert "decode" in done.err


@pytest.mark.parametrize("suffix", [".json", ".ndjson", ".jsonl", ".csv"])
def test_the_suffix_of_the_output_tells_its_format(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"report{suffix}"
    done = vqa2("score", clips / "moving.mp4", "--model", model_dir, "-o", path)
    assert (done.code, done.out) == (0, "")
    text = path.read_text(encoding="utf-8")
    if suffix == ".csv":
        header, row = csv.reader(io.StringIO(text))
        assert header == list(COLUMNS)
        assert row[2] == "ok"
    else:
        record = results(text)[0] if suffix == ".json" else json.loads(text)
        assert record["status"] == "ok"


def test_two_runs_give_the_same_report_but_for_timing(
    vqa2: Run, clips: Path, bad_clips: Path, model_dir: Path
) -> None:
    def run() -> list[dict[str, Any]]:
        done = vqa2(
            "score", clips, bad_clips, "--model", model_dir, "--streaming", "--format", "json"
        )
        assert done.code == 3
        return [{**row, "timing": None} for row in results(done.out)]

    assert run() == run()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("empty.mp4", "not_video"),
        ("text.mp4", "not_video"),
        ("playlist.mp4", "not_video"),
        ("truncated.mp4", "not_video"),
        ("sound.mp4", "no_video"),
        ("missing.mp4", "not_found"),
    ],
)
def test_a_bad_file_is_one_line_and_code_3(
    vqa2: Run, bad_clips: Path, model_dir: Path, name: str, kind: str
) -> None:
    done = vqa2("score", bad_clips / name, "--model", model_dir, "--format", "json")
    (row,) = results(done.out)
    assert done.code == 3
    assert (row["status"], row["error"]["kind"], row["score"]) == ("error", kind, None)
    assert done.err.startswith(f"vqa2: {bad_clips / name}: ")
    assert len(done.err.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_we_may_not_read_is_one_line(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    locked = Path(shutil.copy(clips / "moving.mp4", tmp_path))
    locked.chmod(0)
    done = vqa2("score", locked, "--model", model_dir, "--format", "json")
    assert done.code == 3
    assert results(done.out)[0]["error"]["kind"] == "unreadable"


def test_the_good_files_beside_a_bad_one_are_scored(
    vqa2: Run, clips: Path, bad_clips: Path, model_dir: Path
) -> None:
    inputs = [clips / "moving.mp4", bad_clips / "text.mp4", clips / "stalled.mp4"]
    done = vqa2("score", *inputs, "--model", model_dir, "--format", "ndjson")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3
    assert [row["status"] for row in rows] == ["ok", "error", "ok"]
    assert [row["file"] for row in rows] == [str(path) for path in inputs]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--display", "wide"], "WIDTHxHEIGHT"),
        (["--display", "0x10"], "WIDTHxHEIGHT"),
        (["--jobs", "0"], "--jobs"),
        (["--min-stall", "nan"], "number of seconds"),
        (["--max-seconds", "-1"], "number of seconds"),
        (["--precision", "fp64"], "fp64"),
        (["--engine", "magic"], "magic"),
        (["--format", "xml"], "xml"),
        (["--colour"], "--colour"),
        (["--protocol", "none-such"], "none-such"),
        (["--frames", "f.csv"], "--streaming"),
        (["-o", "report.mp4"], "--format"),
        (["-o", "no/such/folder/report.json"], "cannot write"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(
    vqa2: Run, clips: Path, model_dir: Path, args: list[str], says: str
) -> None:
    done = vqa2("score", clips, "--model", model_dir, *args)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("vqa2: ")


def test_a_folder_without_videos_is_code_2_and_names_what_was_skipped(
    vqa2: Run, model_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    done = vqa2("score", tmp_path, "--model", model_dir)
    assert done.code == 2
    assert "skipped" in done.err
    assert "notes.txt" in done.err
    assert "no video" in done.err.splitlines()[-1]


def test_a_missing_model_is_code_4_and_writes_no_report(
    vqa2: Run, clips: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    done = vqa2("score", clips, "--model", tmp_path / "none", "-o", report)
    assert done.code == 4
    assert len(done.err.splitlines()) == 1
    assert report.read_text() == "old"
    done = vqa2("score", clips, "--model", tmp_path / "none", "--format", "json")
    assert (done.code, done.out) == (4, "")


def test_damaged_weights_are_code_4(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    damaged = shutil.copytree(model_dir, tmp_path / "damaged")
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    done = vqa2("score", clips, "--model", damaged)
    assert done.code == 4
    assert "damaged" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_device_that_is_not_there_is_code_4(vqa2: Run, clips: Path, model_dir: Path) -> None:
    done = vqa2("score", clips, "--model", model_dir, "--device", "cuda:99")
    assert done.code == 4
    assert "cuda:99" in done.err


def test_the_output_never_overwrites_an_input(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    clip = Path(shutil.copy(clips / "moving.mp4", tmp_path))
    before = clip.read_bytes()
    done = vqa2("score", clip, "--model", model_dir, "-o", clip, "--format", "json")
    assert done.code == 2
    assert clip.read_bytes() == before


def test_frames_tell_when_the_picture_stands(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    frames = tmp_path / "frames.csv"
    done = vqa2("score", clips, "--model", model_dir, "--streaming", "--frames", frames)
    assert done.code == 0
    with frames.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    stalled = [row for row in rows if row["file"] == str(clips / "stalled.mp4")]
    assert len(stalled) == 45
    standing = [float(row["pts_time"]) for row in stalled if row["stalled"] == "1"]
    assert standing[0] == pytest.approx(1.0, abs=0.1)
    assert standing[-1] == pytest.approx(2.0, abs=0.1)


def test_names_that_attack_reports_and_terminals_are_harmless(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    names = ["=HYPERLINK(1).mp4", "new\nline.mp4", 'quo"te,.mp4', "esc\x1b[31m.mp4", "[red]x.mp4"]
    names += [os.fsdecode(b"bad\xff.mp4"), "http:x.mp4", "-x.mp4", "%03d.mp4"]
    for name in names:
        shutil.copy(clips / "moving.mp4", tmp_path / name)
    (tmp_path / "bad\x1b]0;t\x07.mp4").write_text("no video")
    table = vqa2("score", tmp_path, "--model", model_dir)
    assert table.code == 3
    for char in ("\x1b", "\x07"):
        assert char not in table.out + table.err
    assert len(table.err.splitlines()) == 1
    assert len(table.out.splitlines()) == len(names) + 3  # heading, rule, and the bad file
    report = vqa2("score", tmp_path, "--model", model_dir, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(report.out, newline="")))
    assert len(rows) == len(names) + 1
    assert len({row["score"] for row in rows if row["status"] == "ok"}) == 1
    assert not any(row["file"].startswith(("=", "+", "-", "@")) for row in rows)


def test_paths_come_from_stdin_too(
    vqa2: Run, clips: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{clips / 'moving.mp4'}\n"))
    done = vqa2("score", "-", "--model", model_dir, "--format", "ndjson")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1


def test_quiet_says_nothing_but_errors(
    vqa2: Run, clips: Path, bad_clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    shutil.copy(clips / "moving.mp4", tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert vqa2("score", tmp_path, "--model", model_dir, "-q").err == ""
    loud = vqa2("score", tmp_path, bad_clips / "text.mp4", "--model", model_dir, "-q")
    assert len(loud.err.splitlines()) == 1


def test_watching_scores_what_is_there_and_what_comes_and_ends_when_idle(
    vqa2: Run, model_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    made = moving_clip(tmp_path / "made.mp4")
    (folder / "first.mp4").write_bytes(made.read_bytes())
    (folder / "broken.mp4").write_bytes(b"nothing")
    coming = threading.Timer(3.0, lambda: made.rename(folder / "second.mp4"))
    coming.start()
    try:
        done = vqa2(
            "score", folder, "--watch", "--until-idle", "5",
            "--model", model_dir, "--format", "ndjson",
        )  # fmt: skip
    finally:
        coming.cancel()
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["broken.mp4", "first.mp4", "second.mp4"]
    assert [row["status"] for row in rows] == ["error", "ok", "ok"]
    assert done.code == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["clip.mp4", "--watch"], "clip.mp4: is no folder; name folders to watch"),
        ([".", "--until-idle", "3"], "--until-idle ends a --watch"),
        ([".", "--watch", "--dry-run"], "leave --watch out"),
        ([".", "--watch", "--same-content", "--streaming"], "--watch never has all"),
    ],
)
def test_what_does_not_go_with_watching_is_refused(
    vqa2: Run, args: list[str], message: str
) -> None:
    done = vqa2("score", *args)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert message in done.err
