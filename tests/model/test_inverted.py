"""The stem of inverted residuals: its shapes, its norms, and the photographs it starts from."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pytest
import torch
from torch.nn import functional

from tests.model.networks import EMBEDDED, PUBLISHED, pixels
from train import pretrained
from train.pretrained import start_from_photographs
from vqa2cli.errors import MissingError
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.inverted import (
    FrozenNorm,
    InvertedResidual,
    InvertedStem,
    inside_patches,
)
from vqa2cli.model.network import Vqa2Network


def test_a_tower_over_the_stem_sees_one_patch_every_sixteen_pixels() -> None:
    network = Vqa2Network(EMBEDDED).eval()
    assert network.vision_tower(pixels(2, 64, 64, 3)).shape == (2, 16, EMBEDDED.vision.hidden_size)
    assert network.visual_tokens(pixels(2, 64, 64, 3)).shape[:2] == (2, 2)


def test_its_norms_keep_their_statistics_in_training() -> None:
    stem = InvertedStem(8).train()
    before = {name: value.clone() for name, value in stem.named_buffers()}
    stem(torch.randn(2, 3, 64, 64)).sum().backward()
    assert before
    assert all(torch.equal(value, before[name]) for name, value in stem.named_buffers())
    assert not any(part.training for part in stem.modules() if isinstance(part, FrozenNorm))


def test_a_spread_may_be_measured_again() -> None:
    torch.manual_seed(0)
    stem = InvertedStem(8).eval()
    found = 3.0 + 5.0 * torch.randn(6, stem.channels, 4, 4)  # as a trunk finds it
    for _ in range(2):
        stem.measure_spread(stem.spread(found).permute(0, 2, 3, 1).detach())
        alike = stem.spread(found)
        assert torch.allclose(alike.mean((0, 2, 3)), torch.zeros(stem.channels), atol=1e-3)
        assert torch.allclose(alike.std((0, 2, 3)), torch.ones(stem.channels), atol=1e-3)


def test_a_stem_of_other_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="patches of 8 px"):
        Vqa2Network(replace(EMBEDDED, vision=replace(EMBEDDED.vision, patch_size=8)))


def test_pixels_of_more_than_rgb_are_refused_by_their_shape() -> None:
    for config in (EMBEDDED, PUBLISHED):
        side = config.vision.image_size
        with pytest.raises(ValueError, match=rf"key frames are \(1, {side}, {side}, 4\)"):
            Vqa2Network(config).vision_tower(pixels(1, side, side, 4))


def test_a_config_file_brings_it_back() -> None:
    assert NetworkConfig.from_json(EMBEDDED.to_json()).vision == EMBEDDED.vision


def test_it_starts_from_photographs_and_computes_what_their_network_does() -> None:
    stem = InvertedStem(8).eval()
    narrow = stem.narrow.weight.clone()
    start_from_photographs(stem)
    assert torch.equal(stem.narrow.weight, narrow)

    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    tensors = pretrained.published()

    def normed(x: torch.Tensor, name: str) -> torch.Tensor:
        mean, variance, weight, bias = (
            tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias, eps=1e-3)

    with torch.inference_mode():
        # TensorFlow's "same" padding: what is odd goes to the right and the bottom.
        x = functional.conv2d(
            functional.pad(picture, (0, 1, 0, 1)), tensors["_conv_stem.weight"], stride=2
        )
        x = functional.relu6(normed(x, "_bn0"))
        block = "_blocks.0"
        x = functional.conv2d(x, tensors[f"{block}._depthwise_conv.weight"], padding=1, groups=32)
        x = functional.relu6(normed(x, f"{block}._bn1"))
        x = normed(functional.conv2d(x, tensors[f"{block}._project_conv.weight"]), f"{block}._bn2")
        first = next(n for n, part in enumerate(stem.trunk) if isinstance(part, InvertedResidual))
        assert torch.allclose(stem.trunk[: first + 1](picture), x, atol=1e-4)


def test_every_stage_tells_of_a_patch_the_finer_ones_by_what_is_inside_of_it() -> None:
    stem = InvertedStem(8).eval()
    start_from_photographs(stem)
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        told, last = stem.patches(picture), stem.trunk(picture)
    assert told.shape == (1, 2 * 24 + 2 * 40 + 80 + 112, 4, 4)
    assert torch.allclose(told[:, -112:], last, rtol=1e-3)

    fine = torch.randn(1, 3, 8, 8)
    inside = inside_patches(fine, 2)
    assert inside.shape == (1, 6, 2, 2)
    cell = fine[0, 1, 4:, :4]
    assert inside[0, 1, 1, 0].item() == pytest.approx(cell.mean().item(), abs=1e-5)
    assert inside[0, 4, 1, 0].item() == pytest.approx(cell.std(correction=0).item(), abs=1e-2)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pretrained, "files", absent)
    with pytest.raises(MissingError, match=f"pip install {pretrained.PACKAGE}"):
        start_from_photographs(InvertedStem(8))


def test_tensors_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = InvertedStem(8).trunk.state_dict()
    first = next(iter(tensors))
    monkeypatch.setattr(pretrained, "published", lambda: {**tensors, first: torch.zeros(1)})
    with pytest.raises(MissingError, match="holds"):
        start_from_photographs(InvertedStem(8))
    monkeypatch.setattr(pretrained, "published", lambda: {first: tensors[first]})
    with pytest.raises(MissingError, match="holds"):
        start_from_photographs(InvertedStem(8))
