"""`vqa2 ladder` from end to end: real files, each fault planted and found, none invented.

The tiny model is untrained, so the checks on its scores are switched off here; their
arithmetic has tests of its own, and real scores a slow test.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run, model_dir, vqa2
from tests.ladder.media import (
    FPS,
    HEIGHTS,
    blackened,
    blurred,
    frozen,
    scene,
    write_ladder,
    write_rung,
)
from tests.video.playlist_media import ladder as playlist_ladder
from tests.video.playlist_media import scene as playlist_scene
from vqa2cli.ladder.checks import CHECKS
from vqa2cli.report.rows import COLUMNS

__all__ = ["model_dir", "vqa2"]

QUALITY = [check.id for check in CHECKS][:8]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ladder(tmp_path_factory.mktemp("ladder") / "healthy")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text("".join(f'[ladder.{check}]\naction = "off"\n' for check in QUALITY))
    return path


@pytest.fixture
def check(vqa2: Run, model_dir: Path, policy: Path) -> Run:
    """Run `vqa2 ladder` with the tiny model and without the checks on its scores."""

    def run(*args: Any) -> Outcome:
        return vqa2("ladder", *args, "--model", model_dir, "--policy", policy)

    return run


def found(done: Outcome) -> list[str]:
    (ladder,) = json.loads(done.out)["ladders"]
    return [result["id"] for result in ladder["checks"] if result["findings"]]


def test_a_healthy_ladder_passes_and_is_shown_as_a_table(check: Run, healthy: Path) -> None:
    done = check(healthy)
    assert (done.code, done.err) == (0, "")
    assert f"{healthy}" in done.out
    assert "passed (by names, shown at 192x144)" in done.out
    assert "no finding" in done.out


def test_nothing_is_invented_on_a_healthy_ladder(check: Run, healthy: Path) -> None:
    done = check(healthy, "--format", "json")
    (ladder,) = json.loads(done.out)["ladders"]
    assert ladder["status"] == "passed"
    statuses = {r["id"]: r["status"] for r in ladder["checks"] if r["id"] not in QUALITY}
    skipped = [name for name, status in statuses.items() if status == "skipped"]
    # The names tell no bit rate.
    assert skipped == ["bitrate-over", "peak-over", "bitrate-under"]
    assert set(statuses.values()) == {"passed", "skipped"}
    assert [len(rung["key_frames"]) for rung in ladder["rungs"]] == [2, 2, 2]


MIDDLE = HEIGHTS[1]


def _rename(folder: Path, word: str) -> None:
    rung = folder / f"t_{MIDDLE}p{FPS}.mp4"
    rung.rename(rung.with_stem(f"{rung.stem}_{word}"))


#: What puts one fault into the middle rung of a healthy ladder, by the check that finds it.
SPOIL: dict[str, Callable[[Path], Any]] = {
    "detail-falls": lambda folder: write_rung(folder, MIDDLE, blurred(scene())),
    "stall": lambda folder: write_rung(folder, MIDDLE, frozen(scene())),
    "black": lambda folder: write_rung(folder, MIDDLE, blackened(scene())),
    "key-frames": lambda folder: write_rung(folder, MIDDLE, scene(), gop=13),
    "duration": lambda folder: write_rung(folder, MIDDLE, scene()[:30]),
    "frame-count": lambda folder: write_rung(folder, MIDDLE, scene()[:38]),
    "frame-rate": lambda folder: write_rung(
        folder, MIDDLE, scene()[::2], fps=FPS / 2, gop=FPS // 2
    ),
    "resolution": lambda folder: write_rung(folder, MIDDLE, scene(), size=(144, 108)),
    "aspect": lambda folder: write_rung(folder, MIDDLE, scene(), size=(172, MIDDLE)),
    "bitrate-over": lambda folder: _rename(folder, "10k"),
    "bitrate-under": lambda folder: _rename(folder, "9000k"),
    "codec": lambda folder: write_rung(
        folder, MIDDLE, scene(), codec="libx265", options={"crf": "26"}
    ),
}


@pytest.mark.parametrize("fault", SPOIL)
def test_a_planted_fault_is_found(check: Run, healthy: Path, tmp_path: Path, fault: str) -> None:
    folder = Path(shutil.copytree(healthy, tmp_path / "ladder"))
    SPOIL[fault](folder)
    done = check(folder, "--format", "json")
    assert fault in found(done)
    # What a fault brings with it: a rung that ends early has fewer frames. No more is invented.
    implied = {"duration": {"frame-count"}, "frame-count": {"duration"}}
    assert set(found(done)) <= {fault} | implied.get(fault, set())
    assert done.code == (0 if fault == "bitrate-under" else 1)
    (ladder,) = json.loads(done.out)["ladders"]
    (result,) = [r for r in ladder["checks"] if r["id"] == fault]
    assert result["findings"][0]["rungs"][0].startswith(f"{MIDDLE}p")


def test_a_playlist_is_a_ladder_of_its_own(check: Run, tmp_path: Path) -> None:
    frames = playlist_scene(2.0)
    playlist = playlist_ladder(tmp_path, frames, frames)
    done = check(playlist, "--format", "json")
    (ladder,) = json.loads(done.out)["ladders"]
    assert [rung["file"] for rung in ladder["rungs"]] == [f"{playlist}#72p", f"{playlist}#120p"]
    assert ladder["grouped_by"] == "playlist"
    assert "stall" not in found(done)


def test_segments_over_their_declared_peak_are_found(check: Run, tmp_path: Path) -> None:
    frames = playlist_scene(2.0)
    playlist = playlist_ladder(tmp_path, frames, frames)
    text = playlist.read_text()
    playlist.write_text(text.replace("BANDWIDTH=200000,", "BANDWIDTH=20000,", 1))
    done = check(playlist, "--format", "json")
    (ladder,) = json.loads(done.out)["ladders"]
    low, high = ladder["rungs"]
    segments = [path.stat().st_size for path in sorted((tmp_path / "120p").glob("*.m4s"))]
    assert high["peak_bit_rate"] == pytest.approx(8 * max(segments), rel=0.02)  # of a second each
    (result,) = [each for each in ladder["checks"] if each["id"] == "peak-over"]
    assert [each["rungs"] for each in result["findings"]] == [["120p"]]
    assert result["findings"][0]["value"] == pytest.approx(high["peak_bit_rate"] / 20000 - 1)
    assert low["peak_bit_rate"] < 90_000


def test_a_rung_that_cannot_be_scored_is_code_3(check: Run, healthy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(healthy, tmp_path / "ladder"))
    (folder / "t_360p.mp4").write_text("no video")
    done = check(folder, "--format", "json")
    assert done.code == 3
    (ladder,) = json.loads(done.out)["ladders"]
    assert (ladder["status"], len(ladder["rungs"])) == ("incomplete", 3)
    assert ladder["unscored"][0]["name"] == "360p"
    assert len(done.err.splitlines()) == 1


def test_gates_hold_for_every_rung(check: Run, healthy: Path) -> None:
    done = check(healthy, "--gate", "media.height >= 121", "--format", "csv")
    assert done.code == 1
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert list(rows[0]) == ["title", "rung", "below_hull", *COLUMNS]
    assert [json.loads(row["gates"])[0]["passed"] for row in rows] == [False, True, True]
    assert "gate failed" in done.err


def test_a_dry_run_scores_nothing_and_its_map_gives_the_same_ladder(
    vqa2: Run, check: Run, healthy: Path, tmp_path: Path
) -> None:
    shown = vqa2("ladder", healthy, "--dry-run", "--model", tmp_path / "none")
    assert shown.code == 0
    assert "192x144" in shown.out
    made = tmp_path / "map.csv"
    assert vqa2("ladder", healthy, "--dry-run", "--format", "csv", "-o", made).code == 0
    done = check("--map", made, "--format", "json")
    (ladder,) = json.loads(done.out)["ladders"]
    assert (done.code, ladder["grouped_by"], len(ladder["rungs"])) == (0, "map", 3)


def test_two_runs_give_the_same_report_but_for_timing(check: Run, healthy: Path) -> None:
    def run() -> Any:
        report = json.loads(check(healthy, "--format", "json").out)
        for row in report["results"]:
            row["timing"] = None
        return report

    assert run() == run()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "INPUTS or by --map"),
        (["--map", "none.csv"], "cannot read"),
        (["--dry-run", "--format", "html"], "table or csv"),
        (["--report", "a.doc"], "tells no format"),
        (["--gate", "score.valu > 1"], "did you mean"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_2(
    vqa2: Run, healthy: Path, args: list[str], says: str
) -> None:
    inputs = [] if not args or args[0] == "--map" else [healthy]
    done = vqa2("ladder", *inputs, *args)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_a_report_never_overwrites_a_rung(check: Run, healthy: Path) -> None:
    rung = healthy / f"t_{HEIGHTS[0]}p{FPS}.mp4"
    before = rung.read_bytes()
    assert check(healthy, "--format", "json", "-o", rung).code == 2
    assert rung.read_bytes() == before
