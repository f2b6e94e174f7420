"""Holds engines to float32 torch, and measures how fast they are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engines.contract import Engine
from engines.export import examples, run_float32, tolerance
from engines.precision import TOLERANCE, difference

#: Lengths at which engines are compared: the shortest, and more than a receptive field.
PARITY_LENGTHS = (1, 3, 5, 40)


@dataclass(frozen=True)
class Parity:
    """How far an engine lies from float32 torch, relative to the largest output."""

    engine: str
    device: str
    precision: str
    worst: float
    limit: float

    @property
    def passed(self) -> bool:
        """Whether it lies within the tolerance of its precision; NaN does not."""
        return self.worst <= self.limit

    @property
    def share(self) -> float:
        """How much of the limit it takes; infinite for NaN."""
        return math.inf if math.isnan(self.worst) else self.worst / self.limit


@dataclass(frozen=True)
class Speed:
    """What a run over many frames took."""

    engine: str
    device: str
    precision: str
    open_s: float
    frames_per_s: float
    frame_ms: float


def compare(engine: Engine, lengths: Sequence[int] = PARITY_LENGTHS) -> Parity:
    """Return how far the engine lies from its graph's module over random feeds.

    Every length is held to its own limit; what is returned is the one that comes nearest to its
    limit, or lies farthest beyond it.
    """
    found = [_compare_at(engine, length) for length in lengths]
    return max(found, key=lambda one: one.share)


def _compare_at(engine: Engine, length: int) -> Parity:
    graph, precision = engine.graph, engine.precision
    feeds = examples(graph, length, seed=length)
    got, want = engine.run(feeds), run_float32(graph, feeds)
    apart = [difference(got[name], want[name]) for name in want]
    worst = float(np.max(apart))  # unlike max(), keeps NaN
    limit = TOLERANCE[precision]
    if worst > limit and precision != "fp32":
        limit = tolerance(graph, precision, feeds)
    return Parity(engine.name, engine.device, precision, worst, limit)


def measure(make: Callable[[], Engine], work: Callable[[Engine], int], repeats: int = 3) -> Speed:
    """Return the speed of an engine: the best of `repeats`, after one run that warms it up.

    Args:
        make: opens the engine; what it takes is `open_s`.
        work: runs it over some frames and returns how many.
    """
    started = time.perf_counter()
    with make() as engine:
        opened = time.perf_counter() - started
        work(engine)
        best = min(_frame_seconds(engine, work) for _ in range(repeats))
        return Speed(
            engine.name, engine.device, engine.precision, opened, 1.0 / best, 1000.0 * best
        )


def _frame_seconds(engine: Engine, work: Callable[[Engine], int]) -> float:
    started = time.perf_counter()
    frames = work(engine)
    return (time.perf_counter() - started) / frames
