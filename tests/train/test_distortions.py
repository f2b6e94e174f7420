"""The 25 made distortions: what they do to pixels, and what stays put over a clip."""

from __future__ import annotations

import numpy as np
import pytest

from train.distortions import FIXED_PATTERN, KADID_TYPES, distort, distort_clip, human_mean
from train.kadid import NOT_ORDERED
from vqa2cli.video.synthesis import moving_scene

#: Types whose random draw is fresh noise in each frame.
NOISE = (11, 12, 13, 14, 15)

every_type = pytest.mark.parametrize("kind", KADID_TYPES, ids=list(KADID_TYPES.values()))


@pytest.fixture(scope="module")
def scene():
    return next(iter(moving_scene(1, 1, (320, 180), seed=5)))


def rms(a, b):
    return float(np.sqrt(np.mean((a.astype(float) - b.astype(float)) ** 2)))


@every_type
def test_a_distortion_keeps_shape_and_type_and_leaves_its_input_alone(scene, kind):
    before = scene.copy()
    distorted = distort(scene, kind, 5, np.random.default_rng(0))
    assert distorted.shape == scene.shape
    assert distorted.dtype == np.uint8
    assert distorted.flags.writeable
    assert np.array_equal(scene, before)
    assert rms(distorted, scene) > 2


@every_type
def test_the_same_seed_gives_the_same_pixels(scene, kind):
    first, second = (distort(scene, kind, 4, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", sorted(KADID_TYPES.keys() - NOT_ORDERED - {5}))
def test_a_higher_level_moves_the_picture_further_from_its_source(scene, kind):
    distances = [
        rms(distort(scene, kind, level, np.random.default_rng(2)), scene) for level in range(1, 6)
    ]
    assert distances == sorted(distances)
    assert distances[4] > 1.15 * distances[0]


def test_a_wider_colour_shift_leaves_a_wider_fringe():
    edge = np.full((128, 128, 3), 60, np.uint8)
    edge[:, 64:] = 200
    edge[64:] = 255 - edge[64:]
    fringes = [
        int((distort(edge, 5, level, np.random.default_rng(2)) != edge).sum())
        for level in range(1, 6)
    ]
    assert fringes == sorted(set(fringes))


@every_type
def test_a_clip_keeps_its_pattern_and_only_noise_is_fresh(scene, kind):
    first, second = distort_clip([scene, scene], kind, 5, seed=3)
    assert np.array_equal(first, second) == (kind not in NOISE)


@pytest.mark.parametrize("kind", sorted(FIXED_PATTERN))
def test_another_seed_puts_the_pattern_elsewhere(scene, kind):
    (one,) = distort_clip([scene], kind, 5, seed=3)
    (other,) = distort_clip([scene], kind, 5, seed=4)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("variance", [(11, 2, 0.002), (12, 1, 0.0001)])
def test_noise_has_the_variance_of_its_level(variance):
    kind, level, expected = variance
    grey = np.full((256, 256, 3), 128, np.uint8)
    noisy = distort(grey, kind, level, np.random.default_rng(0)).astype(float)
    luma = noisy @ (0.299, 0.587, 0.114)
    samples = noisy if kind == 11 else luma
    # Rounding to whole codes adds a twelfth of a code squared, less in the mean of three channels.
    assert (samples / 255).var() == pytest.approx(expected, rel=0.06)


def test_levels_that_change_nothing_change_nothing(scene):
    rng = np.random.default_rng(0)
    assert np.array_equal(distort(scene, 3, 1, rng), scene)  # a motion of one pixel
    assert np.array_equal(distort(scene, 18, 3, rng), scene)  # a shift by nothing
    assert rms(distort(scene, 8, 1, rng), scene) < 0.3  # chroma times one


def test_grey_stays_grey_under_the_colour_distortions():
    grey = np.repeat(np.linspace(20, 230, 128, dtype=np.uint8)[:, None, None], 96, 1).repeat(3, 2)
    for kind in (4, 7, 8):
        moved = distort(grey, kind, 5, np.random.default_rng(0))
        assert np.abs(moved.astype(int) - grey).max() <= 6


def test_human_means_run_from_0_to_100_and_fall_with_the_level():
    assert human_mean(1, 1) == pytest.approx(90.25)
    assert human_mean(10, 5) == pytest.approx(8.75)
    for kind in KADID_TYPES:
        means = [human_mean(kind, level) for level in range(1, 6)]
        assert all(0 <= mean <= 100 for mean in means)
        assert means[0] > means[4] or kind in NOT_ORDERED


def test_human_means_are_those_of_the_table(shared_dir):
    table = shared_dir / "tables" / "kadid10k_mean_dmos_by_type_level.csv"
    for line in table.read_text().splitlines()[1:]:
        kind, name, *means = line.split(",")
        assert KADID_TYPES[int(kind)] == name
        for level, mean in enumerate(means, 1):
            assert human_mean(int(kind), level) == pytest.approx((float(mean) - 1) / 4 * 100)


@pytest.mark.parametrize(
    ("kind", "level", "words"),
    [(0, 1, "distortion type 0"), (26, 1, "distortion type 26"), (1, 6, "distortion level 6")],
)
def test_an_unknown_type_or_level_is_refused(scene, kind, level, words):
    with pytest.raises(ValueError, match=words):
        distort(scene, kind, level, np.random.default_rng(0))


@pytest.mark.parametrize(
    "frame",
    [np.zeros((90, 160), np.uint8), np.zeros((90, 160, 3), np.float32), np.zeros((8, 8, 3), "u1")],
)
def test_a_frame_of_another_form_is_refused(frame):
    with pytest.raises(ValueError, match="uint8"):
        distort(frame, 1, 1, np.random.default_rng(0))
