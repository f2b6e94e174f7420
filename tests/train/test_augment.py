"""Mixtures of two pictures."""

from __future__ import annotations

import torch

from train.augment import FOREIGN_SHARE, mixed


def test_a_mixture_has_whole_tiles_of_two_pictures_alike_in_every_frame() -> None:
    torch.manual_seed(0)
    batch, frames, side, tile = 40, 3, 64, 8
    own, others = (torch.full((batch, frames, side, side, 3), value) for value in (0.0, 1.0))
    blended = mixed(own, others, tile)
    assert torch.equal(blended[:, 0], blended[:, 2])
    tiles = blended[:, 0, ::tile, ::tile, 0]
    whole = tiles.repeat_interleave(tile, 1).repeat_interleave(tile, 2)
    assert torch.equal(whole, blended[:, 0, :, :, 0])
    shares = tiles.mean((1, 2))
    assert 0.7 * FOREIGN_SHARE / 2 < shares.mean() < 1.3 * FOREIGN_SHARE / 2
    assert shares.max() < FOREIGN_SHARE + 0.2
    assert len({tuple(one.flatten().tolist()) for one in tiles}) > 0.9 * batch
