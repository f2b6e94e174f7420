"""Which engines there are, and how to get one. Read top to bottom.

A named engine never falls back: it runs or it raises.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import cast

from engines.contract import Engine, EngineFactory, EngineOptions, Graph
from engines.errors import EngineUnavailable


@dataclass(frozen=True)
class EngineEntry:
    """Where an engine lives and which extra of the package brings what it needs."""

    module: str
    factory: str
    extra: str | None
    summary: str


ENGINES: dict[str, EngineEntry] = {
    "pytorch": EngineEntry("engines.pytorch", "PyTorchEngine", None, "torch, eager; CPU and CUDA"),
    "onnxruntime": EngineEntry(
        "engines.onnx_runtime",
        "OnnxRuntimeEngine",
        None,
        "ONNX Runtime; its CPU and CUDA providers",
    ),
    "onnxruntime-tensorrt": EngineEntry(
        "engines.onnx_runtime",
        "OnnxRuntimeTensorRtEngine",
        "tensorrt",
        "ONNX Runtime; its TensorRT provider",
    ),
    "openvino": EngineEntry(
        "engines.openvino", "OpenVinoEngine", "openvino", "OpenVINO; CPUs, fastest there"
    ),
    "tensorrt": EngineEntry("engines.trt", "TensorRtEngine", "tensorrt", "TensorRT; NVIDIA GPUs"),
}


def create_engine(
    name: str,
    graph: Graph,
    *,
    device: str,
    precision: str,
    options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
) -> Engine:
    """Return the named engine, ready to run `graph`.

    Args:
        name: a key of `ENGINES`.
        device: "cpu", "cuda" or "cuda:N".
        precision: "fp32", "bf16" or "fp16".
        options: what else may be settled.

    Raises:
        EngineUnavailable: the name is unknown, or the engine cannot run here.
    """
    factory = _factory(name)
    return cast(Engine, factory(graph, device=device, precision=precision, options=options))


def probe_engine(
    name: str,
    *,
    device: str,
    precision: str,
    options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
) -> None:
    """Do nothing if the named engine may run here; nothing is built, exported or opened.

    Raises:
        EngineUnavailable: the name is unknown, or the engine cannot run here.
    """
    _factory(name).probe(device, precision, options)


def _factory(name: str) -> EngineFactory:
    entry = ENGINES.get(name)
    if entry is None:
        raise EngineUnavailable(name, "no such engine", f"Choose one of {', '.join(ENGINES)}.")
    try:
        module = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        extra = f"vqa2[{entry.extra}]" if entry.extra else "vqa2"
        raise EngineUnavailable(
            name, f"the package {error.name} is missing", f"Run: pip install '{extra}'"
        ) from error
    return cast(EngineFactory, getattr(module, entry.factory))
