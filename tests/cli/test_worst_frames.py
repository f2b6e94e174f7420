"""Pages show what is on the screen where a clip scores worst."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import Run
from tests.ladder.media import write_ladder
from vqa2cli.cli.worst_frames import SIDE, WITHIN_S, WorstFrames
from vqa2cli.report.page.pictures import Moment
from vqa2cli.video.synthesis import write_clip

_PICTURE = re.compile(r'<img src="data:image/jpeg;base64,([^"]+)" alt="frame at ([0-9.]+) s">')


def pictures(page: Path) -> list[tuple[np.ndarray, float]]:
    """Return the pictures of a page and the times that it gives for them."""
    found = _PICTURE.findall(page.read_text(encoding="utf-8"))
    return [
        (np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), float(time))
        for data, time in found
    ]


def coloured(path: Path) -> Path:
    """Write a clip of two seconds that goes from red to blue in its middle."""
    frames = [np.full((360, 640, 3), (220, 20, 20), np.uint8)] * 30
    frames += [np.full((360, 640, 3), (20, 20, 220), np.uint8)] * 30
    return write_clip(path, frames, 30, options={"crf": "10"})


def test_a_page_shows_the_middle_of_each_worst_window(
    vqa2: Run, model_dir: Path, tmp_path: Path
) -> None:
    clip = coloured(tmp_path / "it's <b>.mp4")
    page, record = tmp_path / "page.html", tmp_path / "record.json"
    done = vqa2("score", clip, "--model", model_dir, "-o", record, "--report", page)
    assert done.code == 0, done.err
    (row,) = json.loads(record.read_text())["results"]
    shown = pictures(page)
    assert len(shown) == len(row["segments"]) > 0
    middles = sorted((part["start"] + part["end"]) / 2 for part in row["segments"])
    assert sorted(time for _, time in shown) == [round(middle, 2) for middle in middles]
    for picture, time in shown:
        assert picture.shape == (270, SIDE, 3)
        red, _, blue = picture.mean((0, 1))
        assert (red > blue) == (time < 1.0)


def test_a_page_of_a_ladder_shows_its_rungs(vqa2: Run, model_dir: Path, tmp_path: Path) -> None:
    folder, page = write_ladder(tmp_path / "ladder"), tmp_path / "page.html"
    done = vqa2("ladder", folder, "--model", model_dir, "-o", page)
    assert done.code in (0, 1), done.err
    assert len(pictures(page)) > 1


def test_a_clip_that_is_gone_costs_its_picture_and_nothing_else(tmp_path: Path) -> None:
    clip = coloured(tmp_path / "clip.mp4")
    gone = coloured(tmp_path / "gone.mp4")
    find = WorstFrames()
    find.know([clip, gone])
    gone.unlink()
    asked = [Moment(str(gone), 0.5), Moment(str(clip), 0.5), Moment("unknown.mp4", 0.5)]
    assert set(find(asked)) == {asked[1]}


def test_a_picture_late_in_a_long_clip_is_left_out(tmp_path: Path) -> None:
    clip = coloured(tmp_path / "clip.mp4")
    find = WorstFrames()
    find.know([clip])
    assert find([Moment(str(clip), WITHIN_S + 1)]) == {}
