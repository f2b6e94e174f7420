"""Regressors whose function of pictures and facts a network may learn, in place of clips.

What regressors fitted on the training clips say can be asked of any picture and any facts, of ones
that do not exist among them. A network that is taught by such answers has no end of samples, and
nothing of a content to learn by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.expectation import fit_usual, rows_of, rows_told, traits_of, usual_of
from train.items import Item
from train.kadid import KADID_TYPES
from train.peers import Floats, scikit_learn
from train.regressors import (
    FOLDS,
    Closeness,
    Doubt,
    Judge,
    SupportVectors,
    maker_folds,
    masks_of,
)
from vqa2cli.model.expectation import StreamExpectation
from vqa2cli.video.media import StreamFacts

#: What gives a quality to each row.
Judging = Callable[[NDArray], Floats]

#: Of those that read pictures: the first is the better on encodes, the second on distortions.
READERS = (Closeness(10.0, 0.3), Closeness(20.0, 0.6))


@dataclass(frozen=True)
class Lesson:
    """How good a clip is, 0-100, by what can be told of one like it whose content is not known."""

    with_facts: float
    pictures_alone: float


@dataclass(frozen=True)
class Weights:
    """How much clips count that are rarer in use than in training, where 1 is a single encode's.

    `distortions`: made distortions, for whoever judges qualities by what is read. The facts of
    those and of second encodes are of a cleaner encode than their pictures: `doubted_encodes` and
    `doubted_distortions` are how much either counts for whoever doubts facts.
    """

    distortions: float = 1.0
    doubted_encodes: float = 1.0
    doubted_distortions: float = 1.0


#: Columns of what is read in a picture: qualities, and the probability of each kind.
READ = len(READERS) + len(KADID_TYPES) + 1

#: Inverse penalty of the logistic regression that tells kinds of distortion apart.
KIND_PENALTY = 0.01


class PictureReader:
    """What the statistics of pictures tell: two qualities and the probability of each kind."""

    def __init__(self, seen: NDArray, items: Sequence[Item]) -> None:
        """Fit on the statistics `seen` [N, F] of the pictures of each item."""
        sklearn = scikit_learn()
        labels = np.array([item.label for item in items])
        self.qualities = [SupportVectors(seen, labels, closeness) for closeness in READERS]
        known = [item.distortion_type for item in items]
        telling = (
            sklearn.linear_model.LogisticRegression(C=KIND_PENALTY, max_iter=300)
            if len(set(known)) > 1
            else sklearn.dummy.DummyClassifier()
        )
        self.kinds: Any = sklearn.pipeline.make_pipeline(
            sklearn.preprocessing.StandardScaler(), telling
        )
        self.kinds.fit(seen, known)

    def __call__(self, asked: NDArray) -> Floats:
        """[M, F] -> [M, qualities + kinds]; a kind that no item was of has probability 0."""
        told = np.zeros((len(asked), READ))
        for place, quality in enumerate(self.qualities):
            told[:, place] = quality(asked)
        told[:, len(self.qualities) + self.kinds[-1].classes_] = self.kinds.predict_proba(asked)
        return told


class Teacher:
    """Regressors of quality by pictures alone, of kinds, and of when to believe a stream's facts.

    What judges readings learned from readings of contents that the reader behind them had not seen,
    nor others of their makers, so it knows how far to trust them. With facts there are two
    opinions: what is expected of the stream, learned from single encodes, whose facts are their
    own; and that of pictures alone. How much the second counts is the doubt in the facts, learned
    from both opinions on contents new to them: of a bad encode encoded again the facts promise what
    its pictures do not hold.
    """

    def __init__(
        self,
        items: Sequence[Item],
        facts: Sequence[StreamFacts],
        seen: NDArray[np.float32],
        expectation: StreamExpectation,
        weights: Weights,
        seed: int,
    ) -> None:
        """Fit on clips whose pictures have the statistics `seen` [N, 2C].

        Args:
            expectation: what the network is told; fitted.

        Raises:
            MissingError: scikit-learn is not installed.
            ValueError: of one of the streams too little is known.
        """
        self._expectation = expectation
        labels = np.array([item.label for item in items])
        lies = np.array([item.kind != "rendition" for item in items])
        distorted = np.array([item.kind == "distortion" for item in items])
        worth = np.where(distorted, weights.distortions, 1.0)
        folds = maker_folds(items, FOLDS, seed + 1)
        parts = masks_of(folds if len(folds) > 1 else [], len(items))

        def reader(known: NDArray[np.bool_]) -> PictureReader:
            return PictureReader(seen[known], [items[at] for at in np.flatnonzero(known).tolist()])

        self.reader = PictureReader(seen, items)
        readings = _by_others("readings", parts, seen, reader, self.reader)
        rows = rows_told(items, facts, traits_of(expectation, seen))
        self._alone = Judge(readings, labels, worth, seed)

        def holder(known: NDArray[np.bool_]) -> Callable[[NDArray], Floats]:
            honest = known & ~lies
            usual = fit_usual(rows[:, honest], labels[honest], seed) if honest.any() else None
            alone = Judge(readings[known], labels[known], worth[known], seed)
            return lambda told: _opinions(told, usual or self._usual, alone)

        told = np.hstack([readings, rows[0]])
        opinions = _by_others("opinions", parts, told, holder, self._opinions)
        of_doubt = np.where(lies, weights.doubted_encodes, 1.0)
        of_doubt[distorted] = weights.doubted_distortions
        self._doubt = Doubt(_with_difference(told, opinions), lies, of_doubt, seed)

    def kinds(self, readings: NDArray) -> Floats:
        """Return the probability of each kind [M, 26], 0 for an encode, of what was read."""
        probabilities: Floats = readings[:, len(READERS) :]
        return probabilities

    def alone(self, readings: NDArray) -> Floats:
        """Return qualities [M], 0-100, by what was read in pictures."""
        return np.clip(self._alone(readings), 0.0, 100.0)

    def lessons(
        self,
        readings: NDArray,
        seen: NDArray,
        facts: Sequence[StreamFacts],
        items: Sequence[Item],
    ) -> list[Lesson]:
        """Return a lesson of each picture, of which `seen` [M, 2C] are the statistics.

        Args:
            facts: those of the stream that `items` name.

        Raises:
            ValueError: of one of the streams too little is known.
        """
        rows = rows_of(items, facts, traits_of(self._expectation, seen))
        told = np.hstack([readings, rows])
        opinions = self._opinions(told)
        doubt = self._doubt(_with_difference(told, opinions))
        usual, alone = opinions.T
        return [
            Lesson(*pair)
            for pair in zip(
                ((1 - doubt) * usual + doubt * alone).tolist(), alone.tolist(), strict=True
            )
        ]

    def _opinions(self, told: NDArray) -> Floats:
        return _opinions(told, self._usual, self._alone)

    def _usual(self, rows: NDArray) -> Floats:
        return usual_of(self._expectation, rows)


def _opinions(told: NDArray, usual: Judging, alone: Judging) -> Floats:
    """Return opinions with the facts believed and of pictures alone, 0-100: [M, F] -> [M, 2]."""
    pair = np.stack([usual(told[:, READ:]), alone(told[:, :READ])], 1)
    return np.clip(pair, 0.0, 100.0)


def _by_others(
    name: str,
    parts: Sequence[NDArray[np.bool_]],
    rows: NDArray,
    fit: Callable[[NDArray[np.bool_]], Callable[[NDArray], Floats]],
    whole: Callable[[NDArray], Floats],
) -> Floats:
    """Return what is told of `rows` [N, F] by what is fitted without their own part, [N, C].

    Args:
        fit: takes which rows are known [N].
        whole: what is fitted on all rows; it tells of them where there are no parts.
    """
    if not parts:
        return whole(rows)
    bar = tqdm(parts, desc=name, unit="part")
    found = [(asked, fit(~asked)(rows[asked])) for asked in bar]
    told: Floats = np.zeros((len(rows), found[0][1].shape[1]))
    for asked, answers in found:
        told[asked] = answers
    return told


def _with_difference(told: NDArray, opinions: Floats) -> Floats:
    """Return what doubt is learned from: all that is told, both opinions, and how they differ."""
    return np.hstack([told, opinions, opinions[:, :1] - opinions[:, 1:]])
