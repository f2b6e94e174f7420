"""What the language model is taught of its training clips: readings of contents never seen.

A language model that learns the labels themselves learns its few contents by heart: what facts and
pictures leave unexplained of a label is a matter of the content, and on another one of no use.
So regressors that were fitted on the other contents say of each clip how good its facts and
pictures make it look, and that is what the language model learns: all there is to it is in what it
is told (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.corpus import Item
from train.peers import fact_features, scikit_learn
from vqa2cli.video.media import StreamFacts

#: Parts the contents are divided in: each is read by regressors fitted on the others.
FOLDS = 5

#: Penalty of the support vector machine, its width over the number of features, and how far off,
#: points, it may be for free.
PENALTY, WIDTH, FREE = 30.0, 0.1, 3.0

#: Boosted trees: how many of them, and how many boostings are averaged.
TREES = {"max_iter": 300, "learning_rate": 0.05, "max_leaf_nodes": 16}
CAUTION = {"min_samples_leaf": 40, "l2_regularization": 5.0, "max_features": 0.4}
BOOSTINGS = 2


@dataclass(frozen=True)
class Lesson:
    """How good a clip is, 0-100, by what can be told of one like it whose content is not known."""

    with_facts: float
    pictures_alone: float


def lessons(
    items: Sequence[Item],
    facts: Sequence[StreamFacts],
    pictures: NDArray[np.float32],
    parts: Sequence[set[int]],
    lies_weight: float,
    seed: int,
) -> list[Lesson]:
    """Return a lesson of each item, in order.

    Args:
        pictures: what the tower tells of each, [N, D].
        parts: indices of the items, no content in two parts.
        lies_weight: weight of the clips whose facts are of a clean encode and whose pictures are
            not, among those with facts: such clips are rarer in use than in training.

    Raises:
        MissingError: scikit-learn is not installed.
    """
    labels = np.array([item.label for item in items])
    honest = np.array([item.kind == "rendition" for item in items])
    weights = np.where(honest, 1.0, lies_weight)
    told = np.hstack([pictures, fact_features(facts, items)])
    with_facts, alone = np.empty(len(items)), np.empty(len(items))
    for part in parts:
        asked = np.zeros(len(items), bool)
        asked[list(part)] = True
        known = ~asked
        with_facts[asked] = _read(told[known], labels[known], weights[known], told[asked], seed)
        alone[asked] = _read(
            pictures[known], labels[known], np.ones(known.sum()), pictures[asked], seed
        )
    return [
        Lesson(*pair) for pair in np.clip(np.stack([with_facts, alone], 1), 0.0, 100.0).tolist()
    ]


def _read(known: NDArray, labels: NDArray, weights: NDArray, asked: NDArray, seed: int) -> NDArray:
    """Return the mean of what a support vector machine and boosted trees make of `asked`."""
    sklearn = scikit_learn()
    smooth = _support_vectors(sklearn, known.shape[1])
    smooth.fit(known, labels, svr__sample_weight=weights)
    read = [smooth.predict(asked)]
    boosted = [
        sklearn.ensemble.HistGradientBoostingRegressor(
            **TREES, **CAUTION, random_state=seed + number
        )
        .fit(known, labels, sample_weight=weights)
        .predict(asked)
        for number in range(BOOSTINGS)
    ]
    read.append(np.mean(boosted, axis=0))
    mean: NDArray = np.mean(read, axis=0)
    return mean


def _support_vectors(sklearn: ModuleType, features: int) -> Any:
    """Return a radial support vector regression on standardised features; the median for NaN."""
    return sklearn.pipeline.Pipeline(
        [
            ("fill", sklearn.impute.SimpleImputer(strategy="median")),
            ("scale", sklearn.preprocessing.StandardScaler()),
            ("svr", sklearn.svm.SVR(C=PENALTY, gamma=WIDTH / features, epsilon=FREE)),
        ]
    )
