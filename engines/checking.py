"""Checks every engine makes on what it is fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engines.contract import Graph, TensorSpec

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
        want is None or want == got for want, got in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{spec.name} has shape {array.shape}, not {spec.shape}")


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
