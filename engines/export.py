"""Writes a graph as ONNX and holds the file to what torch computes."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines.contract import Graph, TensorSpec
from engines.errors import EngineUnavailable

#: ONNX operator set; read by ONNX Runtime 1.17 and TensorRT 10.
OPSET = 18

#: Length of free axes in the example the exporter traces and in the check of its result.
EXAMPLE_LENGTH, CHECK_LENGTH = 8, 13

#: Largest difference to torch, relative to the largest output, that passes as rounding.
PARITY = 1e-4


def export_graph(graph: Graph, path: Path) -> Path:
    """Write the graph's module to `path` as ONNX, checked against torch, and return `path`.

    Free axes stay free, fixed ones fixed. Nothing is left at `path` when the check fails.

    Raises:
        EngineUnavailable: the `export` extra is not installed, or the file does not compute
            what torch computes.
    """
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise EngineUnavailable(
                "onnxruntime",
                f"the package {package} is missing",
                "Run: pip install 'vqa2[export]'",
            )
    module = graph.module().eval()
    examples = tuple(torch.from_numpy(example(spec, EXAMPLE_LENGTH)) for spec in graph.inputs)
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            module,
            examples,
            input_names=[spec.name for spec in graph.inputs],
            output_names=[spec.name for spec in graph.outputs],
            dynamic_shapes=tuple(_free_axes(spec) for spec in graph.inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(str(path))
    _check(graph, module, path)
    return path


def example(spec: TensorSpec, length: int, seed: int = 0) -> NDArray[np.generic]:
    """Return random values for an input, free axes `length` long."""
    shape = tuple(length if side is None else side for side in spec.shape)
    generator = np.random.default_rng(seed)
    if spec.dtype == "uint8":
        return generator.integers(0, 256, shape, dtype=np.uint8)
    return generator.standard_normal(shape).astype(spec.dtype)


def _free_axes(spec: TensorSpec) -> dict[int, object]:
    return {
        axis: torch.export.Dim(f"{spec.name}_{axis}", min=1)
        for axis, side in enumerate(spec.shape)
        if side is None
    }


def _check(graph: Graph, module: torch.nn.Module, path: Path) -> None:
    """Compare the file with the module on another length than it was traced with."""
    import onnxruntime

    feeds = {spec.name: example(spec, CHECK_LENGTH, seed=1) for spec in graph.inputs}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run([spec.name for spec in graph.outputs], feeds)
    with torch.inference_mode():
        result = module(*(torch.from_numpy(feed) for feed in feeds.values()))
    want = result if isinstance(result, tuple) else (result,)
    for spec, one, other in zip(graph.outputs, got, want, strict=True):
        reference = other.numpy()
        worst = float(np.abs(one - reference).max() / max(float(np.abs(reference).max()), 1e-12))
        if worst > PARITY:
            path.unlink()
            raise EngineUnavailable(
                "onnxruntime",
                f"the exported {spec.name} differs from torch by {worst:.1e} (limit {PARITY:.0e})",
                "Use --engine pytorch.",
            )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress lines and its own deprecation notes off the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
