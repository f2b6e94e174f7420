"""Regressors, and the parts of a corpus that they learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.corpus import Item
from train.regressors import Closeness, SupportVectors, content_folds


def test_folds_share_no_content_and_leave_nothing_out() -> None:
    one = Item(
        name="a", path="a.mp4", source="a", content="a", split="train", kind="rendition",
        codec="h264", crf=23, scale=1.0, display=(640, 360), label=50.0,
    )  # fmt: skip
    many = [replace(one, content=f"c{index // 3}") for index in range(30)]
    folds = content_folds(many, 3, seed=0)
    assert sorted(index for fold in folds for index in fold) == list(range(30))
    assert len(folds) == 3
    contents = [{many[index].content for index in fold} for fold in folds]
    assert sum(map(len, contents)) == len(set.union(*contents))
    assert all(len(found) in (3, 4) for found in contents)


def test_support_vectors_say_what_the_library_says() -> None:
    sklearn = pytest.importorskip("sklearn.svm")
    rng = np.random.default_rng(0)
    known, asked = rng.normal(size=(80, 6)), rng.normal(size=(30, 6))
    labels = 50 + 10 * known[:, 0] + rng.normal(size=80)
    weights = rng.uniform(0.1, 1.0, 80)
    ours = SupportVectors(known, labels, weights, Closeness(10.0, 0.3))
    machine = sklearn.SVR(C=10.0, gamma=0.3 / 6, epsilon=3.0)
    spread = known.std(0)
    machine.fit((known - known.mean(0)) / spread, labels, sample_weight=weights)
    theirs = machine.predict((asked - known.mean(0)) / spread)
    assert np.allclose(ours(asked), theirs, atol=1e-6)
