"""Runs a graph with torch, eagerly, on the CPU or a CUDA device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.checking import check_feeds, free_lengths
from engines.contract import Engine, EngineOptions, Graph, Pass
from engines.errors import EngineUnavailable
from engines.precision import DTYPES, sound_precision


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Keep CUDA convolutions in the element type asked for, and repeatable."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


class PyTorchEngine(Engine):
    """Holds the graph's module in one element type on one device."""

    name = "pytorch"

    def __init__(
        self,
        graph: Graph,
        *,
        device: str,
        precision: str,
        options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
    ) -> None:
        """Build the module. `options` settles nothing here: torch's threads are the process's.

        Raises:
            EngineUnavailable: the device is not there, or the precision is unknown.
        """
        self.probe(device, precision, options)
        self.graph = graph
        self.device = device
        self.precision = precision
        self._modules: dict[str, nn.Module] | None = {precision: self._build(precision)}

    @staticmethod
    def probe(device: str, precision: str, options: EngineOptions) -> None:
        """Do nothing if the engine may run here.

        Raises:
            EngineUnavailable: what is missing.
        """
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise EngineUnavailable("pytorch", f"no device {device}", "Use --device cpu.")
        if precision not in DTYPES:
            raise EngineUnavailable(
                "pytorch", f"no precision {precision}", f"Choose one of {', '.join(DTYPES)}."
            )

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                or the engine is closed.
        """
        if self._modules is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        return compute(self.graph, self.device, self._module(feeds), feeds)

    def open_pass(self) -> Pass | None:
        """Return a new pass on a CPU, where it is the faster way; None on other devices.

        Raises:
            ValueError: the engine is closed.
        """
        if self._modules is None:
            raise ValueError(f"engine {self.name} is closed")
        if self.graph.steps is None or self.device != "cpu":
            return None
        return PyTorchPass(self.graph, self.graph.steps(self._modules[self.precision]))

    def close(self) -> None:
        """Drop the module. Safe to call twice."""
        self._modules = None

    def _module(self, feeds: Mapping[str, NDArray[np.generic]]) -> nn.Module:
        assert self._modules is not None
        shortest = min(free_lengths(self.graph, feeds), default=0)
        precision = sound_precision(self.precision, self.device, shortest)
        if precision not in self._modules:
            self._modules[precision] = self._build(precision)
        return self._modules[precision]

    def _build(self, precision: str) -> nn.Module:
        module = self.graph.module().eval().to(device=self.device, dtype=DTYPES[precision])
        # 5-D convolutions run two to three times faster channels-last on a CPU.
        made: nn.Module = module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        return made


class PyTorchPass(Pass):
    """Holds what a graph keeps from one piece of a clip to the next, on the CPU."""

    def __init__(self, graph: Graph, steps: Callable[..., Any]) -> None:
        self._graph, self._steps = graph, steps

    def run(
        self, feeds: Mapping[str, NDArray[np.generic]], *, last: bool
    ) -> dict[str, NDArray[np.generic]]:
        """Return what the next piece completes.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec.
        """
        check_feeds(self._graph, feeds)
        return compute(self._graph, "cpu", partial(self._steps, last=last), feeds)


def compute(
    graph: Graph,
    device: str,
    function: Callable[..., Any],
    feeds: Mapping[str, NDArray[np.generic]],
) -> dict[str, NDArray[np.generic]]:
    """Return what a function of the graph's inputs on `device` gives, by the outputs' names."""
    inputs = [
        torch.from_numpy(np.require(feeds[spec.name], requirements=["C", "W"])).to(device)
        for spec in graph.inputs
    ]
    with torch.inference_mode(), exact_convolutions():
        result = function(*inputs)
    outputs: tuple[Tensor, ...] = result if isinstance(result, tuple) else (result,)
    return {
        spec.name: output.cpu().numpy().copy()
        for spec, output in zip(graph.outputs, outputs, strict=True)
    }
