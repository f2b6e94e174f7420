"""Takes one clip's decoded events, window by window, and ends with its assessment."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from vqa2cli.assessment import Assessment, FrameStalls, Score, Segment, Timing
from vqa2cli.config import MIN_LEVEL_MASS, WINDOWS_PER_PASS, RunConfig
from vqa2cli.errors import VideoError
from vqa2cli.levels import level_of
from vqa2cli.pooling import pool_scores, spread
from vqa2cli.report.diagnostics import diagnose
from vqa2cli.video.media import ClipEvent, Closed, KeyFrames, MotionFrames, Opened, WindowEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vqa2cli.model import MotionStream, QualityModel, WindowTokens


class ClipScorer:
    """One clip on its way through the model.

    Pictures are turned into tokens as they come and dropped. Windows are scored
    `WINDOWS_PER_PASS` at a time; where the prompt tells of stalls, they wait for the end of
    the clip, because only then the stalls are known.
    """

    def __init__(self, model: QualityModel, config: RunConfig) -> None:
        self._model, self._config = model, config
        told = config.streaming and config.tell_stalls
        self._waits_for_stalls = told and model.protocol.accepts_stalls
        self._facts = ""
        self._visual: list[Tensor] = []
        self._motion: MotionStream | None = None
        self._ends: list[WindowEnd] = []
        self._waiting: list[WindowTokens] = []
        self._scores: list[Score] = []
        self._closed: Closed | None = None
        self._seconds = {"motion": 0.0, "vision": 0.0, "llm": 0.0}

    def take(self, event: ClipEvent) -> None:
        """Take the next event of the clip."""
        match event:
            case Opened():
                self._opened(event)
            case KeyFrames():
                with self._timed("vision"):
                    self._visual.append(self._model.encode_keyframes(event.pixels))
            case MotionFrames():
                self._push_motion(event)
            case WindowEnd():
                self._end_window(event)
            case Closed():
                self._closed = event
                told = event.stalling if self._waits_for_stalls else None
                self._score_waiting(told.summary if told else "")

    def finish(self, file: str, total_s: float) -> Assessment:
        """Return the assessment of `file`, which took `total_s` seconds.

        Raises:
            VideoError: the clip never closed, or the model's answer is no number.
        """
        closed = self._closed
        if closed is None:
            raise VideoError("crashed", "decoding ended before the clip did")
        self._check_numbers()
        durations_s = [end.end_s - end.start_s for end in self._ends]
        score = pool_scores(self._scores, durations_s)
        warnings = (*closed.warnings, *self._misfit(score))
        segments = tuple(
            Segment(end.start_s, end.end_s, one.value, level_of(one.value))
            for end, one in zip(self._ends, self._scores, strict=True)
        )
        return Assessment(
            file=file,
            warnings=warnings,
            media=closed.media,
            model=self._model.info,
            score=score,
            segments=segments,
            pooled=spread([one.value for one in self._scores], durations_s),
            stalling=closed.stalling,
            diagnostics=diagnose(score, segments, closed.stalling, warnings),
            timing=self._timing(closed, total_s),
            frames=frame_stalls(closed),
            marks=closed.marks,
        )

    def _opened(self, event: Opened) -> None:
        if self._config.stream_facts:
            from vqa2cli.model.facts import describe_stream

            self._facts = describe_stream(event.facts, self._config.display)

    def _push_motion(self, event: MotionFrames) -> None:
        """Compute motion features, unless the prompt has no place for them."""
        if self._model.protocol.uses_motion:
            with self._timed("motion"):
                self._motion = self._motion or self._model.open_motion()
                self._motion.push(event.pixels)

    def _end_window(self, end: WindowEnd) -> None:
        """Turn the window's pictures into tokens, and score a full batch of windows."""
        with self._timed("motion"):
            stream = self._motion or self._model.open_motion()
            motion = stream.finish()
        with self._timed("llm"):
            window = self._model.window_tokens(self._visual, motion, end.frames)
            # Those that wait for the end of the clip wait in main memory, not on the device.
            self._waiting.append(_moved(window, "cpu") if self._waits_for_stalls else window)
        self._visual, self._motion = [], None
        self._ends.append(end)
        if not self._waits_for_stalls and len(self._waiting) == WINDOWS_PER_PASS:
            self._score_waiting("")

    def _score_waiting(self, stalls: str) -> None:
        with self._timed("llm"):
            for first in range(0, len(self._waiting), WINDOWS_PER_PASS):
                device = self._model.info.device
                batch = [_moved(w, device) for w in self._waiting[first : first + WINDOWS_PER_PASS]]
                self._scores += self._model.score_windows(batch, facts=self._facts, stalls=stalls)
        self._waiting = []

    def _check_numbers(self) -> None:
        for end, score in zip(self._ends, self._scores, strict=True):
            if not math.isfinite(score.value) or not math.isfinite(score.level_mass):
                raise VideoError(
                    "internal",
                    f"the model gives no number for {end.start_s:.2f}-{end.end_s:.2f} s "
                    f"(precision {self._model.info.precision}); try --precision fp32",
                )

    def _misfit(self, score: Score) -> list[str]:
        """Return a warning where the model hardly considers the five words."""
        if score.level_mass >= MIN_LEVEL_MASS:
            return []
        info = self._model.info
        return [
            f"protocol {info.protocol} does not fit model {info.name}: only "
            f"{score.level_mass:.0%} of its answer is on the five level words "
            f"(at least {MIN_LEVEL_MASS:.0%} expected), so the score means little"
        ]

    def _timing(self, closed: Closed, total_s: float) -> Timing:
        return Timing(
            decode_s=closed.decode_s,
            motion_s=self._seconds["motion"],
            vision_s=self._seconds["vision"],
            llm_s=self._seconds["llm"],
            total_s=total_s,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += perf_counter() - started


def _moved(window: WindowTokens, device: str) -> WindowTokens:
    """Return `window` with its tokens on `device`."""
    return replace(window, visual=window.visual.to(device), motion=window.motion.to(device))


def frame_stalls(closed: Closed) -> FrameStalls | None:
    """Return the per-frame 0/1 sequence of a decoded clip, None if stalls were not sought."""
    if closed.stalled is None:
        return None
    return FrameStalls(tuple(closed.pts_s.tolist()), tuple(closed.stalled.tolist()))
