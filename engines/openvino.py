"""Runs a graph with OpenVINO on the CPU, in exact float32 or with bfloat16 inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from engines.cache import ArtifactCache
from engines.checking import check_feeds, check_signature, free_lengths
from engines.contract import Engine, EngineOptions, Graph, TensorSpec
from engines.errors import EngineUnavailable
from engines.export import onnx_bytes
from engines.precision import sound_precision
from engines.providers import cpu_threads

#: OpenVINO's names of our precisions. It would choose bfloat16 by itself where the CPU has it.
PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoEngine(Engine):
    """Holds one compiled model of the graph's float32 ONNX form."""

    name = "openvino"

    def __init__(
        self,
        graph: Graph,
        *,
        device: str,
        precision: str,
        options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
    ) -> None:
        """Compile the graph's ONNX file, or export the module where none ships.

        Raises:
            EngineUnavailable: another device than the CPU or another precision than fp32 and
                bf16 is asked for, the CPU has no bfloat16, the ONNX file cannot be read or is
                of another graph, or it has to be exported and the extra is missing.
        """
        self.probe(device, precision, options)
        self.graph = graph
        self.device = device
        self.precision = precision
        self._threads = cpu_threads(options)
        self._model: Any = _read(graph, onnx_bytes(graph, "fp32", ArtifactCache(options.cache_dir)))
        self._requests: dict[str, Any] = {precision: self._compile(precision)}

    @staticmethod
    def probe(device: str, precision: str, options: EngineOptions) -> None:
        """Do nothing if the engine may run here.

        Raises:
            EngineUnavailable: what is missing.
        """
        if device != "cpu" or precision not in PRECISIONS:
            raise EngineUnavailable(
                "openvino",
                f"runs on cpu in {' or '.join(PRECISIONS)} only, not on {device} in {precision}",
                "Use --engine pytorch, or --device cpu --precision fp32.",
            )
        can = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in can:
            raise EngineUnavailable(
                "openvino", "this CPU has no bfloat16 arithmetic", "Use --precision fp32."
            )

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                or the engine is closed.
        """
        if self._model is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        whole = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        shortest = min(free_lengths(self.graph, feeds), default=0)
        precision = sound_precision(self.precision, self.device, shortest)
        if precision not in self._requests:
            self._requests[precision] = self._compile(precision)
        request = self._requests[precision]
        request.infer(whole, share_inputs=False, share_outputs=False)
        return {spec.name: request.get_tensor(spec.name).data.copy() for spec in self.graph.outputs}

    def close(self) -> None:
        """Drop the compiled model. Safe to call twice."""
        self._requests = {}
        self._model = None

    def _compile(self, precision: str) -> Any:
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": "1",
            "PERFORMANCE_HINT": "LATENCY",
        }
        return _core().compile_model(self._model, "CPU", settings).create_infer_request()


@cache
def _core() -> Any:
    """Return the process's one core, which is never let go.

    On a CPU with AMX the core gives its thread a signal stack, and takes the memory back when it
    goes. Gone on another thread, it leaves a stack that is no longer there: the next signal then
    writes over whatever lies in its place.
    """
    return openvino.Core()


def _read(graph: Graph, body: bytes) -> Any:
    try:
        model = _core().read_model(body)
    except RuntimeError as error:  # OpenVINO's only error; its text runs over pages
        name = graph.onnx.name if graph.onnx else graph.name
        raise EngineUnavailable(
            "openvino", f"cannot read {name}", "Reinstall the model, or use --engine pytorch."
        ) from error
    check_signature("openvino", graph, _specs(model.inputs), _specs(model.outputs))
    return model


def _specs(ports: Any) -> list[TensorSpec]:
    return [
        TensorSpec(
            port.get_any_name(),
            np.dtype(port.get_element_type().to_dtype()).name,
            tuple(
                None if side.is_dynamic else side.get_length() for side in port.get_partial_shape()
            ),
        )
        for port in ports
    ]
