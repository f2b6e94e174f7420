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

from train.items import Item
from train.kadid import KADID_TYPES
from train.peers import Floats, fact_features, scikit_learn
from train.regressors import (
    FOLDS,
    Closeness,
    Doubt,
    Judge,
    SupportVectors,
    maker_folds,
    masks_of,
)
from vqa2cli.video.media import StreamFacts

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


#: How much facts alone count in the opinion of who believes them. What is read in pictures is
#: trusted too far on contents of strangers: of training clips by makers unseen, qualities are off
#: by 8.8 points with none of it, by 8.5 from 0.25 to 0.5, by 9.4 with facts alone.
BY_FACTS = 0.4

#: Columns of what is read in a picture: qualities, and the probability of each kind.
READ = len(READERS) + len(KADID_TYPES) + 1

#: Inverse penalty of the logistic regression that tells kinds of distortion apart.
KIND_PENALTY = 0.01


def statistics(patches: NDArray) -> NDArray[np.float32]:
    """Return mean and deviation of each channel over a picture: [..., s, s, C] -> [..., 2C]."""
    seen = patches.astype(np.float32)
    return np.concatenate([seen.mean((-3, -2)), seen.std((-3, -2))], -1)


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
    """Regressors of quality by pictures alone and by pictures and facts, and of kinds.

    What judges readings learned from readings of contents that the reader behind them had not seen,
    nor others of their makers, so it knows how far to trust them. With facts there are two
    opinions: that of who believes the facts, learned from single encodes, whose facts are their
    own, by facts and pictures and in part by facts alone; and that of pictures alone. How much the
    second counts is the doubt in the facts, learned from both opinions on contents new to them: of
    a bad encode encoded again the facts promise what its pictures do not hold.
    """

    def __init__(
        self,
        items: Sequence[Item],
        facts: Sequence[StreamFacts],
        seen: NDArray[np.float32],
        weights: Weights,
        seed: int,
    ) -> None:
        """Fit on clips whose pictures have the statistics `seen` [N, F].

        Raises:
            MissingError: scikit-learn is not installed.
        """
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
        told = np.hstack([readings, fact_features(facts, items)])

        def holder(known: NDArray[np.bool_]) -> Opinions:
            return Opinions(told[known], labels[known], lies[known], worth[known], seed)

        self._opinions = Opinions(told, labels, lies, worth, seed)
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
        return np.clip(self._opinions.alone(readings), 0.0, 100.0)

    def lessons(
        self, readings: NDArray, facts: Sequence[StreamFacts], items: Sequence[Item]
    ) -> list[Lesson]:
        """Return a lesson of each picture: `facts` are those of the stream that `items` name."""
        told = np.hstack([readings, fact_features(facts, items)])
        opinions = self._opinions(told)
        doubt = self._doubt(_with_difference(told, opinions))
        believed, alone = opinions.T
        return [
            Lesson(*pair)
            for pair in zip(
                ((1 - doubt) * believed + doubt * alone).tolist(), alone.tolist(), strict=True
            )
        ]


class Opinions:
    """Qualities by readings and facts that are believed, and by readings alone."""

    def __init__(
        self,
        told: NDArray,
        labels: NDArray,
        lies: NDArray[np.bool_],
        worth: NDArray,
        seed: int,
    ) -> None:
        """Fit on readings and facts `told` [N, F] of clips that are `worth` so much each [N].

        Facts are learned from clips that do not lie.
        """
        known = ~lies if not lies.all() else lies
        self._read = Judge(told[known], labels[known], worth[known], seed)
        self._usual = Judge(told[known, READ:], labels[known], worth[known], seed)
        self.alone = Judge(told[:, :READ], labels, worth, seed)

    def __call__(self, told: NDArray) -> Floats:
        """[M, F] -> [M, 2], 0-100: facts believed, and pictures alone."""
        believed = (1 - BY_FACTS) * self._read(told) + BY_FACTS * self._usual(told[:, READ:])
        pair = np.stack([believed, self.alone(told[:, :READ])], 1)
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
