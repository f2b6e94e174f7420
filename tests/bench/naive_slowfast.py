"""SlowFast-R50 8x8 as it is published: both pathways, laterals, batch norms, whole clip at once.

The baseline of the engine benchmark: what running the motion branch costs when the network is
taken as it comes. Its slow pathway never reaches the motion feature.

Source: Feichtenhofer et al., ICCV 2019, table 1; alpha 4, beta 1/8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqa2cli.model.slowfast import FastPathway, normalise

ALPHA = 4  # fast frames a slow one
_INNER, _OUTER = (64, 128, 256, 512), (256, 512, 1024, 2048)


class SlowBlock(nn.Module):
    """A bottleneck of the slow pathway; `taps` is its temporal kernel."""

    def __init__(self, channels: int, inner: int, outer: int, taps: int, stride: int) -> None:
        super().__init__()
        steps = (1, stride, stride)
        self.body = nn.Sequential(
            nn.Conv3d(channels, inner, (taps, 1, 1), padding=(taps // 2, 0, 0), bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(),
            nn.Conv3d(inner, inner, (1, 3, 3), steps, (0, 1, 1), bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(),
            nn.Conv3d(inner, outer, 1, bias=False),
            nn.BatchNorm3d(outer),
        )
        projects = channels != outer or stride != 1
        self.shortcut: nn.Module = nn.Identity()
        if projects:
            conv = nn.Conv3d(channels, outer, 1, steps, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm3d(outer))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T, H, W] -> [B, C', T, H/stride, W/stride]."""
        return torch.relu(self.shortcut(x) + self.body(x))


def lateral(channels: int) -> nn.Module:
    """Return the connection that carries a fast stage's output to the slow pathway."""
    conv = nn.Conv3d(channels, 2 * channels, (7, 1, 1), (ALPHA, 1, 1), (3, 0, 0), bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(2 * channels), nn.ReLU())


class NaiveSlowFast(nn.Module):
    """Runs both pathways over a whole clip and returns the fast pathway's features."""

    def __init__(self, fast: FastPathway) -> None:
        super().__init__()
        self.fast = fast
        self.stem = nn.Sequential(
            nn.Conv3d(3, 64, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(64),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        dims = fast.dims
        self.laterals = nn.ModuleList(lateral(side) for side in (dims.stem, *dims.outer[:-1]))
        stages, channels = [], 64
        for index, depth in enumerate(dims.depths):
            taps = 1 if index < 2 else 3
            side = channels + 2 * (dims.stem, *dims.outer)[index]
            blocks: list[nn.Module] = []
            for number in range(depth):
                stride = 2 if number == 0 and index > 0 else 1
                blocks.append(SlowBlock(side, _INNER[index], _OUTER[index], taps, stride))
                side = _OUTER[index]
            stages.append(nn.Sequential(*blocks))
            channels = _OUTER[index]
        self.stages = nn.ModuleList(stages)

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 [T, H, W, 3] -> float32 [T, C]."""
        x = normalise(frames).permute(3, 0, 1, 2).unsqueeze(0)  # [1, 3, T, H, W]
        fast, *rest = self.fast.feature_extraction
        slow, quick = self.stem(x[:, :, ::ALPHA]), fast(x)
        for join, stage, other in zip(self.laterals, self.stages, rest, strict=True):
            slow = stage(torch.cat([slow, join(quick)], dim=1))
            quick = other(quick)
        return quick.mean(dim=(-1, -2))[0].T
