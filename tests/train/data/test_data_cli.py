"""`vqa2 data` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.clips import moving_clip
from train.data.records import read_samples


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text("video,mos\na.mp4,20\nb.mp4,50\nc.mp4,90\n")
    return path


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    moving_clip(folder / "a.mp4", seconds=0.2)
    moving_clip(folder / "c.mp4", seconds=0.2)
    return folder


def test_labels_tells_sets_and_scales(vqa2: Run, table: Path) -> None:
    done = vqa2("data", "labels", table)
    assert done.code == 0
    assert done.out.splitlines()[-1].split() == ["scores", "0-100", "3", "3", "20", "90"]


def test_a_missing_video_is_named_listed_and_ends_in_3(
    vqa2: Run,
    table: Path,
    media: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "set.json"
    done = vqa2("data", "stage2", table, "--media", media, "--task", "ugc", "--out", out)
    assert done.code == 3
    assert "missing: b.mp4 (no such file)" in done.err
    assert (tmp_path / "set.missing.txt").read_text() == "b.mp4\tno such file\n"
    assert [sample.media for sample in read_samples(out)] == ["a.mp4", "c.mp4"]


def test_missing_videos_are_kept_when_asked(
    vqa2: Run,
    table: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "set.json"
    done = vqa2("data", "stage2", table, "--task", "ugc", "--out", out, "--keep-missing")
    assert done.code == 0
    assert len(read_samples(out)) == 3


def test_without_media_something_must_be_said(vqa2: Run, table: Path, tmp_path: Path) -> None:
    done = vqa2("data", "stage2", table, "--task", "ugc", "--out", tmp_path / "set.json")
    assert done.code == 2
    assert "name it with --media" in done.err


def test_nothing_is_written_where_all_is_missing(
    vqa2: Run,
    table: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "set.json"
    done = vqa2(
        "data", "stage2", table, "--media", tmp_path / "empty", "--task", "ugc", "--out", out
    )
    assert done.code == 3
    assert "set.json not written: every video is missing" in done.err
    assert not out.exists()


def test_a_mixed_file_is_refused_on_one_line(vqa2: Run, tmp_path: Path) -> None:
    rows = [f"{n}.mp4,{mos}" for n, mos in enumerate([3, 4, 2, 5, 3, 4, 80, 70, 60, 55])]
    (tmp_path / "t.csv").write_text("\n".join(["video,mos", *rows]))
    done = vqa2("data", "labels", tmp_path / "t.csv")
    assert done.code == 2
    assert "mixes scales: 6 scores up to 5 (line 2: 3) and 4 up to 80 (line 8: 80)" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_mixed_file_of_a_few_rows_is_refused_too(vqa2: Run, tmp_path: Path) -> None:
    rows = [f"{n}.mp4,{mos}" for n, mos in enumerate([3.2, 4.4, 61, 80, 2.2, 77])]
    (tmp_path / "t.csv").write_text("\n".join(["video,mos", *rows]))
    done = vqa2("data", "labels", tmp_path / "t.csv")
    assert done.code == 2
    assert "mixes scales: 3 scores up to 5 (line 2: 3.2) and 3 up to 80 (line 4: 61)" in done.err


@pytest.mark.parametrize("scores", [[4.1, 38, 61, 80, 52, 77], [2.13, 83.2, 40.5, 0, 0.4, 60]])
def test_a_short_file_with_a_few_very_low_scores_is_no_mixture(
    vqa2: Run, tmp_path: Path, scores: list[float]
) -> None:
    rows = [f"{n}.mp4,{mos}" for n, mos in enumerate(scores)]
    (tmp_path / "t.csv").write_text("\n".join(["video,mos", *rows]))
    assert vqa2("data", "labels", tmp_path / "t.csv").code == 0


def test_show_prints_samples_and_table1_counts_them(
    vqa2: Run,
    table: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "set.json"
    vqa2("data", "stage2", table, "--task", "ugc", "--out", out, "--keep-missing")
    shown = vqa2("data", "show", out, "-n", 2)
    assert shown.out.count("  human: The key frames of this video are:\\n<image>.") == 2
    assert "[0] a.mp4 (stage 2 ugc, scores, train, score 0)" in shown.out
    counted = vqa2("data", "table1", out)
    line = next(line for line in counted.out.splitlines() if "| ugc |" in line)
    assert line == ("| 2, quality scoring | ugc | 3 | 3 | 3 | 3 | 3 train | scores | 28,056 |")
    assert "| 1, distortion recognition |  | 0 | 0 | 0 | 0 |  |  | not stated |" in counted.out
    assert "157,755" in counted.out


def test_malformed_json_is_told_with_its_line(vqa2: Run, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text('[\n{"image": "a.png"}\n]')
    done = vqa2("data", "show", tmp_path / "set.json")
    assert done.code == 2
    assert "set.json, line 2, record 0: no list of conversations" in done.err


def test_a_held_out_list_keeps_its_videos_out(vqa2: Run, table: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.json"
    held.write_text(json.dumps([{"img_path": "b.mp4", "mos": 50}]))
    out = tmp_path / "set.json"
    done = vqa2(
        *("data", "stage2", table, "--name", "scores", "--held-out", held, "--task", "ugc"),
        *("--out", out, "--keep-missing"),
    )
    assert done.code == 0
    assert "scores: its content is tested on" in done.err
    assert {sample.media for sample in read_samples(out)} == {"a.mp4", "c.mp4"}
