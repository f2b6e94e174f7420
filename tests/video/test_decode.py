"""One pass over a clip: windows, key frames, motion frames, times, colours and damage."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.video.media import FPS, clip, flat, remux, scene, spoiled
from vqa2cli.errors import VideoError
from vqa2cli.video import frames
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import (
    ClipEvent,
    Closed,
    FragmentGrid,
    KeyFrames,
    MotionFrames,
    Opened,
    Sampling,
    WindowEnd,
)
from vqa2cli.video.pixels import PictureMaker
from vqa2cli.video.synthesis import write_clip

PLAIN = Sampling(window_s=1e9, keyframe_size=32, motion_size=32)
FAST = Sampling(window_s=1e9, keyframe_size=32, motion_size=32, resize="swscale")


def decoded(path: Path, sampling: Sampling = PLAIN) -> list[ClipEvent]:
    return list(decode_clip(path, sampling))


def closed(events: list[ClipEvent]) -> Closed:
    assert isinstance(events[-1], Closed)
    return events[-1]


def ends(events: list[ClipEvent]) -> list[WindowEnd]:
    return [event for event in events if isinstance(event, WindowEnd)]


def key_times(events: list[ClipEvent]) -> list[float]:
    return [float(t) for event in events if isinstance(event, KeyFrames) for t in event.pts_s]


def keys(events: list[ClipEvent]) -> np.ndarray:
    return np.concatenate([event.pixels for event in events if isinstance(event, KeyFrames)])


def motion(events: list[ClipEvent]) -> np.ndarray:
    return np.concatenate([event.pixels for event in events if isinstance(event, MotionFrames)])


def plain_rgb(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [np.asarray(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


def squashed(rgb: np.ndarray, size: int = 32) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC))


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


# -- pixels


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


# -- damage


def test_damage_is_counted_and_the_same_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoiled(clip(tmp_path / "v.mp4", 60, gop=20), tmp_path / "bad.mp4")
    seen = []
    for threads in (1, 4, 4, 2):
        monkeypatch.setattr(frames, "MAX_THREADS", threads)
        monkeypatch.setattr(frames.os, "cpu_count", lambda: 8)
        events = decoded(path)
        seen.append((closed(events).warnings, keys(events).tobytes(), motion(events).tobytes()))
    assert seen[0][0]
    assert seen.count(seen[0]) == 4


def test_an_undamaged_clip_has_no_warning(tmp_path: Path) -> None:
    assert closed(decoded(clip(tmp_path / "v.mp4", 30))).warnings == ()


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_a_clip_that_breaks_off_is_scored_with_a_warning(tmp_path: Path, suffix: str) -> None:
    whole = clip(tmp_path / f"v{suffix}", 100)
    half = tmp_path / f"half{suffix}"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = closed(decoded(half))
    assert 10 < found.media.nb_frames_decoded < 90
    assert suffix == ".ts" or found.warnings  # a transport stream declares no length


def test_an_mp4_whose_data_breaks_off_is_scored_with_a_warning(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "v.mp4", scene(100), FPS)
    front = tmp_path / "front.mp4"
    with (
        av.open(str(whole)) as src,
        av.open(str(front), "w", options={"movflags": "faststart"}) as out,
    ):
        copy = out.add_stream_from_template(src.streams.video[0])
        for packet in src.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    front.write_bytes(front.read_bytes()[: front.stat().st_size * 6 // 10])
    warnings = " ".join(closed(decoded(front)).warnings)
    assert "s of the 4.00 s the file declares could be decoded" in warnings


def test_a_truncated_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    whole = clip(tmp_path / "v.mp4", 50)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(VideoError) as caught:
        decoded(cut)
    assert caught.value.kind == "not_video"


def test_a_clip_without_one_decodable_frame_is_corrupt(tmp_path: Path) -> None:
    path = spoiled(clip(tmp_path / "v.mp4", 10), tmp_path / "bad.mp4", every=1, keep=0)
    with pytest.raises(VideoError) as caught:
        decoded(path)
    assert caught.value.kind == "corrupt"


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
