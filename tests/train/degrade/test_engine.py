"""Made degradations do what their label says, where it says, and the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from train.colour import LUMA, Frame
from train.degrade.engine import (
    degrade,
    frame_span,
    level_of,
    made,
    parameter_of,
    severities_of,
)
from train.degrade.records import KADID_KINDS, KINDS, TEMPORAL_KINDS, Degradation
from train.kadid import human_mean
from vqa2cli.config import MIN_STALL_S
from vqa2cli.video.synthesis import moving_scene

FPS, SECONDS = 24, 2
SCENE = tuple(moving_scene(SECONDS, FPS, (96, 80), speed=3))


def degraded(*degradations: Degradation, seed: int = 1) -> list[Frame]:
    return list(degrade(SCENE, degradations, fps=FPS, count=len(SCENE), seed=seed))


def damage(frames: Sequence[Frame]) -> list[float]:
    """Mean absolute difference of each frame from the scene, codes."""
    return [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(frames, SCENE, strict=True)]


def lumas(frames: Sequence[Frame]) -> np.ndarray:
    return np.array([float((rgb @ LUMA).mean()) for rgb in frames])


@pytest.mark.parametrize("kind", [*KADID_KINDS, *TEMPORAL_KINDS])
def test_only_the_frames_of_the_span_change(kind: str) -> None:
    severity = severities_of(kind)[-1]
    found = damage(degraded(made(kind, severity, 0.5, 1.25)))
    assert not any(found[:12] + found[30:])
    assert sum(value > 0 for value in found[12:30]) >= 9  # a stutter repeats half of them


@pytest.mark.parametrize("kind", TEMPORAL_KINDS)
def test_a_severer_one_does_more_damage_on_average(kind: str) -> None:
    means = [
        np.mean([np.mean(damage(degraded(made(kind, s), seed=seed))) for seed in range(3)])
        for s in severities_of(kind)
    ]
    assert np.all(np.diff(means) > 0), means


@pytest.mark.parametrize("kind", TEMPORAL_KINDS)
def test_the_seed_decides_everything(kind: str) -> None:
    first, again, other = (degraded(made(kind, 4), seed=seed) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_stutter_repeats_frames_and_never_long_enough_to_be_a_stall() -> None:
    for severity in (1, 3, 5):
        frames = degraded(made("stutter", severity))
        longest = run = 1
        repeats = 0
        for before, after in pairwise(frames):
            same = np.array_equal(before, after)
            repeats += same
            run = run + 1 if same else 1
            longest = max(longest, run)
        assert repeats > 0
        assert longest / FPS < MIN_STALL_S
    assert repeats / len(frames) == pytest.approx(0.58, abs=0.15)


def test_a_stutter_does_not_put_time_off() -> None:
    frames = degraded(made("stutter", 5))
    fresh = [k for k in range(len(frames)) if np.array_equal(frames[k], SCENE[k])]
    assert len(frames) == len(SCENE)
    assert fresh[-1] > 0.75 * len(SCENE)


def test_a_flicker_swings_luma_and_keeps_its_mean() -> None:
    before, after = lumas(SCENE), lumas(degraded(made("flicker", 4)))
    assert np.std(after / before) > 0.05
    assert np.mean(after) == pytest.approx(np.mean(before), rel=0.05)


def test_an_exposure_drift_goes_off_slowly_and_comes_back() -> None:
    ratio = lumas(degraded(made("exposure-drift", 4))) / lumas(SCENE)
    assert ratio[0] == pytest.approx(1, abs=0.02)
    assert ratio[-1] == pytest.approx(1, abs=0.02)
    assert abs(ratio[len(ratio) // 2] - 1) > 0.25
    assert np.abs(np.diff(ratio)).max() < 0.1


def test_a_shake_moves_the_picture_to_and_fro() -> None:
    still = [SCENE[0]] * 24
    moved = list(degrade(still, [made("camera-shake", 5)], fps=FPS, count=24, seed=2))

    # a moved picture fits the still one better once it is moved back by some pixels
    def fits(rgb: Frame, dx: int, dy: int) -> float:
        inner = rgb[16:-16, 16:-16].astype(int)
        back = SCENE[0][16 + dy : 64 + dy, 16 + dx : 80 + dx]
        return float(np.abs(inner - back).mean())

    steps = [(dx, dy) for dx in range(-12, 13, 2) for dy in range(-12, 13, 2)]
    places = {min(steps, key=lambda step: fits(rgb, *step)) for rgb in moved[::4]}
    assert len(places) >= 4


def test_degradations_add_up_in_the_order_given() -> None:
    both = degraded(made("gaussian-blur", 5, 0.0, 1.0), made("darken", 5, 0.5, 1.5))
    blurred = degraded(made("gaussian-blur", 5, 0.0, 1.0))
    assert np.array_equal(both[0], blurred[0])
    assert lumas(both)[18] < 0.8 * lumas(blurred)[18]
    assert np.array_equal(both[40], SCENE[40])


def test_a_span_takes_the_frames_shown_in_it_and_no_more() -> None:
    clip = {"fps": 10.0, "count": 30}
    assert frame_span(made("flicker", 1, 0.5, 1.0), **clip) == range(5, 10)
    assert frame_span(made("flicker", 1, 0.55, 1.01), **clip) == range(6, 11)
    assert frame_span(made("flicker", 1, 2.0), **clip) == range(20, 30)
    assert frame_span(made("flicker", 1, 5.0, 9.0), **clip) == range(30, 30)


def test_types_without_an_order_get_one_from_what_people_said() -> None:
    for kind in ("mean-shift", "contrast-change"):
        severities = severities_of(kind)
        assert severities == (1, 2, 3, 4)
        means = [human_mean(KADID_KINDS[kind], level_of(kind, s)) for s in severities]
        assert means == sorted(means, reverse=True)
        assert all(parameter_of(kind, s) != 0 for s in severities)
    assert level_of("jpeg", 4) == 4
    with pytest.raises(ValueError, match="severities"):
        level_of("mean-shift", 5)


def test_a_record_says_how_its_label_is_known_and_survives_json() -> None:
    record = made("lens-blur", 3, 1.0, 2.0)
    assert record.provenance == "made: KADID-10k type 2, level 3, 4"
    assert "28% of the frames" in made("stutter", 3).provenance
    assert Degradation.from_json(record.to_json()) == record
    assert len(set(KINDS)) == len(KINDS)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("smell", 1, 0.0, None, "made"), "no kind"),
        (("flicker", 6, 0.0, None, "made"), "1 \\(mildest\\) to 5"),
        (("flicker", 1, 2.0, 2.0, "made"), "no length"),
        (("flicker", 1, -1.0, None, "made"), "0 or later"),
        (("flicker", 1, 0.0, None, ""), "provenance"),
    ],
)
def test_a_record_that_says_nothing_is_refused(fields: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Degradation(*fields)


def test_stalls_are_not_made_on_frames() -> None:
    with pytest.raises(ValueError, match="not made on frames"):
        degraded(Degradation("rebuffer", 3, 0.0, 1.0, "made"))
    with pytest.raises(ValueError, match="degradation"):
        Degradation.from_json({"kind": "flicker"})
