"""Each measure answers to what it is named after, on decoded clips."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.video.measures.conftest import FPS, ONLY, SIZE, Measure, measured, scene
from tests.video.media import flat
from vqa2cli.video.measures.records import MEASURES, NAMES, STEP_S, SignalMeasures
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.synthesis import Frame, write_clip


def middle(measures: SignalMeasures, name: str) -> float:
    return float(np.nanmedian(measures.of(name)))


def noisy(frames: list[Frame], deviation: float) -> list[Frame]:
    rng = np.random.default_rng(0)
    return [np.clip(f + rng.normal(0, deviation, f.shape), 0, 255).astype(np.uint8) for f in frames]


def jpeg(rgb: Frame, quality: int) -> Frame:
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("RGB"))


def test_every_half_second_has_a_value_of_every_measure(measure: Measure) -> None:
    found = measure(scene(2.0))
    assert found.values.shape == (len(MEASURES), 2.0 / STEP_S)
    assert np.isfinite(found.values).all()
    assert found.span_s(1, 3) == (0.5, pytest.approx(2.0))


def test_values_stay_within_the_ranges_they_state(measure: Measure) -> None:
    found = measure(noisy(scene(1.0), 60))
    for each, row in zip(MEASURES, found.values, strict=True):
        assert ((row >= each.low) & (row <= each.high)).all(), each.name


@pytest.mark.parametrize(("code", "luma"), [(16, 0.0), (126, 50.2), (235, 100.0)])
def test_luma_is_a_share_of_the_nominal_range(tmp_path: Path, code: int, luma: float) -> None:
    found = measured(flat(tmp_path / "flat.mkv", (code, 128, 128), SIZE))
    assert middle(found, "luma") == pytest.approx(luma, abs=0.1)
    assert middle(found, "contrast") == pytest.approx(0.0, abs=0.1)
    assert middle(found, "saturation") == pytest.approx(0.0, abs=0.1)
    assert middle(found, "dark_share") == (100.0 if code == 16 else 0.0)
    assert middle(found, "bright_share") == (100.0 if code == 235 else 0.0)


def test_saturation_is_the_length_of_the_colour_difference(tmp_path: Path) -> None:
    found = measured(flat(tmp_path / "flat.mkv", (120, 128 + 56, 128), SIZE))
    assert middle(found, "saturation") == pytest.approx(50.0, abs=0.1)


def test_a_flat_picture_has_no_sharpness_to_speak_of(tmp_path: Path) -> None:
    found = measured(flat(tmp_path / "flat.mkv", (120, 128, 128), SIZE))
    assert np.isnan(found.of("blur")).all()


def test_blur_grows_with_blur(measure: Measure) -> None:
    def under(sigma: float) -> float:
        soft = ImageFilter.GaussianBlur(sigma)
        frames = [np.asarray(Image.fromarray(f).filter(soft)) for f in scene(0.5)]
        return middle(measure(frames), "blur")

    assert under(0.1) < under(1.0) < under(2.0) < under(4.0)


def test_noise_is_read_in_codes(measure: Measure) -> None:
    plain = [np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)] * 13
    found = measure(noisy(plain, 8.0), options={"crf": "0"})
    luma_deviation = 8.0 * np.sqrt(0.257**2 + 0.504**2 + 0.098**2)  # of three channels in BT.601
    assert middle(found, "noise") == pytest.approx(luma_deviation, rel=0.1)


def test_blocks_of_a_coarse_jpeg_show(measure: Measure) -> None:
    coarse = measure([jpeg(f, 8) for f in scene(0.5)])
    assert middle(coarse, "blockiness") > 5 * middle(measure(scene(0.5)), "blockiness") + 0.2


def test_a_gradient_of_few_values_has_bands(measure: Measure) -> None:
    ramp = np.linspace(40, 200, SIZE[0])[None, :, None].repeat(SIZE[1], 0).repeat(3, 2)
    smooth = [ramp.astype(np.uint8)] * 13
    banded = [(ramp // 16 * 16).astype(np.uint8)] * 13
    assert middle(measure(smooth), "banding") < 5
    assert middle(measure(banded), "banding") > 50


def test_woven_fields_comb_where_things_move(measure: Measure) -> None:
    fields = scene(1.0, 2 * FPS)
    woven = []
    for first, second in zip(fields[::2], fields[1::2], strict=True):
        frame = first.copy()
        frame[1::2] = np.roll(second, 4, axis=1)[1::2]
        woven.append(frame)
    assert middle(measure(woven), "combing") > 50
    assert middle(measure(scene(0.5)), "combing") == 0


def test_flicker_is_the_swing_of_the_light(measure: Measure) -> None:
    swing = 0.1 * np.sin(2 * np.pi * 6 * np.arange(50) / FPS)
    frames = [(f * (0.8 * (1 + s))).astype(np.uint8) for f, s in zip(scene(2), swing, strict=True)]
    assert middle(measure(frames), "flicker") == pytest.approx(10 / np.sqrt(2), rel=0.25)
    assert middle(measure(scene(2)), "flicker") < 1


def test_a_fade_from_near_black_is_no_flicker(measure: Measure) -> None:
    light = np.interp(np.arange(75), [0, 25, 50, 75], [0.06, 0.06, 0.8, 0.8])
    faded = [(f * w).astype(np.uint8) for f, w in zip(scene(3), light, strict=True)]
    assert measure(faded).of("flicker").max() < 0.6


def test_shake_is_the_fast_movement_of_the_whole_picture(measure: Measure) -> None:
    still = scene(0.04, size=(400, 320))[0]
    rng = np.random.default_rng(3)
    offsets = 40 + rng.integers(-8, 9, (50, 2))
    shaken = [still[y : y + 240, x : x + 320] for y, x in offsets]
    panned = [still[40:280, x : x + 320] for x in range(50)]
    assert 2 < middle(measure(shaken), "shake") < 5  # 100 * 8 px * sqrt(2 / 3) / 240 px is 2.7
    assert middle(measure(panned), "shake") < 0.5


def test_one_moving_object_is_no_shake(measure: Measure) -> None:
    frames = []
    for index in range(50):
        picture = scene(0.04)[0].copy()
        left = 150 + 8 * (index % 2)
        picture[100:140, left : left + 40] = 255
        frames.append(picture)
    assert middle(measure(frames), "shake") < 0.2


def test_dropped_frames_are_stutter_and_not_a_cadence(measure: Measure) -> None:
    frames = scene(3)
    rng = np.random.default_rng(1)
    shown = [0]
    for index in range(1, len(frames)):
        shown.append(shown[-1] if rng.random() < 0.3 and index > 1 else index)
    found = measure([frames[index] for index in shown])
    assert found.cadence is None
    assert 15 < middle(found, "stutter") < 45
    assert middle(measure(frames), "stutter") < 5


def test_dropped_frames_show_where_a_thirtieth_of_the_picture_moves(measure: Measure) -> None:
    still, rng = scene(0.04)[0], np.random.default_rng(1)
    thing = np.kron(rng.integers(0, 256, (6, 6, 1), np.uint8), np.ones((8, 8, 3), np.uint8))
    shown, at = [], 0
    for index in range(60):
        at = at if rng.random() < 0.3 else index
        picture = still.copy()
        picture[100:148, 4 * at : 4 * at + 48] = thing // 8 + 100
        shown.append(picture)
    assert 15 < middle(measure(shown), "stutter") < 45


def test_calm_before_a_storm_is_no_stutter(measure: Measure) -> None:
    wide = scene(0.04, size=(420, 240))[0] // 3
    panned = [wide[:, x : x + 320] for x in range(100)]
    shown = [*panned[:50], *noisy(panned[50:], 40)]
    assert measure(shown).of("stutter").max() < 5
    assert measure(shown[::-1]).of("stutter").max() < 5


def test_a_still_picture_that_is_refreshed_now_and_then_does_not_stutter(measure: Measure) -> None:
    still, refreshed = scene(0.04)[0], noisy(scene(0.04), 4)[0]
    shown = [refreshed if index % 10 == 5 else still for index in range(42)]
    assert measure(shown, fps=10).of("stutter").max() < 10


@pytest.mark.parametrize(("holds", "name"), [((2,), "2"), ((3, 2), "3:2")])
def test_a_steady_pattern_of_repeats_is_a_cadence(
    measure: Measure, holds: tuple[int, ...], name: str
) -> None:
    frames = scene(2)
    shown = [f for k, f in enumerate(frames) for _ in range(holds[k % len(holds)])]
    found = measure(shown, fps=60)
    assert found.cadence == name
    assert middle(found, "stutter") == 0


def test_a_cadence_of_some_seconds_is_no_stutter(measure: Measure) -> None:
    frames = scene(8)
    shown = [frames[n - n % 2] if 50 <= n < 150 else frame for n, frame in enumerate(frames)]
    found = measure(shown)
    assert found.cadence is None
    assert found.of("stutter").max() < 10


def test_a_cut_is_found_where_it_is(measure: Measure) -> None:
    frames = [*scene(1), *(255 - f for f in scene(1))]
    assert measure(frames).cuts_s == pytest.approx((1.0,))


def test_exposure_drift_is_told_in_stops(measure: Measure) -> None:
    codes = np.arange(256) / 255
    darker = (255 * (codes**2.2 / 4) ** (1 / 2.2)).astype(np.uint8)
    frames = scene(3)
    found = measure([darker[f] if 25 <= k < 50 else f for k, f in enumerate(frames)], gop=250)
    assert not found.cuts_s  # however sudden: the scene is the same
    assert found.of("exposure_drift") == pytest.approx(np.array([0, 0, 2, 2, 0, 0]), abs=0.2)
    fade = np.clip(np.abs(np.arange(75) - 37) / 25 - 0.2, 0, 1)
    slow = [(255 * ((f / 255) ** 2.2 * 2.0 ** (2 * (w - 1))) ** (1 / 2.2)) for f, w in
            zip(frames, fade, strict=True)]  # fmt: skip
    faded = measure([f.astype(np.uint8) for f in slow]).of("exposure_drift")
    assert 0.8 < faded.max() < 2.2


def test_exposure_drift_is_told_where_much_of_the_picture_is_black(measure: Measure) -> None:
    frames = [f.copy() for f in scene(3)]
    for k, f in enumerate(frames):
        f[80:] = 0
        if 30 <= k < 45:  # from 1.2 to 1.8 s
            f[:80] //= 2
    told = measure(frames, gop=250).of("exposure_drift")
    assert (told[2:4] > 0.3).all()
    assert np.allclose(told[[0, 1, 5]], 0, atol=0.1)


def test_what_comes_close_to_the_camera_is_no_drift_of_its_exposure(measure: Measure) -> None:
    near = np.clip(np.minimum(np.arange(75) - 15, 60 - np.arange(75)) * 12, 0, 110)
    frames = [f.copy() for f in scene(3)]
    for picture, width in zip(frames, near, strict=True):
        picture[:, :width] = 16
    found = measure(frames, gop=250)
    assert not found.cuts_s
    assert np.ptp(found.of("luma")) > 10
    assert found.of("exposure_drift").max() < 0.2


def grey(frame: Frame, colour: float) -> Frame:
    luma = frame @ np.array([0.299, 0.587, 0.114])
    mixed = luma[..., None] + colour * (frame - luma[..., None])
    return np.clip(mixed, 0, 255).astype(np.uint8)


def test_a_shot_that_loses_colour_for_a_while_has_less_there_than_usual(measure: Measure) -> None:
    frames = [grey(f, 0.3 if 12 <= k < 63 else 1.0) for k, f in enumerate(scene(3))]
    beside = measure(frames).of("saturation_in_shot")
    assert np.allclose(beside[[0, 5]], 100, atol=15)
    assert (beside[1:5] < 45).all()


def test_another_scene_with_other_colours_departs_from_nothing(measure: Measure) -> None:
    frames = [*scene(1), *(grey(255 - f, 0.3) for f in scene(1))]
    found = measure(frames)
    assert len(found.cuts_s) == 1
    assert np.allclose(found.of("saturation_in_shot"), 100, atol=15)
    assert np.allclose(found.of("exposure_drift"), 0, atol=0.2)


def test_a_shot_that_is_soft_for_a_while_is_so_beside_its_sharp_pictures(measure: Measure) -> None:
    soft = ImageFilter.GaussianBlur(3)
    frames = [
        np.asarray(Image.fromarray(f).filter(soft)) if 25 <= k < 63 else f
        for k, f in enumerate(scene(3))
    ]
    beside = measure(frames).of("blur_in_shot")
    assert (beside[[0, 1, 5]] < 120).all()
    assert (beside[2:5] > 150).all()


def test_noise_for_a_while_makes_the_rest_of_the_shot_no_softer(measure: Measure) -> None:
    frames = scene(3)
    beside = measure([*frames[:38], *noisy(frames[38:], 25)]).of("blur_in_shot")
    assert np.nanmax(beside) < 120
    assert np.isnan(beside[4:]).all()


def test_a_shot_that_comes_out_of_the_dark_and_goes_back_is_usual_between(measure: Measure) -> None:
    light = np.clip(np.minimum(np.arange(100), np.arange(100)[::-1]) / 25, 0, 1)
    shown = measure([(f * w).astype(np.uint8) for f, w in zip(scene(4), light, strict=True)])
    assert (shown.of("exposure_drift")[3:6] < 0.3).all()
    assert np.allclose(shown.of("saturation_in_shot")[3:6], 100, atol=25)


def test_black_frames_are_counted(measure: Measure) -> None:
    found = measure([*scene(1), *[np.zeros((SIZE[1], SIZE[0], 3), np.uint8)] * FPS])
    assert found.of("black").tolist() == [0, 0, 100, 100]


def test_bars_above_and_below_are_a_letterbox(measure: Measure) -> None:
    frames = [frame.copy() for frame in scene(0.5)]
    for frame in frames:
        frame[:30] = frame[-30:] = 0
    assert middle(measure(frames), "letterbox") == pytest.approx(25, abs=2)
    assert middle(measure(scene(0.5)), "letterbox") == 0


def test_bits_and_quantizer_come_from_the_packets(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", scene(2), FPS, options={"crf": "30"})
    found = measured(path)
    bits = found.of("bits_per_pixel") * SIZE[0] * SIZE[1] * [13, 12, 13, 12]
    assert bits.sum() == pytest.approx(8 * path.stat().st_size, rel=0.1)
    assert 22 < middle(found, "quantizer") < 36


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "yuv422p"])
def test_other_layouts_measure_the_same(measure: Measure, pix_fmt: str) -> None:
    plain, other = measure(scene(0.5)), measure(scene(0.5), pix_fmt=pix_fmt)
    for name in ("luma", "contrast", "saturation", "blur"):
        assert middle(other, name) == pytest.approx(middle(plain, name), rel=0.12), name


def test_rgb_is_measured_too(tmp_path: Path, measure: Measure) -> None:
    path = write_clip(tmp_path / "rgb.mkv", scene(0.5), FPS, codec="ffv1", pix_fmt="bgr0")
    assert middle(measured(path), "luma") == pytest.approx(
        middle(measure(scene(0.5)), "luma"), abs=3
    )


def test_a_still_image_and_a_tiny_clip_have_measures(tmp_path: Path) -> None:
    Image.fromarray(scene(0.04)[0]).save(tmp_path / "still.png")
    found = measured(tmp_path / "still.png")
    assert found.values.shape[1] == 1
    assert np.isfinite(found.of("luma")).all()
    assert np.isnan(found.of("shake")).all()
    tiny = write_clip(tmp_path / "tiny.mp4", scene(0.4, size=(16, 16)), FPS)
    assert np.isfinite(measured(tiny).of("luma")).all()


def test_measures_cross_from_the_decoding_process_unchanged(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [*scene(1), *(255 - f for f in scene(1))], FPS)
    here = measured(path)
    with DecodePool(1) as pool:
        *_, closed = pool.stream(path, ONLY)
    there = closed.measures  # type: ignore[union-attr]
    assert there is not None
    np.testing.assert_array_equal(here.values, there.values)
    assert (here.cuts_s, here.cadence, here.end_s) == (there.cuts_s, there.cadence, there.end_s)


def test_names_are_those_of_the_catalogue() -> None:
    with pytest.raises(ValueError, match="sharpness"):
        SignalMeasures(np.zeros((len(NAMES), 1), np.float32), 1.0).of("sharpness")
