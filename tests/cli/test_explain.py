"""`vqa2 explain` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from vqa2cli.video.synthesis import moving_scene, write_clip


@pytest.fixture(scope="module")
def dark_end(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose last second is all but black."""
    frames = list(moving_scene(2.0, 15, (96, 64), speed=3))
    dim = [(frame // 24).astype(np.uint8) for frame in frames[:15]]
    return write_clip(tmp_path_factory.mktemp("dark") / "dark.mp4", [*frames, *dim], 15)


def test_findings_causes_and_worst_moments_are_told(
    vqa2: Run, dark_end: Path, model_dir: Path
) -> None:
    done = vqa2("explain", dark_end, "--model", model_dir, "--ask-model", "none",
                "--format", "json")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    told = record["explanation"]
    assert told["depiction"] is None
    dark = [f for f in told["findings"] if f["attribute"] in ("black", "underexposure")]
    assert dark[0]["start"] == pytest.approx(2.0, abs=0.5)
    assert dark[0]["cause"]
    assert dark[0]["action"]
    assert told["worst_moments"]
    assert record["score"] is not None


def test_frames_of_the_worst_moments_are_saved_under_names_of_ours(
    vqa2: Run, dark_end: Path, model_dir: Path, tmp_path: Path
) -> None:
    done = vqa2("explain", dark_end, "--model", model_dir, "--save-frames", tmp_path / "f",
                "-o", tmp_path / "told.md")  # fmt: skip
    assert done.code == 0
    saved = sorted((tmp_path / "f").iterdir())
    assert saved
    assert all(p.name.startswith("worst-") and "dark" not in p.name for p in saved)
    assert Image.open(saved[0]).size == (96, 64)
    text = (tmp_path / "told.md").read_text(encoding="utf-8")
    assert "Worst moment" in text


def test_the_suffix_tells_the_form(
    vqa2: Run, dark_end: Path, model_dir: Path, tmp_path: Path
) -> None:
    assert vqa2("explain", dark_end, "--model", model_dir, "-o", tmp_path / "x.html").code == 0
    assert (tmp_path / "x.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert vqa2("explain", dark_end, "--model", model_dir, "-o", tmp_path / "x.txt").code == 0
    shown = vqa2("explain", dark_end, "--model", model_dir)
    assert (tmp_path / "x.txt").read_text(encoding="utf-8") == shown.out
    refused = vqa2("explain", dark_end, "--model", model_dir, "-o", tmp_path / "x.doc")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "tells no format" in refused.err


def test_bad_input_is_one_line(
    vqa2: Run, bad_clips: Path, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    broken = vqa2("explain", bad_clips / "text.mp4", "--model", model_dir)
    assert (broken.code, broken.out, broken.err.count("\n")) == (3, "", 1)
    several = vqa2("explain", clips, "--model", model_dir)
    assert (several.code, several.err.count("\n")) == (2, 1)
    assert "holds 2 clips" in several.err
    (tmp_path / "file").write_text("")
    taken = vqa2("explain", clips / "moving.mp4", "--model", model_dir,
                 "--save-frames", tmp_path / "file" / "x")  # fmt: skip
    assert (taken.code, taken.err.count("\n")) == (2, 1)
