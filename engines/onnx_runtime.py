"""Runs a graph with ONNX Runtime on the CPU.

Only the CPU provider is asked for: asking for a GPU provider that is not there makes ONNX
Runtime fall back in silence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engines.checking import check_feeds
from engines.contract import Graph
from engines.errors import EngineUnavailable
from engines.export import export_graph

PROVIDER = "CPUExecutionProvider"

#: ONNX Runtime's own scale: 3 is errors only.
LOG_ERRORS = 3


class OnnxRuntimeEngine:
    """Holds one session of the graph's ONNX form."""

    name = "onnxruntime"

    def __init__(self, graph: Graph, *, device: str, precision: str) -> None:
        """Open the graph's ONNX file, or export the module where none ships.

        Raises:
            EngineUnavailable: another device or precision than CPU and fp32 is asked for, the
                ONNX file cannot be read, or it has to be exported and the extra is missing.
        """
        if device != "cpu" or precision != "fp32":
            raise EngineUnavailable(
                self.name,
                f"runs on cpu in fp32 only, not on {device} in {precision}",
                "Use --engine pytorch, or --device cpu --precision fp32.",
            )
        self.graph = graph
        self.device = device
        self.precision = precision
        self._session: Any = _open(graph)

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Return every output by name.

        Raises:
            ValueError: a feed is missing, unknown, or of another dtype or shape than its spec;
                or the engine is closed.
        """
        if self._session is None:
            raise ValueError(f"engine {self.name} is closed")
        check_feeds(self.graph, feeds)
        names = [spec.name for spec in self.graph.outputs]
        results = self._session.run(
            names, {name: np.ascontiguousarray(array) for name, array in feeds.items()}
        )
        return dict(zip(names, results, strict=True))

    def close(self) -> None:
        """Drop the session. Safe to call twice."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open(graph: Graph) -> Any:
    if graph.onnx is not None:
        return _session(graph.onnx)
    with tempfile.TemporaryDirectory(prefix="vqa2-onnx-") as folder:
        return _session(export_graph(graph, Path(folder) / f"{graph.name}.onnx"))


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = LOG_ERRORS
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[PROVIDER])
    except Exception as error:  # ONNX Runtime's own errors share no narrower base
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise EngineUnavailable(
            OnnxRuntimeEngine.name,
            f"cannot read {path.name} ({type(error).__name__})",
            "Reinstall the model, or use --engine pytorch.",
        ) from error
    if session.get_providers() != [PROVIDER]:
        raise EngineUnavailable(
            OnnxRuntimeEngine.name,
            f"runs on {session.get_providers()} and not on {PROVIDER}",
            "Reinstall onnxruntime.",
        )
    return session
