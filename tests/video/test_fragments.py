"""Fragments: native-resolution crops, one from each cell."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vqa2cli.video.fragments import fragment_view
from vqa2cli.video.media import FragmentGrid

GRID = FragmentGrid(grid=7, size=32)


def coordinates(height: int, width: int) -> NDArray[np.uint8]:
    """Return a picture whose pixels tell their row and column in steps of 8."""
    rows, cols = np.mgrid[0:height, 0:width]
    return np.stack([rows // 8, cols // 8, (rows * 31 + cols * 17) % 256], -1).astype(np.uint8)


def test_each_crop_is_copied_unchanged_from_its_own_cell() -> None:
    frame = coordinates(1080, 1920)
    view = fragment_view(frame, GRID, 0)
    assert view.shape == (224, 224, 3)
    windows = np.lib.stride_tricks.sliding_window_view(frame[..., 2], (32, 32))
    for row in range(7):
        for col in range(7):
            crop = view[row * 32 : row * 32 + 32, col * 32 : col * 32 + 32]
            top, bottom = row * 1080 // 7, (row + 1) * 1080 // 7
            left, right = col * 1920 // 7, (col + 1) * 1920 // 7
            inside = windows[top : bottom - 31, left : right - 31]
            assert (inside == crop[..., 2]).all((2, 3)).any()


def test_crops_move_from_key_frame_to_key_frame_and_repeat_exactly() -> None:
    frame = coordinates(540, 960)
    views = [fragment_view(frame, GRID, ordinal) for ordinal in range(8)]
    assert len({view.tobytes() for view in views}) == 8
    assert (fragment_view(frame, GRID, 3) == views[3]).all()


def test_a_few_key_frames_cover_a_cell_evenly() -> None:
    frame = coordinates(1080, 1920)
    firsts = [fragment_view(frame, GRID, ordinal)[0, 0, :2] * 8 for ordinal in range(16)]
    tops, lefts = np.array(firsts, float).T
    assert np.histogram(tops, 4, (0, 1080 // 7 - 32))[0].min() >= 3
    assert np.histogram(lefts, 3, (0, 1920 // 7 - 32))[0].min() >= 4


@pytest.mark.parametrize("size", [(224, 224), (225, 231), (100, 60), (180, 320), (1, 1), (2000, 9)])
def test_any_frame_size_fits(size: tuple[int, int]) -> None:
    if max(size) / min(size) > 100:
        size = (size[0] // 10, size[1])
    assert fragment_view(coordinates(*size), GRID, 5).shape == (224, 224, 3)


def test_a_frame_of_exactly_the_grids_size_is_shown_whole() -> None:
    frame = coordinates(224, 224)
    assert (fragment_view(frame, GRID, 9) == frame).all()


def test_a_small_frame_is_enlarged_no_more_than_needed() -> None:
    frame = np.zeros((112, 400, 3), np.uint8)
    frame[:, 200:] = 255  # the edge stays at the middle if the shape is kept
    view = fragment_view(frame, GRID, 0)
    assert view[:, : 3 * 32].max() == 0
    assert view[:, 4 * 32 :].min() == 255
