"""Writes a graph as ONNX in fp32, fp16 or bf16, and holds the file to what torch computes."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.cache import ArtifactCache, graph_hash
from engines.checking import free_lengths
from engines.contract import Graph, Lengths, Side, TensorSpec
from engines.errors import EngineUnavailable
from engines.precision import DTYPES, allowed, difference, sound_precision

#: ONNX operator set; 18 is read by ONNX Runtime 1.17 and TensorRT 10. Convolutions take
#: bfloat16 from 22 on.
OPSETS = {"fp32": 18, "fp16": 18, "bf16": 22}

#: Length of free axes in the example the exporter traces and in the check of its result.
EXAMPLE_LENGTH, CHECK_LENGTH = 8, 13


def export_graph(graph: Graph, path: Path, precision: str = "fp32") -> Path:
    """Write the graph's module to `path` as ONNX, checked against torch, and return `path`.

    Free axes and ranges stay free, fixed ones fixed; inputs and outputs keep their types
    whatever the precision inside. Nothing is left at `path` when a check fails.

    Raises:
        EngineUnavailable: the `export` extra is not installed, or the file does not compute
            what torch computes in float32, within the tolerance of its precision.
    """
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise EngineUnavailable(
                "onnx export",
                f"the package {package} is missing",
                "Run: pip install 'vqa2[export]'",
            )
    module = graph.module().eval().to(DTYPES[precision])
    examples = tuple(torch.from_numpy(example(spec, EXAMPLE_LENGTH)) for spec in graph.inputs)
    free = tuple(_free_axes(spec) for spec in graph.inputs)
    with _quiet(), torch.inference_mode():
        program = torch.onnx.export(
            module,
            examples,
            input_names=[spec.name for spec in graph.inputs],
            output_names=[spec.name for spec in graph.outputs],
            dynamic_shapes=free if any(free) else None,
            opset_version=OPSETS[precision],
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(str(path))
    try:
        _check(graph, path, precision)
    except EngineUnavailable:
        path.unlink()
        raise
    return path


def onnx_bytes(graph: Graph, precision: str, cache: ArtifactCache) -> bytes:
    """Return the graph as ONNX: the ready file, a kept export, or a new one.

    Raises:
        EngineUnavailable: as `export_graph`; or the ready file cannot be read.
    """
    if graph.onnx is not None and precision == "fp32":
        try:
            return graph.onnx.read_bytes()
        except OSError as error:
            raise EngineUnavailable(
                "onnx", f"cannot read {graph.onnx.name} ({error.strerror})", "Reinstall the model."
            ) from error
    stem, key = _entry(graph, precision)
    kept = cache.load(stem, key)
    if kept is not None:
        return kept
    with tempfile.TemporaryDirectory(prefix="vqa2-onnx-") as folder:
        made = export_graph(graph, Path(folder) / f"{graph.name}.onnx", precision).read_bytes()
    cache.save(stem, key, made)
    return made


def has_onnx(graph: Graph, precision: str, cache: ArtifactCache) -> bool:
    """Return whether `onnx_bytes` has to export nothing."""
    if graph.onnx is not None and precision == "fp32":
        return graph.onnx.is_file()
    return cache.load(*_entry(graph, precision)) is not None


def example(spec: TensorSpec, length: int, seed: int = 0) -> NDArray[np.generic]:
    """Return random values for an input, free axes `length` long, ranges by as much past least."""
    shape = tuple(_example_side(side, length) for side in spec.shape)
    generator = np.random.default_rng(seed)
    if spec.dtype == "uint8":
        return generator.integers(0, 256, shape, dtype=np.uint8)
    return generator.standard_normal(shape).astype(spec.dtype)


def _example_side(side: Side, length: int) -> int:
    if isinstance(side, Lengths):
        return min(side.least + length, side.most)
    return length if side is None else side


def examples(graph: Graph, length: int, seed: int = 0) -> dict[str, NDArray[np.generic]]:
    """Return random feeds for every input."""
    return {spec.name: example(spec, length, seed) for spec in graph.inputs}


def _entry(graph: Graph, precision: str) -> tuple[str, dict[str, object]]:
    key = {
        "kind": "onnx",
        "graph": graph_hash(graph, precision),
        "precision": precision,
        "opset": OPSETS[precision],
    }
    return f"{graph.name}-{precision}-onnx", key


def _free_axes(spec: TensorSpec) -> dict[int, object]:
    return {
        axis: torch.export.Dim(f"{spec.name}_{axis}", min=side.least if side else 1)
        for axis, side in enumerate(spec.shape)
        if side is None or isinstance(side, Lengths)
    }


def _check(graph: Graph, path: Path, precision: str) -> None:
    """Compare the file with the float32 module on another length than it was traced with."""
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    data = (float32_twin(model) if precision == "bf16" else model).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    feeds = examples(graph, CHECK_LENGTH, seed=1)
    got = session.run([spec.name for spec in graph.outputs], dict(feeds))
    want = run_float32(graph, feeds)
    limit = tolerance(graph, precision, feeds)
    for spec, one in zip(graph.outputs, got, strict=True):
        worst = difference(one, want[spec.name])
        if not worst <= limit:
            raise EngineUnavailable(
                "onnx export",
                f"the exported {spec.name} differs from torch by {worst:.1e} (limit {limit:.0e})",
                "Use --engine pytorch.",
            )


def run_float32(
    graph: Graph, feeds: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """Return what the graph's module computes in float32 on the CPU."""
    return _run_torch(graph, feeds, "fp32")


def tolerance(graph: Graph, precision: str, feeds: Mapping[str, NDArray[np.generic]]) -> float:
    """Return the largest difference to float32 that passes as rounding on these feeds."""
    shortest = min(free_lengths(graph, feeds), default=0)
    rounded = sound_precision(precision, "cpu", shortest)
    if rounded == "fp32":
        return allowed(precision, 0.0)
    got, want = _run_torch(graph, feeds, rounded), run_float32(graph, feeds)
    return allowed(precision, max(difference(got[name], want[name]) for name in want))


def _run_torch(
    graph: Graph, feeds: Mapping[str, NDArray[np.generic]], precision: str
) -> dict[str, NDArray[np.generic]]:
    module = graph.module().eval().to(DTYPES[precision])
    with torch.inference_mode():
        result = module(*(torch.from_numpy(feeds[spec.name]) for spec in graph.inputs))
    outputs = result if isinstance(result, tuple) else (result,)
    return {spec.name: out.numpy() for spec, out in zip(graph.outputs, outputs, strict=True)}


def float32_twin(model: Any) -> Any:
    """Return the ONNX model with every bfloat16 made float32.

    ONNX Runtime has no bfloat16 convolution on a CPU. The twin holds the structure and the
    rounded weights to torch; the rounding of activations is left to the device that runs it.
    """
    import onnx

    bfloat, single = onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT
    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    del twin.graph.value_info[:]
    for tensor in [*twin.graph.initializer, *_constants(twin)]:
        if tensor.data_type == bfloat:
            values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for node in twin.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == bfloat:
                attribute.i = single
    return twin


def _constants(model: Any) -> list[Any]:
    return [
        attribute.t
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.HasField("t")
    ]


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
