"""Runs a graph with TensorRT on a CUDA device, from a plan that is built once and kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cache import ArtifactCache, graph_hash
from engines.checking import check_feeds
from engines.contract import Engine, EngineOptions, Graph
from engines.cuda import CudaQueue, Gpu, has_cuda
from engines.errors import EngineUnavailable
from engines.export import onnx_bytes
from engines.precision import DTYPES
from engines.trt_build import build_plan, find_library, load_library, open_log
from engines.trt_lane import Lane

logger = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """Holds a plan, and a lane for each of the runs that were on at a time."""

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
        self._lock = threading.Lock()
        self._idle: list[Lane] = []
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
        """Return every output by name. Threads may run clips side by side, each on its stream.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                free axes are longer than the graph's lengths; or the engine is closed.
            RuntimeError: the device failed.
        """
        if self._engine is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        with self._borrow() as lane:
            return lane.run(feeds)

    def close(self) -> None:
        """Free contexts and buffers, then the engine. Safe to call twice; no run may be on."""
        self._idle = []
        self._engine = None
        self._runtime = None

    @contextmanager
    def _borrow(self) -> Iterator[Lane]:
        """Lend a lane that no other run holds; there are as many as runs were on at a time."""
        with self._lock:
            lane = self._idle.pop() if self._idle else self._open_lane()
        try:
            yield lane
        finally:
            with self._lock:
                self._idle.append(lane)

    def _open_lane(self) -> Lane:
        return Lane(self.graph, self._engine, CudaQueue(self.device), self._log)

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
