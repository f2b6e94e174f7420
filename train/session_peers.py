"""Published predictors of a session's quality, to stand beside our own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.session_tables import RatedSession
from vqa2cli.errors import UsageError
from vqa2cli.session import Pause

#: SQI: seconds in which the effect of a stall builds up, and by how many seconds its memory
#: outlasts that. They reproduce the published tables of the stall's integral to 0.1 %.
_SQI_RISE_S, _SQI_MEMORY_S = 0.1, 1.1
#: SQI before playback: the quality expected, and the memory, which falls short there.
_SQI_EXPECTED, _SQI_INITIAL_MEMORY_S = 80.0, -1 / 30

#: KSQI: initial buffering counts a ninth (Duanmu et al. 2019).
_KSQI_INITIAL = 9.0
_KSQI_BIN = 10.0
_KSQI_CHUNK_S = 4.0


def linear(session: RatedSession) -> float:
    """Return quality - 3 x stalled seconds - seconds of initial buffering."""
    return session.mean_quality - 3 * session.stalled_s - session.initial_s


def sqi(session: RatedSession) -> float:
    """Return SQI with VMAF for the quality of the picture.

    A stall pulls the quality before it down towards 0 and is remembered after it; both are
    integrated over time in closed form and averaged over playback and stalls.

    Source: Duanmu, Zeng, Ma, Rehman, Wang: A Quality-of-Experience Index for Streaming Video,
    IEEE J. Sel. Topics in Signal Processing 11(1), 2017.
    """
    total = session.mean_quality * session.duration_s
    for pause in session.pauses:
        first = pause.kind == "initial_buffering"
        level = _SQI_EXPECTED if first else _quality_before(session, pause)
        memory = _SQI_INITIAL_MEMORY_S if first else _SQI_MEMORY_S
        risen = -math.expm1(-pause.duration_s / _SQI_RISE_S)
        total -= level * max(pause.duration_s + memory * risen, 0.0)
    return total / (session.duration_s + session.stalled_s + session.initial_s)


@dataclass(frozen=True)
class Ksqi:
    """KSQI, a table of what stalls cost and one of what switches cost.

    `stalls` [10, 10]: quality before (bins of 10) by seconds 1 to 10; `switches` [10, 10]:
    quality before by quality after.

    Source: Duanmu, Zeng, Ma, Rehman, Wang: A Knowledge-Driven Quality-of-Experience Model for
    Adaptive Streaming Videos, 2019; the tables are the authors' files s_model.txt and a_model.txt.
    """

    stalls: NDArray[np.float64]
    switches: NDArray[np.float64]

    @classmethod
    def read(cls, folder: Path) -> Ksqi:
        """Read the authors' two tables from a folder.

        Raises:
            UsageError: one is missing or is not 10 x 10.
        """
        tables = []
        for name in ("s_model.txt", "a_model.txt"):
            try:
                tables.append(np.loadtxt(folder / name))
            except (OSError, ValueError) as error:
                raise UsageError(f"{folder / name}: no table of KSQI ({error})") from error
        if any(table.shape != (10, 10) for table in tables):
            raise UsageError(f"{folder}: KSQI's tables are 10 x 10")
        return cls(*tables)

    def score(self, session: RatedSession) -> float:
        """Return KSQI over chunks of 4 s, 0 to 100."""
        count = max(round(session.duration_s / _KSQI_CHUNK_S), 1)
        edges = np.linspace(0, session.duration_s, count + 1)
        middles = (edges[:-1] + edges[1:]) / 2
        levels = [_quality_at(session, at) for at in middles]
        stalled = np.zeros(count)
        for pause in session.pauses:
            if pause.kind != "initial_buffering":
                stalled[min(int(np.searchsorted(edges, pause.start_s)), count - 1)] += (
                    pause.duration_s
                )
        stalled[0] = session.initial_s / _KSQI_INITIAL
        before = [_SQI_EXPECTED, *levels[:-1]]
        chunks = [
            now + self._stall(then, seconds) + (self._switch(then, now) if index else 0.0)
            for index, (then, now, seconds) in enumerate(zip(before, levels, stalled, strict=True))
        ]
        return float(np.clip(np.mean(chunks), 0, 100))

    def _stall(self, before: float, seconds: float) -> float:
        whole = min(round(seconds - 1e-3), 10)
        return float(self.stalls[_bin(before), whole - 1]) if whole >= 1 else 0.0

    def _switch(self, before: float, after: float) -> float:
        to = _bin(before) + round((after - before) / _KSQI_BIN)
        return float(self.switches[_bin(before), min(max(to, 0), 9)])


def _bin(quality: float) -> int:
    return int(max(quality - 1e-3, 0.0) / _KSQI_BIN)


def _quality_at(session: RatedSession, at_s: float) -> float:
    inside = (window.score for window in session.windows if at_s < window.end_s)
    return next(inside, session.windows[-1].score)


def _quality_before(session: RatedSession, pause: Pause) -> float:
    return _quality_at(session, max(pause.start_s - 1e-6, 0.0))
