"""The noticeable step: found where it was put."""

from __future__ import annotations

import numpy as np
import pytest

from train.corpus import Item
from train.ladder_step import noticeable_step
from vqa2cli.errors import UsageError


def items(labels: list[float], source: str = "s", codec: str = "h264") -> list[Item]:
    return [
        Item(f"{source}{i}", "p", "val", source, source, "rendition", label, (64, 64), codec, 20, 1)
        for i, label in enumerate(labels)
    ]


def test_a_model_that_is_always_right_needs_no_gap() -> None:
    made = items([10, 20, 30, 40])
    found = noticeable_step(np.array([1.0, 2.0, 3.0, 4.0]), made)
    assert (found.step, found.pairs, found.pairs_beyond) == (1.0, 6, 6)
    assert found.order_of_all == 1.0


def test_the_step_is_the_gap_from_which_on_the_order_can_be_trusted() -> None:
    generator = np.random.default_rng(0)
    made, scores = [], []
    for source in range(60):
        labels = generator.uniform(0, 100, 8)
        made += items(list(labels), f"s{source}")
        scores += list(labels + generator.uniform(-5, 5, 8))
    found = noticeable_step(np.array(scores), made)
    # An error below 5 a score moves a gap by 10 at most, and most by far less.
    assert 0 < found.step < 10
    assert found.interval[0] <= found.step <= found.interval[1]
    noisier = noticeable_step(np.array(scores) + generator.normal(0, 15, len(scores)), made)
    assert noisier.step > found.step
    assert noisier.order_of_all < found.order_of_all


def test_pairs_are_of_one_source_and_one_codec() -> None:
    mixed = [*items([10, 20]), *items([10, 20], codec="av1"), *items([10, 20], source="t")]
    assert noticeable_step(np.arange(6.0), mixed).pairs == 3


def test_a_corpus_without_pairs_says_so() -> None:
    with pytest.raises(UsageError, match="no two renditions"):
        noticeable_step(np.array([1.0]), items([10]))
