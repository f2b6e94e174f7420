"""What makes many pictures of few: their tiles change places, and stand among another's.

A small corpus has few contents, and a tower learns them by heart.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Largest share of another's in a picture that is mixed.
FOREIGN_SHARE = 0.5


def shuffled(pictures: Tensor, tile: int, rng: np.random.Generator) -> Tensor:
    """Return pictures [K, S, S, C] with their tiles in new places, the same in all of them.

    Half of the time they also stand on their heads.
    """
    count, side, _, channels = pictures.shape
    grid = side // tile
    tiles = pictures.reshape(count, grid, tile, grid, tile, -1).transpose(2, 3).flatten(1, 2)
    tiles = tiles[:, torch.from_numpy(rng.permutation(grid**2))]
    if rng.random() < 0.5:
        tiles = tiles.flip(2)
    whole = tiles.reshape(count, grid, grid, tile, tile, channels).transpose(2, 3)
    return whole.reshape(count, side, side, channels)


def mirrored(pictures: NDArray) -> NDArray:
    """Return pictures [N, H, W, 3] mirrored left to right; features pass as they are."""
    return np.ascontiguousarray(pictures[:, :, ::-1]) if pictures.ndim == 4 else pictures


def mixed(pictures: Tensor, others: Tensor, tile: int) -> Tensor:
    """Return pictures with some of their tiles, up to half, from `others` in the same places.

    What such a picture is worth, only a function of pictures can say.

    Args:
        pictures: [B, K, S, S, C], as `others` are.
        tile: side of a tile, in what `S` counts.

    Which tiles change is drawn for each of the B by torch's own generator, the same in all its K.
    """
    batch, side = len(pictures), pictures.shape[2] // tile
    share = FOREIGN_SHARE * torch.rand(batch, 1, 1)
    foreign = torch.rand(batch, side, side) < share
    mask = foreign.repeat_interleave(tile, 1).repeat_interleave(tile, 2)[:, None, :, :, None]
    return torch.where(mask, others, pictures)
