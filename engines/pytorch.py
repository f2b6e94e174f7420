"""Runs a graph with torch, eagerly, on the CPU or a CUDA device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.checking import check_feeds
from engines.contract import Graph
from engines.errors import EngineUnavailable

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Keep CUDA convolutions in the element type asked for, and repeatable."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


class PyTorchEngine:
    """Holds the graph's module in one element type on one device."""

    name = "pytorch"

    def __init__(self, graph: Graph, *, device: str, precision: str) -> None:
        """Build the module.

        Raises:
            EngineUnavailable: the device is not there, or the precision is unknown.
        """
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise EngineUnavailable(self.name, f"no device {device}", "Use --device cpu.")
        if precision not in DTYPES:
            raise EngineUnavailable(
                self.name, f"no precision {precision}", f"Choose one of {', '.join(DTYPES)}."
            )
        self.graph = graph
        self.device = device
        self.precision = precision
        module = graph.module().eval().to(device=device, dtype=DTYPES[precision])
        # 5-D convolutions run two to three times faster channels-last on a CPU.
        self._module: nn.Module | None = module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                or the engine is closed.
        """
        if self._module is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        inputs = [
            torch.from_numpy(np.require(feeds[spec.name], requirements=["C", "W"])).to(self.device)
            for spec in self.graph.inputs
        ]
        with torch.inference_mode(), exact_convolutions():
            result = self._module(*inputs)
        outputs: tuple[Tensor, ...] = result if isinstance(result, tuple) else (result,)
        return {
            spec.name: output.cpu().numpy().copy()
            for spec, output in zip(self.graph.outputs, outputs, strict=True)
        }

    def close(self) -> None:
        """Drop the module. Safe to call twice."""
        self._module = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
