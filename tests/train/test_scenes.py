"""Rendered contents: the same seed gives the same pixels, and every scene has something to lose."""

from __future__ import annotations

import numpy as np
import pytest

from train.scenes import PAINTERS, rendered_scene
from train.sources import scene_sources

SIZE = (160, 96)


@pytest.mark.parametrize("seed", range(2 * len(PAINTERS)))
def test_a_scene_moves_and_has_detail(seed: int) -> None:
    frames = list(rendered_scene(seed, 6, 25, SIZE))
    assert [frame.shape for frame in frames] == [(96, 160, 3)] * 6
    assert all(frame.dtype == np.uint8 for frame in frames)
    assert float(np.abs(np.diff(frames[0].astype(int), axis=1)).mean()) > 0.5
    assert (frames[0] != frames[-1]).any()


@pytest.mark.parametrize("seed", range(len(PAINTERS)))
def test_a_scene_is_a_function_of_its_seed(seed: int) -> None:
    first, again, other = (list(rendered_scene(s, 2, 25, SIZE)) for s in (seed, seed, seed + 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_long_ride_stays_inside_its_texture() -> None:
    seed = PAINTERS.index(next(p for p in PAINTERS if p.__name__ == "track"))
    for number in range(seed, seed + 40, len(PAINTERS)):
        assert len(list(rendered_scene(number, 48, 24, SIZE))) == 48


def test_rendered_sources_are_for_training_only_and_named_apart() -> None:
    sources = list(scene_sources(12))
    assert {source.split for source in sources} == {"train"}
    assert len({source.content for source in sources}) == 12
