"""What regressors tell of pictures and facts, of any contents."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from tests.train.quantized import CONTENTS, COUNT, clips
from train.expectation import fit_expectation
from train.items import Item
from train.teacher import Lesson, Teacher, Weights
from vqa2cli.model.expectation import StreamExpectation
from vqa2cli.video.media import StreamFacts


def errors(taught: list[Lesson], items: list[Item], kind: str) -> tuple[float, float]:
    """Return the mean error with facts, and of pictures alone."""
    pairs = [
        (abs(lesson.with_facts - item.label), abs(lesson.pictures_alone - item.label))
        for lesson, item in zip(taught, items, strict=True)
        if item.kind == kind
    ]
    mean = np.mean(pairs, axis=0)
    return float(mean[0]), float(mean[1])


UNSEEN = 100  # clips of contents that no teacher is shown


@cache
def taught(
    weights: Weights, *, blind: bool = False, flattered: float = 0.0, strange: float = 0.0
) -> tuple[list[Lesson], list[Item]]:
    """Return what a teacher of most contents says of the clips of the others.

    `blind`: of half of the clips no quantizer is told. `flattered`: distorted pictures look that
    much better than encoded ones of their quality. `strange`: those of the other contents look
    that much worse than they are.
    """
    items, facts, pictures = clips()
    distorted = np.array([item.kind == "distortion" for item in items])
    pictures[distorted, 0] += flattered
    if blind:
        facts = [replace(fact, quantizer=None) if n % 2 else fact for n, fact in enumerate(facts)]
    new = [n for n, item in enumerate(items) if int(item.content[1:]) < 5]
    assert len(new) == UNSEEN
    pictures[new, 0] -= strange
    old = [n for n in range(COUNT) if n not in set(new)]
    teacher = teacher_of([items[n] for n in old], [facts[n] for n in old], pictures[old], weights)
    asked = [items[n] for n in new]
    readings = teacher.reader(pictures[new])
    return teacher.lessons(readings, pictures[new], [facts[n] for n in new], asked), asked


def teacher_of(
    items: list[Item], facts: list[StreamFacts], pictures: np.ndarray, weights: Weights
) -> Teacher:
    """Return a teacher of clips beside what is expected of such streams."""
    expectation = StreamExpectation((16,), channels=pictures.shape[1], traits=2)
    fit_expectation(expectation, items, facts, pictures, 0)
    return Teacher(items, facts, pictures, expectation, weights, 0)


def test_facts_help_where_they_are_honest_and_pictures_where_they_are_not() -> None:
    told, items = taught(Weights())
    with_facts, alone = errors(told, items, "rendition")
    assert with_facts < 0.8 * alone
    assert max(errors(told, items, "distortion")) < 15


def test_facts_count_for_more_where_lies_weigh_less() -> None:
    (heavy, items), (light, _) = (
        taught(Weights()),
        taught(Weights(doubted_encodes=0.1, doubted_distortions=0.1)),
    )
    assert errors(light, items, "rendition")[0] < errors(heavy, items, "rendition")[0]
    assert errors(light, items, "distortion")[0] > errors(heavy, items, "distortion")[0]
    assert [one.pictures_alone for one in light] == [one.pictures_alone for one in heavy]


def test_pictures_that_look_worse_than_they_are_do_not_count_where_facts_are_believed() -> None:
    told, items = taught(Weights(doubted_distortions=0.01), strange=20.0)
    with_facts, alone = errors(told, items, "rendition")
    assert with_facts < 0.6 * alone


def test_encodes_are_judged_by_themselves_where_distortions_count_for_less() -> None:
    (heavy, items), (light, _) = (
        taught(Weights(distortions=weight), flattered=40.0) for weight in (1.0, 0.05)
    )
    assert errors(light, items, "rendition")[1] < errors(heavy, items, "rendition")[1]
    assert errors(light, items, "distortion")[1] > errors(heavy, items, "distortion")[1]


def test_a_quantizer_that_is_not_known_is_no_obstacle() -> None:
    told, items = taught(Weights(), blind=True)
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
    own, told = [items[n] for n in old], [facts[n] for n in old]
    teacher = teacher_of(own, told, pictures[old].astype(np.float32), Weights())
    readings = teacher.reader(pictures[new])
    assert teacher.alone(readings).std() < 0.3 * readings[:, 0].std()
