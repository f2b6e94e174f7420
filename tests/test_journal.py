"""`--resume`: a run that was stopped goes on, and what changed is made again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run, clips, model_dir, vqa2
from tests.clips import FPS, SIZE, moving_clip, stalled_clip
from tests.report.assessments import scored
from tests.video.playlist_media import ladder as playlist_ladder
from tests.video.playlist_media import scene
from vqa2cli.clip_facts import ClipFacts
from vqa2cli.errors import UsageError
from vqa2cli.journal import Journal
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.synthesis import moving_scene, write_clip

__all__ = ["clips", "model_dir", "vqa2"]


def rows(done: Outcome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.out)["results"]
    return [{**row, "timing": None} for row in found]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the clips that were decoded."""
    names: list[str] = []
    submit = DecodePool.submit

    def noting(self: DecodePool, source: Any, sampling: Any) -> Any:
        names.append(source.name)
        return submit(self, source, sampling)

    monkeypatch.setattr(DecodePool, "submit", noting)
    return names


@pytest.fixture
def score(vqa2: Run, model_dir: Path, tmp_path: Path) -> Run:
    def run(*args: Any) -> Outcome:
        return vqa2(
            "score", *args, "--model", model_dir, "--resume", tmp_path / "journal", "--format",
            "json",
        )  # fmt: skip

    return run


def test_a_second_run_decodes_nothing_and_says_the_same(
    score: Run, clips: Path, decoded: list[str]
) -> None:
    first = score(clips, "--streaming")
    assert (first.code, len(decoded)) == (0, 2)
    again = score(clips, "--streaming")
    assert (again.code, len(decoded)) == (0, 2)
    assert rows(again) == rows(first)


def test_the_same_bytes_under_another_name_are_known_and_other_bytes_are_not(
    score: Run, clips: Path, tmp_path: Path, decoded: list[str]
) -> None:
    score(clips / "moving.mp4")
    copy = tmp_path / "copy.mp4"
    shutil.copy(clips / "moving.mp4", copy)
    (row,) = rows(score(copy))
    assert (row["file"], decoded) == (str(copy), ["moving.mp4"])
    shutil.copy(clips / "stalled.mp4", copy)
    score(copy)
    assert decoded == ["moving.mp4", "copy.mp4"]


def test_what_a_row_depends_on_makes_another_row(
    score: Run, clips: Path, decoded: list[str]
) -> None:
    clip = clips / "moving.mp4"
    score(clip)
    for options in (["--streaming"], ["--display", "320x240"], ["--no-stream-facts"]):
        score(clip, *options)
    assert len(decoded) == 4
    for options in (["--jobs", "1"], ["--max-seconds", "99"], ["--gate", "score.value >= 0"]):
        score(clip, *options)
    assert len(decoded) == 4


def test_gates_are_judged_anew(score: Run, clips: Path) -> None:
    clip = clips / "moving.mp4"
    assert score(clip, "--gate", "score.value >= 0").code == 0
    assert score(clip, "--gate", "score.value > 100").code == 1


def test_a_file_that_failed_is_tried_again(
    score: Run, clips: Path, tmp_path: Path, decoded: list[str]
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    assert score(bad).code == 3
    assert score(bad).code == 3
    assert len(decoded) == 2
    assert score(tmp_path / "missing.mp4").code == 3


def test_rungs_of_a_playlist_are_known_by_their_segments(
    score: Run, tmp_path: Path, decoded: list[str]
) -> None:
    frames = scene(1.0)
    playlist = playlist_ladder(tmp_path, frames, frames)
    first = score(playlist, "--streaming")
    count = len(decoded)
    assert rows(score(playlist, "--streaming")) == rows(first)
    assert len(decoded) == count


def test_stalls_that_the_rungs_settle_differently_are_told_by_the_journal_too(
    score: Run, tmp_path: Path
) -> None:
    for name in ("a.mp4", "b.mp4"):
        stalled_clip(tmp_path / name)
    apart = rows(score(tmp_path / "a.mp4", "--streaming"))
    together = rows(score(tmp_path / "a.mp4", tmp_path / "b.mp4", "--streaming", "--same-content"))
    again = rows(score(tmp_path / "a.mp4", tmp_path / "b.mp4", "--streaming", "--same-content"))
    assert apart[0]["stalling"]["rebuffer_number"] == 1
    assert together[0]["stalling"]["rebuffer_number"] == 0
    assert again == together


@pytest.mark.parametrize("kind", ["text", "database", "folder", "nowhere"])
def test_what_is_no_journal_is_one_line_and_code_2(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "journal"
    if kind == "text":
        path.write_text("some notes of mine\n" * 200)
    elif kind == "database":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE mine (x)")
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / "no" / "journal"
    before = path.read_bytes() if path.is_file() else None
    done = vqa2("score", clips, "--model", model_dir, "--resume", path, "--format", "json")
    assert done.code == 2
    assert str(path) in done.err
    assert len(done.err.splitlines()) == 1
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_row_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", "context")
    clip = moving_clip(tmp_path / "clip.mp4")
    key = journal.key(clip, ClipFacts())
    assert journal.row(key, "x") is None
    journal.keep(key, scored("name"))
    assert journal.row(key, "name") == scored("name")
    assert Journal(tmp_path / "journal", "other").key(clip, ClipFacts()) != key
    journal.close()


def test_a_row_of_another_version_is_made_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", "context")
    journal.keep("key", scored())
    with sqlite3.connect(tmp_path / "journal") as rows:
        rows.execute('UPDATE rows SET row = \'{"file": "", "score": 7}\'')
    assert journal.row("key", "x") is None
    journal.close()


def test_a_closed_disk_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", "context")
    journal.close()
    with pytest.raises(UsageError, match="cannot use the journal"):
        journal.keep("key", scored())


COMMAND = [sys.executable, "-c", "import sys; from vqa2cli.cli import main; sys.exit(main())"]


def command(folder: Path, model: Path, journal: Path, report: Path) -> list[str]:
    return [
        *COMMAND, "score", str(folder), "--model", str(model), "--resume", str(journal), "-o",
        str(report), "-q",
    ]  # fmt: skip


def batch(folder: Path, count: int) -> Path:
    """Write `count` different short clips."""
    folder.mkdir()
    for index in range(count):
        frames = moving_scene(0.6, FPS, SIZE, seed=index)
        write_clip(folder / f"{index:03}.mp4", frames, FPS)
    return folder


def outcome(report: Path) -> list[dict[str, Any]]:
    found = json.loads(report.read_text())["results"]
    return [{**row, "timing": None} for row in found]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_kill_9_at_twenty_random_points_loses_and_doubles_nothing(
    tmp_path: Path, model_dir: Path
) -> None:
    folder = batch(tmp_path / "batch", 60)
    whole = tmp_path / "whole.json"
    started = time.monotonic()
    subprocess.run(command(folder, model_dir, tmp_path / "other", whole), check=True)
    took_s = time.monotonic() - started
    journal, report = tmp_path / "journal", tmp_path / "report.json"
    generator = random.Random(0)
    for _ in range(20):
        run = subprocess.Popen(command(folder, model_dir, journal, report), start_new_session=True)
        try:
            run.wait(generator.uniform(0.2, 1.0) * took_s)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    subprocess.run(command(folder, model_dir, journal, report), check=True)
    assert outcome(report) == outcome(whole)
    assert len({row["file"] for row in outcome(report)}) == 60


@pytest.mark.slow
def test_two_processes_share_a_journal(tmp_path: Path, model_dir: Path) -> None:
    folder = batch(tmp_path / "batch", 20)
    journal = tmp_path / "journal"
    reports = [tmp_path / "a.json", tmp_path / "b.json"]
    runs = [subprocess.Popen(command(folder, model_dir, journal, report)) for report in reports]
    assert [run.wait() for run in runs] == [0, 0]
    assert outcome(reports[0]) == outcome(reports[1])
    with sqlite3.connect(journal) as rows:
        assert rows.execute("SELECT count(*) FROM rows").fetchone()[0] == 20
