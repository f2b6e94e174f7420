"""What regressors tell of pictures and facts, of any contents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.train.test_lessons import CONTENTS, COUNT, clips, errors
from train.corpus import Item
from train.lessons import Closeness, Lesson, SupportVectors
from train.teacher import Teacher, statistics

UNSEEN = 100  # clips of contents that no teacher is shown


def taught(lies_weight: float, *, blind: bool = False) -> tuple[list[Lesson], list[Item]]:
    """Return what a teacher of most contents says of the clips of the others."""
    items, facts, pictures = clips()
    if blind:
        facts = [replace(fact, quantizer=None) if n % 2 else fact for n, fact in enumerate(facts)]
    new = [n for n, item in enumerate(items) if int(item.content[1:]) < 5]
    assert len(new) == UNSEEN
    old = [n for n in range(COUNT) if n not in set(new)]
    teacher = Teacher(
        [items[n] for n in old], [facts[n] for n in old], pictures[old], lies_weight, 0
    )
    asked = [items[n] for n in new]
    readings = teacher.reader(pictures[new])
    return teacher.lessons(readings, [facts[n] for n in new], asked), asked


def test_facts_help_where_they_are_honest_and_pictures_where_they_are_not() -> None:
    told, items = taught(1.0)
    with_facts, alone = errors(told, items, "rendition")
    assert with_facts < 0.8 * alone
    assert max(errors(told, items, "distortion")) < 15


def test_facts_count_for_more_where_lies_weigh_less() -> None:
    (heavy, items), (light, _) = taught(1.0), taught(0.1)
    assert errors(light, items, "rendition")[0] < errors(heavy, items, "rendition")[0]
    assert errors(light, items, "distortion")[0] > errors(heavy, items, "distortion")[0]
    assert [one.pictures_alone for one in light] == [one.pictures_alone for one in heavy]


def test_a_quantizer_that_is_not_known_is_no_obstacle() -> None:
    told, items = taught(1.0, blind=True)
    assert max(errors(told, items, "rendition")) < 16


def test_what_tells_contents_apart_is_not_taken_for_quality() -> None:
    """Pictures that give away their content, whose labels are alike, say nothing of another."""
    rng = np.random.default_rng(0)
    items, facts, _ = clips()
    quality = dict(
        zip((f"c{n}" for n in range(CONTENTS)), rng.uniform(10, 90, CONTENTS), strict=True)
    )
    items = [replace(item, kind="rendition", label=quality[item.content]) for item in items]
    marks = rng.normal(size=(CONTENTS, 6))
    pictures = np.stack([marks[int(item.content[1:])] for item in items])
    old = [n for n, item in enumerate(items) if int(item.content[1:]) >= 5]
    new = [n for n, item in enumerate(items) if int(item.content[1:]) < 5]
    teacher = Teacher([items[n] for n in old], [facts[n] for n in old], pictures[old], 1.0, 0)
    readings = teacher.reader(pictures[new])
    assert teacher.alone(readings).std() < 0.3 * readings[:, 0].std()


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


def test_a_picture_is_told_by_mean_and_deviation_of_its_channels() -> None:
    patches = np.random.default_rng(0).normal(size=(3, 5, 5, 4)).astype(np.float16)
    told = statistics(patches)
    assert told.shape == (3, 8)
    assert np.allclose(told[1, 2], patches[1, :, :, 2].astype(float).mean(), atol=1e-3)
    assert np.allclose(told[1, 6], patches[1, :, :, 2].astype(float).std(), atol=1e-3)
