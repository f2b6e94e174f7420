"""Stalls are found in encoded clips, whatever the content and the encode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.video.stall_media import (
    FPS,
    SIZE,
    X264,
    assert_lasts,
    frame_times,
    noisy,
    panning,
    scene,
    spinning,
    still_camera,
    swaying,
    the_stall,
    watch,
)
from vqa2cli.video.synthesis import Frame, moving_scene, with_freeze, write_clip

START, LENGTH = 90, 75  # the freeze of most clips: 3.0 to 5.5 s


def frozen() -> list[Frame]:
    """Return the moving scene with 2.5 s of freeze from 3.0 s on."""
    return with_freeze(scene(), START, LENGTH)


ENCODES = {
    "x264-gop48": ("a.mp4", {"gop": 48, "options": X264}),
    "x264-gop60": ("a.mp4", {"gop": 60, "options": X264}),
    "x264-gop250": ("a.mp4", {"gop": 250, "options": X264}),
    "x264-crf38": ("a.mp4", {"gop": 60, "options": {"crf": "38"}}),
    "x264-crf38-gop48": ("a.mp4", {"gop": 48, "options": {"crf": "38"}}),
    "x264-10bit": ("a.mp4", {"gop": 60, "options": X264, "pix_fmt": "yuv420p10le"}),
    "x265": ("a.mp4", {"gop": 60, "codec": "libx265", "options": {"crf": "28"}}),
    "vp9": ("a.webm", {"gop": 60, "codec": "libvpx-vp9", "options": {"crf": "34", "b": "0"}}),
}


@pytest.mark.parametrize("encode", ENCODES)
def test_a_freeze_is_found_whatever_the_encode(tmp_path: Path, encode: str) -> None:
    name, settings = ENCODES[encode]
    stalling, stalled = watch(write_clip(tmp_path / name, frozen(), FPS, **settings))
    event = the_stall(stalling)
    assert event.kind == "freeze"
    assert not event.open_ended
    assert {"motion_drop", "motion_resumes"} <= set(event.evidence)
    assert_lasts(event, START, START + LENGTH)
    assert abs(int(stalled.sum()) - LENGTH) <= 4
    assert stalled[START + 3 : START + LENGTH - 3].all()


def test_a_freeze_to_the_end_is_kept_and_open(tmp_path: Path) -> None:
    clip = [*scene()[:100], *[scene()[99]] * LENGTH]
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))
    event = the_stall(stalling)
    assert event.kind == "freeze"
    assert event.open_ended
    assert event.end == pytest.approx(175 / FPS)
    assert stalling.time_since_last_stall_sec == pytest.approx(0.0, abs=1e-6)
    assert_lasts(event, 100, 175)


def test_two_freezes_count_and_the_media_clock_stops_in_them(tmp_path: Path) -> None:
    clip = with_freeze(with_freeze(scene(), 50, 30), 140, 45)
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))
    first, second = (event for event in stalling.events if event.counted)
    assert_lasts(first, 50, 80)
    assert_lasts(second, 140, 185)
    assert first.media_start == first.start
    assert second.media_start == pytest.approx(second.start - first.duration)
    assert stalling.rebuffer_number == 2
    assert stalling.rebuffer_duration_sec == pytest.approx(2.5, abs=0.14)
    assert stalling.stall_ratio == pytest.approx(stalling.rebuffer_duration_sec / 7.5, abs=1e-3)
    assert stalling.summary.startswith("2 stalls, lasting ")


def test_a_short_freeze_is_a_stall_only_beyond_the_minimum(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", with_freeze(scene(), START, 12), FPS, options=X264)
    assert_lasts(the_stall(watch(path, 0.3)[0]), START, START + 12)
    assert not watch(path, 0.6)[0].events


def test_a_fifth_of_a_second_is_not_reported(tmp_path: Path) -> None:
    clip = with_freeze(scene(), START, 6)
    assert not watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))[0].events


@pytest.mark.parametrize(("side", "crf"), [(16, "23"), (32, "23"), (64, "23"), (64, "38")])
def test_a_spinner_on_the_held_frame_makes_a_rebuffering(
    tmp_path: Path, side: int, crf: str
) -> None:
    clip = spinning(frozen(), START, LENGTH, side)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": crf}))[0])
    assert event.kind == "rebuffer"
    assert "spinner" in event.evidence
    assert event.confidence > 0.9
    assert_lasts(event, START, START + LENGTH)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_noise_added_after_a_freeze_does_not_hide_it(tmp_path: Path, sigma: float) -> None:
    clip = noisy(frozen(), sigma)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))[0])
    assert event.kind == "freeze"
    assert_lasts(event, START, START + LENGTH)


def test_missing_frames_are_a_gap(tmp_path: Path) -> None:
    times = frame_times(len(scene()), gap_after=89, gap_s=2.5)
    path = write_clip(tmp_path / "a.mp4", scene(), FPS, options=X264, pts_s=times)
    stalling, stalled = watch(path)
    event = the_stall(stalling)
    assert event.kind == "gap"
    assert "timestamp_gap" in event.evidence
    assert event.start == pytest.approx(3.0, abs=0.01)
    assert event.end == pytest.approx(5.5, abs=0.01)
    assert stalled.nonzero()[0].tolist() == [89]


@pytest.mark.parametrize("crf", ["23", "38"])
def test_a_spinner_before_the_first_motion_is_initial_buffering(tmp_path: Path, crf: str) -> None:
    black = [np.zeros_like(scene()[0])] * 60
    clip = spinning([*black, *scene()], 0, 60, 32)
    stalling, _ = watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": crf}))
    event = the_stall(stalling)
    assert event.kind == "initial_buffering"
    assert_lasts(event, 0, 60)
    assert stalling.initial_buffering_sec == pytest.approx(2.0, abs=0.07)
    assert stalling.rebuffer_number == 0
    assert stalling.rebuffer_duration_sec == 0.0
    assert stalling.stall_ratio == pytest.approx(2 / 7, abs=0.02)


def test_a_first_frame_that_stands_and_then_moves_is_initial_buffering(tmp_path: Path) -> None:
    clip = with_freeze(scene(), 0, 45)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))[0])
    assert event.kind == "initial_buffering"
    assert event.start == 0.0
    assert event.confidence <= 0.5  # a poster would look the same
    assert_lasts(event, 0, 46)


@pytest.mark.parametrize("crf", ["32", "56"])
def test_a_first_frame_that_vp9_goes_on_refining_is_waited_on(tmp_path: Path, crf: str) -> None:
    texture = np.random.default_rng(1).normal(0, 18, scene()[0].shape).astype(int)
    moving = [
        np.clip(picture + np.roll(texture, 2 * index, 1), 0, 255).astype(np.uint8)
        for index, picture in enumerate(scene(3.0, 0))
    ]
    clip = with_freeze(moving, 1, 30)
    options = {"crf": crf, "b": "0"}
    made = write_clip(tmp_path / "a.webm", clip, FPS, codec="libvpx-vp9", gop=30, options=options)
    event = the_stall(watch(made)[0])
    assert event.kind == "initial_buffering"
    assert_lasts(event, 0, 31)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_a_subject_that_hardly_moves_is_seen_to_freeze(tmp_path: Path, codec: str) -> None:
    clip = with_freeze(swaying([2.0] * 130), 76, 45)
    made = write_clip(tmp_path / "a.mp4", clip, FPS, codec=codec, gop=60, options={"crf": "18"})
    event = the_stall(watch(made)[0])
    assert event.kind == "freeze"
    assert "exact_repeats" in event.evidence
    assert_lasts(event, 76, 121)


def test_a_subject_that_hardly_moves_is_seen_to_freeze_to_the_end(tmp_path: Path) -> None:
    moving = swaying([2.0] * 77)
    clip = [*moving, *moving[-1:] * 45]
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": "16"}))[0])
    assert event.kind == "freeze"
    assert event.open_ended
    assert_lasts(event, 77, 122)


def test_motion_that_is_shown_twice_a_frame_is_not_taken_for_slow_motion(tmp_path: Path) -> None:
    lefts = np.cumsum([8] * 50 + [4] * 6)
    wide = next(moving_scene(1.0, 1, (int(lefts[-1]) + SIZE[0], SIZE[1]), seed=7))
    moving = [np.ascontiguousarray(wide[:, left : left + SIZE[0]]) for left in lefts]
    clip = [picture for picture in [*moving, *moving[-1:] * 30] for _ in range(2)]
    made = write_clip(tmp_path / "a.mp4", clip, 2 * FPS, options={"crf": "23"})
    event = the_stall(watch(made)[0])
    assert event.kind == "freeze"
    assert event.open_ended
    assert abs(event.start - 56 / FPS) <= 2 / FPS


def test_a_first_frame_that_is_waited_on_before_slow_motion_is_initial_buffering(
    tmp_path: Path,
) -> None:
    clip = with_freeze(swaying([3.0 * min(1.0, step / 30) for step in range(100)]), 1, 45)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": "16"}))[0])
    assert event.kind == "initial_buffering"
    assert event.start == 0.0
    assert abs(event.end * FPS - 46) <= 4  # in which it moves by less than a tenth of a pixel


def test_a_still_camera_whose_object_stops_dead_is_a_freeze(tmp_path: Path) -> None:
    clip = still_camera(180, 40, pause=range(90, 150))
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options=X264))[0])
    assert_lasts(event, 90, 150)


@pytest.mark.parametrize("crf", ["20", "25"])
def test_what_x265_refines_after_a_stop_does_not_hide_a_freeze(tmp_path: Path, crf: str) -> None:
    clip = with_freeze(swaying([2.0] * 130), 76, 20)
    encode = {"codec": "libx265", "gop": 250, "options": {"crf": crf}}
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, **encode))[0])
    assert event.kind == "freeze"
    assert_lasts(event, 76, 96)


@pytest.mark.parametrize("pace", [0.05, 0.1])
def test_motion_that_began_just_before_a_freeze_is_seen_to_break_off(
    tmp_path: Path, pace: float
) -> None:
    clip = with_freeze(panning([pace] * 75 + [3.0] * 38), 83, 18)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": "28"}))[0])
    assert event.kind == "freeze"
    assert_lasts(event, 83, 101)


def test_what_moves_along_an_edge_up_to_the_last_frame_has_not_left(tmp_path: Path) -> None:
    clip = [scene(1.0, 5)[0].copy() for _ in range(80)]
    for picture, moving in zip(clip, swaying([4.0] * 80), strict=True):
        picture[40:, :30] = moving[40:, 60:90]
    clip += clip[-1:] * 30
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": "24"}))[0])
    assert event.kind == "freeze"
    assert_lasts(event, 80, 110)


def test_a_shot_that_stands_on_its_first_picture_and_then_moves_at_once_is_a_freeze(
    tmp_path: Path,
) -> None:
    clip = [*scene(2.0), *with_freeze(scene(3.0, seed=9), 1, 20)]
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, FPS, options={"crf": "30"}))[0])
    assert event.kind == "freeze"
    assert event.evidence == ("cut_before", "motion_resumes", "exact_repeats")
    assert_lasts(event, 60, 81)


def test_short_holds_at_sixty_frames_a_second_are_motion_of_one_pace(tmp_path: Path) -> None:
    clip = with_freeze(with_freeze(list(moving_scene(2.0, 60, SIZE, seed=0)), 40, 5), 1, 45)
    event = the_stall(watch(write_clip(tmp_path / "a.mp4", clip, 60, options=X264))[0])
    assert event.kind == "initial_buffering"


def test_a_freeze_in_animation_stands_out_of_its_cadence(tmp_path: Path) -> None:
    drawn = [picture for picture in scene()[::2] for _ in range(2)]
    path = write_clip(tmp_path / "a.mp4", with_freeze(drawn, START, 45), FPS, options=X264)
    assert_lasts(the_stall(watch(path)[0]), START, START + 45)


def test_an_intra_only_clip_keeps_its_motion(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", frozen(), FPS, options=X264, gop=1)
    assert_lasts(the_stall(watch(path)[0]), START, START + LENGTH)
