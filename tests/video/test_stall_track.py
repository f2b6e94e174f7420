"""Sampling of frames, and a track that is fed pictures directly."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from tests.video.stall_media import scene
from vqa2cli.video.stall_pictures import SAMPLES
from vqa2cli.video.stalls import StallTrack, luma_of, sequence_text, summary_text


def ramp(width: int, height: int) -> av.VideoFrame:
    """Return a gray8 frame that brightens from left to right."""
    line = np.linspace(16, 235, width).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.tile(line, (height, 1)), format="gray")


@pytest.mark.parametrize(
    "pix_fmt",
    ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv420p12le", "nv12", "yuyv422", "gray"],
)
def test_luma_is_the_same_in_every_format(pix_fmt: str) -> None:
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(scene()[0]), format="rgb24")
    planar = luma_of(rgb.reformat(format="yuv420p"))
    luma = luma_of(rgb.reformat(format=pix_fmt))
    assert luma.shape == SAMPLES
    assert luma.dtype == np.uint8
    if pix_fmt == "gray":  # full range
        planar = np.clip((planar.astype(float) - 16) * 255 / 219, 0, 255).astype(np.uint8)
    difference = np.abs(luma.astype(int) - planar)
    assert np.median(difference) <= 3


@pytest.mark.parametrize("pix_fmt", ["rgb24", "bgra", "gbrp", "yuv420p10be", "pal8"])
def test_other_formats_are_converted(pix_fmt: str) -> None:
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(scene()[0]), format="rgb24")
    frame = rgb.reformat(format="rgb8" if pix_fmt == "pal8" else pix_fmt)
    luma = luma_of(frame)
    assert luma.shape == SAMPLES
    assert 60 < luma.mean() < 190
    assert luma.std() > 10


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (854, 480), (322, 182), (64, 36)])
def test_luma_covers_the_picture_and_not_the_padding(width: int, height: int) -> None:
    luma = luma_of(ramp(width, height).reformat(format="yuv420p"))
    assert luma.shape == SAMPLES
    columns = luma.mean(0)
    assert (np.diff(columns) >= 0).all()
    assert columns[0] < 40
    assert columns[-1] > 200


def test_a_clip_without_frames_has_no_stall() -> None:
    stalling, stalled = StallTrack(0.3).close(0.0)
    assert stalling.events == ()
    assert stalling.stall_ratio == 0.0
    assert stalled.shape == (0,)


def test_a_still_image_is_content() -> None:
    track = StallTrack(0.3)
    track.add(np.full(SAMPLES, 90, np.uint8), 0.0, True)
    stalling, stalled = track.close(0.0)
    assert not [event for event in stalling.events if event.counted]
    assert stalled.tolist() == [0]


def test_times_count_from_the_first_frame() -> None:
    rng = np.random.default_rng(1)
    track = StallTrack(0.3)
    base = rng.integers(40, 200, (SAMPLES[0], SAMPLES[1] + 90)).astype(np.uint8)
    for index in range(120):
        step = index if index < 40 else max(39, index - 40)  # stands for frames 40 to 79
        track.add(np.ascontiguousarray(base[:, step : step + SAMPLES[1]]), 7.0 + index / 30, False)
    stalling, stalled = track.close(7.0 + 120 / 30)
    (event,) = stalling.events
    assert event.start == pytest.approx(40 / 30)
    assert event.end == pytest.approx(80 / 30)
    assert stalled.nonzero()[0].tolist() == list(range(40, 80))
    assert stalling.time_since_last_stall_sec == pytest.approx(40 / 30)


def test_a_long_clip_full_of_stands_is_judged_in_a_time_that_grows_no_faster_than_it_does() -> None:
    rng = np.random.default_rng(4)
    shown = rng.integers(30, 220, (40, *SAMPLES), np.uint8)

    def judging_s(frames: int) -> float:
        track = StallTrack(0.3)
        for index in range(frames):  # five moving frames, then seven that stand
            track.add(shown[(index // 12 * 5 + min(index % 12, 5)) % 40], index / 30, index == 0)
        begun = time.process_time()
        track.close(frames / 30)
        return time.process_time() - begun

    judging_s(240)  # what is done once
    assert judging_s(24_000) < 30 * judging_s(2_400)


def test_the_sequence_is_one_digit_a_frame() -> None:
    assert sequence_text(np.array([0, 1, 1, 0], np.uint8)) == "0110"


def test_the_summary_holds_the_five_facts() -> None:
    text = summary_text([1.5, 0.4], 0.2375, 0.5, 3.25)
    assert text.startswith("2 stalls, lasting 1.50 s, 0.40 s.")
    assert "23.8 %" in text
    assert "Initial buffering: 0.50 s." in text
    assert text.endswith("3.25 s.")


def test_the_summary_of_a_clip_without_stalls_says_so() -> None:
    assert summary_text([], 0.0, 0.0, None).startswith("No stall")


@pytest.mark.parametrize("seed", range(25))
def test_events_are_in_order_and_apart_whatever_is_shown(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = rng.integers(0, 255, (SAMPLES[0] + 60, SAMPLES[1] + 60)).astype(np.uint8)
    track, at, time_s = StallTrack(0.1), np.array([30, 30]), 0.0
    fps = float(rng.choice([1, 8, 12, 30, 60]))
    for shown in rng.choice(["held", "moving", "noisy", "middle", "other", "black"], 12):
        for _ in range(rng.integers(1, 25)):
            if shown == "moving":
                at = np.clip(at + rng.integers(-2, 3, 2), 0, 60)
            samples = scene[at[0] :, at[1] :][: SAMPLES[0], : SAMPLES[1]].copy()
            if shown == "noisy":
                samples ^= rng.integers(0, 4, SAMPLES).astype(np.uint8)
            elif shown == "middle":
                samples[35:55, 70:90] = rng.integers(0, 255, (20, 20))
            elif shown == "other":
                samples = rng.integers(0, 255, SAMPLES).astype(np.uint8)
            elif shown == "black":
                samples[:] = 16
            track.add(samples, time_s, bool(rng.random() < 0.03))
            time_s += float(rng.choice([1, 1, 1, 1, 0, 20])) / fps
    events = track.close(time_s)[0].events
    times = [time for event in events for time in (event.start, event.end)]
    assert times == sorted(times)
    assert all(event.duration >= 0.1 - 1e-6 for event in events)
