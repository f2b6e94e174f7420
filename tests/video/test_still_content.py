"""What only looks like a stall is none: stills, fades, cadences, cameras that come to rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.video.stall_media import (
    FPS,
    X264,
    coming_to_rest,
    fading,
    noisy,
    panning,
    presentation,
    scene,
    slide,
    slowing,
    still_camera,
    stopping_and_going,
    swaying_to_rest,
    watch,
)
from vqa2cli.video.synthesis import Frame, with_freeze, write_clip


def test_a_steadily_uneven_frame_rate_has_no_gap(tmp_path: Path) -> None:
    steps = np.tile([1, 1, 4], 50)
    times = (np.concatenate([[0], np.cumsum(steps)])[:150] * 0.1).tolist()
    path = write_clip(tmp_path / "a.mp4", scene(), FPS, options=X264, pts_s=times)
    assert not [event for event in watch(path)[0].events if event.counted]


def test_a_live_picture_that_hardly_moves_at_first_is_not_waited_for(tmp_path: Path) -> None:
    live = noisy(with_freeze(scene(), 0, 15), 3.0)
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", live, FPS, options={"crf": "20"}))
    assert not [event for event in stalling.events if event.counted]


def test_a_subject_that_comes_to_rest_by_itself_is_no_freeze(tmp_path: Path) -> None:
    made = write_clip(tmp_path / "a.mp4", swaying_to_rest(), FPS, options={"crf": "16"})
    stalling, stalled = watch(made)
    assert not any(event.counted for event in stalling.events)
    assert not stalled.any()


@pytest.mark.parametrize(("easing", "pace"), [(12, 4.0), (25, 4.0)])
def test_a_camera_that_eases_into_a_stand_and_out_of_it_is_no_freeze(
    tmp_path: Path, easing: int, pace: float
) -> None:
    clip = stopping_and_going(50, easing, 40, pace)
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", clip, FPS, gop=60, options={"crf": "38"}))
    assert not any(event.counted for event in stalling.events)


def test_a_shot_that_sets_out_slowly_from_a_stand_is_content(tmp_path: Path) -> None:
    shot = panning([2.0 * pace for pace in [*[0.0] * 20, *reversed(slowing(40, 30))]])
    made = write_clip(tmp_path / "a.mp4", [*scene(2.0), *shot], FPS, options={"crf": "30"})
    assert not any(event.counted for event in watch(made)[0].events)


def cut_to_slide() -> list[Frame]:
    """Return the scene with a still slide cut in for 2.5 s."""
    return [*scene()[:90], *slide(75), *scene()[90:]]


CONTENT = {
    "a static slide": lambda: slide(180),
    "a small moving object": lambda: still_camera(180, 12),
    "a larger moving object": lambda: still_camera(180, 40),
    "a fade to black and hold": lambda: fading(scene(), 60, 30),
    "a fade to black and back": lambda: [*fading(scene(), 60, 30), *scene(2.0, 9)],
    "a cut to a slide and back": cut_to_slide,
    "brightness that drifts": lambda: [
        np.clip(picture * (1 + 0.0005 * index), 0, 255).astype(np.uint8)
        for index, picture in enumerate(slide(180))
    ],
    "a static camera with noise": lambda: noisy(slide(150), 3),
    "a noisy camera on an object": lambda: noisy(still_camera(150, 20), 4),
    "slow motion": lambda: list(scene(6.0, 0, 0.05)),
    "animation on threes": lambda: [picture for picture in scene()[::3] for _ in range(3)],
    "a 24 to 30 pull-up": lambda: [
        picture
        for index, picture in enumerate(scene()[:120])
        for _ in range(2 if index % 4 == 3 else 1)
    ],
    "two frames a second": lambda: [picture for picture in scene()[::15] for _ in range(15)],
    "dropped frames": lambda: [scene()[index - index % (2 + index // 30)] for index in range(150)],
    "a camera that comes to rest": lambda: coming_to_rest(),
    "slides with wipes": lambda: presentation(4),
}


COARSE = (
    "a static slide",
    "a cut to a slide and back",
    "slow motion",
    "a camera that comes to rest",
)


@pytest.mark.parametrize(
    ("content", "crf"), [*((name, "23") for name in CONTENT), *((name, "38") for name in COARSE)]
)
def test_content_is_not_a_stall(tmp_path: Path, content: str, crf: str) -> None:
    path = write_clip(tmp_path / "a.mp4", CONTENT[content](), FPS, options={"crf": crf})
    stalling, stalled = watch(path)
    assert not [event for event in stalling.events if event.counted]
    assert not stalled.any()
    assert stalling.stall_ratio == 0.0
    assert stalling.time_since_last_stall_sec is None


def test_animation_at_twelve_frames_a_second_is_not_a_stall(tmp_path: Path) -> None:
    clip = [picture for picture in scene()[::3] for _ in range(2)]
    assert not watch(write_clip(tmp_path / "a.mp4", clip, 24, options=X264))[0].events


def test_a_static_slide_is_reported_as_content(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", slide(150), FPS, options=X264)
    (event,) = watch(path)[0].events
    assert event.kind == "static"
    assert event.duration == pytest.approx(5.0)


def test_a_title_that_fades_in_on_black_and_out_again_is_content(tmp_path: Path) -> None:
    title = np.full((*scene(1.0)[0].shape[:2], 3), 16, np.uint8)
    for row in range(40, 140, 24):
        for column in range(30, 290, 16):
            title[row : row + 12, column : column + 9] = 225
    gains = np.interp(np.arange(170), [15, 45, 90, 120], [0, 1, 1, 0])
    clip = [*scene(1.0), *((16 + (title - 16) * gain).astype(np.uint8) for gain in gains)]
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", clip, FPS, gop=60, options=X264))
    assert not [event for event in stalling.events if event.counted]
