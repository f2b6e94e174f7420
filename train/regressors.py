"""Regressors of quality: how closely they fit, when facts are believed, and which parts they learn.

A network that learns the labels themselves learns its few contents by heart: what facts and
pictures leave unexplained of a label is a matter of the content, and on another one of no use. What
regressors make of facts and pictures can be learned in their place (Hinton et al., "Distilling the
Knowledge in a Neural Network", 2015); see `train.teacher`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.items import Item
from train.peers import Floats, scikit_learn

#: Parts the contents are divided in: each is read by regressors fitted on the others.
FOLDS = 5


@dataclass(frozen=True)
class Closeness:
    """How closely a support vector machine fits: its penalty, and its width over the features'."""

    penalty: float
    width: float


#: Of the one that judges what is read, and how far off, points, any may be for free.
JUDGE, FREE = Closeness(30.0, 0.1), 3.0

#: Boosted trees: how many of them, and how many boostings are averaged.
TREES = {"max_iter": 300, "learning_rate": 0.05, "max_leaf_nodes": 16}
CAUTION = {"min_samples_leaf": 40, "l2_regularization": 5.0, "max_features": 0.4}
BOOSTINGS = 2

#: Boosted trees that tell whether facts lie.
DOUBTING = {"max_iter": 200, "learning_rate": 0.05, "max_leaf_nodes": 16}

#: What stands between a maker's name and the rest of a content's.
OF_MAKER = "__"


def masks_of(parts: Sequence[set[int]], count: int) -> list[NDArray[np.bool_]]:
    """Return for each part which of `count` items are in it."""
    return [np.isin(np.arange(count), list(part)) for part in parts]


def maker_folds(items: Sequence[Item], folds: int, seed: int) -> list[set[int]]:
    """Return the indices of `items` in up to `folds` parts; no maker is in two of them.

    What is fitted without a part is as strange to it as to the pictures of people who made none
    of the training clips. The maker of a content called `MAKER__NAME` is MAKER; any other has a
    maker of its own, and so has every content where one maker made more than three in four.
    """
    made: dict[str, list[str]] = {}
    for content in sorted({item.content for item in items}):
        made.setdefault(content.partition(OF_MAKER)[0], []).append(content)
    every = [content for contents in made.values() for content in contents]
    if 4 * max(map(len, made.values())) > 3 * len(every):
        made = {content: [content] for content in every}
    makers = list(made)
    drawn = [makers[at] for at in np.random.default_rng(seed).permutation(len(makers))]
    parts: list[set[str]] = [set() for _ in range(min(folds, len(makers)))]
    for maker in sorted(drawn, key=lambda name: -len(made[name])):
        min(parts, key=len).update(made[maker])
    return [{index for index, item in enumerate(items) if item.content in part} for part in parts]


class SupportVectors:
    """A radial support vector regression on standardised features; the median for NaN."""

    def __init__(
        self,
        known: NDArray,
        labels: NDArray,
        closeness: Closeness,
        weights: NDArray | None = None,
    ) -> None:
        """Fit on features `known` [N, F] and `labels` [N] of `weights` [N], all 1 for None."""
        sklearn = scikit_learn()
        self.standard = sklearn.pipeline.Pipeline(
            [
                ("fill", sklearn.impute.SimpleImputer(strategy="median")),
                ("scale", sklearn.preprocessing.StandardScaler()),
            ]
        )
        rows = self.standard.fit_transform(known.astype(np.float64))
        self.width = closeness.width / known.shape[1]
        machine = sklearn.svm.SVR(
            C=closeness.penalty, gamma=self.width, epsilon=FREE, cache_size=2000
        )
        machine.fit(rows, labels, sample_weight=weights)
        self.vectors: Floats = machine.support_vectors_
        self.squares = (self.vectors**2).sum(1)
        self.shares, self.offset = machine.dual_coef_[0], float(machine.intercept_[0])

    def __call__(self, asked: NDArray) -> Floats:
        """Return predictions [M]: by matrix products, many times as fast as the library's own."""
        rows = self.standard.transform(asked.astype(np.float64))
        distances = (rows**2).sum(1)[:, None] + self.squares - 2 * rows @ self.vectors.T
        told: Floats = np.exp(-self.width * np.maximum(distances, 0.0)) @ self.shares + self.offset
        return told


class Doubt:
    """How likely the facts of a clip lie, by boosted trees: those of a cleaner encode do."""

    def __init__(
        self, known: NDArray, lies: NDArray[np.bool_], weights: NDArray, seed: int
    ) -> None:
        """Fit on `known` [N, F], which of them lie [N], and how much each counts [N].

        Doubt never falls with the last of what is known: how much more facts promise than
        pictures show.
        """
        self.always = float(lies.mean())
        rising = np.eye(1, known.shape[1], known.shape[1] - 1, dtype=int)[0]
        trees = scikit_learn().ensemble.HistGradientBoostingClassifier
        self.boosted = (
            []
            if self.always in (0.0, 1.0)
            else [
                trees(**DOUBTING, **CAUTION, monotonic_cst=rising, random_state=seed + number).fit(
                    known, lies, sample_weight=weights
                )
                for number in range(BOOSTINGS)
            ]
        )

    def __call__(self, asked: NDArray) -> Floats:
        """[M, F] -> [M] in 0-1."""
        if not self.boosted:
            return np.full(len(asked), self.always)
        told = [trees.predict_proba(asked)[:, 1] for trees in self.boosted]
        doubt: Floats = np.mean(told, axis=0)
        return doubt


class Boosted:
    """The mean of boosted trees that are alike but for their seeds."""

    def __init__(self, known: NDArray, labels: NDArray, weights: NDArray, seed: int) -> None:
        """Fit on `known` [N, F] and `labels` [N] of `weights` [N]."""
        trees = scikit_learn().ensemble.HistGradientBoostingRegressor
        self.trees = [
            trees(**TREES, **CAUTION, random_state=seed + number).fit(
                known, labels, sample_weight=weights
            )
            for number in range(BOOSTINGS)
        ]

    def __call__(self, asked: NDArray) -> Floats:
        """[M, F] -> [M]."""
        told: Floats = np.mean([trees.predict(asked) for trees in self.trees], axis=0)
        return told


class Judge:
    """The mean of what a support vector machine and boosted trees make of what is told."""

    def __init__(self, known: NDArray, labels: NDArray, weights: NDArray, seed: int) -> None:
        """Fit on `known` [N, F] and `labels` [N] of `weights` [N]."""
        self.smooth = SupportVectors(known, labels, JUDGE, weights)
        self.boosted = Boosted(known, labels, weights, seed)

    def __call__(self, asked: NDArray) -> Floats:
        """[M, F] -> [M]."""
        judged: Floats = (self.smooth(asked) + self.boosted(asked)) / 2
        return judged
