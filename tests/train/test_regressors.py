"""Regressors, and the parts of a corpus that they learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.items import Item
from train.regressors import Closeness, Doubt, SupportVectors, maker_folds


def test_folds_share_no_content_and_leave_nothing_out() -> None:
    one = Item(
        name="a", path="a.mp4", source="a", content="a", split="train", kind="rendition",
        codec="h264", crf=23, scale=1.0, display=(640, 360), label=50.0,
    )  # fmt: skip
    many = [replace(one, content=f"c{index // 3}") for index in range(30)]
    folds = maker_folds(many, 3, seed=0)
    assert sorted(index for fold in folds for index in fold) == list(range(30))
    assert len(folds) == 3
    contents = [{many[index].content for index in fold} for fold in folds]
    assert sum(map(len, contents)) == len(set.union(*contents))
    assert all(len(found) in (3, 4) for found in contents)


def of_makers(*counts: int) -> list[Item]:
    """Return two clips of each content: so many contents by each maker in turn."""
    return [
        Item(
            name="a", path="a.mp4", source="a", content=f"m{maker}__c{number}", split="train",
            kind="rendition", codec="h264", crf=23, scale=1.0, display=(640, 360), label=50.0,
        )
        for maker, count in enumerate(counts)
        for number in range(count)
        for _ in range(2)
    ]  # fmt: skip


def test_folds_share_no_maker_and_are_as_even_as_makers_allow() -> None:
    items = of_makers(9, 5, 4, 2, 1)
    folds = maker_folds(items, 3, seed=0)
    assert sorted(index for fold in folds for index in fold) == list(range(len(items)))
    makers = [{items[index].content.split("__")[0] for index in fold} for fold in folds]
    assert sum(map(len, makers)) == len(set.union(*makers))
    assert sorted(map(len, folds)) == [12, 12, 18]


def test_a_maker_of_most_contents_is_spread_over_the_folds() -> None:
    items = of_makers(9, 2)
    folds = maker_folds(items, 3, seed=0)
    assert sorted(map(len, folds)) == [6, 8, 8]
    contents = [{items[index].content for index in fold} for fold in folds]
    assert sum(map(len, contents)) == len(set.union(*contents))


def test_there_are_no_more_folds_than_makers() -> None:
    assert len(maker_folds(of_makers(2, 2), 5, seed=0)) == 2


def test_support_vectors_say_what_the_library_says() -> None:
    sklearn = pytest.importorskip("sklearn.svm")
    rng = np.random.default_rng(0)
    known, asked = rng.normal(size=(80, 6)), rng.normal(size=(30, 6))
    labels = 50 + 10 * known[:, 0] + rng.normal(size=80)
    ours = SupportVectors(known, labels, Closeness(10.0, 0.3))
    machine = sklearn.SVR(C=10.0, gamma=0.3 / 6, epsilon=3.0)
    spread = known.std(0)
    machine.fit((known - known.mean(0)) / spread, labels)
    theirs = machine.predict((asked - known.mean(0)) / spread)
    assert np.allclose(ours(asked), theirs, atol=1e-6)


def told_apart(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return facts that promise more than pictures hold where they lie, and which do."""
    rng = np.random.default_rng(0)
    lies = rng.random(count) < 0.3
    held = rng.uniform(0, 100, count)
    promised = np.where(lies, held + rng.uniform(20, 60, count), held + rng.normal(0, 5, count))
    return np.stack([promised, held, promised - held], 1), lies


def test_facts_are_doubted_where_pictures_do_not_hold_what_they_promise() -> None:
    known, lies = told_apart()
    doubt = Doubt(known, lies, np.ones(len(lies)), 0)
    honest, broken = doubt(np.array([[80.0, 79.0, 1.0], [80.0, 30.0, 50.0]]))
    assert honest < 0.02
    assert broken > 0.98


def test_rare_lies_are_doubted_less() -> None:
    known, lies = told_apart()
    asked = np.stack([np.full(30, 60.0), np.linspace(60, 30, 30), np.linspace(0, 30, 30)], 1)
    common, rare = (
        Doubt(known, lies, np.where(lies, weight, 1.0), 0)(asked) for weight in (1.0, 0.05)
    )
    assert rare.mean() < common.mean()


@pytest.mark.parametrize("lying", [False, True])
def test_of_clips_that_are_all_alike_all_are_believed_or_none(lying: bool) -> None:
    known, _ = told_apart(50)
    doubt = Doubt(known, np.full(50, lying), np.ones(50), 0)
    assert (doubt(known) == float(lying)).all()
