"""Stalls over which a player lays something are found: dimmed, under controls, a black screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.video.stall_media import (
    FPS,
    Cover,
    assert_lasts,
    blacked_out,
    covered,
    dimmed,
    ringed,
    scene,
    spinning,
    the_stall,
    under_controls,
    watch,
)
from vqa2cli.video.stalling import Stalling
from vqa2cli.video.synthesis import Frame, with_freeze, write_clip

START, LENGTH = 60, 45  # 2.0 to 3.5 s


def waiting(cover: Cover, *, after: int = 0) -> list[Frame]:
    """Return the scene with a freeze that is covered, `after` some frames of it."""
    clip = with_freeze(scene(4.0), START, LENGTH)
    return covered(clip, START + after, LENGTH - after, cover)


def stalls_of(path: Path, clip: list[Frame], crf: str) -> Stalling:
    return watch(write_clip(path / "a.mp4", clip, FPS, gop=60, options={"crf": crf}))[0]


@pytest.mark.parametrize("crf", ["20", "33"])
@pytest.mark.parametrize("cover", [dimmed, under_controls])
def test_a_picture_that_is_covered_while_it_stands_is_a_freeze(
    tmp_path: Path, cover: Cover, crf: str
) -> None:
    event = the_stall(stalls_of(tmp_path, waiting(cover), crf))
    assert event.kind == "freeze"
    assert_lasts(event, START, START + LENGTH)


@pytest.mark.parametrize("cover", [dimmed, under_controls])
def test_it_is_one_stall_where_it_is_covered_half_way(tmp_path: Path, cover: Cover) -> None:
    event = the_stall(stalls_of(tmp_path, waiting(cover, after=18), "23"))
    assert_lasts(event, START, START + LENGTH)


@pytest.mark.parametrize("crf", ["20", "33"])
def test_a_black_screen_after_which_the_shot_goes_on_is_a_rebuffering(
    tmp_path: Path, crf: str
) -> None:
    event = the_stall(stalls_of(tmp_path, waiting(blacked_out), crf))
    assert event.kind == "rebuffer"
    assert event.evidence == ("black_screen", "same_shot")
    assert_lasts(event, START, START + LENGTH)


def test_a_black_screen_between_two_shots_is_content(tmp_path: Path) -> None:
    clip = [*scene(2.0), *map(blacked_out, scene(1.5)), *scene(2.0, 9)]
    assert not [one for one in stalls_of(tmp_path, clip, "23").events if one.counted]


def test_a_logo_that_comes_and_goes_on_black_is_content(tmp_path: Path) -> None:
    gains = np.interp(np.arange(150), [30, 45, 105, 120], [0, 1, 1, 0])
    logo = ringed(np.zeros_like(scene(1.0)[0]))
    clip = [*scene(1.0), *((logo * gain).astype(np.uint8) for gain in gains), *scene(1.0, 9)]
    assert not [one for one in stalls_of(tmp_path, clip, "23").events if one.counted]


def test_a_spinner_of_half_a_second_before_a_camera_that_moves_is_a_rebuffering(
    tmp_path: Path,
) -> None:
    clip = spinning(with_freeze(scene(4.0, 1, 2.0), START, 15), START, 15, 64)
    event = the_stall(stalls_of(tmp_path, clip, "23"))
    assert event.kind == "rebuffer"
    assert_lasts(event, START, START + 15)


@pytest.mark.parametrize("cover", [dimmed, under_controls])
def test_a_first_frame_that_is_covered_at_once_is_initial_buffering(
    tmp_path: Path, cover: Cover
) -> None:
    first, *later = scene(3.0)
    clip = [first, *[cover(first)] * 30, *later]
    event = the_stall(stalls_of(tmp_path, clip, "20"))
    assert event.kind == "initial_buffering"
    assert_lasts(event, 0, 31)
