"""One score for a streaming session: the quality of its windows over time, less what stalls take.

    quality = mean of the windows' scores, a second weighing 1 + end_weight exp(-t / end_s),
              t seconds of media before the end: what came last is remembered best
    burden  = sum over stalls of stall ln(1 + length / short_s) (1 + late exp(-t / late_s)),
              or of stall ln(1 + length / short_s) initial for buffering before playback
    score   = quality exp(-(burden + together burden^2))

A stall takes a share of the quality there is: little from a poor picture, much from a good one.
Its cost grows with its length, ever more slowly; two stalls cost more than one of their joint
length; and `together` lets many weigh more than their sum. No coefficient is negative and times
are on the media clock, so that no stall moves another: more, longer or later stalls never raise
the score, and a better window never lowers it.

Coefficients stand in session.json, which `python -m train.sessions fit` wrote from rated sessions;
docs/streaming.md tells how they were found and how well they do on sets left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stalling import COUNTED_KINDS, StallEvent, Stalling, StallKind

Floats = NDArray[np.float64]

#: Who weighs the stalls: the session model, or a scoring model that was told of them.
Weigher = Literal["session", "model"]


@dataclass(frozen=True)
class Window:
    """The score, 0 to 100, of a span of media, [start_s, end_s) seconds on the media clock."""

    start_s: float
    end_s: float
    score: float

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s < np.inf:
            raise ValueError(f"window {self.start_s}-{self.end_s} s; it must end after it begins")
        if not 0 <= self.score <= 100:
            raise ValueError(f"window score {self.score}; it must be from 0 to 100")


@dataclass(frozen=True)
class Pause:
    """A stop of playback: where on the media clock, and for how many seconds."""

    start_s: float
    duration_s: float
    kind: StallKind = "rebuffer"

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < np.inf and 0 <= self.duration_s < np.inf):
            raise ValueError(f"stall of {self.duration_s} s at {self.start_s} s; both from 0 on")


@dataclass(frozen=True)
class SessionFacts:
    """What the score of sessions depends on, each [N], one value a session.

    Attributes:
        played: seconds of media.
        end: the same, each second weighed by its nearness to the end.
        quality, end_quality: window scores summed over these two.
        stalls, late, initial: logarithmic lengths of stalls, the same weighed by their nearness
            to the end, and of buffering before playback.
    """

    played: Floats
    end: Floats
    quality: Floats
    end_quality: Floats
    stalls: Floats
    late: Floats
    initial: Floats

    @classmethod
    def stack(cls, sessions: Iterable[SessionFacts]) -> SessionFacts:
        """Return the facts of many sessions as one record."""
        rows = [list(asdict(one).values()) for one in sessions]
        return cls(*(np.concatenate(column) for column in zip(*rows, strict=True)))


@dataclass(frozen=True)
class SessionModel:
    """The coefficients, see the module; `end_s`, `late_s` and `short_s` are seconds."""

    end_weight: float
    stall: float
    late: float
    initial: float
    together: float
    end_s: float
    late_s: float
    short_s: float

    def __post_init__(self) -> None:
        values = asdict(self)
        if bad := [name for name, value in values.items() if not 0 <= value < np.inf]:
            raise ValueError(f"session model: {', '.join(bad)} must be finite and not negative")
        if not (self.end_s and self.late_s and self.short_s):
            raise ValueError("session model: end_s, late_s and short_s must be over 0")
        if self.initial > 1:
            raise ValueError(f"session model: initial is {self.initial}; over 1, later costs less")
        if 2 * self.together * self.stall * (1 + self.late) > 1:
            raise ValueError("session model: together is so large that cost is not concave")

    def facts(
        self, windows: Sequence[Window], pauses: Sequence[Pause], duration_s: float
    ) -> SessionFacts:
        """Return the facts of one session, arrays of one value."""
        near = [self._near_end(window, duration_s) for window in windows]
        played = [window.end_s - window.start_s for window in windows]
        scores = [window.score for window in windows]
        begun = [pause for pause in pauses if _weighs(pause)]
        lengths = [self._length(pause) for pause in begun]
        late = [self._lateness(pause, duration_s) for pause in begun]
        initial = [self._length(pause) for pause in pauses if pause.kind == "initial_buffering"]
        sums = (
            sum(played), sum(near), np.dot(played, scores), np.dot(near, scores),
            sum(lengths), np.dot(lengths, late), sum(initial),
        )  # fmt: skip
        return SessionFacts(*(np.array([value], np.float64) for value in sums))

    def quality(self, facts: SessionFacts) -> Floats:
        """Return the score of the pictures alone, [N], 0 to 100."""
        total = facts.quality + self.end_weight * facts.end_quality
        weight = facts.played + self.end_weight * facts.end
        return np.asarray(np.clip(total / weight, 0.0, 100.0), np.float64)

    def kept(self, facts: SessionFacts) -> Floats:
        """Return the share of the quality that stalls leave, [N], over 0 to 1."""
        burden = self.stall * (facts.stalls + self.late * facts.late + self.initial * facts.initial)
        return np.exp(-(burden + self.together * burden**2))

    def score(self, facts: SessionFacts) -> Floats:
        """Return the score of the sessions, [N], 0 to 100."""
        return self.quality(facts) * self.kept(facts)

    def weight(self, pause: Pause, duration_s: float) -> float:
        """Return what one pause adds to the burden, in units of `stall`."""
        if pause.kind == "initial_buffering":
            return self.initial * self._length(pause)
        if not _weighs(pause):
            return 0.0
        return self._length(pause) * (1 + self.late * self._lateness(pause, duration_s))

    def _length(self, pause: Pause) -> float:
        return float(np.log1p(pause.duration_s / self.short_s))

    def _lateness(self, pause: Pause, duration_s: float) -> float:
        # A stall that ends a session may be told a little past the media's end.
        return float(np.exp(-max(duration_s - pause.start_s, 0.0) / self.late_s))

    def _near_end(self, window: Window, duration_s: float) -> float:
        """Return the integral of exp(-t / end_s) over the window, t seconds before the end."""
        after = max(duration_s - window.end_s, 0.0)
        span = window.end_s - window.start_s
        share = -np.expm1(-span / self.end_s)
        return float(self.end_s * np.exp(-after / self.end_s) * share)


@dataclass(frozen=True)
class SessionScore:
    """A session's score, what it would be without stalls, and the points each pause costs.

    `costs` add up to `without_stalls - score`.
    """

    score: float
    without_stalls: float
    costs: tuple[float, ...]


@cache
def session_model() -> SessionModel:
    """Return the model that ships."""
    told: dict[str, Any] = json.loads(files("vqa2cli").joinpath("session.json").read_text("utf-8"))
    return SessionModel(**told["coefficients"])


def session_score(
    windows: Sequence[Window],
    pauses: Sequence[Pause] = (),
    duration_s: float | None = None,
    model: SessionModel | None = None,
) -> SessionScore:
    """Return the score of one session.

    Args:
        windows: scores of spans of media; they need not fill it.
        pauses: stops of playback; kinds that count as no stall cost nothing.
        duration_s: length of the media, seconds; None takes the end of the last window.
        model: the coefficients; None takes those that ship.

    Raises:
        ValueError: there is no window.
    """
    if not windows:
        raise ValueError("a session without windows has no score")
    known = model or session_model()
    length_s = max(window.end_s for window in windows) if duration_s is None else duration_s
    facts = known.facts(windows, pauses, length_s)
    quality, kept = known.quality(facts).item(), known.kept(facts).item()
    score = quality * kept
    return SessionScore(score, quality, _costs(known, pauses, length_s, quality - score))


def clip_session(
    spans_s: Sequence[tuple[float, float]],
    scores: Sequence[float],
    stalling: Stalling,
    weigher: Weigher = "session",
    told_score: float | None = None,
) -> SessionScore:
    """Return the session score of a recorded clip, a cost for each of its events.

    Args:
        spans_s: its windows in seconds of presentation, stalls included.
        scores: their scores, 0 to 100.
        stalling: its stalls.
        weigher: `session` takes what stalls cost from the windows' mean; `model` takes
            `told_score` as it is, the answer of a model that knew of the stalls, and undoes
            the stalls' share for the score without them.
        told_score: that answer.
    """
    pauses = [Pause(max(e.media_start, 0.0), e.duration, e.kind) for e in stalling.events]
    held = stalling.log is None or stalling.log.recorded
    windows = _on_media_clock(spans_s, scores, stalling.events if held else ())
    session = session_score(windows, pauses)
    if weigher == "session" or told_score is None:
        return session
    kept = session.score / session.without_stalls if session.without_stalls > 0 else 1.0
    without = min(told_score / kept, 100.0)
    lost = session.without_stalls - session.score
    scale = (without - told_score) / lost if lost > 0 else 0.0
    return SessionScore(told_score, without, tuple(cost * scale for cost in session.costs))


def _weighs(pause: Pause) -> bool:
    return pause.kind in COUNTED_KINDS and pause.kind != "initial_buffering"


def _costs(
    model: SessionModel, pauses: Sequence[Pause], length_s: float, lost: float
) -> tuple[float, ...]:
    """Return `lost` points dealt out by what each pause adds to the burden."""
    weights = [model.weight(pause, length_s) for pause in pauses]
    total = sum(weights)
    return tuple(lost * weight / total if total > 0 else 0.0 for weight in weights)


def _on_media_clock(
    spans_s: Sequence[tuple[float, float]], scores: Sequence[float], events: Sequence[StallEvent]
) -> list[Window]:
    """Return the windows less the time they stood still; one that only stood is left out.

    Where every window stood still all along they are returned as they are.
    """
    counted = [(event.start, event.end) for event in events if event.counted]

    def media_s(at: float) -> float:
        return at - sum(min(max(at - start, 0.0), end - start) for start, end in counted)

    moved = [
        (media_s(start), media_s(end), score)
        for (start, end), score in zip(spans_s, scores, strict=True)
    ]
    windows = [Window(start, end, score) for start, end, score in moved if end - start > 1e-6]
    return windows or [
        Window(start, max(end, start + 1e-6), score)
        for (start, end), score in zip(spans_s, scores, strict=True)
    ]
