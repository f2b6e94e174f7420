"""Fitting what streams of given facts and pictures usually look like: on single encodes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from train.items import Item
from train.peers import Floats, scikit_learn
from train.regressors import Boosted
from vqa2cli.model.expectation import FEATURES, StreamExpectation, features_of
from vqa2cli.video.media import StreamFacts

#: Trees that are grown at random: how many, and how far each grows.
GROWN = {"n_estimators": 300, "min_samples_leaf": 5, "max_features": 0.4}

#: Times that each encode counts with all its facts; once each it lacks one of them.
WHOLE = 4.0

#: Streams that do not exist, an encode, of which the layers learn what the trees say: the share of
#: them whose pictures are another encode's, and of those that lack a fact. Pictures are mixed of
#: two; of so many others the one whose label is nearest is taken.
ASKED, OTHERS_PICTURES, LACKING, NEAREST = 20, 0.6, 0.3, 8

#: Spread, in spreads of a channel, up to which pictures do not differ in a direction.
_NO_SPREAD = 1e-3

#: How the layers learn: weight decay, batch, rate, and passes at most.
LAYERS: dict[str, Any] = {
    "alpha": 1e-5, "batch_size": 512, "learning_rate_init": 2e-3, "max_iter": 40, "tol": 1e-6,
}  # fmt: skip


class Usual:
    """The mean of what trees grown at random and boosted ones say of facts and traits of pictures.

    It is fitted on encodes whose facts are their own, which say little of how good others look
    that were bad before.
    """

    def __init__(self, rows: NDArray, labels: NDArray, weights: NDArray, seed: int) -> None:
        """Fit on `rows` [N, F] and `labels` [N], 0-100, that count as `weights` [N]."""
        ensemble = scikit_learn().ensemble
        grown = ensemble.ExtraTreesRegressor(**GROWN, n_jobs=-1, random_state=seed)
        self.grown = grown.fit(rows, labels, sample_weight=weights)
        self.boosted = Boosted(rows, labels, weights, seed)

    def __call__(self, rows: NDArray) -> Floats:
        """[M, F] -> [M], 0-100."""
        usual: Floats = np.clip((self.grown.predict(rows) + self.boosted(rows)) / 2, 0.0, 100.0)
        return usual


def rows_of(
    items: Sequence[Item], facts: Sequence[StreamFacts], traits: NDArray
) -> NDArray[np.float32]:
    """Return what is known of streams as numbers [N, FEATURES + T], `traits` [N, T] at the end.

    Raises:
        ValueError: of one of them too little is known.
    """
    rows = [features_of(own, item.display) for own, item in zip(facts, items, strict=True)]
    if None in rows:
        raise ValueError(f"{items[rows.index(None)].name}: too little is known of its stream")
    return np.hstack([np.array(rows, np.float32), traits])


def rows_told(
    items: Sequence[Item], facts: Sequence[StreamFacts], traits: NDArray
) -> NDArray[np.float32]:
    """Return rows of streams [3, N, FEATURES + T]: whole, without quantizers, without rates.

    One of which only the one or the other is known keeps it.

    Raises:
        ValueError: of one of them too little is known.
    """
    ways = (
        facts,
        [replace(own, quantizer=None) for own in facts],
        [replace(own, bits_per_pixel=None) for own in facts],
    )
    kept = (
        [
            own if features_of(told, item.display) is None else told
            for told, own, item in zip(way, facts, items, strict=True)
        ]
        for way in ways
    )
    return np.stack([rows_of(items, way, traits) for way in kept])


def fit_usual(told: NDArray, labels: NDArray, seed: int) -> Usual:
    """Return what is usual of streams of such rows `told` [3, N, F] and `labels` [N], 0-100."""
    weights = np.repeat([WHOLE, *[1.0] * (len(told) - 1)], len(labels))
    return Usual(told.reshape(-1, told.shape[-1]), np.tile(labels, len(told)), weights, seed)


def traits_of(expectation: StreamExpectation, seen: NDArray) -> NDArray[np.float32]:
    """Return the traits of pictures by their statistics: [N, 2C] -> [N, T]."""
    pictures = torch.from_numpy(seen).to(expectation.device)
    traits: NDArray[np.float32] = expectation.traits_of(pictures).cpu().numpy()
    return traits


def usual_of(expectation: StreamExpectation, rows: NDArray) -> Floats:
    """Return what is expected of streams by their rows: [N, FEATURES + T] -> [N], 0-100."""
    told = torch.from_numpy(rows.astype(np.float32)).to(expectation.device)
    with torch.inference_mode():
        usual: Floats = 100.0 * expectation(told).cpu().numpy().astype(np.float64)
    return usual


def fit_expectation(
    expectation: StreamExpectation,
    items: Sequence[Item],
    facts: Sequence[StreamFacts],
    seen: NDArray[np.float32],
    seed: int,
) -> None:
    """Fit in place on those of `items` that were encoded once, in whose facts nothing lies.

    Trees learn from the encodes, and the layers what the trees say of streams that do not exist:
    facts of one encode, pictures between two. `seen` [N, 2C] are statistics of the pictures.

    Raises:
        MissingError: scikit-learn is not installed.
        ValueError: none of the encodes has a codec that is known.
    """
    known = [
        n
        for n, (item, own) in enumerate(zip(items, facts, strict=True))
        if item.kind == "rendition" and features_of(own, item.display) is not None
    ]
    if not known:
        raise ValueError("no single encode whose facts are known, to expect anything from")
    if expectation.traits:
        _find_traits(expectation, seen[known])
    own = [items[n] for n in known]
    labels = np.array([item.label for item in own])
    told = rows_told(own, [facts[n] for n in known], traits_of(expectation, seen[known]))
    asked = _streams_between(told, labels, seed)
    sklearn = scikit_learn()
    layers = sklearn.neural_network.MLPRegressor(
        hidden_layer_sizes=expectation.hidden, random_state=seed, **LAYERS
    )
    with warnings.catch_warnings():  # passes are counted, and end where they end
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        layers.fit(asked, fit_usual(told, labels, seed)(asked) / 100)
    state = expectation.state_dict()
    for number, (weight, bias) in enumerate(zip(layers.coefs_, layers.intercepts_, strict=True)):
        state[f"layers.{number}.weight"] = torch.from_numpy(weight.T)
        state[f"layers.{number}.bias"] = torch.from_numpy(bias)
    expectation.load_state_dict(state)


def _find_traits(expectation: StreamExpectation, seen: NDArray[np.float32]) -> None:
    """Take as traits the directions in which pictures differ most, each to a spread of 1.

    Few pictures differ in fewer directions than there is room for; the other traits stay 0.
    """
    sklearn = scikit_learn()
    scale = sklearn.preprocessing.StandardScaler().fit(seen)
    found = sklearn.decomposition.PCA(
        random_state=0, n_components=min(expectation.traits, *seen.shape)
    )
    spread = found.fit_transform(scale.transform(seen)).std(0)
    telling = spread > _NO_SPREAD
    directions = found.components_[telling] / scale.scale_ / spread[telling, None]
    expectation.centre.copy_(torch.from_numpy(scale.mean_))
    expectation.directions.zero_()
    expectation.directions[: len(directions)] = torch.from_numpy(directions)


def _streams_between(told: NDArray[np.float32], labels: NDArray, seed: int) -> NDArray[np.float32]:
    """Return rows of streams with facts of one encode of `told` [3, N, F] and mixed pictures."""
    rng = np.random.default_rng(seed)
    encodes = len(labels)
    facts, drawn = (rng.integers(encodes, size=ASKED * encodes) for _ in range(2))
    pictures = np.where(rng.random(len(facts)) < OTHERS_PICTURES, drawn, facts)
    candidates = rng.integers(encodes, size=(len(facts), NEAREST))
    away = np.abs(labels[candidates] - labels[pictures][:, None])
    others = candidates[np.arange(len(facts)), away.argmin(1)]
    lacking = rng.integers(1, len(told), size=len(facts))
    rows = told[np.where(rng.random(len(facts)) < LACKING, lacking, 0), facts]
    share = rng.random((len(facts), 1), np.float32)
    between = share * told[0, pictures] + (1 - share) * told[0, others]
    rows[:, FEATURES:] = between[:, FEATURES:]
    return rows
