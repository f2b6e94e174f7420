"""How good a scorer is on contents it never saw: correlation, order, and trivial peers beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.brisque import brisque_of_clip
from train.correlation import (
    CONTENT_RESAMPLES,
    Agreement,
    agreement,
    agreement_by_group,
    srcc,
)
from train.items import Item, read_items
from train.kadid import KADID_TYPES
from train.level_agreement import LevelAgreement, level_agreement
from train.ordering import Ordering, ordering
from train.peers import QP_CODECS, brisque_svr, fact_features, facts_svr, log_bits_per_pixel
from train.recognition import Recognition, recognition
from train.scatter import Point
from train.second_encodes import SecondEncodes, second_encodes
from vqa2cli.assessment import Assessment
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.model import QualityModel
from vqa2cli.pipeline import score_files
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Opened, Sampling, StreamFacts

#: Pairs of one content closer than this in VMAF carry no order, points.
MIN_GAP = 6.0

#: What a model is told beside the pictures, by what its rows are called.
TOLD = {"with stream facts": RunConfig(), "pixels alone": RunConfig(stream_facts=False)}

#: Training clips the learning peers are fitted on, about; they gain nothing from more.
PEER_TRAINING = 900


@dataclass(frozen=True)
class Row:
    """How one predictor does on a set of clips, pairs of one content included."""

    name: str
    agreement: Agreement
    ordering: Ordering


def assess_items(
    model: QualityModel, items: Sequence[Item], corpus: Path, config: RunConfig
) -> list[Assessment]:
    """Return every item's assessment by the pipeline, at the display size of its label.

    Signals are not measured: nothing here asks for them.

    Raises:
        RuntimeError: a clip of the corpus could not be scored.
    """
    assessed: dict[int, Assessment] = {}
    by_display: dict[tuple[int, int], list[int]] = {}
    for index, item in enumerate(items):
        by_display.setdefault(item.display, []).append(index)
    with tqdm(total=len(items), desc="scores", unit="clip") as bar:
        for display, members in by_display.items():
            files = [corpus / items[index].path for index in members]
            rows = score_files(files, model, replace(config, display=display, diagnostics=False))
            for index, row in zip(members, rows, strict=True):
                if row.score is None:
                    raise RuntimeError(f"{row.file}: {row.error}")
                assessed[index] = row
                bar.update()
    return [assessed[index] for index in range(len(items))]


def scores_of(rows: Sequence[Assessment]) -> NDArray[np.float64]:
    """Return the score of each row, NaN where it has none."""
    return np.array([np.nan if row.score is None else row.score.value for row in rows])


def compare(name: str, predicted: NDArray, items: Sequence[Item], *, resamples: int = 1000) -> Row:
    """Return how `predicted` agrees with the labels; items it is NaN for are left out.

    Intervals draw whole contents, `resamples` times; pairs are of one source.
    """
    known = [index for index, value in enumerate(predicted) if np.isfinite(value)]
    scores = predicted[known]
    labels = np.array([items[index].label for index in known])
    return Row(
        name,
        agreement(
            scores,
            labels,
            groups=[items[index].content for index in known],
            resamples=resamples,
        ),
        ordering(scores, labels, [items[index].source for index in known], MIN_GAP),
    )


@dataclass(frozen=True)
class PeerInputs:
    """What the trivial peers look at: BRISQUE [n, 36], stream facts, and the encoder's QP."""

    brisque: NDArray[np.float64]
    facts: list[StreamFacts]
    qp: NDArray[np.float64]


def peer_inputs(items: Sequence[Item], corpus: Path) -> PeerInputs:
    """Read what the peers need of every item."""
    files = [corpus / item.path for item in items]
    return PeerInputs(
        np.stack([brisque_or_nan(path) for path in tqdm(files, desc="brisque", unit="clip")]),
        [stream_facts(path) for path in files],
        np.array([np.nan if item.qp is None else item.qp for item in items]),
    )


def brisque_or_nan(path: Path) -> NDArray[np.float64]:
    """Return the 36 features of a clip, NaN for one too short to be sampled."""
    try:
        return brisque_of_clip(path)
    except VideoError:
        return np.full(36, np.nan)


def stream_facts(path: Path) -> StreamFacts:
    """Return the facts of the encode, as scoring tells them to a model."""
    opened = next(iter(decode_clip(path, Sampling(window_s=2.0))))
    assert isinstance(opened, Opened)
    return opened.facts


def peers(
    train: PeerInputs, test: PeerInputs, train_items: Sequence[Item], test_items: Sequence[Item]
) -> list[Row]:
    """Return how the trivial peers do on the test items, those that learn fitted on train's."""
    labels = np.array([item.label for item in train_items])
    groups = np.array([item.content for item in train_items])
    known, asked = (np.isfinite(side.brisque).all(axis=1) for side in (train, test))
    learned_pixels = np.full(len(test_items), np.nan)
    learned_pixels[asked] = brisque_svr(
        train.brisque[known], labels[known], test.brisque[asked], groups=groups[known].tolist()
    )
    learned_facts = facts_svr(
        fact_features(train.facts, train_items),
        labels,
        fact_features(test.facts, test_items),
        groups=groups.tolist(),
    )
    return [
        compare("BRISQUE36 + SVR", learned_pixels, test_items),
        compare("log(bits per pixel)", log_bits_per_pixel(test.facts), test_items),
        compare("mean QP (x264 and x265 only)", -test.qp, test_items),
        compare("stream facts + SVR", learned_facts, test_items),
    ]


@dataclass(frozen=True)
class TypeTrend:
    """How the mean score of one KADID type goes over its levels, beside the human means."""

    kind: int
    name: str
    scores: tuple[float, ...]
    human: tuple[float, ...]
    trend: float | None


def _means_of_types(
    scores: NDArray, items: Sequence[Item]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Return the mean score and the human mean of each type and level that `items` have."""
    members: dict[tuple[int, int], list[int]] = {}
    for index, item in enumerate(items):
        if item.distortion is not None:
            members.setdefault(item.distortion, []).append(index)
    return {
        which: (float(np.mean(scores[found])), items[found[0]].label)
        for which, found in members.items()
    }


def kadid_trends(scores: NDArray, items: Sequence[Item]) -> list[TypeTrend]:
    """Return per type the mean score and human mean of levels 1 to 5, and their SRCC over levels.

    `trend` is the SRCC of the mean score with the level itself: -1 falls at every step, None
    where every mean is the same.
    """
    found = _means_of_types(scores, items)
    trends = []
    for kind, name in KADID_TYPES.items():
        levels = [found[kind, level] for level in range(1, 6) if (kind, level) in found]
        if len(levels) == 5:
            means, human = zip(*levels, strict=True)
            trend = srcc(np.array(means), np.arange(1.0, 6.0))
            known = trend if np.isfinite(trend) else None
            trends.append(TypeTrend(kind, name, means, human, known))
    return trends


def by_type_and_level(scores: NDArray, items: Sequence[Item]) -> Agreement:
    """Return how the mean score of each type at each level agrees with its human mean.

    What a content adds or takes is gone from the means. Intervals draw whole types.
    """
    found = _means_of_types(scores, items)
    means, human = zip(*found.values(), strict=True)
    return agreement(means, human, groups=[kind for kind, _ in found])


@dataclass(frozen=True)
class CorpusResult:
    """All measured on one split; `points`, `contents` and `levels` are of its renditions.

    Those of contents that look as a maker may want them are apart, in `treated`.
    """

    points: list[Point]
    contents: dict[str, Agreement]
    renditions: list[Row]
    treated: list[Row]
    levels: LevelAgreement | None
    second_encodes: list[SecondEncodes]
    distortions: list[Row]
    type_means: dict[str, Agreement]
    trends: list[TypeTrend]
    recognition: Recognition | None


def evaluate_corpus(
    model: QualityModel, corpus: Path, split: str, *, with_peers: bool = True
) -> CorpusResult:
    """Return what `model` does on the renditions and made distortions of a split.

    Raises:
        UsageError: the corpus has no item of that split.
    """
    items = read_items(corpus)
    treated = [item for item in items if item.split == split and item.treated]
    items = [item for item in items if not item.treated]
    mine = [item for item in items if item.split == split]
    renditions, twice, distorted = (
        [item for item in mine if item.kind == kind]
        for kind in ("rendition", "twice", "distortion")
    )
    if not renditions:
        raise UsageError(f"{corpus}: no renditions of split {split!r}; build them first")
    (assessed, facts_row, facts_seconds), (_, pixels_row, pixels_seconds) = (
        _encodes(model, told, renditions, twice, corpus) for told in TOLD
    )
    scores = scores_of(assessed)
    rows = [facts_row, pixels_row]
    groups = {codec: {codec} for codec in sorted({item.codec for item in renditions})}
    for name, codecs in {**groups, "x264 and x265 only": QP_CODECS}.items():
        chosen = [index for index, item in enumerate(renditions) if item.codec in codecs]
        members = [renditions[index] for index in chosen]
        rows.append(compare(f"{model.info.name}, {name}", scores[chosen], members))
    if with_peers:
        training = [item for item in items if item.split == "train" and item.kind == "rendition"]
        training = training[:: max(len(training) // PEER_TRAINING, 1)]
        rows += peers(
            peer_inputs(training, corpus), peer_inputs(renditions, corpus), training, renditions
        )
    points = [
        Point(item.path, item.content, float(score), item.label)
        for item, score in zip(renditions, scores, strict=True)
    ]
    return CorpusResult(
        points,
        _by_content(points),
        rows,
        [_encodes(model, told, treated, (), corpus)[1] for told in TOLD if treated],
        level_agreement(scores.tolist(), [item.label for item in renditions]),
        [found for found in (facts_seconds, pixels_seconds) if found is not None],
        *_distortions(model, distorted, renditions, assessed, corpus),
    )


def _encodes(
    model: QualityModel,
    told: str,
    renditions: Sequence[Item],
    twice: Sequence[Item],
    corpus: Path,
) -> tuple[list[Assessment], Row, SecondEncodes | None]:
    """Return renditions assessed, their agreement, and what second encodes score beside."""
    name = f"{model.info.name}, {told}"
    assessed = assess_items(model, [*renditions, *twice], corpus, TOLD[told])
    found = scores_of(assessed)
    scores, again = found[: len(renditions)], found[len(renditions) :]
    firsts = {item.name: (item, float(at)) for item, at in zip(renditions, scores, strict=True)}
    seconds = second_encodes(name, twice, again.tolist(), firsts)
    return assessed[: len(renditions)], compare(name, scores, renditions), seconds


def _by_content(points: Sequence[Point]) -> dict[str, Agreement]:
    found = agreement_by_group(
        [point.score for point in points],
        [point.label for point in points],
        [point.content for point in points],
        resamples=CONTENT_RESAMPLES,
    )
    return {str(content): each for content, each in found.items()}


def _distortions(
    model: QualityModel,
    items: Sequence[Item],
    renditions: Sequence[Item],
    assessed: Sequence[Assessment],
    corpus: Path,
) -> tuple[list[Row], dict[str, Agreement], list[TypeTrend], Recognition | None]:
    """Return agreement with human means, by clip and by type, trends, and how right names are.

    `assessed` are the `renditions`, which are not distorted.
    """
    if not items:
        return [], {}, [], None
    rows = {told: assess_items(model, items, corpus, config) for told, config in TOLD.items()}
    scores = {f"{model.info.name}, {told}": scores_of(found) for told, found in rows.items()}
    compared = [compare(name, found, items) for name, found in scores.items()]
    means = {name: by_type_and_level(found, items) for name, found in scores.items()}
    whole = rows["with stream facts"]
    names = recognition(items, whole, renditions, assessed)
    return compared, means, kadid_trends(scores_of(whole), items), names
