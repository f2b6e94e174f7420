"""Runs a graph with OpenVINO on the CPU, in exact float32 or with bfloat16 inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino._offline_transformations import apply_make_stateful_transformation

from engines.cache import ArtifactCache
from engines.checking import check_feeds, check_signature, free_lengths
from engines.contract import Engine, EngineOptions, FixedSteps, Graph, Pass, TensorSpec
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
        self._cache = ArtifactCache(options.cache_dir)
        self._model: Any = self._read(graph)
        self._requests: dict[str, Any] = {precision: self._request(self._model, precision)}
        self._steps: tuple[Any, Any] | None = None

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
            self._requests[precision] = self._request(self._model, precision)
        request = self._requests[precision]
        request.infer(whole, share_inputs=False, share_outputs=False)
        return {spec.name: request.get_tensor(spec.name).data.copy() for spec in self.graph.outputs}

    def open_pass(self) -> Pass | None:
        """Return a new pass, None where the graph has no steps of fixed length.

        Raises:
            ValueError: the engine is closed.
        """
        if self._model is None:
            raise ValueError(f"engine {self.name} is closed")
        return OpenVinoPass(self, self.graph.fixed_steps) if self.graph.fixed_steps else None

    def close(self) -> None:
        """Drop the compiled model. Safe to call twice."""
        self._requests = {}
        self._model = None
        self._steps = None

    def compiled_steps(self, steps: FixedSteps) -> tuple[Any, Any]:
        """Return the first step, and the next ones with what they keep inside, compiled."""
        if self._steps is None:
            following = self._read(steps.next)
            apply_make_stateful_transformation(following, dict(steps.kept))
            first = self._read(steps.first)
            self._steps = (
                self._compile(first, self.precision),
                self._compile(following, self.precision),
            )
        return self._steps

    def _request(self, model: Any, precision: str) -> Any:
        return self._compile(model, precision).create_infer_request()

    def _compile(self, model: Any, precision: str) -> Any:
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": "1",
            "PERFORMANCE_HINT": "LATENCY",
        }
        return _core().compile_model(model, "CPU", settings)

    def _read(self, graph: Graph) -> Any:
        return _read(graph, onnx_bytes(graph, "fp32", self._cache))


class OpenVinoPass(Pass):
    """Goes by steps of one length through a clip that is long enough, and ends with a run.

    A clip of few steps is run whole. The end of a longer one is too, with as many frames before
    it as the results that are still due see.
    """

    #: Steps that a clip has to be longer than: the first one completes little, the end is run
    #: with its context.
    FEWEST = 3

    def __init__(self, engine: OpenVinoEngine, steps: FixedSteps) -> None:
        self._engine, self._steps = engine, steps
        (self._frames,) = (spec.name for spec in engine.graph.inputs)
        self._next: Any = None
        self._waiting: list[NDArray[np.generic]] = []
        self._context: NDArray[np.generic] | None = None

    def run(
        self, feeds: Mapping[str, NDArray[np.generic]], *, last: bool
    ) -> dict[str, NDArray[np.generic]]:
        """Return what the next piece completes: perhaps nothing before the `last` one.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec.
        """
        check_feeds(self._engine.graph, feeds)
        self._waiting.append(feeds[self._frames])
        found = []
        while self._count() > self._steps.length * (self.FEWEST if self._next is None else 1):
            found.append(self._step())
        if last:
            found.append(self._end())
        return {
            spec.name: np.concatenate([one[spec.name] for one in found])
            if found
            else np.empty((0, *(cast(int, side) for side in spec.shape[1:])), spec.dtype)
            for spec in self._engine.graph.outputs
        }

    def _count(self) -> int:
        return sum(map(len, self._waiting))

    def _step(self) -> dict[str, NDArray[np.generic]]:
        waiting = np.concatenate(self._waiting)
        frames, self._waiting = waiting[: self._steps.length], [waiting[self._steps.length :]]
        before = frames[:0] if self._context is None else self._context
        self._context = np.concatenate([before, frames])[-2 * self._steps.late :]
        request = self._begin() if self._next is None else self._next
        request.infer({self._frames: frames}, share_inputs=False)
        if self._next is None:
            self._next = self._go_on(request)
        return self._results(request)

    def _begin(self) -> Any:
        first, _ = self._engine.compiled_steps(self._steps)
        return first.create_infer_request()

    def _go_on(self, first: Any) -> Any:
        """Return the request of all further steps, holding what the first one kept."""
        _, following = self._engine.compiled_steps(self._steps)
        request = following.create_infer_request()
        for state in request.query_state():
            (kept,) = (out for name, out in self._steps.kept.items() if state.name == name + out)
            state.state = first.get_tensor(kept)
        return request

    def _end(self) -> dict[str, NDArray[np.generic]]:
        context = self._waiting[0][:0] if self._context is None else self._context
        done = max(len(context) - self._steps.late, 0)
        clip = np.concatenate([context, *self._waiting])
        whole = self._engine.run({self._frames: clip})
        return {name: values[done:] for name, values in whole.items()}

    def _results(self, request: Any) -> dict[str, NDArray[np.generic]]:
        return {
            spec.name: request.get_tensor(spec.name).data.copy()
            for spec in self._engine.graph.outputs
        }


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
