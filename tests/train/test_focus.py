"""Pictures in shallow focus: one thing sharp, the rest not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.focus import ShallowFocus, draw_focus, in_shallow_focus, out_of_focus
from train.rendering import frames_of, render_source
from train.sources import Source, scene_sources, shallow_sources
from vqa2cli.video.synthesis import write_clip

FINE = np.random.default_rng(0).integers(0, 256, (180, 320, 3), dtype=np.uint8)
SUBJECT = ShallowFocus(centre=(0.5, 0.5), reach=(0.2, 0.25), fall=0.5, radius=0.03)


def detail(picture: np.ndarray) -> float:
    """Return how much neighbouring pixels differ, codes."""
    return float(np.abs(np.diff(picture.astype(float), axis=1)).mean())


def test_the_subject_stays_as_it_is_and_its_background_loses_its_detail() -> None:
    seen = in_shallow_focus(FINE, SUBJECT)
    np.testing.assert_array_equal(seen[80:100, 150:170], FINE[80:100, 150:170])
    assert detail(seen[:20]) < 0.1 * detail(FINE[:20])
    assert seen.mean() == pytest.approx(FINE.mean(), abs=1)


def test_a_strip_of_the_ground_is_sharp_from_side_to_side() -> None:
    out = out_of_focus((180, 320), replace(SUBJECT, reach=(np.inf, 0.25)))
    assert not out[90].any()
    assert out[0].all()


def test_how_far_out_of_focus_grows_with_the_distance() -> None:
    out = out_of_focus((180, 320), SUBJECT)
    assert (np.diff(out[90, 160:]) >= 0).all()
    assert (out[90, 160], out[90, -1]) == (0, 1)


def test_a_wider_aperture_leaves_less_of_the_background() -> None:
    wide, narrow = (in_shallow_focus(FINE, replace(SUBJECT, radius=r)) for r in (0.04, 0.006))
    assert detail(wide[:20]) < 0.5 * detail(narrow[:20])


def test_every_focus_drawn_leaves_something_sharp_and_something_not() -> None:
    for seed in range(40):
        focus = draw_focus(np.random.default_rng(seed))
        out = out_of_focus((180, 320), focus)
        assert 0.05 < (out == 0).mean() < 0.95, focus
        assert out.max() > 0.4, focus


def test_a_clip_in_shallow_focus_is_as_long_as_it_was_and_as_sharp_where_its_subject_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.mp4"
    blocks = FINE[:120, :160].repeat(4, 0).repeat(4, 1)
    write_clip(path, (np.roll(blocks, at, 1) for at in range(24)), 24)
    plain = Source("a@0", "a", "train", "clip", path, 0.0, 24, 320, 240, (640, 480))
    (shallow,) = shallow_sources([plain])
    before, after = ([*frames_of(render_source(source, tmp_path))] for source in (plain, shallow))
    assert len(before) == len(after) > 20
    assert before[0].shape == after[0].shape
    out = out_of_focus((240, 320), draw_focus(np.random.default_rng([10, *shallow.name.encode()])))
    changed = np.abs(after[5].astype(float) - before[5]).mean(2)
    assert changed[out > 0.9].mean() > 5 * changed[out == 0].mean() > 0


def test_first_sources_of_training_contents_are_put_in_shallow_focus(tmp_path: Path) -> None:
    Image.fromarray(FINE).save(tmp_path / "p.jpg")
    photograph = Source("p@0", "p", "train", "photograph", tmp_path / "p.jpg", 0.0, 24, 160, 90)
    others = [
        replace(photograph, name="p@0v1", view=1),
        replace(photograph, name="q@0", split="test"),
        *scene_sources(1),
    ]
    (shallow,) = shallow_sources([photograph, *others])
    assert (shallow.name, shallow.shallow, photograph.shallow) == ("p@shallow", True, False)
