"""Builds a TensorRT plan from ONNX; one code path for TensorRT 10, 11 and TensorRT-RTX.

The ONNX file carries the precision, and the network is strongly typed: TensorRT 11 knows no
other way, and 10 and RTX take it. Nothing here touches a device itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from dataclasses import dataclass
from typing import Any

from engines.contract import PROFILE_SHAPES, Graph, Lengths, profile_shape
from engines.errors import EngineUnavailable

logger = logging.getLogger(__name__)

#: Modules that hold the API, tried in this order.
LIBRARIES = ("tensorrt", "tensorrt_rtx")

#: TensorRT's names of our element types.
_TYPES = {"uint8": "UINT8", "float32": "FLOAT", "float16": "HALF", "int32": "INT32"}


@dataclass(frozen=True)
class Plan:
    """A built engine and what its builder learnt of the device; None where it keeps nothing."""

    body: bytes
    timing: bytes | None


def find_library() -> str:
    """Return which TensorRT is installed, without importing it.

    Raises:
        EngineUnavailable: none is.
    """
    for name in LIBRARIES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise EngineUnavailable(
        "tensorrt",
        "neither tensorrt nor tensorrt_rtx is installed",
        "Run: pip install 'vqa2[tensorrt]', or use --engine pytorch or --engine onnxruntime.",
    )


def load_library() -> Any:
    """Return the TensorRT module that is installed.

    Raises:
        EngineUnavailable: none is, or its shared libraries do not load.
    """
    name = find_library()
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise EngineUnavailable(
            "tensorrt",
            f"{name} is installed and does not load ({error})",
            f"Reinstall {name} with its libraries, or use --engine pytorch.",
        ) from error


def open_log(trt: Any) -> Any:
    """Return a TensorRT logger that writes to Python's logging and keeps the last error."""

    class Log(trt.ILogger):  # type: ignore[misc]  # the base is known at run time only
        """Routes messages; TensorRT's own logger would print them."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last_error = "no reason given"

        def log(self, severity: Any, message: str) -> None:
            """Take one message."""
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.last_error = " ".join(message.split())
                logger.info("TensorRT: %s", message)  # whoever fails tells the last one
            else:
                logger.debug("TensorRT: %s", message)

    return Log()


def build_plan(trt: Any, log: Any, graph: Graph, onnx: bytes, timing: bytes | None = None) -> Plan:
    """Return a plan of the ONNX graph with a profile for each of the graph's lengths.

    Args:
        trt: the TensorRT module.
        log: what `open_log` made of it.
        onnx: the graph in the precision wanted.
        timing: what an earlier build on the same device learnt.

    Raises:
        EngineUnavailable: the file is not this graph, or TensorRT cannot build it here.
    """
    builder = trt.Builder(log)
    if builder is None:
        raise _failed("cannot make a builder", log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(onnx):
        errors = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise _failed(f"cannot parse the ONNX file of {graph.name} ({_line(errors)})", None)
    _check_network(graph, network)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means fp32
    for lengths in graph.lengths:
        config.add_optimization_profile(_profile(builder, graph, lengths))
    cache = _use_timing(trt, config, timing)
    body = builder.build_serialized_network(network, config)
    if body is None:
        raise _failed(f"cannot build {graph.name}", log)
    return Plan(bytes(body), None if cache is None else bytes(cache.serialize()))


def profile_index(graph: Graph, length: int) -> int:
    """Return which profile takes free axes of this length.

    Raises:
        ValueError: none does.
    """
    for index, lengths in enumerate(graph.lengths):
        if lengths.least <= length <= lengths.most:
            return index
    most = max(lengths.most for lengths in graph.lengths)
    raise ValueError(f"{graph.name} was built for up to {most} frames at a time, not {length}")


def _profile(builder: Any, graph: Graph, lengths: Lengths) -> Any:
    profile = builder.create_optimization_profile()
    for spec in graph.inputs:
        shapes = (profile_shape(spec, lengths, which) for which in PROFILE_SHAPES)
        profile.set_shape(spec.name, *shapes)
    return profile


def _use_timing(trt: Any, config: Any, timing: bytes | None) -> Any:
    """Give the builder what it learnt earlier; a cache of another device starts afresh.

    TensorRT-RTX times nothing while it builds, and deprecates the calls.
    """
    if trt.__name__ == "tensorrt_rtx":
        return None
    for blob in dict.fromkeys((timing or b"", b"")):
        cache = config.create_timing_cache(blob)
        if cache is not None and config.set_timing_cache(cache, False):
            return cache
    return None


def _check_network(graph: Graph, network: Any) -> None:
    inputs = [network.get_input(index) for index in range(network.num_inputs)]
    outputs = [network.get_output(index) for index in range(network.num_outputs)]
    for specs, tensors in ((graph.inputs, inputs), (graph.outputs, outputs)):
        want = sorted((spec.name, _TYPES[spec.dtype], len(spec.shape)) for spec in specs)
        got = sorted((one.name, one.dtype.name, len(one.shape)) for one in tensors)
        if want != got:
            raise _failed(f"the ONNX file is not {graph.name}: it has {got}, not {want}", None)
    found = {one.name: tuple(one.shape) for one in inputs}
    for spec in graph.inputs:
        fits = all(
            seen == -1 if isinstance(side, Lengths) else side in (None, seen)
            for side, seen in zip(spec.shape, found[spec.name], strict=True)
        )
        if not fits:
            raise _failed(
                f"the ONNX file is not {graph.name}: {spec.name} is {found[spec.name]}, "
                f"not {spec.shape}",
                None,
            )


def _failed(what: str, log: Any) -> EngineUnavailable:
    reason = "" if log is None else f" ({_line(log.last_error)})"
    return EngineUnavailable("tensorrt", f"{what}{reason}", "Use --engine pytorch.")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
