"""Runs a graph with ONNX Runtime: CPU, CUDA and TensorRT providers, chosen by name.

ONNX Runtime's TensorRT provider is an engine of its own here, so that reports name it.

What is asked for is what runs: after opening, the session is asked which provider it took.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cache import ArtifactCache
from engines.checking import check_feeds, check_signature
from engines.contract import Engine, EngineOptions, Graph, TensorSpec
from engines.errors import EngineUnavailable
from engines.export import onnx_bytes
from engines.providers import PROVIDERS, Provider, choose_provider, cpu_threads, provider_settings

import onnxruntime  # isort: skip  # after torch and TensorRT, whose libraries it shares

#: ONNX Runtime's own scale: 3 is errors only, 4 is fatal only.
LOG_ERRORS, LOG_FATAL = 3, 4

_CPU = PROVIDERS["cpu"].provider

#: Element types as ONNX Runtime spells them.
_TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}


class OnnxRuntimeEngine(Engine):
    """Holds one session of the graph's ONNX form."""

    name = "onnxruntime"

    def __init__(
        self,
        graph: Graph,
        *,
        device: str,
        precision: str,
        options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
    ) -> None:
        """Open the graph's ONNX file, or export the module where none ships.

        Raises:
            EngineUnavailable: the provider cannot run here in this precision, the ONNX file
                cannot be read or is of another graph, or it has to be exported and the extra
                is missing.
        """
        provider = choose_provider(self.name, device, precision)
        self.graph = graph
        self.device = device
        self.precision = precision
        self._on_gpu = provider.kind != "cpu"
        self._index = int(device.partition(":")[2] or 0)
        settings = provider_settings(provider, graph, device, precision, options)
        body = onnx_bytes(graph, precision, ArtifactCache(options.cache_dir))
        self._session: Any = _session(graph, body, provider, settings, cpu_threads(options))

    @classmethod
    def probe(cls, device: str, precision: str, options: EngineOptions) -> None:
        """Do nothing if the engine may run here.

        Raises:
            EngineUnavailable: what is missing.
        """
        choose_provider(cls.name, device, precision)

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                or the engine is closed.
        """
        if self._session is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        whole = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        names = [spec.name for spec in self.graph.outputs]
        results = self._run_bound(whole) if self._on_gpu else self._session.run(names, whole)
        return dict(zip(names, results, strict=True))

    def close(self) -> None:
        """Drop the session. Safe to call twice."""
        self._session = None

    def _run_bound(self, feeds: dict[str, NDArray[np.generic]]) -> Any:
        """Copy each input to the device once and each output back once."""
        binding = self._session.io_binding()
        for name, array in feeds.items():
            there = onnxruntime.OrtValue.ortvalue_from_numpy(array, "cuda", self._index)
            binding.bind_ortvalue_input(name, there)
        for spec in self.graph.outputs:
            binding.bind_output(spec.name, "cuda", self._index)
        self._session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()


class OnnxRuntimeTensorRtEngine(OnnxRuntimeEngine):
    """The same on ONNX Runtime's TensorRT provider, which builds and keeps engines itself."""

    name = "onnxruntime-tensorrt"


def _session(
    graph: Graph, body: bytes, provider: Provider, settings: dict[str, str], threads: int
) -> Any:
    wanted: list[Any] = [(provider.provider, settings)]
    if provider.kind != "cpu":
        wanted.append(_CPU)  # shapes are computed there
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints when it falls back
            session = onnxruntime.InferenceSession(
                body, _options(provider, threads), providers=wanted
            )
    except Exception as error:  # ONNX Runtime's own errors share no narrower base
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        name = graph.onnx.name if graph.onnx else graph.name
        raise EngineUnavailable(
            provider.engine,
            f"cannot read {name} ({type(error).__name__})",
            "Reinstall the model, or use --engine pytorch.",
        ) from error
    if session.get_providers()[0] != provider.provider:
        raise EngineUnavailable(
            provider.engine,
            f"runs on {session.get_providers()[0]} and not on {provider.provider}",
            provider.remedy,
        )
    check_signature(
        provider.engine, graph, _specs(session.get_inputs()), _specs(session.get_outputs())
    )
    return session


def _options(provider: Provider, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_ERRORS if provider.kind == "cpu" else LOG_FATAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # the graph is a chain
    # Threads that spin between runs take the cores that decoding and torch want.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Lengths differ from run to run: memory planned for one would be held beside the next.
    options.enable_mem_pattern = False
    return options


def _specs(nodes: Any) -> list[TensorSpec]:
    return [
        TensorSpec(
            node.name,
            _TYPES.get(node.type, node.type),
            tuple(side if isinstance(side, int) else None for side in node.shape),
        )
        for node in nodes
    ]
