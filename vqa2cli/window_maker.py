"""From what decoding yields to the tokens of each window, for scoring and for questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from vqa2cli.assessment import Timing
from vqa2cli.config import RunConfig
from vqa2cli.video.media import ClipEvent, Closed, KeyFrames, MotionFrames, Sampling, WindowEnd

if TYPE_CHECKING:
    from vqa2cli.model import MotionStream, QualityModel, SeenFrames, WindowTokens

#: Parts of the model whose seconds are told apart.
Part = Literal["motion", "vision", "llm"]


def sampling_of(model: QualityModel, config: RunConfig) -> Sampling:
    """Return what decoding must keep of a clip for this model and run."""
    sampling = model.sampling(
        display=config.display, find_stalls=config.streaming, min_stall_s=config.min_stall_s
    )
    return replace(sampling, marks=config.marks, measure=config.diagnostics)


class WindowMaker:
    """One clip's pictures on their way to tokens: taken as they come, and dropped."""

    def __init__(self, model: QualityModel) -> None:
        self._model = model
        self._seen: list[SeenFrames] = []
        self._motion: MotionStream | None = None
        self._seconds: dict[Part, float] = {"motion": 0.0, "vision": 0.0, "llm": 0.0}

    def take(self, event: ClipEvent) -> WindowTokens | None:
        """Take the next event of the clip; return the tokens of a window that it ends."""
        match event:
            case KeyFrames():
                with self.timed("vision"):
                    self._seen.append(self._model.encode_keyframes(event.pixels))
            case MotionFrames() if self._model.protocol.uses_motion:
                with self.timed("motion"):
                    self._motion = self._motion or self._model.open_motion()
                    self._motion.push(event.pixels)
            case WindowEnd():
                return self._end(event)
        return None

    def _end(self, end: WindowEnd) -> WindowTokens:
        with self.timed("motion"):
            stream = self._motion or self._model.open_motion()
            motion = stream.finish()
        with self.timed("llm"):
            window = self._model.window_tokens(self._seen, motion, end.frames)
        self._seen, self._motion = [], None
        return window

    @contextmanager
    def timed(self, part: Part) -> Iterator[None]:
        """Add what the block takes to the seconds of a part."""
        started = perf_counter()
        try:
            yield
        finally:
            self._seconds[part] += perf_counter() - started

    def timing(self, closed: Closed, total_s: float) -> Timing:
        """Return where the seconds of a clip went, which took `total_s`."""
        return Timing(
            decode_s=closed.decode_s,
            motion_s=self._seconds["motion"],
            vision_s=self._seconds["vision"],
            llm_s=self._seconds["llm"],
            total_s=total_s,
        )
