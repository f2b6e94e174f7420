"""Look at a frame through small native-resolution crops, one from each cell of a grid.

Squashing a 1080p frame to a few hundred pixels hides compression; crops at native
resolution keep it (fragments: Wu et al., FAST-VQA, ECCV 2022).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqa2cli.video.media import FragmentGrid

#: Steps that spread the cells' phases evenly over a square (Roberts' R2 sequence: the
#: inverse of the plastic number, and its square).
_CELL_STEP = (0.7548776662466927, 0.5698402909980532)


def fragment_view(rgb: NDArray[np.uint8], grid: FragmentGrid, ordinal: int) -> NDArray[np.uint8]:
    """Return a picture tiled from one native-resolution crop of each cell.

    Args:
        rgb: uint8 RGB [H, W, 3] at the resolution it is shown at.
        grid: cells a side, and pixels a side of one crop.
        ordinal: number of the key frame in its window; crops move from one to the next,
            over a low-discrepancy sequence, so that few frames cover a cell evenly.

    Returns:
        uint8 [S, S, 3] with S = grid.grid * grid.size. A frame smaller than S in a
        dimension is enlarged first, bicubic and with its shape kept, until it fits.
    """
    picture = _at_least(rgb, grid.grid * grid.size)
    height, width = picture.shape[:2]
    rows, cols = _edges(height, grid.grid), _edges(width, grid.grid)
    out = np.empty((grid.grid, grid.size, grid.grid, grid.size, 3), np.uint8)
    for row in range(grid.grid):
        for col in range(grid.grid):
            down, right = _position(ordinal, row * grid.grid + col)
            top = rows[row] + int(down * (rows[row + 1] - rows[row] - grid.size + 1))
            left = cols[col] + int(right * (cols[col + 1] - cols[col] - grid.size + 1))
            out[row, :, col] = picture[top : top + grid.size, left : left + grid.size]
    return out.reshape(grid.grid * grid.size, grid.grid * grid.size, 3)


def _at_least(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return `rgb`, enlarged just enough that both of its sides reach `side` pixels."""
    height, width = rgb.shape[:2]
    factor = max(side / height, side / width)
    if factor <= 1:
        return rgb
    size = (
        max(math.ceil(width * factor - 1e-9), side),
        max(math.ceil(height * factor - 1e-9), side),
    )
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _edges(length: int, cells: int) -> list[int]:
    return [index * length // cells for index in range(cells + 1)]


def _position(ordinal: int, cell: int) -> tuple[float, float]:
    """Return where in [0, 1) x [0, 1) of its cell the crop lies: a shifted Halton point."""
    down = _radical_inverse(ordinal + 1, 2) + (cell + 1) * _CELL_STEP[0]
    right = _radical_inverse(ordinal + 1, 3) + (cell + 1) * _CELL_STEP[1]
    return down % 1.0, right % 1.0


def _radical_inverse(index: int, base: int) -> float:
    """Return `index` with its digits in `base` mirrored behind the point (van der Corput)."""
    value, weight = 0.0, 1.0
    while index:
        weight /= base
        index, digit = divmod(index, base)
        value += digit * weight
    return value
