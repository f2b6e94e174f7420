"""Pictures that are measured together say what each says by itself."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.video.measures.conftest import scene
from vqa2cli.video.measures.looks import Looks
from vqa2cli.video.stalls import luma_of
from vqa2cli.video.synthesis import write_clip

RANGE = (16.0, 219.0)


def decoded(path: Path, size: tuple[int, int], count: int, form: str) -> list[av.VideoFrame]:
    """Return some pictures of a scene of `size`, out of a clip of the pixel format `form`."""
    written = write_clip(path, scene(1.0, 25, size), 25, options={"crf": "8"})
    with av.open(str(written)) as container:
        frames = list(container.decode(video=0))[:: 25 // count][:count]
    return [frame.reformat(format=form) for frame in frames]


def told(frames: list[av.VideoFrame], looks: Looks) -> dict[int, dict[str, float]]:
    """Return what `looks` says of each of `frames`, by its number and the name of a measure."""
    for number, frame in enumerate(frames):
        looks.add(frame, luma_of(frame), number)
    return {
        cell: {name: float(values[at]) for name, values in found.items()}
        for cells, found in looks.close()
        for at, cell in enumerate(cells)
    }


def by_itself(frame: av.VideoFrame) -> dict[str, float]:
    return told([frame], Looks(*RANGE))[0]


@pytest.mark.parametrize("count", [3, 4, 5, 9])
def test_what_is_measured_together_is_what_each_shows(tmp_path: Path, count: int) -> None:
    frames = decoded(tmp_path / "a.mp4", (320, 240), count, "yuv420p")
    together = told(frames, Looks(*RANGE))
    assert sorted(together) == list(range(count))
    for number, frame in enumerate(frames):
        assert together[number] == pytest.approx(by_itself(frame))


def test_sizes_and_formats_that_change_are_measured_apart(tmp_path: Path) -> None:
    kinds = [
        ((320, 240), "yuv420p"),
        ((1280, 720), "yuv420p"),
        ((320, 240), "gray"),
        ((12, 12), "yuv420p"),
        ((320, 240), "yuv420p10le"),
        ((1280, 720), "yuv420p10le"),
    ]
    frames = [
        frame
        for number, (size, form) in enumerate(kinds)
        for frame in decoded(tmp_path / f"{number}.mp4", size, 3, form)
    ]
    together = told(frames, Looks(*RANGE))
    for number, frame in enumerate(frames):
        assert together[number] == pytest.approx(by_itself(frame), nan_ok=True), number
    assert "saturation" not in together[6]
    assert "blur" not in together[9]


def test_ten_bits_say_what_eight_say(tmp_path: Path) -> None:
    (eight,) = decoded(tmp_path / "a.mp4", (1280, 720), 1, "yuv420p")
    ten = by_itself(eight.reformat(format="yuv420p10le"))
    for name, value in by_itself(eight).items():
        assert ten[name] == pytest.approx(value, rel=1e-3, abs=0.02), name
