"""Picture channels that show compression: RGB, normalised local contrast, local deviation.

Blur, blocking and noise change the local statistics of luma far more than its values
(Mittal et al., "No-reference image quality assessment in the spatial domain", IEEE TIP
2012), so a small network gets them as input and need not find them.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: Side and deviation of the Gaussian window, pixels (Mittal et al., 2012).
WINDOW = 7
SIGMA = 7.0 / 6.0

#: BT.601 luma weights.
LUMA = (0.299, 0.587, 0.114)

#: Largest local deviation of 8-bit luma is 127.5; its logarithm is spread over [-1, 1].
LOG_SPAN = math.log1p(127.5)


def contrast_channels(pixels: Tensor, tile: int) -> Tensor:
    """Return five channels of each picture, windows never crossing a tile's border.

    Args:
        pixels: uint8 or float RGB in 0-255, [N, H, W, 3], H and W multiples of `tile`.
        tile: side of a fragment, pixels; the whole side where there are no fragments.
    Returns: float32 [N, 5, H, W]: RGB in [-1, 1], luma less its local mean over its local
        deviation (about [-3, 3]), and the logarithm of the local deviation in [-1, 1].
    """
    rgb = pixels.permute(0, 3, 1, 2).float()
    weights = torch.tensor(LUMA, dtype=torch.float32, device=rgb.device)
    luma = torch.einsum("nchw,c->nhw", rgb, weights)
    tiles = _split(luma, tile)
    tiles = tiles - tiles.mean(dim=(-1, -2), keepdim=True)  # keeps the variance free of rounding
    mean = _blur(tiles)
    deviation = (_blur(tiles * tiles) - mean * mean).clamp(min=0.0).sqrt()
    contrast = (tiles - mean) / (deviation + 1.0)
    loudness = torch.log1p(deviation) * (2.0 / LOG_SPAN) - 1.0
    joined = [_join(part, luma.shape, tile) for part in (contrast, loudness)]
    return torch.cat([rgb / 127.5 - 1.0, torch.stack(joined, dim=1)], dim=1)


def _split(luma: Tensor, tile: int) -> Tensor:
    """[N, H, W] -> [N * tiles, 1, tile, tile]."""
    count, height, width = luma.shape
    rows, columns = height // tile, width // tile
    cut = luma.reshape(count, rows, tile, columns, tile).transpose(2, 3)
    return cut.reshape(-1, 1, tile, tile)


def _join(tiles: Tensor, shape: torch.Size, tile: int) -> Tensor:
    """Undo `_split`: [N * tiles, 1, tile, tile] -> [N, H, W]."""
    count, height, width = shape
    cut = tiles.reshape(count, height // tile, width // tile, tile, tile).transpose(2, 3)
    return cut.reshape(count, height, width)


def _blur(tiles: Tensor) -> Tensor:
    """Gaussian mean with replicated borders, [M, 1, s, s] -> the same."""
    offsets = torch.arange(WINDOW, dtype=torch.float32, device=tiles.device) - WINDOW // 2
    kernel = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    kernel = kernel / kernel.sum()
    half = WINDOW // 2
    padded = F.pad(tiles, (half, half, half, half), mode="replicate")
    rows = F.conv2d(padded, kernel.reshape(1, 1, 1, WINDOW))
    return F.conv2d(rows, kernel.reshape(1, 1, WINDOW, 1))
