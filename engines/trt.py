"""Runs a graph with TensorRT on a CUDA device, from a plan that is built once and kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cache import ArtifactCache, graph_hash
from engines.checking import check_feeds, free_length
from engines.contract import Engine, EngineOptions, Graph
from engines.cuda import Buffer, CudaQueue, Gpu, has_cuda
from engines.errors import EngineUnavailable
from engines.export import onnx_bytes
from engines.precision import DTYPES
from engines.trt_build import build_plan, find_library, load_library, open_log, profile_index

logger = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """Holds a plan, a stream, buffers, and a context for each profile that was used."""

    name = "tensorrt"

    def __init__(
        self,
        graph: Graph,
        *,
        device: str,
        precision: str,
        options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
    ) -> None:
        """Load the plan that was kept for this graph, library and device, or build it.

        Building takes from seconds to minutes. A kept plan that is damaged, or that the
        library does not take, is built again.

        Raises:
            EngineUnavailable: no TensorRT or no CUDA device is here, or TensorRT cannot build
                the graph.
        """
        self.probe(device, precision, options)
        self.graph = graph
        self.device = device
        self.precision = precision
        self._trt: Any = load_library()
        self._log: Any = open_log(self._trt)
        self._queue = CudaQueue(device)
        self._cache = ArtifactCache(options.cache_dir)
        self._contexts: dict[int, Any] = {}
        names = [spec.name for spec in (*graph.inputs, *graph.outputs)]
        self._buffers = {name: Buffer(self._queue) for name in names}
        with self._queue.scope():
            self._runtime: Any = self._trt.Runtime(self._log)
            self._engine: Any = self._open()

    @staticmethod
    def probe(device: str, precision: str, options: EngineOptions) -> None:
        """Do nothing if the engine may run here.

        Raises:
            EngineUnavailable: what is missing.
        """
        if precision not in DTYPES:
            raise EngineUnavailable(
                "tensorrt", f"no precision {precision}", f"Choose one of {', '.join(DTYPES)}."
            )
        if not device.startswith("cuda"):
            raise EngineUnavailable(
                "tensorrt",
                f"runs on CUDA devices and not on {device}",
                "Use --device cuda, or --engine pytorch or --engine onnxruntime.",
            )
        find_library()
        if not has_cuda():
            raise EngineUnavailable(
                "tensorrt", f"no device {device}", "Use --device cpu --engine pytorch."
            )

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                free axes are longer than the graph's lengths; or the engine is closed.
            RuntimeError: the device failed.
        """
        if self._engine is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        with self._queue.scope():
            context = self._context(profile_index(self.graph, free_length(self.graph, feeds)))
            for spec in self.graph.inputs:
                array = feeds[spec.name]
                self._require(context.set_input_shape(spec.name, tuple(array.shape)))
                address = self._buffers[spec.name].upload(array)
                self._require(context.set_tensor_address(spec.name, address))
            shapes = self._bind_outputs(context)
            self._require(context.execute_async_v3(self._queue.handle))
            for spec in self.graph.outputs:
                self._buffers[spec.name].download(_bytes(spec.dtype, shapes[spec.name]))
            self._queue.wait()
        return {
            spec.name: self._buffers[spec.name].read(spec.dtype, shapes[spec.name])
            for spec in self.graph.outputs
        }

    def close(self) -> None:
        """Free contexts, engine and buffers, in that order. Safe to call twice."""
        self._contexts = {}
        self._engine = None
        self._runtime = None
        self._buffers = {}

    def _bind_outputs(self, context: Any) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for spec in self.graph.outputs:
            shape = shapes[spec.name] = tuple(context.get_tensor_shape(spec.name))
            address = self._buffers[spec.name].reserve(_bytes(spec.dtype, shape))
            self._require(context.set_tensor_address(spec.name, address))
        return shapes

    def _context(self, index: int) -> Any:
        """Return the context of a profile; its device memory is taken at its first use."""
        if index not in self._contexts:
            context = self._engine.create_execution_context()
            self._require(context is not None)
            self._require(context.set_optimization_profile_async(index, self._queue.handle))
            self._queue.wait()
            self._contexts[index] = context
        return self._contexts[index]

    def _require(self, done: object) -> None:
        if not done:
            raise RuntimeError(f"TensorRT failed: {self._log.last_error}")

    def _open(self) -> Any:
        key = plan_key(self.graph, self.precision, self._trt, self._queue.gpu())
        stem = f"{self.graph.name}-{self.precision}-plan"
        kept = self._cache.load(stem, key)
        if kept is not None:
            engine = self._runtime.deserialize_cuda_engine(kept)
            if engine is not None:
                return engine
            logger.warning("TensorRT does not take the plan it made (%s)", self._log.last_error)
            self._cache.discard(stem, key)
        body = self._build()
        engine = self._runtime.deserialize_cuda_engine(body)
        if engine is None:
            raise EngineUnavailable(
                self.name,
                f"cannot load the plan it built ({self._log.last_error})",
                "Use --engine pytorch.",
            )
        self._cache.save(stem, key, body)
        return engine

    def _build(self) -> bytes:
        key = _timing_key(self._trt, self._queue.gpu())
        logger.info("building %s in %s with TensorRT", self.graph.name, self.precision)
        onnx = onnx_bytes(self.graph, self.precision, self._cache)
        timing = self._cache.load("timing", key)
        plan = build_plan(self._trt, self._log, self.graph, onnx, timing)
        if plan.timing is not None:
            self._cache.save("timing", key, plan.timing)
        return plan.body


def plan_key(graph: Graph, precision: str, trt: Any, gpu: Gpu) -> dict[str, object]:
    """Return everything a plan depends on: it is never loaded where one of these differs."""
    return {
        "kind": "plan",
        "graph": graph_hash(graph, precision),
        "precision": precision,
        "lengths": [[one.least, one.usual, one.most] for one in graph.lengths],
        "library": trt.__name__,
        "version": str(trt.__version__),
        "gpu": gpu.name,
        "capability": list(gpu.capability),
    }


def _timing_key(trt: Any, gpu: Gpu) -> dict[str, object]:
    return {
        "kind": "timing",
        "library": trt.__name__,
        "version": str(trt.__version__),
        "gpu": gpu.name,
        "capability": list(gpu.capability),
    }


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) * np.dtype(dtype).itemsize
