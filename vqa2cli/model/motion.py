"""Motion features of a stream of frames: exact, in constant memory."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engines.contract import Engine, FixedSteps, Graph, Lengths, Pass, TensorSpec
from vqa2cli import config
from vqa2cli.model.motion_steps import FixedStep, MotionSteps, kept_shapes
from vqa2cli.model.slowfast import FastPathway, MotionGraph

#: Names of the motion graph's one input and one output.
FRAMES, FEATURES = "frames", "features"


def motion_graph(pathway: FastPathway, size: int | Lengths, onnx: Path | None = None) -> Graph:
    """Return the graph engines run: uint8 [T, size, size, 3] -> float32 [T, C].

    A range as `size` leaves height and width free within it, each by itself.

    `onnx` is a ready file of the same weights, if there is one.
    """
    packed = isinstance(size, int) and size % 4 == 0
    return Graph(
        name="motion",
        inputs=(TensorSpec(FRAMES, "uint8", (None, size, size, 3)),),
        outputs=(TensorSpec(FEATURES, "float32", (None, pathway.dims.width)),),
        module=lambda: MotionGraph(pathway, packed=packed).eval(),
        onnx=onnx,
        steps=MotionSteps,
        fixed_steps=(
            fixed_steps(pathway, size, _fitting(size, size) // 4) if isinstance(size, int) else None
        ),
    )


def fixed_steps(pathway: FastPathway, size: int, length: int) -> FixedSteps:
    """Return the pass in graphs of `length` frames a step; the first has to be of a feature."""
    packed, late = size % 4 == 0, config.MOTION_HALO
    frames = TensorSpec(FRAMES, "uint8", (length, size, size, 3))
    kept = [
        ("float32" if index else "uint8", shape)
        for index, shape in enumerate(kept_shapes(pathway.dims, size))
    ]

    def step(name: str, first: bool, results: int) -> Graph:
        given = [TensorSpec(f"kept{index}", *spec) for index, spec in enumerate(kept)]
        return Graph(
            name=name,
            inputs=(frames,) if first else (frames, *given),
            outputs=(
                TensorSpec(FEATURES, "float32", (results, pathway.dims.width)),
                *(TensorSpec(f"keeps{index}", *spec) for index, spec in enumerate(kept)),
            ),
            module=lambda: FixedStep(pathway, packed=packed, first=first).eval(),
        )

    names = {f"kept{index}": f"keeps{index}" for index in range(len(kept))}
    first, following = step("motion-first", True, length - late), step("motion-next", False, length)
    return FixedSteps(first, following, names, length, late)


def chunk_length(graph: Graph) -> int:
    """Return how many frames an engine computes at a time: more of small ones."""
    return _fitting(*(cast(int, side) for side in graph.inputs[0].shape[1:3]))


def _fitting(height: int, width: int) -> int:
    fitting = config.MOTION_CHUNK * 384 * 384 // (height * width)
    return min(max(fitting, config.MOTION_CHUNK // 4), config.MOTION_CHUNK_MOST)


class MotionStream:
    """Feeds frames of one fixed size to an engine; results equal one pass over all frames.

    How the frames were split over `push` calls makes no difference to the numbers.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        chunk: int | None = None,
        halo: int = config.MOTION_HALO,
        step: int = config.MOTION_STEP,
    ) -> None:
        """Choose what suits the engine: a pass in steps of frames, or chunks with a halo.

        `chunk` is frames of result per engine run; None is as many as memory is meant for.
        """
        by_steps = engine.open_pass()
        length = chunk or chunk_length(engine.graph)
        self._run: _Chunks | _Steps = (
            _Chunks(engine, length, halo) if by_steps is None else _Steps(by_steps, step)
        )
        shape, width = engine.graph.inputs[0].shape, engine.graph.outputs[0].shape[1]
        self._shape = tuple(cast(int, side) for side in shape[1:])
        self._waiting: list[NDArray[np.uint8]] = [np.empty((0, *self._shape), np.uint8)]
        self._count = 0
        self._done: list[NDArray[np.float32]] = [np.empty((0, cast(int, width)), np.float32)]
        self._began = False

    def push(self, frames: NDArray[np.uint8]) -> None:
        """Take the next frames, uint8 RGB [t, H, W, 3].

        Raises:
            ValueError: they are not of the graph's size or element type.
        """
        if frames.dtype != np.uint8 or frames.shape[1:] != self._shape:
            raise ValueError(
                f"motion frames are {frames.dtype} {frames.shape}, not uint8 "
                f"[t, {', '.join(map(str, self._shape))}]"
            )
        if len(frames):
            self._waiting.append(frames)
            self._count += len(frames)
            self._began = True
        while self._count >= self._run.least:
            self._take(last=False)

    def finish(self) -> NDArray[np.float32]:
        """Return the features of all frames pushed, float32 [T, C]; the stream is spent."""
        if self._count or (self._began and self._run.late):
            self._take(last=True)
        features = np.concatenate(self._done)
        self._done = self._done[:1]
        return features

    def _take(self, last: bool) -> None:
        """Compute the next features from the frames that wait."""
        waiting = np.concatenate(self._waiting)
        features, used = self._run.take(waiting, last)
        self._done.append(np.asarray(features, np.float32))
        self._waiting = [waiting[used:]]
        self._count -= used


class _Chunks:
    """Runs every chunk with real frames on both sides, as far as the clip has them, and crops.

    So the network's own zero padding is seen at the true ends only.
    """

    late = False  # frames that were used have their features

    def __init__(self, engine: Engine, chunk: int, halo: int) -> None:
        """`chunk` is frames of result per engine run, `halo` context frames to each side."""
        self._engine, self._chunk, self._halo = engine, chunk, halo
        self.least = chunk + halo  # frames that have to wait before the next run
        self._before: NDArray[np.uint8] | None = None

    def take(self, waiting: NDArray[np.uint8], last: bool) -> tuple[NDArray[np.generic], int]:
        """Return the next features, and how many of the frames that wait they are of."""
        used = len(waiting) if last else self._chunk
        before = waiting[:0] if self._before is None else self._before
        clip = np.concatenate([before, waiting[: used + self._halo]])
        start = len(before)
        features = self._engine.run({FRAMES: clip})[FEATURES][start : start + used]
        self._before = clip[max(0, start + used - self._halo) : start + used]
        return features, used


class _Steps:
    """Hands frames on as they come; the pass keeps what it needs of earlier ones."""

    late = True  # features of the last frames come with the end of the clip

    def __init__(self, by_steps: Pass, step: int) -> None:
        self._pass, self.least = by_steps, step

    def take(self, waiting: NDArray[np.uint8], last: bool) -> tuple[NDArray[np.generic], int]:
        """Return the features that the next frames complete, and how many frames were used."""
        used = len(waiting) if last else self.least
        return self._pass.run({FRAMES: waiting[:used]}, last=last)[FEATURES], used
