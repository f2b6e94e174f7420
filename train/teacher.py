"""Regressors whose function of pictures and facts a network may learn, in place of clips.

What regressors fitted on the training clips say can be asked of any picture and any facts, of ones
that do not exist among them. A network that is taught by such answers has no end of samples, and
nothing of a content to learn by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.corpus import Item
from train.kadid import KADID_TYPES
from train.peers import Floats, fact_features, scikit_learn
from train.regressors import (
    FOLDS,
    Closeness,
    Judge,
    SupportVectors,
    content_folds,
    masks_of,
    trust,
)
from vqa2cli.video.media import StreamFacts

#: Of those that read pictures: the first is the better on encodes, the second on distortions.
READERS = (Closeness(10.0, 0.3), Closeness(20.0, 0.6))


@dataclass(frozen=True)
class Lesson:
    """How good a clip is, 0-100, by what can be told of one like it whose content is not known."""

    with_facts: float
    pictures_alone: float


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
        self.qualities = [
            SupportVectors(seen, labels, np.ones(len(labels)), closeness) for closeness in READERS
        ]
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
        told = np.zeros((len(asked), len(self.qualities) + len(KADID_TYPES) + 1))
        for place, quality in enumerate(self.qualities):
            told[:, place] = quality(asked)
        told[:, len(self.qualities) + self.kinds[-1].classes_] = self.kinds.predict_proba(asked)
        return told


class Teacher:
    """Regressors of quality by pictures alone and by pictures and facts, and of kinds.

    What judges readings learned from readings of contents that the reader behind them had not seen,
    so it knows how far to trust them.
    """

    def __init__(
        self,
        items: Sequence[Item],
        facts: Sequence[StreamFacts],
        seen: NDArray[np.float32],
        lies_weight: float,
        seed: int,
    ) -> None:
        """Fit on clips whose pictures have the statistics `seen` [N, F].

        `lies_weight` is the weight of the clips whose facts are of a clean encode and whose
        pictures are not, among those with facts: such clips are rarer in use than in training.

        Raises:
            MissingError: scikit-learn is not installed.
        """
        labels = np.array([item.label for item in items])
        count = min(FOLDS, len({item.content for item in items}))
        readings = np.zeros((len(items), len(READERS) + len(KADID_TYPES) + 1))
        parts = content_folds(items, count, seed + 1) if count > 1 else []
        for asked in tqdm(masks_of(parts, len(items)), desc="readings", unit="part"):
            known = [item for item, held_out in zip(items, asked, strict=True) if not held_out]
            readings[asked] = PictureReader(seen[~asked], known)(seen[asked])
        self.reader = PictureReader(seen, items)
        if not parts:
            readings = self.reader(seen)
        told = np.hstack([readings, fact_features(facts, items)])
        self._with_facts = Judge(told, labels, trust(items, lies_weight), seed)
        self._alone = Judge(readings, labels, np.ones(len(items)), seed)

    def kinds(self, readings: NDArray) -> Floats:
        """Return the probability of each kind [M, 26], 0 for an encode, of what was read."""
        probabilities: Floats = readings[:, len(READERS) :]
        return probabilities

    def alone(self, readings: NDArray) -> Floats:
        """Return qualities [M], 0-100, by what was read in pictures."""
        return np.clip(self._alone(readings), 0.0, 100.0)

    def lessons(
        self, readings: NDArray, facts: Sequence[StreamFacts], items: Sequence[Item]
    ) -> list[Lesson]:
        """Return a lesson of each picture: `facts` are those of the stream that `items` name."""
        told = np.hstack([readings, fact_features(facts, items)])
        pairs = np.stack([self._with_facts(told), self._alone(readings)], 1)
        return [Lesson(*pair) for pair in np.clip(pairs, 0.0, 100.0).tolist()]
