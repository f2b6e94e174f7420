"""A toy graph, a motion graph with small frames, and which engines run on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engines.cache import ArtifactCache
from engines.contract import Graph, Lengths, TensorSpec
from engines.errors import EngineUnavailable
from engines.export import examples, onnx_bytes
from engines.registry import ENGINES, probe_engine
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.motion import motion_graph
from vqa2cli.model.slowfast import FastPathway


class Toy(torch.nn.Module):
    """Two inputs of different types, a convolution in time, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv3d(3, 4, 3, padding=1)

    def forward(
        self, frames: torch.Tensor, gain: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """uint8 [T, 8, 8, 3] and float32 [4] -> float32 [T, 4] and [T]."""
        x = (frames.float() / 255.0).permute(3, 0, 1, 2).unsqueeze(0).to(self.conv.weight.dtype)
        features = self.conv(x).mean(dim=(-1, -2))[0].T.float() * gain
        return features, features.sum(dim=1)


GRAPH = Graph(
    name="toy",
    inputs=(
        TensorSpec("frames", "uint8", (None, 8, 8, 3)),
        TensorSpec("gain", "float32", (4,)),
    ),
    outputs=(
        TensorSpec("features", "float32", (None, 4)),
        TensorSpec("total", "float32", (None,)),
    ),
    module=Toy,
    lengths=(Lengths(1, 8, 16), Lengths(17, 32, 64)),
)


def feeds(length: int = 5) -> dict[str, np.ndarray]:
    """Return random feeds of the toy."""
    return examples(GRAPH, length)


def small_motion(size: int | Lengths = 32, width: float = 1.0, seed: int = 0) -> Graph:
    """Return a motion graph of the published depth whose norms do something."""
    torch.manual_seed(seed)
    pathway = FastPathway(MotionDims(positions=8).scaled(width)).eval()
    for module in pathway.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return motion_graph(pathway, size)


def exported(graph: Graph, path: Path, precision: str = "fp32") -> Path:
    """Write a graph as ONNX to `path`; what is the same graph is exported once for all tests."""
    path.write_bytes(onnx_bytes(graph, precision, ArtifactCache()))
    return path


def available_here(precision: str = "fp32") -> list[str]:
    """Return the engines that run on this machine's CPU in a precision."""
    found = []
    for name in ENGINES:
        try:
            probe_engine(name, device="cpu", precision=precision)
        except EngineUnavailable:
            continue
        found.append(name)
    return found
