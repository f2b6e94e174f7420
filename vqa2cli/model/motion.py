"""Motion features of a stream of frames: exact, in constant memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.contract import Engine, Graph, TensorSpec
from vqa2cli import config
from vqa2cli.model.slowfast import FastPathway, MotionGraph

#: Names of the motion graph's one input and one output.
FRAMES, FEATURES = "frames", "features"


def motion_graph(pathway: FastPathway, size: int, onnx: Path | None = None) -> Graph:
    """Return the graph engines run: uint8 [T, size, size, 3] -> float32 [T, C].

    `onnx` is a ready file of the same weights, if there is one.
    """
    return Graph(
        name="motion",
        inputs=(TensorSpec(FRAMES, "uint8", (None, size, size, 3)),),
        outputs=(TensorSpec(FEATURES, "float32", (None, pathway.dims.width)),),
        module=lambda: MotionGraph(pathway).eval(),
        onnx=onnx,
    )


class MotionStream:
    """Feeds frames to an engine in chunks whose results equal one pass over all frames.

    Every chunk is run with `halo` real frames on both sides, as far as the clip has them,
    and cropped; so the network's own zero padding is seen at the true ends only. Results do
    not depend on how the frames were split over `push` calls.
    """

    def __init__(
        self, engine: Engine, *, chunk: int = config.MOTION_CHUNK, halo: int = config.MOTION_HALO
    ) -> None:
        """`chunk` is frames of result per engine run, `halo` context frames to each side."""
        self._engine = engine
        self._chunk = chunk
        self._halo = halo
        shape = engine.graph.inputs[0].shape
        self._before = np.empty((0, *(side or 0 for side in shape[1:])), np.uint8)
        self._waiting: list[NDArray[np.uint8]] = []
        self._count = 0
        self._done: list[NDArray[np.float32]] = []

    def push(self, frames: NDArray[np.uint8]) -> None:
        """Take the next frames, uint8 RGB [t, H, W, 3].

        Raises:
            ValueError: they are not of the graph's size or element type.
        """
        if frames.dtype != np.uint8 or frames.shape[1:] != self._before.shape[1:]:
            raise ValueError(
                f"motion frames are {frames.dtype} {frames.shape}, not uint8 "
                f"[t, {', '.join(map(str, self._before.shape[1:]))}]"
            )
        if len(frames):
            self._waiting.append(frames)
            self._count += len(frames)
        while self._count >= self._chunk + self._halo:
            self._run(self._chunk)

    def finish(self) -> NDArray[np.float32]:
        """Return the features of all frames pushed, float32 [T, C]; the stream is spent."""
        if self._count:
            self._run(self._count)
        width = self._engine.graph.outputs[0].shape[1] or 0
        features = np.concatenate([np.empty((0, width), np.float32), *self._done])
        self._done = []
        self._before = self._before[:0]
        return features

    def _run(self, chunk: int) -> None:
        """Compute the next `chunk` features from the frames that wait."""
        waiting = np.concatenate(self._waiting)
        clip = np.concatenate([self._before, waiting[: chunk + self._halo]])
        features = self._engine.run({FRAMES: clip})[FEATURES]
        start = len(self._before)
        self._done.append(np.asarray(features[start : start + chunk], np.float32))
        self._before = clip[max(0, start + chunk - self._halo) : start + chunk]
        self._waiting = [waiting[chunk:]]
        self._count -= chunk
