"""The fast pathway over a clip in steps of any length: no frame is computed twice.

Every convolution in time keeps the last frames it saw, twice its reach. Nothing is padded
between steps, only before the first frame and after the last, so features equal those of the
whole clip at once. They come `MOTION_HALO` frames late: the sum of what the layers wait for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vqa2cli.model.slowfast import MotionGraph, ResidualBlock, Stem, pool_frames


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
