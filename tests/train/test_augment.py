"""Changes to a picture that keep its quality, and mixtures of two."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from train.augment import FAINTEST, TONAL, mixed, tinted
from train.colour import LUMA
from train.kadid import KADID_TYPES


def picture(seed: int = 0) -> torch.Tensor:
    """Return one picture of smooth colours, uint8 [1, 64, 64, 3], nowhere near black or white."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(60, 190, (1, 3, 4, 4))).float()
    fine = torch.nn.functional.interpolate(coarse, (64, 64), mode="bicubic")
    return fine.permute(0, 2, 3, 1).clamp(40, 210).round().to(torch.uint8)


def luma(pictures: torch.Tensor) -> torch.Tensor:
    return pictures.float() @ torch.from_numpy(LUMA)


@pytest.mark.parametrize("seed", range(8))
def test_other_tones_keep_the_shape_of_luma_and_most_of_its_contrast(seed: int) -> None:
    before = picture(seed)
    after = tinted(before, None, 1.0, np.random.default_rng(seed))
    assert after.dtype == torch.uint8
    assert not torch.equal(after, before)
    pair = torch.stack([luma(before).flatten(), luma(after).flatten()])
    assert torch.corrcoef(pair)[0, 1] > 0.98
    assert FAINTEST - 0.05 < pair[1].std() / pair[0].std() < 1.05


def test_pictures_that_are_about_tones_keep_theirs() -> None:
    names = {KADID_TYPES[kind] for kind in TONAL}
    assert {"brighten", "darken", "contrast change", "color saturation 1"} <= names
    assert not {"JPEG", "gaussian blur", "white noise"} & names
    before = picture()
    for kind in KADID_TYPES:
        after = tinted(before, (kind, 3), 1.0, np.random.default_rng(0))
        assert torch.equal(after, before) == (kind in TONAL)


def test_no_picture_changes_when_none_is_to_be_tinted() -> None:
    before = picture()
    assert torch.equal(tinted(before, None, 0.0, np.random.default_rng(0)), before)


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
