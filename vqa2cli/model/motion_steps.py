"""The fast pathway over a clip in steps of any length: no frame is computed twice.

Every convolution in time keeps the last frames it saw, twice its reach. Nothing is padded
between steps, only before the first frame and after the last, so features equal those of the
whole clip at once. They come `MOTION_HALO` frames late: the sum of what the layers wait for.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.slowfast import FastPathway, MotionGraph, ResidualBlock, Stem, pool_frames


class MotionSteps:
    """One pass over one clip."""

    def __init__(self, module: nn.Module) -> None:
        """Begin a pass through `module`, a `MotionGraph`."""
        assert isinstance(module, MotionGraph)
        self._graph = module
        self._layers = [_Layer(one) for one in module.pathway.layers()]

    def __call__(self, frames: Tensor, *, last: bool) -> Tensor:
        """Return the features that the next frames complete.

        Args:
            frames: uint8 [t, H, W, 3]; t may be 0 in the last step.
            last: whether the clip ends with them.

        Returns: float32 [n, C], where n is 0 until enough frames were seen.
        """
        features = self.advance(self._graph.prepare(frames).transpose(0, 1).unsqueeze(0), last)
        if features is None:
            return torch.empty((0, self._graph.pathway.dims.width), device=frames.device)
        return features.float()

    def advance(self, x: Tensor, last: bool) -> Tensor | None:
        """Return features [n, C] that prepared frames complete, None where it is none.

        Frames are [1, 3, t, H, W], or [1, 12, t, H, W/4] where the graph is packed. Both are in
        the arithmetic of the pathway.
        """
        for layer in self._layers:
            completed = layer.feed(x, last)
            if completed is None:
                return None
            x = completed
        return pool_frames(x)[0]


class FixedStep(MotionGraph):
    """One step of a pass as a computation of its own: what is kept goes in and comes out.

    The stem keeps frames as they came; every block keeps what it was given.
    """

    def __init__(self, pathway: FastPathway, *, packed: bool, first: bool) -> None:
        """`first` is for the step at the start of a clip, into which nothing was kept."""
        super().__init__(pathway, packed=packed)
        self.first = first

    def forward(self, frames: Tensor, *kept: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """uint8 [t, H, W, 3] and what was kept -> float32 [n, C], and what is kept."""
        whole = frames if self.first else torch.cat([kept[0], frames])
        x = self.prepare(whole).transpose(0, 1).unsqueeze(0)
        stem, *blocks = self.pathway.layers()
        x, keeps = stem(self._begun(x, stem), padded=False), [whole[-2 * stem.reach :].clone()]
        for index, block in enumerate(blocks, start=1):
            seen = self._begun(x, block) if self.first else torch.cat([kept[index], x], dim=2)
            keeps.append(seen[:, :, -2 * block.reach :].clone())
            x = block(seen, padded=False)
        return (pool_frames(x)[0].float(), *keeps)

    def _begun(self, x: Tensor, layer: Stem | ResidualBlock) -> Tensor:
        """Return x with the edge that the first frames of a clip have before them."""
        return F.pad(x, (0, 0, 0, 0, layer.reach, 0)) if self.first else x


def kept_shapes(dims: MotionDims, size: int) -> list[tuple[int, ...]]:
    """Return the shapes of what `FixedStep` keeps of frames `size` pixels a side."""
    shapes: list[tuple[int, ...]] = [(2 * Stem.reach, size, size, 3)]
    side, channels = _half(_half(size)), dims.stem
    for stage, (outer, depth) in enumerate(zip(dims.outer, dims.depths, strict=True)):
        for block in range(depth):
            shapes.append((1, channels, 2 * ResidualBlock.reach, side, side))
            if stage and not block:
                side = _half(side)
            channels = outer
    return shapes


def _half(side: int) -> int:
    return -(-side // 2)


class _Layer:
    """A stem or a block, and the frames it still needs."""

    def __init__(self, module: Stem | ResidualBlock) -> None:
        self._module = module
        self._kept: Tensor | None = None

    def feed(self, x: Tensor, last: bool) -> Tensor | None:
        """Return what the next frames [1, C, t, H, W] complete, None if they complete nothing."""
        reach = self._module.reach
        edge = x.new_zeros((1, x.shape[1], reach, *x.shape[3:]))
        edge = edge.contiguous(memory_format=torch.channels_last_3d)
        seen = torch.cat([edge if self._kept is None else self._kept, x, *([edge] * last)], dim=2)
        self._kept = seen[:, :, -2 * reach :].clone()  # a view would hold on to all of it
        if seen.shape[2] <= 2 * reach:
            return None
        y: Tensor = self._module(seen, padded=False)
        return y
