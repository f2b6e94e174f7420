"""What one run of a TensorRT engine borrows: a stream, its buffers, and a context a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.checking import free_length
from engines.contract import Graph
from engines.cuda import Buffer, CudaQueue
from engines.trt_build import profile_index


class Lane:
    """Runs one clip at a time; lanes of one engine run side by side."""

    def __init__(self, graph: Graph, engine: Any, queue: CudaQueue, log: Any) -> None:
        """Take the stream of `queue`; buffers and contexts come with the first runs."""
        self._graph, self._engine, self._queue, self._log = graph, engine, queue, log
        self._contexts: dict[int, Any] = {}
        self._buffers = {spec.name: Buffer(queue) for spec in (*graph.inputs, *graph.outputs)}

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output for checked feeds.

        Raises:
            ValueError: free axes are longer than the graph's lengths.
            RuntimeError: the device failed.
        """
        index = profile_index(self._graph, free_length(self._graph, feeds))
        with self._queue.scope():
            context = self._context(index)
            for spec in self._graph.inputs:
                array = feeds[spec.name]
                self._require(context.set_input_shape(spec.name, tuple(array.shape)))
                address = self._buffers[spec.name].upload(array)
                self._require(context.set_tensor_address(spec.name, address))
            shapes = self._bind_outputs(context)
            self._require(context.execute_async_v3(self._queue.handle))
            for spec in self._graph.outputs:
                self._buffers[spec.name].download(_bytes(spec.dtype, shapes[spec.name]))
            self._queue.wait()
        return {
            spec.name: self._buffers[spec.name].read(spec.dtype, shapes[spec.name])
            for spec in self._graph.outputs
        }

    def _bind_outputs(self, context: Any) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for spec in self._graph.outputs:
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


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) * np.dtype(dtype).itemsize
