"""The session model against people's verdicts on streaming sessions."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from train.correlation import Agreement, Estimate, agreement
from train.data.files import write_whole
from train.session_fit import by_dataset, predictions
from train.session_peers import linear, sqi
from train.session_quality import Source
from train.session_tables import FULL_SCALE, LeftOut, RatedSession, read_sessions
from vqa2cli.session import session_model

#: What is measured, in order, and so the keys of its record beside `n`.
SHOWN = ("srcc", "plcc", "krcc", "rmse", "plcc_fitted", "rmse_fitted")


@dataclass(frozen=True)
class SessionPoint:
    """One session: its score by the model, and its label."""

    dataset: str
    session: str
    score: float
    label: float
    quality_from: Source


@dataclass(frozen=True)
class SessionEvaluation:
    """How scores agree with ratings: overall, of each dataset, and of other predictors overall.

    `overall` is None where datasets rate on scales that do not compare; `reason` says so.
    """

    overall: Agreement | None
    reason: str | None
    datasets: dict[str, Agreement]
    peers: dict[str, Agreement]
    points: tuple[SessionPoint, ...]
    left_out: tuple[LeftOut, ...]


def evaluate_sessions(
    table: Path, chunks: Path | None = None, *, resamples: int = 1000, seed: int = 0
) -> SessionEvaluation:
    """Return how the session model that ships agrees with the ratings of a table.

    Args:
        table, chunks: rated sessions, see `train.session_tables`.
        resamples: draws of the bootstrap, of whole contents.
        seed: of the draws.

    Raises:
        UsageError: a file cannot be used, or no session of it can.
    """
    sessions, left_out = read_sessions(table, chunks)
    scores = predictions(session_model(), sessions).tolist()

    def measured(members: Sequence[RatedSession], values: Sequence[float]) -> Agreement:
        contents = [(session.dataset, session.content) for session in members]
        labels = [session.label for session in members]
        found = agreement(values, labels, groups=contents, resamples=resamples, seed=seed)
        return found if _full_scale(members) else _without_rmse(found, members[0].scale)

    scored = {id(session): score for session, score in zip(sessions, scores, strict=True)}
    datasets = {
        name: measured(members, [scored[id(member)] for member in members])
        for name, members in by_dataset(sessions).items()
    }
    scales = sorted({session.scale for session in sessions})
    one_scale = len(scales) == 1
    peers = {
        "quality alone": [session.mean_quality for session in sessions],
        "quality - 3 stall - init": [linear(session) for session in sessions],
        "SQI": [sqi(session) for session in sessions],
    }
    return SessionEvaluation(
        overall=measured(sessions, scores) if one_scale else None,
        reason=None if one_scale else f"ratings on {len(scales)} scales: {', '.join(scales)}",
        datasets=datasets,
        peers={name: measured(sessions, values) for name, values in peers.items()}
        if one_scale
        else {},
        points=tuple(
            SessionPoint(one.dataset, one.name, score, one.label, one.source)
            for one, score in zip(sessions, scores, strict=True)
        ),
        left_out=tuple(left_out),
    )


def evaluation_record(result: SessionEvaluation) -> dict[str, Any]:
    """Return `result` as strict JSON values: measures and intervals of the whole at the top."""
    model = session_model()
    whole = (
        _record(result.overall) if result.overall else {"n": len(result.points)} | _nothing(result)
    )
    return whole | {
        "datasets": {name: _record(found) for name, found in result.datasets.items()},
        "peers": {name: _record(found) for name, found in result.peers.items()},
        "quality_from": dict(Counter(point.quality_from for point in result.points)),
        "left_out": [asdict(one) for one in result.left_out],
        "coefficients": asdict(model),
    }


def write_scores(path: Path, result: SessionEvaluation) -> None:
    """Write a CSV of every session's score and label.

    Raises:
        UsageError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    rows = csv.DictWriter(text, list(SessionPoint.__dataclass_fields__), lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(point) for point in result.points)
    write_whole(path, text.getvalue())


def _record(found: Agreement) -> dict[str, Any]:
    record: dict[str, Any] = {"n": found.n, "contents": found.contents}
    reasons = {}
    for name in SHOWN:
        estimate: Estimate = getattr(found, name)
        record[name] = estimate.value
        record[f"{name}_interval"] = None if estimate.low is None else [estimate.low, estimate.high]
        if estimate.reason:
            reasons[name] = estimate.reason
    return record | {"reasons": reasons}


def _nothing(result: SessionEvaluation) -> dict[str, Any]:
    empty: dict[str, Any] = {}
    for name in SHOWN:
        empty |= {name: None, f"{name}_interval": None}
    return empty | {"reasons": dict.fromkeys(SHOWN, result.reason)}


def _full_scale(members: Sequence[RatedSession]) -> bool:
    return all(session.scale == FULL_SCALE for session in members)


def _without_rmse(found: Agreement, scale: str) -> Agreement:
    reason = f"labels on the scale {scale!r} share none with scores"
    return replace(found, rmse=Estimate(None, reason=reason))
