"""Coefficients of the session model, fitted on rated sessions, and what they are worth.

People rated each dataset on a scale of its own, so a fit asks for correlation and not for
values: it raises the mean of the datasets' linear correlations, each weighed by the root of its
number of sessions. A weak pull towards `START` settles what the ratings leave open.

A model is judged on a dataset that its coefficients never met: leave one dataset out, fit on the
others, correlate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from train.correlation import plcc, srcc
from train.session_tables import RatedSession
from vqa2cli.session import SessionFacts, SessionModel

Floats = NDArray[np.float64]

#: Where fits begin. The three times are not fitted: from 2 to 8 s (`end_s`), 10 to 40 s (`late_s`)
#: and 1 to 4 s (`short_s`) they make no difference that left-out sets could tell.
START: Final = SessionModel(
    end_weight=3.0,
    stall=0.15,
    late=0.5,
    initial=0.4,
    together=0.5,
    end_s=4.0,
    late_s=20.0,
    short_s=2.0,
)

#: Coefficients that are fitted.
FITTED: Final = ("end_weight", "stall", "late", "initial", "together")

#: Weight of the pull: the mean squared distance of the coefficients' logarithms from those of
#: `START` times this counts as much as that much correlation.
_PULL = 1e-3

#: Furthest that a fit may move a coefficient, natural logarithm.
_REACH = 4.0


@dataclass(frozen=True)
class _Set:
    """One dataset as arrays."""

    facts: SessionFacts
    labels: Floats
    weight: float


def fit(
    sessions: Sequence[RatedSession], start: SessionModel = START, without: Sequence[str] = ()
) -> SessionModel:
    """Return the coefficients that fit `sessions` best.

    Args:
        sessions: rated sessions of one or more datasets.
        start: where the fit begins, and the times that it keeps.
        without: coefficients that are held at zero.

    Raises:
        ValueError: no dataset has two different labels.
    """
    sets = [
        _Set(_facts(members, start), _labels(members), len(members) ** 0.5)
        for members in by_dataset(sessions).values()
        if len({session.label for session in members}) > 1
    ]
    if not sets:
        raise ValueError("no dataset has two different labels")
    free = [name for name in FITTED if name not in without]
    held = replace(start, **dict.fromkeys(without, 0.0))
    origin = np.log([getattr(start, name) for name in free])

    def at(point: Floats) -> SessionModel:
        return _sound(held, dict(zip(free, np.exp(point).tolist(), strict=True)))

    def loss(point: Floats) -> float:
        model = at(point)
        missed = [one.weight * (1 - _correlation(model, one)) for one in sets]
        pull = _PULL * float(np.mean((point - origin) ** 2))
        return sum(missed) / sum(one.weight for one in sets) + pull

    bounds = [(middle - _REACH, middle + _REACH) for middle in origin]
    found = optimize.minimize(loss, origin, method="L-BFGS-B", bounds=bounds)
    return at(found.x)


def _sound(held: SessionModel, told: dict[str, float]) -> SessionModel:
    """Return `held` with the coefficients `told`, drawn back to where `SessionModel` takes them."""
    values = {name: getattr(held, name) for name in FITTED} | told
    most = 0.5 / max(values["stall"] * (1 + values["late"]), 1e-9)
    limits = {"initial": 1.0, "together": most * (1 - 1e-9)}
    return replace(held, **values | {name: min(values[name], limits[name]) for name in limits})


def rounded(model: SessionModel, digits: int = 3) -> SessionModel:
    """Return `model` with its fitted coefficients to so many significant digits."""
    told = {name: float(f"{getattr(model, name):.{digits}g}") for name in FITTED}
    return replace(model, **told)


def predictions(model: SessionModel, sessions: Sequence[RatedSession]) -> Floats:
    """Return the score, 0 to 100, of each session."""
    return model.score(_facts(sessions, model))


@dataclass(frozen=True)
class LeftOutResult:
    """How one predictor ranks one dataset: (SRCC, PLCC); NaN where it gives one value only."""

    dataset: str
    n: int
    srcc: float
    plcc: float


def leave_one_out(
    sessions: Sequence[RatedSession], start: SessionModel = START, without: Sequence[str] = ()
) -> list[LeftOutResult]:
    """Return how well each dataset is predicted by coefficients fitted on all the others."""
    results = []
    for name, members in by_dataset(sessions).items():
        others = [session for session in sessions if session.dataset != name]
        model = fit(others, start, without)
        results.append(_result(name, members, predictions(model, members)))
    return results


def as_they_come(
    sessions: Sequence[RatedSession], predictor: Callable[[RatedSession], float]
) -> list[LeftOutResult]:
    """Return the same of a predictor that is not fitted here."""
    return [
        _result(name, members, np.array([predictor(session) for session in members]))
        for name, members in by_dataset(sessions).items()
    ]


def by_dataset(sessions: Sequence[RatedSession]) -> Mapping[str, list[RatedSession]]:
    """Return the sessions of each dataset, in order of first appearance."""
    found: dict[str, list[RatedSession]] = {}
    for session in sessions:
        found.setdefault(session.dataset, []).append(session)
    return found


def mean_over(results: Sequence[LeftOutResult]) -> tuple[float, float]:
    """Return mean SRCC and PLCC, a dataset weighing the root of its sessions; NaN counts as 0."""
    weights = [result.n**0.5 for result in results]
    values = np.nan_to_num([[result.srcc, result.plcc] for result in results])
    first, second = np.average(values, axis=0, weights=weights).tolist()
    return first, second


def _result(name: str, members: Sequence[RatedSession], scores: Floats) -> LeftOutResult:
    labels = _labels(members)
    return LeftOutResult(name, len(members), srcc(scores, labels), plcc(scores, labels))


def _facts(sessions: Sequence[RatedSession], model: SessionModel) -> SessionFacts:
    return SessionFacts.stack(
        model.facts(session.windows, session.pauses, session.duration_s) for session in sessions
    )


def _labels(sessions: Sequence[RatedSession]) -> Floats:
    return np.array([session.label for session in sessions], np.float64)


def _correlation(model: SessionModel, one: _Set) -> float:
    found = plcc(model.score(one.facts), one.labels)
    return found if np.isfinite(found) else 0.0
