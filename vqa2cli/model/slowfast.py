"""The fast pathway of SlowFast-R50: one motion feature a frame.

The slow pathway and its lateral connections never reach the result (REFERENCE.md §2.3), so
they are not built. Attribute names follow the published state dict, in which the fast
pathway is `multipathway_blocks.1`.

Source: SlowFast-R50 8x8 (Feichtenhofer et al., ICCV 2019), fast pathway, pooled per frame.
"""

from __future__ import annotations

import copy
import itertools
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vqa2cli.model.dimensions import MotionDims


def over_time(conv: nn.Conv3d, x: Tensor, padded: bool) -> Tensor:
    """Return a convolution of x; not `padded`, of the frames that have all their neighbours.

    Under CPU autocast, fewer frames than the kernel spans are convolved in float32: in bfloat16
    their results and the gradients of the weights have come out as NaN (torch 2.13).
    """
    if torch.is_autocast_enabled("cpu") and not x.is_cuda and x.shape[2] < conv.kernel_size[0]:
        with torch.autocast("cpu", enabled=False):
            return over_time(conv, x.float(), padded)
    if padded:
        y: Tensor = conv(x)
        return y
    return F.conv3d(x, conv.weight, conv.bias, conv.stride, (0, *conv.padding[1:]))


class Stem(nn.Module):
    """Convolution over 5 frames x 7 x 7 pixels and a spatial max pool: a quarter the side."""

    reach = 2  # frames to each side

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, channels, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False)
        self.norm: nn.Module = nn.BatchNorm3d(channels)
        self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))

    def forward(self, x: Tensor, padded: bool = True) -> Tensor:
        """[B, 3, T, H, W] -> [B, C, T, H/4, W/4]; not padded in time, T - 2 reach frames."""
        y: Tensor = self.pool(torch.relu(self.norm(over_time(self.conv, x, padded))))
        return y


class PackedStem(Stem):
    """The same on four pixels of a row as twelve channels, two results of a row as one.

    Matrix units multiply sixteen channels or more at a time, and three or eight leave most of
    them idle.
    """

    def __init__(self, stem: Stem) -> None:
        """Pack a stem whose norm is folded into its convolution."""
        plain = stem.conv
        super().__init__(plain.out_channels)
        self.norm = nn.Identity()
        self.pool = nn.MaxPool3d((1, 3, 1), (1, 2, 1), (0, 1, 0))
        self.conv = nn.Conv3d(12, 2 * plain.out_channels, (5, 7, 3), (1, 2, 1), (2, 3, 1))
        with torch.no_grad():
            self.conv.weight.copy_(pack_weight(plain.weight))
            assert plain.bias is not None
            self.conv.bias = nn.Parameter(plain.bias.detach().repeat(2))

    def forward(self, x: Tensor, padded: bool = True) -> Tensor:
        """[B, 12, T, H, W/4] -> [B, C, T, H/4, W/4]; not padded in time, T - 2 reach frames."""
        even, odd = torch.relu(over_time(self.conv, x, padded)).chunk(2, dim=1)
        before = F.pad(odd, (1, 0))[..., :-1]  # zeros do for the pool's edge: none is less
        y: Tensor = self.pool(torch.maximum(torch.maximum(even, odd), before))
        return y


def pack_weight(weight: Tensor) -> Tensor:
    """Return the packed stem's weight [2C, 12, 5, 7, 3] for that of a plain one, [C, 3, 5, 7, 7].

    Output `result * C + c` is channel c at column 2p + `result`, and it sees input
    `pixel * 3 + rgb`, tap `block`, that is column 4 (p + block - 1) + pixel.
    """
    channels = weight.shape[0]
    packed = weight.new_zeros(2, channels, 4, 3, 5, 7, 3)
    for result, pixel, block in itertools.product(range(2), range(4), range(3)):
        column = 4 * (block - 1) + pixel - 2 * result + 3
        if 0 <= column < 7:
            packed[result, :, pixel, :, :, :, block] = weight[..., column]
    return packed.reshape(2 * channels, 12, 5, 7, 3)


class Bottleneck(nn.Module):
    """3 frames x 1 x 1, then 1 x 3 x 3 with the spatial stride, then 1 x 1 x 1."""

    def __init__(self, channels: int, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv_a = nn.Conv3d(channels, inner, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.norm_a: nn.Module = nn.BatchNorm3d(inner)
        self.conv_b = nn.Conv3d(inner, inner, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False)
        self.norm_b: nn.Module = nn.BatchNorm3d(inner)
        self.conv_c = nn.Conv3d(inner, outer, 1, bias=False)
        self.norm_c: nn.Module = nn.BatchNorm3d(outer)

    def forward(self, x: Tensor, padded: bool = True) -> Tensor:
        """[B, C, T, H, W] -> [B, C', T, H/stride, W/stride], before the shortcut is added."""
        x = torch.relu(self.norm_a(over_time(self.conv_a, x, padded)))
        x = torch.relu(self.norm_b(self.conv_b(x)))
        y: Tensor = self.norm_c(self.conv_c(x))
        return y


class ResidualBlock(nn.Module):
    """A bottleneck and its shortcut; the first block of a stage projects the shortcut."""

    reach = 1  # frames to each side
    branch1_norm: nn.Module

    def __init__(self, channels: int, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.projects = channels != outer or stride != 1
        if self.projects:
            self.branch1_conv = nn.Conv3d(channels, outer, 1, (1, stride, stride), bias=False)
            self.branch1_norm = nn.BatchNorm3d(outer)
        self.branch2 = Bottleneck(channels, inner, outer, stride)

    def forward(self, x: Tensor, padded: bool = True) -> Tensor:
        """[B, C, T, H, W] -> [B, C', T, H/stride, W/stride]; not padded, T - 2 reach frames."""
        straight = x if padded else x[:, :, self.reach : -self.reach]
        shortcut = self.branch1_norm(self.branch1_conv(straight)) if self.projects else straight
        return torch.relu(shortcut + self.branch2(x, padded))


class Stage(nn.Module):
    """A run of residual blocks; the first may halve the side."""

    def __init__(self, channels: int, inner: int, outer: int, depth: int, stride: int) -> None:
        super().__init__()
        first = ResidualBlock(channels, inner, outer, stride)
        rest = [ResidualBlock(outer, inner, outer, 1) for _ in range(depth - 1)]
        self.res_blocks = nn.ModuleList([first, *rest])

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T, H, W] -> [B, C', T, H/stride, W/stride]."""
        for block in self.res_blocks:
            x = block(x)
        return x


class FastSlot(nn.Module):
    """Gives a block its published name, `multipathway_blocks.1`."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.multipathway_blocks = nn.ModuleDict({"1": block})

    def forward(self, x: Tensor) -> Tensor:
        """Run the block."""
        y: Tensor = self.multipathway_blocks["1"](x)
        return y


class FastPathway(nn.Module):
    """Turns frames into one feature each, and holds the position table they are given.

    Batch statistics of a single clip differ wildly from the running ones (REFERENCE.md §5),
    so the norms stay in evaluation mode unless `freeze_norms(False)` was called; that
    choice outlives `train()`.
    """

    def __init__(self, dims: MotionDims) -> None:
        super().__init__()
        self.dims = dims
        self.norms_frozen = True
        sides = (dims.stem, *dims.outer[:-1])
        stages: list[nn.Module] = [
            Stage(channels, inner, outer, depth, stride=1 if index == 0 else 2)
            for index, (channels, inner, outer, depth) in enumerate(
                zip(sides, dims.inner, dims.outer, dims.depths, strict=True)
            )
        ]
        blocks = [Stem(dims.stem), *stages]
        self.feature_extraction = nn.ModuleList([FastSlot(block) for block in blocks])
        self.position_embedding = nn.Embedding(dims.positions, dims.width)
        self._initialise()

    def _initialise(self) -> None:
        """Kaiming weights for the convolutions, small ones for the position table."""
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def freeze_norms(self, frozen: bool) -> None:
        """Keep batch norms on their running statistics (True), or let them follow `train()`."""
        self.norms_frozen = frozen
        self.train(self.training)

    def train(self, mode: bool = True) -> FastPathway:
        """Switch between training and evaluation; frozen norms stay in evaluation."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm3d) and self.norms_frozen:
                module.eval()
        return self

    def forward(self, frames: Tensor) -> Tensor:
        """Return one pooled feature a frame, without its position.

        Args:    frames: float [B, T, 3, H, W] or [T, 3, H, W], normalised to [-1, 1].
        Returns: float [B, T, C] or [T, C] on the device of `frames`.
        """
        batched = frames if frames.dim() == 5 else frames.unsqueeze(0)
        x = batched.transpose(1, 2)  # [B, 3, T, H, W]
        for slot in self.feature_extraction:
            x = slot(x)
        features = pool_frames(x)
        return features if frames.dim() == 5 else features.squeeze(0)

    def layers(self) -> list[Stem | ResidualBlock]:
        """Return what convolves over time, in the order that frames pass through."""
        return [one for one in self.modules() if isinstance(one, Stem | ResidualBlock)]

    def add_positions(self, features: Tensor) -> Tensor:
        """Return features [T, C] with rows 0..T-1 of the position table added.

        Raises:
            ValueError: there are more frames than positions.
        """
        frames = features.shape[-2]
        if frames > self.dims.positions:
            raise ValueError(f"{frames} motion frames but {self.dims.positions} positions")
        return features + self.position_embedding.weight[:frames].to(features.dtype)


def pool_frames(x: Tensor) -> Tensor:
    """Return the spatial mean: [B, C, T, H, W] -> [B, T, C]."""
    return x.mean(dim=(-1, -2)).transpose(1, 2)


def normalise(pixels: Tensor) -> Tensor:
    """Return (x/255 - 0.5)/0.5 of uint8 or float pixels in 0-255, as float32.

    Source: REFERENCE.md §1.3; motion frames use the vision tower's mean and deviation.
    """
    return (pixels.float() / 255.0 - 0.5) / 0.5


class MotionGraph(nn.Module):
    """The computation engines run: uint8 frames in, float32 features out, no positions.

    Batch norms are folded into the convolutions and the stem is packed, which changes nothing
    but rounding.
    """

    def __init__(self, pathway: FastPathway, *, packed: bool = True) -> None:
        """`packed` asks for frames whose width is a multiple of 4."""
        super().__init__()
        self.packed = packed
        self.pathway = fold_norms(copy.deepcopy(pathway).cpu().float().eval())
        del self.pathway.position_embedding  # networks that differ in it alone share this graph
        if packed:
            slot = cast(FastSlot, self.pathway.feature_extraction[0]).multipathway_blocks
            slot["1"] = PackedStem(cast(Stem, slot["1"]))

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 [T, H, W, 3] -> float32 [T, C]."""
        features: Tensor = self.pathway(self.prepare(frames))
        return features.float()

    def prepare(self, frames: Tensor) -> Tensor:
        """uint8 [T, H, W, 3] -> [T, 3, H, W] in the pathway's arithmetic, normalised.

        Packed, it is [T, 12, H, W/4]: channel `pixel * 3 + rgb` of every four pixels.
        """
        dtype = next(self.pathway.parameters()).dtype
        pixels = frames.float()  # before all else: TensorRT takes uint8 into a cast alone
        if self.packed:
            pixels = pixels.reshape(-1, frames.shape[1], frames.shape[2] // 4, 12)
        return normalise(pixels).permute(0, 3, 1, 2).to(dtype)


def fold_norms(pathway: FastPathway) -> FastPathway:
    """Fold every batch norm of an evaluation-mode pathway into its convolution, in place."""
    for module in list(pathway.modules()):
        for name, child in list(module.named_children()):
            conv_name = name.replace("norm", "conv")
            if isinstance(child, nn.BatchNorm3d):
                conv = getattr(module, conv_name)
                setattr(module, conv_name, fuse_conv_bn_eval(conv, child))
                setattr(module, name, nn.Identity())
    return pathway
