"""Mixtures of two pictures."""

from __future__ import annotations

import torch

from train.augment import mixed


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
