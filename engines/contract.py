"""The contract every engine keeps: one graph, named numpy arrays in and out.

An engine runs a graph it was given. It never downloads, preprocesses, post-processes or
chooses; it knows no model. Arrays it returns belong to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TensorSpec:
    """Name, element type and shape of one input or output; None marks a free axis."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """One computation, in every form an engine may want it.

    Attributes:
        name: short name, part of cache keys.
        inputs: what `run` takes.
        outputs: what `run` returns.
        module: builds the float32 torch module in eval mode; its positional arguments are
            the inputs in order, it returns the outputs in order.
        onnx: a ready ONNX file of the same graph, if one ships with the weights.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    module: Callable[[], torch.nn.Module]
    onnx: Path | None = None


class Engine(Protocol):
    """Runs one graph. Use as a context manager, or call `close`."""

    name: str
    device: str
    precision: str
    graph: Graph

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec.
        """
        ...

    def close(self) -> None:
        """Free what the engine holds. Safe to call twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


EngineFactory = Callable[..., Any]
