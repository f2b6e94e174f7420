"""Takes one clip's decoded events, window by window, and ends with its assessment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vqa2cli.assessment import (
    Assessment,
    Distortion,
    FrameStalls,
    Score,
    Segment,
    SessionVerdict,
)
from vqa2cli.config import MIN_LEVEL_MASS, MOST_PROMISED, WINDOWS_PER_PASS, RunConfig
from vqa2cli.errors import VideoError
from vqa2cli.levels import level_of
from vqa2cli.model.facts import NOTHING_TOLD, StreamTold
from vqa2cli.model.promises import is_broken, weighed
from vqa2cli.pooling import pool_scores, spread
from vqa2cli.report.diagnostics import diagnose, signal_of
from vqa2cli.session import Weigher, clip_session
from vqa2cli.video.media import ClipEvent, Closed, Opened, StreamFacts, WindowEnd
from vqa2cli.video.stall_text import sequence_sentence
from vqa2cli.window_maker import WindowMaker

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel, WindowTokens


class ClipScorer:
    """One clip on its way through the model.

    Pictures are turned into tokens as they come and dropped. Windows are scored
    `WINDOWS_PER_PASS` at a time; where the model judges stalls, they wait for the end of the
    clip, because only then the stalls are known. Other models' windows do not wait: the session
    model weighs the stalls when the clip is through.
    """

    def __init__(self, model: QualityModel, config: RunConfig) -> None:
        self._model, self._config = model, config
        self._weighs_stalls = config.streaming and config.tell_stalls
        self._waits_for_stalls = self._weighs_stalls and model.protocol.judges_stalls
        self._facts: StreamFacts | None = None
        self._said: list[float] = []  # by the model, before that is put beside what is usual
        self._usual: list[float | None] = []
        self._maker = WindowMaker(model)
        self._ends: list[WindowEnd] = []
        self._waiting: list[WindowTokens] = []
        self._scores: list[Score] = []
        self._distortions: list[Distortion | None] = []
        self._closed: Closed | None = None

    def take(self, event: ClipEvent) -> None:
        """Take the next event of the clip."""
        tokens = self._maker.take(event)
        match event:
            case Opened():
                self._opened(event)
            case WindowEnd():
                assert tokens is not None
                self._end_window(event, tokens)
            case Closed():
                self._closed = event
                self._score_waiting()

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
        warnings = (
            *closed.warnings, *self._misfit(score), *self._broken_promise(durations_s)
        )  # fmt: skip
        session = self._session(closed, score)
        if session is not None:
            value = session.with_stalls
            score = replace(score, value=value, level=level_of(value))
        segments = tuple(
            Segment(end.start_s, end.end_s, one.value, level_of(one.value), shown)
            for end, one, shown in zip(self._ends, self._scores, self._distortions, strict=True)
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
            session=session,
            diagnostics=diagnose(
                score, segments, closed.stalling, warnings, session, signal_of(closed)
            ),
            timing=self._maker.timing(closed, total_s),
            frames=frame_stalls(closed),
            marks=closed.marks,
            measures=closed.measures,
        )

    def _opened(self, event: Opened) -> None:
        if self._config.stream_facts:
            self._facts = event.facts

    def _end_window(self, end: WindowEnd, window: WindowTokens) -> None:
        """Put the window's tokens in line, and score a full batch of windows."""
        with self._maker.timed("llm"):
            # Those that wait for the end of the clip wait in main memory, not on the device.
            self._waiting.append(_moved(window, "cpu") if self._waits_for_stalls else window)
        self._ends.append(end)
        if not self._waits_for_stalls and len(self._waiting) == WINDOWS_PER_PASS:
            self._score_waiting()

    def _score_waiting(self) -> None:
        """Score the windows that wait, and tell of the stalls where the clip is through."""
        texts = self._stall_texts()
        device = self._model.info.device
        with self._maker.timed("llm"):
            for first in range(0, len(self._waiting), WINDOWS_PER_PASS):
                part = slice(first, first + WINDOWS_PER_PASS)
                batch = [_moved(window, device) for window in self._waiting[part]]
                told = [self._told(window) for window in batch]
                said = self._model.score_windows(
                    batch, facts=[each.text for each in told], stalls=texts[part]
                )
                usual = [each.usual for each in told]
                shown = [self._model.distortion(window) for window in batch]
                # An answer on stalls too is not put together with what pictures alone are worth.
                stands = self._waits_for_stalls
                self._scores += said if stands else self._weighed(batch, said, usual, shown)
                self._distortions += shown
                self._said += [one.value for one in said]
                self._usual += usual
        self._waiting = []

    def _told(self, window: WindowTokens) -> StreamTold:
        """Return what the model is told of the stream with a window."""
        if self._facts is None:
            return NOTHING_TOLD
        network = self._model.network
        return network.tell_stream(self._facts, self._config.display, window.statistics)

    def _weighed(
        self,
        batch: Sequence[WindowTokens],
        said: Sequence[Score],
        usual: Sequence[float | None],
        shown: Sequence[Distortion | None],
    ) -> list[Score]:
        """Return the scores of windows beside what is usual of such streams."""
        broken = [k for k, pair in enumerate(zip(said, usual, strict=True)) if is_broken(*pair)]
        by_pictures = {}
        if broken:
            alone = self._model.score_windows([batch[k] for k in broken])
            by_pictures = dict(zip(broken, alone, strict=True))
        return [
            weighed(score, usual[k], shown[k], by_pictures.get(k)) for k, score in enumerate(said)
        ]

    def _stall_texts(self) -> list[str]:
        """Return what the model is told of stalls with each window that waits."""
        closed = self._closed
        if not self._waits_for_stalls or closed is None or closed.stalling is None:
            return [""] * len(self._waiting)
        if self._config.stall_text == "summary":
            return [closed.stalling.summary] * len(self._waiting)
        assert closed.stalled is not None  # stalls were looked for
        ends = np.cumsum([end.frames for end in self._ends])
        return [
            sequence_sentence(closed.stalled[end - window.frames : end])
            for end, window in zip(ends, self._ends, strict=True)
        ]

    def _session(self, closed: Closed, score: Score) -> SessionVerdict | None:
        """Return the clip as a streaming session, None where stalls are not to be weighed."""
        if not self._weighs_stalls or closed.stalling is None:
            return None
        weigher: Weigher = "model" if self._waits_for_stalls else "session"
        spans_s = [(end.start_s, end.end_s) for end in self._ends]
        values = [one.value for one in self._scores]
        told = clip_session(spans_s, values, closed.stalling, weigher, score.value)
        return SessionVerdict(told.score, told.without_stalls, told.costs, weigher)

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

    def _broken_promise(self, durations_s: Sequence[float]) -> list[str]:
        """Return a warning where pictures look far worse than such streams usually do."""
        known = [usual for usual in self._usual if usual is not None]
        if len(known) < len(durations_s):
            return []
        usual, said = (spread(each, durations_s).mean for each in (known, self._said))
        if usual - said <= MOST_PROMISED:
            return []
        return [
            f"streams of such codec, rate, quantizer and detail usually score {usual:.0f}, what "
            f"these pictures show is worth {said:.0f}: they were bad before this encode, or are "
            "unlike what the model learned from; look at them"
        ]


def _moved(window: WindowTokens, device: str) -> WindowTokens:
    """Return `window` with its tokens on `device`."""
    return replace(window, visual=window.visual.to(device), motion=window.motion.to(device))


def frame_stalls(closed: Closed) -> FrameStalls | None:
    """Return the per-frame 0/1 sequence of a decoded clip, None if stalls were not sought."""
    if closed.stalled is None:
        return None
    return FrameStalls(tuple(closed.pts_s.tolist()), tuple(closed.stalled.tolist()))
