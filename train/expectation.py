"""Fitting what streams of given facts usually look like: on single encodes, pictures unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from train.items import Item
from train.peers import scikit_learn
from vqa2cli.model.expectation import StreamExpectation, features_of
from vqa2cli.video.media import StreamFacts

#: Weight decay of the layers, and passes over the encodes at most.
DECAY, PASSES = 1e-3, 200

#: Times that each encode is learned from with all its facts; once each it lacks one of them.
WHOLE = 4


def fit_expectation(
    expectation: StreamExpectation,
    items: Sequence[Item],
    facts: Sequence[StreamFacts],
    seed: int,
) -> None:
    """Fit in place on those of `items` that were encoded once, in whose facts nothing lies.

    Raises:
        MissingError: scikit-learn is not installed.
        ValueError: none of the encodes has a codec that is known.
    """
    known = [
        (row, item.label / 100)
        for item, own in zip(items, facts, strict=True)
        if item.kind == "rendition"
        for told in _ways_to_tell(own)
        if (row := features_of(told, item.display)) is not None
    ]
    if not known:
        raise ValueError("no single encode whose facts are known, to expect anything from")
    rows, labels = zip(*known, strict=True)
    layers = scikit_learn().neural_network.MLPRegressor(
        hidden_layer_sizes=expectation.hidden, alpha=DECAY, max_iter=PASSES, random_state=seed
    )
    layers.fit(np.array(rows), np.array(labels))
    found = zip(layers.coefs_, layers.intercepts_, strict=True)
    state = {}
    for number, (weight, bias) in enumerate(found):
        state[f"layers.{number}.weight"] = torch.from_numpy(weight.T)
        state[f"layers.{number}.bias"] = torch.from_numpy(bias)
    expectation.load_state_dict(state)


def _ways_to_tell(facts: StreamFacts) -> list[StreamFacts]:
    """Return the facts whole several times, and once each without rate and without quantizer."""
    return [
        *[facts] * WHOLE,
        replace(facts, quantizer=None),
        replace(facts, bits_per_pixel=None),
    ]
