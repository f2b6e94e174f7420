"""A report of scores against a table of labels: matched by name, then measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.correlation import (
    CONTENT_RESAMPLES,
    Agreement,
    Estimate,
    agreement,
    agreement_by_group,
)
from train.data.rated_sets import set_called
from train.data.rating_files import read_ratings
from train.data.ratings import Rating
from train.data.scales import Scale
from train.names import match_names
from train.paper_results import PaperRow, paper_note, paper_rows
from train.scatter import Point
from train.score_files import FileScore, read_scores
from vqa2cli.errors import UsageError


@dataclass(frozen=True)
class Unmatched:
    """A file or label left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class ScoreEvaluation:
    """What a report of scores is worth on one set.

    `label_scale` names the scale of the published labels; they were mapped to 0-100 by its
    ends, and those are the labels of `points`. `contents` holds each content with several clips.
    `matched_by_name_alone` counts clips whose folders differ between report and table.
    """

    dataset: str
    label_scale: str
    overall: Agreement
    contents: dict[str, Agreement]
    paper: tuple[PaperRow, ...]
    paper_note: str
    points: tuple[Point, ...]
    matched_by_name_alone: int
    not_scored: tuple[Unmatched, ...]
    scores_without_label: tuple[Unmatched, ...]
    labels_without_score: tuple[Unmatched, ...]


def evaluate_scores(
    scores: Path,
    labels: Path,
    *,
    dataset: str | None = None,
    column: str = "score",
    resamples: int = 1000,
    seed: int = 0,
) -> ScoreEvaluation:
    """Return how the scores of a report agree with the labels of a table.

    Args:
        scores: report of `vqa2 score`, see `train.score_files`.
        labels: label file of rated videos, see `train.data.rating_files`.
        dataset: set to take where the table holds several, or whose rows do not name theirs.
        column: which number of the report to take.
        resamples: draws of the bootstrap, of whole contents.
        seed: of the bootstrap.

    Raises:
        UsageError: a file cannot be used, the table holds several sets, or nothing matches.
    """
    known, ratings = read_scores(scores, column), _one_set(labels, dataset)
    found = match_names([score.file for score in known], [rating.media for rating in ratings])
    matched = [(known[file], ratings[name]) for file, name in found.pairs]
    if not matched:
        raise UsageError(
            f"no file of {scores} is in {labels}: {known[0].file} against {ratings[0].media}; "
            "the names of the files must be alike"
        )
    points = tuple(_point(score, rating) for score, rating in matched if score.score is not None)
    if not points:
        raise UsageError(f"{scores}: none of the {len(matched)} labelled files has a {column}")
    name, scale = ratings[0].dataset, ratings[0].scale
    overall, contents = _measured(points, scale, resamples, seed)
    return ScoreEvaluation(
        dataset=name,
        label_scale=scale.name,
        overall=overall,
        contents=contents,
        paper=paper_rows(name),
        paper_note=paper_note(name),
        points=points,
        not_scored=tuple(
            Unmatched(score.file, score.reason or "no score")
            for score, _ in matched
            if score.score is None
        ),
        matched_by_name_alone=found.by_name_alone,
        scores_without_label=tuple(
            Unmatched(known[place].file, why) for place, why in found.lone_files.items()
        ),
        labels_without_score=tuple(
            Unmatched(ratings[place].media, why) for place, why in found.lone_names.items()
        ),
    )


def _measured(
    points: Sequence[Point], scale: Scale, resamples: int, seed: int
) -> tuple[Agreement, dict[str, Agreement]]:
    """Return the agreement over all clips, and that of each content with several."""
    x, y = [point.score for point in points], [point.label for point in points]
    groups = [point.content for point in points]
    overall = agreement(x, y, groups=groups, resamples=resamples, seed=seed)
    if not _has_ends(scale):
        reason = f"labels on the scale {scale.name!r} share none with scores"
        overall = replace(overall, rmse=Estimate(None, reason=reason))
    each = agreement_by_group(x, y, groups, resamples=min(resamples, CONTENT_RESAMPLES), seed=seed)
    return overall, {str(group): one for group, one in each.items() if one.n > 1}


def _one_set(labels: Path, dataset: str | None) -> list[Rating]:
    """Return the ratings of the one set asked for."""
    called = set_called(dataset) if dataset else None
    wanted = called.name if called else dataset
    ratings = read_ratings(labels, wanted)
    sets = list(dict.fromkeys(rating.dataset for rating in ratings))
    if wanted is not None:
        ratings = [rating for rating in ratings if rating.dataset == wanted]
        if not ratings:
            raise UsageError(f"{labels}: no rating of {wanted}; it holds {', '.join(sets)}")
    elif len(sets) > 1:
        raise UsageError(
            f"{labels} holds {len(sets)} sets, each rated on its own scale by its own people; "
            f"choose one with --set: {', '.join(sets)}"
        )
    return ratings


def _has_ends(scale: Scale) -> bool:
    return math.isfinite(scale.low) and math.isfinite(scale.high)


def _point(score: FileScore, rating: Rating) -> Point:
    assert score.score is not None
    scale, label = rating.scale, rating.mos
    if _has_ends(scale):
        label = 100 * (label - scale.low) / (scale.high - scale.low)
    return Point(score.file, rating.content, score.score, round(label, 6))
