"""Pictures of a clip as models get them: order, orientation, colour, depth and size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.events import (
    FAST,
    PLAIN,
    closed,
    decoded,
    key_times,
    keys,
    motion,
    plain_rgb,
    squashed,
)
from tests.video.media import FPS, clip, flat, remux, scene
from vqa2cli.video.media import FragmentGrid, Sampling
from vqa2cli.video.pixels import PictureMaker
from vqa2cli.video.synthesis import write_clip


def test_pictures_on_the_fast_route_are_close_to_the_exact_ones(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 26)
    exact, fast = decoded(path, PLAIN), decoded(path, FAST)
    assert np.abs(keys(exact).astype(int) - keys(fast)).mean() < 6
    assert np.abs(motion(exact).astype(int) - motion(fast)).mean() < 6


def test_b_frames_come_in_presentation_order(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 30, options={"bf": "3", "crf": "18"}, scene_size=(64, 64))
    assert any(f.pict_type == 3 for f in av.open(str(path)).decode(video=0))
    found = closed(decoded(path)).pts_s
    assert found == pytest.approx(np.arange(30) / 25)
    assert (
        np.stack([squashed(rgb) for rgb in plain_rgb(path)[:28]]) == motion(decoded(path))
    ).all()


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("sampling", [PLAIN, FAST], ids=["pil", "swscale"])
def test_a_rotated_clip_is_shown_upright(tmp_path: Path, degrees: int, sampling: Sampling) -> None:
    source = clip(tmp_path / "v.mp4", 5)
    turned = remux(source, tmp_path / "turned.mp4", degrees=degrees)
    events = decoded(turned, sampling)
    upright = np.rot90(plain_rgb(source)[0], degrees // 90)  # the writer turns anticlockwise
    assert np.abs(keys(events)[0].astype(int) - squashed(upright)).mean() < 6
    media, facts = closed(events).media, closed(events).facts
    assert (media.width, media.height, media.rotation) == (160, 120, 360 - degrees)
    assert (facts.width, facts.height) == ((160, 120) if degrees == 180 else (120, 160))


@pytest.mark.parametrize(
    ("size", "expected"), [((320, 240), (253, 0, 0)), ((1280, 720), (255, 23, 0))]
)
@pytest.mark.parametrize("resize", ["pil", "swscale"])
def test_untagged_colour_is_bt601_below_hd_and_bt709_from_there(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int, int], resize: str
) -> None:
    path = flat(tmp_path / "flat.mkv", (81, 90, 240), size)
    sampling = Sampling(window_s=10, keyframe_size=32, motion_size=16, resize=resize)
    assert keys(decoded(path, sampling)).mean((0, 1, 2)) == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("libx264", "yuv420p"),
        ("libx265", "yuv420p10le"),
        ("ffv1", "yuv444p12le"),
        ("mjpeg", "yuvj420p"),
        ("ffv1", "gray"),
        ("ffv1", "bgra"),
    ],
)
def test_depths_ranges_and_grey_look_alike(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    pictures = scene(4)
    path = write_clip(tmp_path / "v.mkv", pictures, FPS, codec=codec, pix_fmt=pix_fmt)
    seen = keys(decoded(path))[0].astype(float)
    wanted = squashed(pictures[0]).astype(float)
    if pix_fmt == "gray":
        seen, wanted = seen.mean(-1), wanted @ np.array([0.299, 0.587, 0.114])
    assert np.abs(seen - wanted).mean() < 6


@pytest.mark.parametrize("sampling", [PLAIN, FAST], ids=["pil", "swscale"])
def test_one_resize_serves_key_frame_and_motion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampling: Sampling
) -> None:
    made = []
    real = PictureMaker.squashed

    def counted(maker: PictureMaker, *given: Any) -> np.ndarray:
        made.append(given)
        return real(maker, *given)

    monkeypatch.setattr(PictureMaker, "squashed", counted)
    events = decoded(clip(tmp_path / "v.mkv", 12, codec="ffv1"), sampling)
    assert len(made) == len(motion(events))
    at = [round(t * FPS) for t in key_times(events)]
    np.testing.assert_array_equal(keys(events), motion(events)[at])


def test_odd_sizes_decode(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mkv", 5, scene_size=(161, 91), codec="ffv1", pix_fmt="yuv444p")
    events = decoded(path)
    assert (closed(events).media.width, closed(events).media.height) == (161, 91)


def test_a_change_of_size_is_told_and_scored(tmp_path: Path) -> None:
    small, large = tmp_path / "a.ts", tmp_path / "b.ts"
    clip(small, 10)
    clip(large, 10, scene_size=(320, 240))
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    found = closed(decoded(both))
    assert found.media.nb_frames_decoded == 20
    assert any("160x120, 320x240" in warning for warning in found.warnings)
    assert (np.diff(found.pts_s) > 0).all()
    assert found.media.duration == pytest.approx(0.8, abs=0.1)


def test_a_display_size_is_where_fragments_are_cut(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 5)
    grid = FragmentGrid(2, 32)
    native = Sampling(window_s=10, fragments=grid, motion_size=16)
    shown = Sampling(window_s=10, fragments=grid, motion_size=16, display=(64, 64))
    whole = np.asarray(Image.fromarray(plain_rgb(path)[0]).resize((64, 64)))
    assert keys(decoded(path, native)).shape == (1, 64, 64, 3)
    assert np.abs(keys(decoded(path, shown))[0].astype(int) - whole).mean() < 6


def test_a_display_lies_the_way_the_picture_does(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 5, scene_size=(120, 160))
    sampling = Sampling(
        window_s=10, fragments=FragmentGrid(1, 90), motion_size=16, display=(160, 90)
    )
    whole = np.asarray(Image.fromarray(plain_rgb(path)[0]).resize((90, 160)))
    seen = keys(decoded(path, sampling))[0]
    assert min(np.abs(seen.astype(int) - whole[top : top + 90]).mean() for top in range(71)) < 6
