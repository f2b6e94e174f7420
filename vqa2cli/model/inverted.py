"""EfficientNet-Lite0's first stages as the stem of a tower: inverted residuals to 1/16 of the side.

Sources: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019, table 1; its "lite" form has no squeeze-and-excitation and ReLU6 for swish; Sandler et
al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Channels of the first convolution.
FIRST = 32

#: The side shrinks by this much.
STRIDE = 16

#: As TensorFlow's networks have it.
NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """`blocks` inverted residuals: the first strides, all widen `expand` times in between."""

    blocks: int
    kernel: int
    stride: int
    expand: int
    channels: int


#: Stages 2 to 6 of table 1; the seventh and eighth, at 1/32 of the side, tell objects apart.
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
)

#: Which of `STAGES` tell of a patch: what the first finds, at half of the side, is in the second.
TELLING = (1, 2, 3, 4)


def side_stride(stage: int) -> int:
    """Return how much the side has shrunk after a stage of `STAGES`."""
    stride = 2
    for passed in STAGES[: stage + 1]:
        stride *= passed.stride
    return stride


#: How many numbers tell of a patch: a stage finer than patches tells by the mean and the deviation
#: of its channels inside of one.
PATCH_CHANNELS = sum(
    STAGES[at].channels * (1 if side_stride(at) == STRIDE else 2) for at in TELLING
)


class FrozenNorm(nn.BatchNorm2d):
    """Batch norm by statistics that stay as they are, in training too."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__(channels, eps=NORM_EPSILON, affine=affine)

    def train(self, mode: bool = True) -> FrozenNorm:
        """Stay in evaluation."""
        del mode
        super().train(False)
        return self


class InvertedResidual(nn.Module):
    """Widen, filter each channel alone, narrow; added to its input where shapes agree."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = inputs * stage.expand
        layers: list[nn.Module] = []
        if stage.expand > 1:
            layers += [nn.Conv2d(inputs, wide, 1, bias=False), FrozenNorm(wide), nn.ReLU6()]
        layers += [*padding(stage.kernel, stride)]
        layers += [
            nn.Conv2d(
                wide, wide, stage.kernel, stride, groups=wide, bias=False,
                padding=stage.kernel // 2 if stride == 1 else 0,
            ),
            FrozenNorm(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, stage.channels, 1, bias=False),
            FrozenNorm(stage.channels),
        ]  # fmt: skip
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / stride, W / stride]."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class InvertedStem(nn.Module):
    """Pictures to patches. The trunk stays as photographs taught it; what follows it learns.

    What the trunk finds is brought to one spread, channel by channel, by the statistics in
    `spread`. In training `drop` leaves out whole channels of a picture.
    """

    def __init__(self, width: int) -> None:
        """Make a stem of patches of `width` channels."""
        super().__init__()
        layers: list[nn.Module] = [
            *padding(3, 2),
            nn.Conv2d(3, FIRST, 3, 2, bias=False),
            FrozenNorm(FIRST),
            nn.ReLU6(),
        ]
        channels = FIRST
        last_layers = []
        for stage in STAGES:
            for number in range(stage.blocks):
                stride = 1 if number else stage.stride
                layers.append(InvertedResidual(channels, stage, stride))
                channels = stage.channels
            last_layers.append(len(layers) - 1)
        self.telling = {last_layers[at] for at in TELLING}
        self.channels = PATCH_CHANNELS
        self.trunk = nn.Sequential(*layers)
        self.spread = FrozenNorm(self.channels, affine=False)
        self.drop = nn.Dropout2d(0.0)
        self.narrow = nn.Conv2d(self.channels, width, 1)

    def patches(self, pictures: Tensor) -> Tensor:
        """Return what the trunk finds, [N, 3, S, S] in [-1, 1] -> [N, C, S / 16, S / 16].

        The pictures' side is a multiple of 16; C is `channels`.
        """
        side = pictures.shape[-1] // STRIDE
        x, found = pictures, []
        for number, layer in enumerate(self.trunk):
            x = layer(x)
            if number in self.telling:
                found.append(x if x.shape[-1] == side else inside_patches(x, side))
        told: Tensor = self.spread(torch.cat(found, 1))
        return told

    def measure_spread(self, patches: Tensor) -> None:
        """Take the mean and variance of each channel from `patches` [N, s, s, C].

        Those were found under the statistics that this replaces.
        """
        spread, seen = self.spread, patches.float()
        assert spread.running_mean is not None
        assert spread.running_var is not None
        scale = (spread.running_var + spread.eps).sqrt()
        spread.running_mean.add_(scale * seen.mean((0, 1, 2)))
        spread.running_var.copy_(scale.square() * seen.var((0, 1, 2)))

    def forward(self, x: Tensor) -> Tensor:
        """[N, 3, S, S] -> [N, width, S / 16, S / 16]; `patches` found before pass the trunk by."""
        patches = self.patches(x) if x.shape[1] == 3 else x
        narrowed: Tensor = self.narrow(self.drop(patches))
        return narrowed


def inside_patches(found: Tensor, side: int) -> Tensor:
    """Return mean and deviation inside of each patch: [N, C, H, H] -> [N, 2C, side, side]."""
    fine, seen = found.shape[-1] // side, found.float()
    mean = functional.avg_pool2d(seen, fine)
    variance = functional.avg_pool2d(seen.square(), fine) - mean.square()
    return torch.cat([mean, (variance.clamp(min=0) + NORM_EPSILON).sqrt()], 1).to(found.dtype)


def padding(kernel: int, stride: int) -> list[nn.Module]:
    """Return TensorFlow's "same" padding of an even side where a convolution strides by 2."""
    if stride == 1:
        return []
    before = (kernel - 2) // 2
    after = kernel - 2 - before
    return [nn.ZeroPad2d((before, after, before, after))]
