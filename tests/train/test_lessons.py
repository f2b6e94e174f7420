"""What regressors that never saw a content make of its clips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.corpus import Item
from train.lessons import Lesson, lessons
from vqa2cli.video.media import StreamFacts

COUNT, CONTENTS = 400, 20


def clips(seed: int = 0) -> tuple[list[Item], list[StreamFacts], np.ndarray]:
    """Return clips whose label is their quantizer's, in a third of them that of the picture."""
    rng = np.random.default_rng(seed)
    items, facts, pictures = [], [], []
    for number in range(COUNT):
        content = f"c{number % CONTENTS}"
        honest, quantizer = number % 3 > 0, float(rng.uniform(15, 45))
        label = 145 - 3 * quantizer if honest else float(rng.uniform(10, 60))
        item = Item(
            name=str(number), path=f"{number}.mp4", source=content, content=content, split="train",
            kind="rendition" if honest else "distortion", codec="h264", crf=23, scale=1.0,
            distortion=None if honest else (1, 3), display=(640, 360), label=label,
        )  # fmt: skip
        items.append(item)
        facts.append(StreamFacts("h264", 2 ** (-quantizer / 6), 640, 360, 25.0, quantizer))
        pictures.append([label + rng.normal(0, 12), rng.normal()])
    return items, facts, np.array(pictures, np.float32)


PARTS = [{n for n in range(COUNT) if n % CONTENTS % 4 == part} for part in range(4)]


def errors(taught: list[Lesson], items: list[Item], kind: str) -> tuple[float, float]:
    """Return the mean error with facts, and of pictures alone."""
    pairs = [
        (abs(lesson.with_facts - item.label), abs(lesson.pictures_alone - item.label))
        for lesson, item in zip(taught, items, strict=True)
        if item.kind == kind
    ]
    mean = np.mean(pairs, axis=0)
    return float(mean[0]), float(mean[1])


def test_facts_help_where_they_are_honest_and_pictures_where_they_are_not() -> None:
    items, facts, pictures = clips()
    taught = lessons(items, facts, pictures, PARTS, 1.0, 0)
    with_facts, alone = errors(taught, items, "rendition")
    assert with_facts < 0.8 * alone
    assert max(errors(taught, items, "distortion")) < 15


def test_facts_count_for_more_where_lies_weigh_less() -> None:
    items, facts, pictures = clips()
    heavy, light = (lessons(items, facts, pictures, PARTS, weight, 0) for weight in (1.0, 0.1))
    assert errors(light, items, "rendition")[0] < errors(heavy, items, "rendition")[0]
    assert errors(light, items, "distortion")[0] > errors(heavy, items, "distortion")[0]
    assert [one.pictures_alone for one in light] == [one.pictures_alone for one in heavy]


def test_a_clip_is_read_by_what_never_saw_its_content() -> None:
    items, facts, pictures = clips()
    own = [index for index, item in enumerate(items) if item.content == "c0"]
    part = next(part for part in PARTS if own[0] in part)
    changed = [
        replace(item, label=0.0) if index in part else item for index, item in enumerate(items)
    ]
    before, after = (lessons(each, facts, pictures, PARTS, 1.0, 0) for each in (items, changed))
    assert [before[index] for index in own] == [after[index] for index in own]
    assert before != after


def test_a_quantizer_that_is_not_known_is_no_obstacle() -> None:
    items, facts, pictures = clips()
    blind = [replace(fact, quantizer=None) if n % 2 else fact for n, fact in enumerate(facts)]
    taught = lessons(items, blind, pictures, PARTS, 1.0, 0)
    assert max(errors(taught, items, "rendition")) < 15
