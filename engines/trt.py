"""TensorRT: the place of the engine; this version has none yet."""

from __future__ import annotations

from typing import NoReturn

from engines.contract import Graph
from engines.errors import EngineUnavailable


class TensorRtEngine:
    """Says that it cannot run."""

    name = "tensorrt"

    def __init__(self, graph: Graph, *, device: str, precision: str) -> None:
        _refuse(f"cannot run {graph.name} on {device} in {precision} in this version")


def _refuse(reason: str) -> NoReturn:
    raise EngineUnavailable("tensorrt", reason, "Use --engine pytorch or --engine onnxruntime.")
