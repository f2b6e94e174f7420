"""Fine detail of real decoded pictures, and rungs that have less of it than they should."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.ladder.media import blurred
from tests.ladder.rungs import ladder, rung
from vqa2cli.ladder.detail_checks import losses
from vqa2cli.ladder.measured import Ladder
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.detail_track import Detail, DetailTrack, sides_of
from vqa2cli.video.marks import Marks
from vqa2cli.video.media import NO_PICTURES, Closed
from vqa2cli.video.synthesis import Frame, moving_scene, write_clip
from vqa2cli.video.wire import event_message, event_of

FPS = 12


@pytest.fixture(scope="module")
def scene() -> list[Frame]:
    return list(moving_scene(3.0, FPS, (512, 288), speed=2))


def closed(path: Path) -> Closed:
    events = decode_clip(path, replace(NO_PICTURES, marks=True))
    return next(event for event in events if isinstance(event, Closed))


def marks_of(folder: Path, height: int, frames: list[Frame], crf: int = 26) -> Marks:
    size = (height * 16 // 9 // 2 * 2, height)
    path = write_clip(folder / f"{height}.mp4", frames, FPS, size=size, options={"crf": str(crf)})
    found = closed(path).marks
    assert found is not None
    return found


def made(marks: list[Marks]) -> Ladder:
    sizes = ((180, 300), (216, 600), (288, 1200))
    return ladder(
        [
            rung(height, kbps, 50.0 + kbps / 50, marks=seen)
            for (height, kbps), seen in zip(sizes, marks, strict=True)
        ]
    )


def test_every_half_second_is_looked_at_once_whatever_the_frame_rate() -> None:
    for fps in (10, 25, 60):
        track = DetailTrack()
        for number in range(3 * fps):
            luma = np.full((180, 320), 100, np.uint8)
            luma[::2] += np.uint8(number / fps * 10)
            picture = av.VideoFrame.from_ndarray(luma, format="gray")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            track.add(picture, number / fps)
        small, large = track.close()
        assert (small.side, large.side) == (96, 144)
        assert len(small.codes) == len(large.codes) == 6
        assert all(a is not None and b is not None and a < b
                   for a, b in zip(large.codes, large.codes[1:], strict=False))  # fmt: skip


def test_a_moment_that_no_picture_begins_in_is_not_known() -> None:
    track = DetailTrack()
    picture = av.VideoFrame.from_ndarray(np.zeros((180, 320), np.uint8), format="gray")
    for at in (0.0, 0.3, 1.9):
        track.add(picture, at)
    assert track.close()[0].codes == (0.0, None, None, 0.0)


def test_a_picture_is_never_looked_at_near_its_own_size() -> None:
    for height in (100, 240, 1080):
        picture = av.VideoFrame(height * 16 // 9, height, "yuv420p")
        assert all(side <= 0.8 * height for side in sides_of(picture))
    assert sides_of(av.VideoFrame(160, 100, "yuv420p")) == ()


def test_a_healthy_ladder_loses_no_detail(scene: list[Frame], tmp_path: Path) -> None:
    marks = [
        marks_of(tmp_path, height, scene, crf) for height, crf in ((180, 36), (216, 32), (288, 28))
    ]
    found = list(losses(made(marks)))
    assert [measure.rungs for measure in found] == [("216p",), ("288p",)]
    assert all(measure.value < 0.05 for measure in found)


def test_a_rung_from_a_blurred_source_is_found_though_it_is_larger(
    scene: list[Frame], tmp_path: Path
) -> None:
    marks = [
        marks_of(tmp_path, 180, scene, 36),
        marks_of(tmp_path, 216, scene, 32),
        marks_of(tmp_path, 288, blurred(scene, 2.5), 20),
    ]
    measures = {measure.rungs: measure for measure in losses(made(marks))}
    assert measures["216p",].value < 0.05
    assert measures["288p",].value > 0.2


def test_a_second_of_blur_is_found_where_it_is(scene: list[Frame], tmp_path: Path) -> None:
    part = [*scene[:FPS], *blurred(scene[FPS : 2 * FPS], 3), *scene[2 * FPS :]]
    marks = [
        marks_of(tmp_path, 180, scene, 36),
        marks_of(tmp_path, 216, part, 32),
        marks_of(tmp_path, 288, scene, 28),
    ]
    (measure, _) = losses(made(marks))
    assert measure.value > 0.12
    assert measure.start is not None
    assert 0.5 <= measure.start <= 1.5
    assert "216p" in measure.message


def test_what_is_black_or_stalls_is_left_to_the_checks_of_that() -> None:
    steady = Detail(96, (4.0,) * 8)
    dark = Detail(96, (4.0, 4.0, 4.0, 0.1, 0.1, 4.0, 4.0, 4.0))
    plain = [Marks((), (), (steady,)), Marks((), (), (dark,)), Marks((), (), (steady,))]
    assert max(measure.value for measure in losses(made(plain))) > 0.9
    black = [plain[0], Marks((), ((1.5, 2.6),), (dark,)), plain[2]]
    assert max(measure.value for measure in losses(made(black))) <= 0
    frozen = rung(216, 600, 62.0, marks=plain[1], stalls=[(1.5, 2.0)])
    others = [rung(180, 300, 56.0, marks=plain[0]), rung(288, 1200, 74.0, marks=plain[2])]
    assert max(m.value for m in losses(ladder([others[0], frozen, others[1]]))) <= 0


def test_a_cut_one_frame_apart_is_no_loss() -> None:
    steady = (4.0, 4.0, 4.0, 4.0)
    marks = [
        Marks((), (), (Detail(96, codes),)) for codes in (steady, (4.0, 0.5, 4.0, 4.0), steady)
    ]
    assert all(measure.value <= 0 for measure in losses(made(marks)))


def test_rungs_of_other_pixels_or_without_detail_are_not_compared() -> None:
    flat = Marks((), (), (Detail(96, (0.1, 0.1, 0.1)),))
    assert losses(made([flat, flat, flat])) == "no two neighbours have detail in common"
    seen = Marks((), (), (Detail(96, (4.0, 4.0, 4.0)),))
    narrow = rung(216, 600, 60.0, marks=seen, media={"width": 288})
    others = [rung(180, 300, 55.0, marks=seen), rung(288, 1200, 70.0, marks=seen)]
    assert isinstance(losses(ladder([others[0], narrow, others[1]])), str)


def test_detail_crosses_to_another_process_whole(scene: list[Frame], tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", scene, FPS)
    event = closed(path)
    assert event.marks is not None
    assert event.marks.detail
    found = event_of(event_message(event))
    assert isinstance(found, Closed)
    assert found.marks == event.marks
