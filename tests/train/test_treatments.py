"""Pictures as makers want them: graded, grainy, on paper, soft."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.rendering import frames_of, render_source, still_in_motion
from train.sources import Source, scene_sources, treated_sources
from train.treatments import Grain, Treatment, draw_treatment, made
from vqa2cli.video.synthesis import moving_scene, write_clip

GREY = np.full((96, 160, 3), 128, np.uint8)


def rng_of(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_picture_that_nothing_is_done_to_stays_as_it_is() -> None:
    picture = rng_of().integers(0, 256, (96, 160, 3), dtype=np.uint8)
    np.testing.assert_array_equal(made(picture, Treatment(), rng_of()), picture)
    np.testing.assert_array_equal(Grain((160, 96), Treatment(), rng_of())(picture), picture)


def test_grain_is_as_strong_as_told_and_fresh_in_every_frame() -> None:
    grain = Grain((160, 96), Treatment(grain=5.0, grain_size=0.5), rng_of())
    one, other = grain(GREY).astype(float), grain(GREY).astype(float)
    assert one.std() == pytest.approx(5.0, rel=0.05)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


def test_grain_shows_least_in_black_and_white() -> None:
    grain = Grain((160, 96), Treatment(grain=5.0), rng_of())
    dark = np.full_like(GREY, 16)
    assert grain(dark).std() < 0.75 * grain(GREY).std()


def test_texture_is_coarser_along_the_longer_side_of_its_size() -> None:
    paper = made(GREY, Treatment(texture=10.0, texture_size=(0.3, 3.0)), rng_of())[..., 0]
    steps_down, steps_across = (np.abs(np.diff(paper.astype(float), axis=a)).mean() for a in (0, 1))
    assert steps_down > 2 * steps_across


def test_a_blur_spares_what_is_in_focus() -> None:
    fine = rng_of().integers(0, 256, (96, 160, 3), dtype=np.uint8)
    seen = made(fine, Treatment(softness=1.5, focus=0.5, in_focus=0.4), rng_of())
    np.testing.assert_array_equal(seen[46:50], fine[46:50])
    assert seen[:10].std() < 0.6 * fine[:10].std()


@pytest.mark.parametrize("on_paper", [True, False])
def test_every_treatment_drawn_shows(on_paper: bool) -> None:
    picture = next(moving_scene(0.1, 24, (160, 96), seed=2))
    for seed in range(40):
        rng = rng_of(seed)
        treatment = draw_treatment(rng, on_paper=on_paper)
        assert on_paper or not treatment.texture
        seen = Grain((160, 96), treatment, rng)(made(picture, treatment, rng))
        assert np.abs(seen.astype(float) - picture).mean() > 0.1, treatment


@pytest.fixture
def photograph(tmp_path: Path) -> Source:
    path = tmp_path / "p.jpg"
    soft = rng_of().integers(60, 200, (25, 40, 3), dtype=np.uint8)
    Image.fromarray(soft).resize((1600, 1000)).save(path)
    return Source("p@0", "p", "train", "still", path, 0.0, 24, 640, 360)


def test_a_texture_moves_with_the_photograph_that_it_is_on(photograph: Source) -> None:
    def textured(picture: np.ndarray) -> np.ndarray:
        return made(picture, Treatment(texture=10.0), rng_of())

    plain, on_paper = ([*still_in_motion(photograph, treat)] for treat in (lambda p: p, textured))
    first, last = (on_paper[at].astype(float) - plain[at] for at in (0, -1))
    assert first.std() > 3
    moved = [
        np.corrcoef(np.roll(first, (y, x), (0, 1)).ravel(), last.ravel())[0, 1]
        for y, x in ((0, 0), (9, 9))
    ]
    assert max(moved) < 0.5  # it did not stay where it was on the screen


def test_a_treated_clip_is_as_long_as_the_plain_one_and_looks_else(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_clip(path, moving_scene(1.0, 24, (640, 480), seed=1), 24)
    plain = Source("a@0", "a", "train", "clip", path, 0.0, 24, 320, 240, (640, 480))
    (treated,) = treated_sources([plain])
    before, after = ([*frames_of(render_source(source, tmp_path))] for source in (plain, treated))
    assert len(before) == len(after) > 20
    assert before[0].shape == after[0].shape
    assert np.abs(after[5].astype(float) - before[5]).mean() > 0.5
    elsewhere = tmp_path / "again"
    elsewhere.mkdir()
    again = [*frames_of(render_source(treated, elsewhere))]
    np.testing.assert_array_equal(after[5], again[5])


def test_scenes_and_closer_looks_are_not_treated(photograph: Source) -> None:
    others = [replace(photograph, name="p@0v1", view=1), *scene_sources(1)]
    assert not list(treated_sources(others))
    assert [source.name for source in treated_sources([photograph])] == ["p@treated"]
