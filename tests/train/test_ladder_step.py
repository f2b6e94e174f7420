"""The noticeable step: found where it was put."""

from __future__ import annotations

import numpy as np
import pytest

from train.items import Item
from train.ladder_step import noticeable_step, plain_renditions
from train.sources import TREATED
from vqa2cli.errors import UsageError


def items(labels: list[float], source: str = "s", codec: str = "h264") -> list[Item]:
    return [
        Item(f"{source}{i}", "p", "val", source, source, "rendition", label, (64, 64), codec, 20, 1)
        for i, label in enumerate(labels)
    ]


def test_the_step_is_the_gap_at_which_19_of_20_orders_are_right() -> None:
    generator = np.random.default_rng(0)
    made, scores = [], []
    for source in range(600):
        gap = generator.uniform(0, 40)
        right = generator.random() < 1 / (1 + np.exp(-0.3 * gap))
        made += items([10, 20], f"s{source}")
        scores += [50.0, 50 + gap if right else 50 - gap]
    found = noticeable_step(np.array(scores), made)
    assert found.step == pytest.approx(np.log(19) / 0.3, rel=0.2)
    assert found.interval[0] < np.log(19) / 0.3 < found.interval[1]
    assert found.step_of_all_beyond < found.step
    assert found.just_noticeable == pytest.approx(found.step * np.log(3) / np.log(19))


def test_a_model_that_is_always_right_needs_hardly_a_gap() -> None:
    found = noticeable_step(np.array([1.0, 2.0, 3.0, 4.0]), items([10, 20, 30, 40]))
    assert (found.pairs, found.order_of_all, found.step_of_all_beyond) == (6, 1.0, 1.0)
    assert found.step < 1


def test_a_model_that_is_always_wrong_has_no_step() -> None:
    found = noticeable_step(np.array([4.0, 3.0, 2.0, 1.0]), items([10, 20, 30, 40]))
    assert np.isinf(found.step)
    assert np.isinf(found.just_noticeable)
    assert found.order_of_all == 0.0


def test_pairs_are_of_one_source_and_one_codec() -> None:
    mixed = [*items([10, 20]), *items([10, 20], codec="av1"), *items([10, 20], source="t")]
    assert noticeable_step(np.arange(6.0), mixed).pairs == 3


def test_a_corpus_without_pairs_says_so() -> None:
    with pytest.raises(UsageError, match="no two renditions"):
        noticeable_step(np.array([1.0]), items([10]))


def test_contents_that_were_treated_are_not_among_those_compared() -> None:
    made = [*items([1, 2], "a"), *items([1, 2], f"a{TREATED}"), *items([1, 2], "b")]
    assert [item.source for item in plain_renditions(made, "val")] == ["a", "a", "b", "b"]
    assert [item.source for item in plain_renditions(made, "val", every=2)] == ["a", "a"]
    assert not plain_renditions(made, "test")
