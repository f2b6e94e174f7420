"""The contract every engine keeps: one graph, named numpy arrays in and out.

An engine runs a graph it was given. It never downloads, preprocesses, post-processes or
chooses; it knows no model. Arrays it returns belong to the caller.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Lengths:
    """A range of lengths of an axis, and the one to tune for."""

    least: int
    usual: int
    most: int

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.usual <= self.most:
            raise ValueError(f"lengths {self.least}, {self.usual}, {self.most} are not in order")

    def __contains__(self, length: int) -> bool:
        return self.least <= length <= self.most


Side: TypeAlias = int | Lengths | None


@dataclass(frozen=True)
class TensorSpec:
    """Name, element type and shape of one input or output.

    None marks a free axis; all free axes of a graph share one length. A range marks an axis with
    lengths of its own, such as a height.
    """

    name: str
    dtype: str
    shape: tuple[Side, ...]


#: What builders want to know of a profile, as `Lengths` names it.
PROFILE_SHAPES = ("least", "usual", "most")


def profile_shape(spec: TensorSpec, lengths: Lengths, which: str) -> tuple[int, ...]:
    """Return the `which` of `PROFILE_SHAPES` of an input, its free axes as `lengths` say."""
    ranges = (lengths if side is None else side for side in spec.shape)
    return tuple(one if isinstance(one, int) else getattr(one, which) for one in ranges)


#: One range for everyday chunks and one for a whole window; each gets memory when first used.
LENGTHS = (Lengths(1, 164, 192), Lengths(193, 548, 2048))


@dataclass(frozen=True)
class Graph:
    """One computation, in every form an engine may want it.

    Attributes:
        name: short name, part of cache keys.
        inputs: what `run` takes.
        outputs: what `run` returns.
        module: builds the float32 torch module in eval mode; its positional arguments are
            the inputs in order, it returns the outputs in order.
        onnx: a ready float32 ONNX file of the same graph, if one ships with the weights.
        lengths: what engines that compile ahead prepare for; free axes share one length.
        steps: begins a pass through the module: takes its inputs piece by piece, and `last`,
            and returns the pieces of its outputs that they complete.
        fixed_steps: the same as graphs of fixed length, for engines that compile.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    module: Callable[[], torch.nn.Module]
    onnx: Path | None = None
    lengths: tuple[Lengths, ...] = LENGTHS
    steps: Callable[[torch.nn.Module], Callable[..., Any]] | None = None
    fixed_steps: FixedSteps | None = None


@dataclass(frozen=True)
class FixedSteps:
    """The steps of a pass as graphs: the first, and every next one but the end.

    Attributes:
        first: takes `length` of the graph's own inputs; gives the outputs they complete, and
            what the next step needs of them.
        next: takes that as further inputs, and gives it anew.
        kept: input of `next` and the output of both graphs that it is, by name.
        length: frames a step takes, or whatever the free axis counts.
        late: results that come later than what they are of; also the context of one result on
            either side.
    """

    first: Graph
    next: Graph
    kept: Mapping[str, str]
    length: int
    late: int


@dataclass(frozen=True)
class EngineOptions:
    """What a caller may settle besides device and precision.

    Attributes:
        cache_dir: where built engines and exports are kept; None is the user's cache folder.
        threads: CPU threads; None is what torch uses.
    """

    cache_dir: Path | None = None
    threads: int | None = None


class Pass(ABC):
    """One clip on its way through an engine, in pieces along the free axis.

    Nothing is computed twice, and the results together are those of one run over the whole
    clip. Many passes may be open at a time.
    """

    @abstractmethod
    def run(
        self, feeds: Mapping[str, NDArray[np.generic]], *, last: bool
    ) -> dict[str, NDArray[np.generic]]:
        """Return what the next piece completes: perhaps nothing before the `last` one.

        Raises:
            ValueError: as `Engine.run`.
        """


class Engine(ABC):
    """Runs one graph. Use as a context manager, or call `close`."""

    name: str
    device: str
    precision: str
    graph: Graph

    @abstractmethod
    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec.
        """

    def open_pass(self) -> Pass | None:
        """Return a new pass, or None where runs of overlapping chunks are the faster way."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class EngineFactory(Protocol):
    """A class of engines: opens one, and says beforehand whether it may run here."""

    def __call__(
        self, graph: Graph, *, device: str, precision: str, options: EngineOptions
    ) -> Any: ...

    def probe(self, device: str, precision: str, options: EngineOptions) -> None:
        """Do nothing if an engine may run here.

        Raises:
            EngineUnavailable: what is missing.
        """
        ...
