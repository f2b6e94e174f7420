"""How good a scorer is on contents it never saw: correlation, order, and trivial peers beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.brisque import brisque_of_clip
from train.corpus import Item
from train.correlation import ordering, plcc, srcc
from train.kadid import KADID_TYPES
from train.peers import brisque_svr, facts_svr
from vqa2cli.config import RunConfig
from vqa2cli.model import QualityModel
from vqa2cli.pipeline import score_files
from vqa2cli.video.media import StreamFacts
from vqa2cli.video.probe import probe

#: Pairs of one content closer than this in VMAF carry no order, points.
MIN_GAP = 6.0


@dataclass(frozen=True)
class Agreement:
    """How one predictor agrees with the labels of `n` clips; `ordering` is a share of pairs."""

    name: str
    n: int
    srcc: float
    plcc: float
    ordering: float
    pairs: int


def score_items(
    model: QualityModel, items: Sequence[Item], corpus: Path, config: RunConfig
) -> NDArray[np.float64]:
    """Return the score of every item through the pipeline, at the display size of its label.

    Raises:
        RuntimeError: a clip of the corpus could not be scored.
    """
    scores = np.full(len(items), np.nan)
    by_display: dict[tuple[int, int], list[int]] = {}
    for index, item in enumerate(items):
        by_display.setdefault(item.display, []).append(index)
    with tqdm(total=len(items), desc="scores", unit="clip") as bar:
        for display, members in by_display.items():
            files = [corpus / items[index].path for index in members]
            rows = score_files(files, model, replace(config, display=display))
            for index, row in zip(members, rows, strict=True):
                if row.score is None:
                    raise RuntimeError(f"{row.file}: {row.error}")
                scores[index] = row.score.value
                bar.update()
    return scores


def agreement(name: str, predicted: NDArray, items: Sequence[Item]) -> Agreement:
    """Return how `predicted` agrees with the labels; items it is NaN for are left out."""
    known = np.isfinite(predicted)
    labels = np.array([item.label for item in items])[known]
    found = ordering(
        predicted[known],
        labels,
        [item.source for item, there in zip(items, known, strict=True) if there],
        MIN_GAP,
    )
    return Agreement(
        name,
        int(known.sum()),
        srcc(predicted[known], labels),
        plcc(predicted[known], labels),
        found.share,
        found.pairs,
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
        np.stack([brisque_of_clip(path) for path in tqdm(files, desc="brisque", unit="clip")]),
        [probe(path).facts for path in files],
        np.array([np.nan if item.qp is None else item.qp for item in items]),
    )


def log_bits_per_pixel(facts: Sequence[StreamFacts]) -> NDArray[np.float64]:
    """Return log10 of bits per pixel of each clip."""
    return np.log10([fact.bits_per_pixel or np.nan for fact in facts])


def fact_features(facts: Sequence[StreamFacts], items: Sequence[Item]) -> NDArray[np.float64]:
    """Return the stream facts as numbers [n, 7]: rate, scale, frame rate, codec one-hot."""
    codecs = ("h264", "hevc", "vp9", "av1")
    rows = [
        [
            float(np.log10(fact.bits_per_pixel or 1e-4)),
            fact.width / item.display[0],
            fact.fps / 30,
            *(float(item.codec == codec) for codec in codecs),
        ]
        for fact, item in zip(facts, items, strict=True)
    ]
    return np.array(rows)


def peers(
    train: PeerInputs, test: PeerInputs, train_items: Sequence[Item], test_items: Sequence[Item]
) -> list[Agreement]:
    """Return how the trivial peers do on the test items, those that learn fitted on train's."""
    labels = np.array([item.label for item in train_items])
    groups = np.array([item.content for item in train_items])
    learned_pixels = brisque_svr(train.brisque, labels, test.brisque, groups=groups)
    learned_facts = facts_svr(
        fact_features(train.facts, train_items),
        labels,
        fact_features(test.facts, test_items),
        groups=groups,
    )
    return [
        agreement("BRISQUE36 + SVR", learned_pixels, test_items),
        agreement("log(bits per pixel)", log_bits_per_pixel(test.facts), test_items),
        agreement("mean QP (x264 and x265 only)", -test.qp, test_items),
        agreement("stream facts + SVR", learned_facts, test_items),
    ]


@dataclass(frozen=True)
class TypeTrend:
    """How the mean score of one KADID type goes over its levels, beside the human means."""

    kind: int
    name: str
    scores: tuple[float, ...]
    human: tuple[float, ...]
    trend: float


def kadid_trends(scores: NDArray, items: Sequence[Item]) -> list[TypeTrend]:
    """Return per type the mean score and human mean of levels 1 to 5, and their SRCC over levels.

    `trend` is the SRCC of the mean score with the level itself: -1 falls at every step.
    """
    trends = []
    for kind, name in KADID_TYPES.items():
        means, human = [], []
        for level in range(1, 6):
            chosen = [i for i, item in enumerate(items) if item.distortion == (kind, level)]
            if not chosen:
                break
            means.append(float(np.mean(scores[chosen])))
            human.append(items[chosen[0]].label)
        if len(means) == 5:
            trend = srcc(np.array(means), np.arange(1.0, 6.0))
            trends.append(TypeTrend(kind, name, tuple(means), tuple(human), trend))
    return trends
