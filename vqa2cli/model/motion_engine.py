"""Which engine runs the motion branch: the one named, or the best that is sound here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engines.cache import ArtifactCache
from engines.contract import Engine, EngineOptions, Graph
from engines.errors import EngineUnavailable
from engines.export import has_onnx
from engines.parity import Parity, Speed, compare, measure
from engines.registry import ENGINES, create_engine, probe_engine
from vqa2cli import config
from vqa2cli.config import EngineName, Precision
from vqa2cli.errors import EngineError
from vqa2cli.model.catalogue import find_model
from vqa2cli.model.devices import find_device, find_precision
from vqa2cli.model.motion import MotionStream, motion_graph
from vqa2cli.model.weights import MOTION_ONNX, load_pathway

logger = logging.getLogger(__name__)

#: What `auto` tries, in this order (docs/engines.md has the measurements); torch always runs.
AUTO_ON_CUDA = ("tensorrt", "onnxruntime", "pytorch")
AUTO_ON_CPU = ("openvino", "pytorch")

#: Frames on which `auto` holds an engine on a GPU to torch before it trusts it.
TRIAL_LENGTHS = (1, 5)


@dataclass(frozen=True)
class Availability:
    """Whether an engine may run on a device in a precision; `reason` and remedy if not."""

    engine: str
    device: str
    precision: str
    reason: str | None


def open_engine(
    name: EngineName,
    graph: Graph,
    device: str,
    precision: str,
    options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
) -> Engine:
    """Return the engine named, or for "auto" the first that is sound here.

    Raises:
        EngineError: the named engine cannot run; the message says what to do.
    """
    try:
        if name != "auto":
            return create_engine(name, graph, device=device, precision=precision, options=options)
        return _first_sound(graph, device, precision, options)
    except EngineUnavailable as error:
        raise EngineError(str(error)) from error


def load_motion_graph(name_or_dir: str | Path, size: int | None = None) -> Graph:
    """Return the motion graph of a model without loading the rest of it.

    Args:
        size: side of the frames, pixels; None is the model's own.

    Raises:
        ModelError: the model is not there or not whole.
    """
    source = find_model(str(name_or_dir))
    pathway, own = load_pathway(source.path)
    onnx = source.path / MOTION_ONNX
    ready = onnx if onnx.is_file() and size in (None, own) else None
    return motion_graph(pathway, size or own, onnx=ready)


def availability(
    device: str = "auto",
    options: EngineOptions = EngineOptions(),  # noqa: B008  # frozen
) -> list[Availability]:
    """Return a row for every engine and precision on a device.

    Raises:
        DeviceError: the device is not there.
    """
    place = find_device(device)
    return [
        Availability(name, place, precision, _reason(name, place, precision, options))
        for name in ENGINES
        for precision in ("fp32", "bf16", "fp16")
    ]


def check_engines(
    graph: Graph, rows: list[Availability], options: EngineOptions
) -> Iterator[Parity | Availability]:
    """Hold every engine that is available to float32 torch, one after the other.

    An engine that turns out not to run is given back with its reason.
    """
    for row in rows:
        if row.reason is not None:
            continue
        try:
            with _create(row, graph, options) as engine:
                yield compare(engine)
        except EngineUnavailable as error:
            yield Availability(row.engine, row.device, row.precision, str(error))


def measure_engine(
    graph: Graph, row: Availability, frames: int, options: EngineOptions
) -> Speed | Availability:
    """Return how fast an engine runs `frames` frames in chunks, as scoring runs them."""
    size = cast(int, graph.inputs[0].shape[1])
    clip = np.random.default_rng(0).integers(0, 256, (frames, size, size, 3), dtype=np.uint8)
    try:
        return measure(lambda: _create(row, graph, options), _streaming(clip))
    except EngineUnavailable as error:
        return Availability(row.engine, row.device, row.precision, str(error))


def build_engine(
    graph: Graph, engine: EngineName, device: str, precision: Precision, options: EngineOptions
) -> Parity:
    """Build and keep what the engine needs ahead of time; return its parity.

    Raises:
        EngineError, DeviceError: what is missing, and what to do.
    """
    place = find_device(device)
    with open_engine(engine, graph, place, find_precision(precision, place), options) as made:
        return compare(made)


def _streaming(clip: NDArray[np.uint8]) -> Callable[[Engine], int]:
    def run(engine: Engine) -> int:
        stream = MotionStream(engine)
        for start in range(0, len(clip), config.MOTION_CHUNK):
            stream.push(clip[start : start + config.MOTION_CHUNK])
        return len(stream.finish())

    return run


def _create(row: Availability, graph: Graph, options: EngineOptions) -> Engine:
    return create_engine(
        row.engine, graph, device=row.device, precision=row.precision, options=options
    )


def _reason(name: str, device: str, precision: str, options: EngineOptions) -> str | None:
    try:
        probe_engine(name, device=device, precision=precision, options=options)
    except EngineUnavailable as error:
        return str(error)
    return None


def _first_sound(graph: Graph, device: str, precision: str, options: EngineOptions) -> Engine:
    """Try engines in order; the last, torch, is taken as it is."""
    *better, last = AUTO_ON_CPU if device == "cpu" else AUTO_ON_CUDA
    for name in better:
        try:
            probe_engine(name, device=device, precision=precision, options=options)
            if device == "cpu" and not has_onnx(graph, "fp32", ArtifactCache(options.cache_dir)):
                continue  # exporting takes longer than it would save
            engine = create_engine(name, graph, device=device, precision=precision, options=options)
        except EngineUnavailable as error:
            logger.info("not used for the motion branch: %s", error)
            continue
        if device == "cpu" or _trusted(engine):
            return engine
    return create_engine(last, graph, device=device, precision=precision, options=options)


def _trusted(engine: Engine) -> bool:
    """Return whether an engine on a GPU computes what torch does; close it if not."""
    try:
        found = compare(engine, TRIAL_LENGTHS)
    except RuntimeError as error:  # the device failed; a named engine would end the run
        logger.warning("engine %s failed its trial (%s) and is not used", engine.name, error)
        engine.close()
        return False
    if not found.passed:
        logger.warning(
            "engine %s differs from torch by %.1e (limit %.0e) and is not used",
            found.engine,
            found.worst,
            found.limit,
        )
        engine.close()
    return found.passed
