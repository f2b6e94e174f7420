"""Mixtures of two pictures."""

from __future__ import annotations

import torch

from train.augment import FOREIGN_SHARE, mixed, mixed_freely


def test_a_mixed_batch_has_tiles_of_two_sources_and_labels_between_theirs() -> None:
    torch.manual_seed(0)
    sources, per_group, tile, side = 6, 2, 8, 64
    values = torch.arange(sources).repeat_interleave(per_group)
    pictures = values.to(torch.uint8)[:, None, None, None, None].expand(-1, 1, side, side, 3)
    changed = False
    for _ in range(5):
        blended, (labels,) = mixed(pictures, [values.float()], per_group, tile)
        assert blended.shape == pictures.shape
        assert torch.allclose(blended.float().mean((1, 2, 3, 4)), labels, atol=1e-3)
        for index in range(len(values)):
            tiles = blended[index, 0, ::tile, ::tile, 0]
            assert len(tiles.unique()) <= 2
            assert values[index] in tiles
            assert torch.equal(tiles.repeat_interleave(tile, 0)[:, 0], blended[index, 0, :, 0, 0])
        assert torch.equal(blended[::2], blended[1::2])  # items of a source change alike
        changed |= not torch.equal(blended, pictures)
    assert changed


def test_what_is_not_known_of_either_is_not_known_of_a_mixture() -> None:
    torch.manual_seed(1)
    pictures = torch.zeros(4, 1, 16, 16, 3, dtype=torch.uint8)
    told = torch.tensor([[0.2], [0.4], [torch.nan], [torch.nan]])
    for _ in range(4):
        _, (encodes,) = mixed(pictures, [told], 2, 8)
        assert encodes[2:].isnan().all()


def test_a_free_mixture_has_whole_tiles_of_two_pictures_alike_in_every_frame() -> None:
    torch.manual_seed(0)
    batch, frames, side, tile = 40, 3, 64, 8
    own, others = (torch.full((batch, frames, side, side, 3), value) for value in (0.0, 1.0))
    blended = mixed_freely(own, others, tile)
    assert torch.equal(blended[:, 0], blended[:, 2])
    tiles = blended[:, 0, ::tile, ::tile, 0]
    whole = tiles.repeat_interleave(tile, 1).repeat_interleave(tile, 2)
    assert torch.equal(whole, blended[:, 0, :, :, 0])
    shares = tiles.mean((1, 2))
    assert 0.7 * FOREIGN_SHARE / 2 < shares.mean() < 1.3 * FOREIGN_SHARE / 2
    assert shares.max() < FOREIGN_SHARE + 0.2
    assert len({tuple(one.flatten().tolist()) for one in tiles}) > 0.9 * batch
