"""What may change in a picture while its quality stays: places and company.

A small corpus has few contents, and a tower learns them by heart. What is drawn here makes many
of few; labels move only where `mixed` says how.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Smallest share of a mixed picture that is its own.
OWN_SHARE = 0.5

#: Largest share of another's in a picture that is mixed freely.
FOREIGN_SHARE = 0.5


def put_off(tokens: Tensor, amount: float, rng: np.random.Generator) -> Tensor:
    """Return visual tokens [K, P, D] off by noise of `amount` times their spread over D."""
    noise = torch.from_numpy(rng.standard_normal(tuple(tokens.shape), np.float32))
    return tokens + amount * tokens.std(-1, keepdim=True) * noise


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


def mixed(
    pictures: Tensor, told: list[Tensor], per_group: int, tile: int
) -> tuple[Tensor, list[Tensor]]:
    """Return a batch whose pictures took some of their tiles from another source's.

    Args:
        pictures: [B, K, S, S, C], runs of `per_group` of one source.
        told: what is known of each, float [B, ...]; it becomes the mean of both by their shares.
        tile: side of a tile, in what `S` counts.

    The pairs of sources, and which tiles change, are the same for all of a source's items: what
    their order was stays comparable. Draws come from torch's own generator.
    """
    batch, side = len(pictures), pictures.shape[2] // tile
    partner = torch.randperm(batch // per_group)
    other = (partner[:, None] * per_group + torch.arange(per_group)).flatten()
    own = torch.rand(side, side) < OWN_SHARE + (1 - OWN_SHARE) * torch.rand(())
    share = own.float().mean()
    mask = own.repeat_interleave(tile, 0).repeat_interleave(tile, 1)[:, :, None]
    blended = torch.where(mask, pictures, pictures[other])
    return blended, [share * part + (1 - share) * part[other] for part in told]


def mixed_freely(pictures: Tensor, others: Tensor, tile: int) -> Tensor:
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
