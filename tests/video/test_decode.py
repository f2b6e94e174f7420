"""One pass over a clip: windows, key frames, motion frames, times, limits and facts."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.events import (
    FAST,
    PLAIN,
    closed,
    decoded,
    ends,
    key_times,
    keys,
    motion,
    plain_rgb,
    squashed,
)
from tests.video.media import FPS, clip, remux, scene
from vqa2cli.errors import VideoError
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, MotionFrames, Opened, Sampling
from vqa2cli.video.synthesis import write_clip

# -- order and windows


def test_events_come_in_order_and_windows_never_interleave(tmp_path: Path) -> None:
    sampling = Sampling(window_s=1, keyframe_size=16, motion_size=16, resize="swscale")
    events = decoded(clip(tmp_path / "v.mp4", 70), sampling)
    assert isinstance(events[0], Opened)
    assert isinstance(events[-1], Closed)
    windows = [event.window for event in events if not isinstance(event, Opened | Closed)]
    assert windows == sorted(windows)
    assert [end.window for end in ends(events)] == [0, 1, 2]


def test_a_clip_longer_than_a_window_is_cut_into_equal_ones(tmp_path: Path) -> None:
    sampling = Sampling(window_s=1, keyframe_size=16, motion_size=16, resize="swscale")
    found = ends(decoded(clip(tmp_path / "v.mp4", 60), sampling))
    assert [(end.start_s, end.end_s) for end in found] == [
        pytest.approx((0.8 * k, 0.8 * (k + 1))) for k in range(3)
    ]
    assert [end.frames for end in found] == [20, 20, 20]


def test_a_clip_as_long_as_a_window_is_one(tmp_path: Path) -> None:
    sampling = Sampling(window_s=2, keyframe_size=16, motion_size=16, resize="swscale")
    (only,) = ends(decoded(clip(tmp_path / "v.mp4", 50), sampling))
    assert (only.start_s, only.end_s, only.frames) == (0.0, pytest.approx(2.0), 50)


def test_no_window_holds_more_frames_than_allowed(tmp_path: Path) -> None:
    sampling = Sampling(window_s=1e9, max_window_frames=20, keyframe_size=16, motion_size=16)
    found = ends(decoded(clip(tmp_path / "v.mp4", 50), sampling))
    assert [end.frames for end in found] == [20, 20, 10]
    assert found[0].end_s == found[1].start_s == pytest.approx(0.8)


def test_a_window_in_which_nothing_new_is_shown_joins_the_one_before(tmp_path: Path) -> None:
    times = [0, 0.04, 0.08, 0.12, 5.0, 5.04, 5.08, 5.12]
    path = write_clip(tmp_path / "gap.mkv", scene(8), FPS, pts_s=times)
    sampling = Sampling(window_s=1, keyframe_size=16, motion_size=16)
    found = ends(decoded(path, sampling))
    assert [end.frames for end in found] == [4, 4]
    assert found[0].end_s == found[1].start_s
    assert found[0].end_s <= 5.0 < found[1].end_s


# -- which frames


@pytest.mark.parametrize(
    ("fps", "count", "expected"),
    [
        (Fraction(25), 60, [0, 25, 50]),
        (Fraction(25), 50, [0, 25]),
        (Fraction(25), 8, [0]),
        (Fraction(49, 2), 60, [0, 24, 48]),  # 24.5 rounds to even
        (Fraction(30000, 1001), 64, [0, 30, 60]),
    ],
)
def test_key_frames_are_the_first_of_every_rounded_second(
    tmp_path: Path, fps: Fraction, count: int, expected: list[int]
) -> None:
    events = decoded(clip(tmp_path / "v.mp4", count, fps=fps))
    assert key_times(events) == pytest.approx([index / fps for index in expected])
    rgb = plain_rgb(tmp_path / "v.mp4")
    assert (keys(events) == np.stack([squashed(rgb[index]) for index in expected])).all()


def test_two_key_frames_a_second_come_twice_as_often(tmp_path: Path) -> None:
    sampling = Sampling(window_s=1e9, keyframes_per_second=2, keyframe_size=16, motion_size=16)
    events = decoded(clip(tmp_path / "v.mp4", 50), sampling)
    assert key_times(events) == pytest.approx([k * 12 / 25 for k in range(5)])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 63, 64, 65, 70, 150])
@pytest.mark.parametrize("stride", [1, 8])
def test_motion_frames_follow_the_authors_rule(tmp_path: Path, count: int, stride: int) -> None:
    path = clip(tmp_path / "v.mp4", count, scene_size=(32, 32), codec="ffv1")
    sampling = Sampling(window_s=1e9, keyframe_size=32, motion_size=32, motion_stride=stride)
    rgb = plain_rgb(path)
    kept = rgb[: count // stride * stride][::stride]
    expected = kept[: len(kept) // 4 * 4] or rgb[::stride]
    assert (motion(decoded(path, sampling)) == np.stack(expected)).all()


def test_motion_frames_come_in_short_runs(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 150, scene_size=(32, 32))
    runs = [len(e.pixels) for e in decoded(path, FAST) if isinstance(e, MotionFrames)]
    assert runs == [64, 64, 20]


# -- times


def test_times_count_from_the_first_frame_shown(tmp_path: Path) -> None:
    late = remux(clip(tmp_path / "v.mp4", 30), tmp_path / "late.mkv", shift_s=7)
    found = closed(decoded(late))
    assert found.pts_s == pytest.approx(np.arange(30) / 25, abs=2e-3)
    assert found.media.duration == pytest.approx(1.2, abs=5e-3)


def test_a_variable_rate_keeps_its_own_times(tmp_path: Path) -> None:
    times = np.cumsum([0, *np.random.default_rng(3).uniform(0.01, 0.1, 39)])
    path = write_clip(tmp_path / "vfr.mp4", scene(40), FPS, pts_s=list(times))
    events = decoded(path)
    assert closed(events).pts_s == pytest.approx(times, abs=1e-3)
    assert closed(events).facts.fps == pytest.approx(39 / times[-1], rel=0.1)


# -- limits and listeners


def test_decoding_stops_at_its_time_limit_which_leaves_the_consumers_out(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 50)
    with pytest.raises(VideoError) as caught:
        list(decode_clip(path, PLAIN, max_seconds=0.0))
    assert caught.value.kind == "timeout"
    (spent,) = (e.decode_s for e in decode_clip(path, PLAIN) if isinstance(e, Closed))
    assert 0 < spent < 5


def test_stalls_are_watched_for_only_when_asked(tmp_path: Path) -> None:
    pictures = scene(60)
    path = write_clip(
        tmp_path / "v.mp4", [*pictures[:30], *[pictures[29]] * 30, *pictures[30:]], FPS
    )
    without = closed(decoded(path))
    assert without.stalling is None
    assert without.stalled is None
    watched = Sampling(window_s=10, keyframe_size=16, motion_size=16, find_stalls=True)
    found = closed(decoded(path, watched))
    assert found.stalling is not None
    assert found.stalled is not None
    assert len(found.stalled) == len(found.pts_s) == 90
    assert 25 <= found.stalled.sum() <= 32


def test_facts_are_those_of_the_encode(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 50)
    events = decoded(path)
    with av.open(str(path)) as container:
        bits = 8 * sum(packet.size for packet in container.demux(video=0))
    facts = closed(events).facts
    assert facts.codec == "h264"
    assert facts.bits_per_pixel == pytest.approx(bits / (160 * 120 * 50))
    assert isinstance(events[0], Opened)
    assert events[0].facts == facts


def test_a_still_image_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    Image.fromarray(scene(1)[0]).save(tmp_path / "still.png")
    events = decoded(tmp_path / "still.png")
    assert closed(events).media.nb_frames_decoded == 1
    assert len(motion(events)) == 1
    assert (keys(events)[0] == squashed(scene(1)[0])).all()


# -- agreement with the reference


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_key_frames_are_those_of_the_authors_code_to_the_bit(shared_dir: Path, name: str) -> None:
    from safetensors.numpy import load_file

    golden = shared_dir / "golden"
    expected = json.loads((golden / "expected.json").read_text())[name]
    events = decoded(golden / expected["file"], Sampling(window_s=1e9))
    indices = [round(t * expected["fps"]) for t in key_times(events)]
    assert indices == expected["keyframe_indices"]
    last = keys(events)[-1].transpose(2, 0, 1) * (1 / 255)
    pixels = (last.astype(np.float32) - np.float32(0.5)) / np.float32(0.5)
    assert (pixels == load_file(golden / f"{name}.safetensors")["key_pixels_last"]).all()
    motion_frames = expected["presets"]["ugc-2025"]["motion_frames"]
    assert len(motion(events)) == motion_frames
