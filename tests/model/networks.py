"""Tiny networks for tests: random weights, seconds to run, every part in place."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from vqa2cli.model.dimensions import LanguageDims, MotionDims, NetworkConfig, VisionDims
from vqa2cli.model.network import Vqa2Network
from vqa2cli.video.media import FragmentGrid

PUBLISHED = NetworkConfig(
    vision=VisionDims(
        image_size=42,
        patch_size=14,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    ),
    motion=MotionDims(positions=64).scaled(0.25),
    language=LanguageDims(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=300,
        max_position_embeddings=512,
    ),
    motion_size=32,
)

EMBEDDED = replace(
    PUBLISHED,
    vision=replace(PUBLISHED.vision, image_size=64, patch_size=16, stem="inverted"),
    pooling="mean_std",
    fragments=FragmentGrid(grid=2, size=32),
    name="tiny",
    protocol="mini-1",
)


def build(config: NetworkConfig = PUBLISHED, seed: int = 0) -> Vqa2Network:
    """Return a network in evaluation mode whose norms do something."""
    torch.manual_seed(seed)
    network = Vqa2Network(config).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


def pixels(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return random uint8 pixels of a shape."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
