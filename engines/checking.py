"""Checks every engine makes on what it is fed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engines.contract import Graph, Lengths, Side, TensorSpec
from engines.errors import EngineUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def check_feeds(graph: Graph, feeds: Mapping[str, NDArray[np.generic]]) -> None:
    """Do nothing when `feeds` is what the graph takes.

    Raises:
        ValueError: a feed is missing, unknown, or of another dtype or shape than its spec.
    """
    names = {spec.name for spec in graph.inputs}
    if unknown := feeds.keys() - names:
        raise ValueError(f"{graph.name} takes {_list(names)}, not {_list(unknown)}")
    if missing := names - feeds.keys():
        raise ValueError(f"{graph.name} needs {_list(missing)}")
    for spec in graph.inputs:
        _check_array(spec, feeds[spec.name])


def _check_array(spec: TensorSpec, array: NDArray[np.generic]) -> None:
    if array.dtype.name != spec.dtype:
        raise ValueError(f"{spec.name} is {array.dtype.name}, not {spec.dtype}")
    fits = len(array.shape) == len(spec.shape) and all(
        fits_side(want, got) for want, got in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{spec.name} has shape {array.shape}, not {spec.shape}")


def fits_side(want: Side, got: int) -> bool:
    """Return whether an axis may be `got` long."""
    if isinstance(want, Lengths):
        return got in want
    return want in (None, got)


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def free_lengths(graph: Graph, feeds: Mapping[str, NDArray[np.generic]]) -> list[int]:
    """Return the lengths that free axes of checked feeds have, shortest first."""
    found = {
        got
        for spec in graph.inputs
        for want, got in zip(spec.shape, feeds[spec.name].shape, strict=True)
        if want is None
    }
    return sorted(found)


def free_length(graph: Graph, feeds: Mapping[str, NDArray[np.generic]]) -> int:
    """Return how long the free axes of checked feeds are; 1 where there are none.

    Raises:
        ValueError: they differ in length.
    """
    lengths = free_lengths(graph, feeds)
    if len(lengths) > 1:
        raise ValueError(f"{graph.name} takes free axes of one length, not {lengths}")
    return lengths[0] if lengths else 1


def check_signature(
    engine: str, graph: Graph, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> None:
    """Do nothing when a file has the graph's inputs and outputs, in any order.

    Raises:
        EngineUnavailable: it has others, so it is not this graph's.
    """
    for specs, found in ((graph.inputs, inputs), (graph.outputs, outputs)):
        seen = {one.name: one for one in found}
        for spec in specs:
            if spec.name not in seen or len(seen) != len(specs) or not _same(spec, seen[spec.name]):
                raise EngineUnavailable(
                    engine,
                    f"the ONNX file is not {graph.name}: it has {_text(found)}, not {_text(specs)}",
                    "Reinstall the model, or use --engine pytorch.",
                )


def _same(spec: TensorSpec, found: TensorSpec) -> bool:
    """Axes the file leaves open fit any side, since exporters do not always tell outputs."""
    return (
        spec.dtype == found.dtype
        and len(spec.shape) == len(found.shape)
        and all(
            got is None or got == want for want, got in zip(spec.shape, found.shape, strict=True)
        )
    )


def _text(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{one.name} {one.dtype} {one.shape}" for one in specs)
