"""Clips that do not exist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from train.features import Look
from train.imagined import imagine, pair_of
from train.items import Item
from train.teacher import Lesson
from vqa2cli.video.media import StreamFacts

ONE = Item(
    name="", path="", split="train", content="", source="", kind="rendition", label=50.0,
    display=(640, 360), codec="h264", crf=23, scale=1.0,
)  # fmt: skip
ITEMS = [
    replace(ONE, content=f"c{n % 5}", kind=("rendition", "distortion")[n % 2], label=float(n))
    for n in range(60)
]


PATCHES = [
    Look(
        np.full((2 + n % 2, 4, 4, 3), n, np.float16),
        np.zeros((0, 1)),
        StreamFacts("h264", 1.0, 640, 360, 25.0, quantizer=float(n)),
    )
    for n in range(len(ITEMS))
]
MOTION = [np.full((3, 2), n, np.float32) for n in range(len(ITEMS))]


class Told:
    """Stands in for a teacher: of a picture the mean of its patches, and beside it the facts'."""

    def reader(self, seen: np.ndarray) -> np.ndarray:
        return seen[:, :1]

    def lessons(
        self,
        readings: np.ndarray,
        seen: np.ndarray,
        facts: list[StreamFacts],
        items: list[Item],
    ) -> list[Lesson]:
        assert (seen[:, :1] == readings).all()
        return [
            Lesson(float(fact.quantizer or 0), float(reading[0]))
            for reading, fact, _ in zip(readings, facts, items, strict=True)
        ]


def test_a_clip_is_paired_with_one_alike_of_another_content() -> None:
    rng = np.random.default_rng(0)
    pairs = [pair_of(ITEMS, rng) for _ in range(200)]
    gaps = [abs(ITEMS[a].label - ITEMS[b].label) for a, b in pairs]
    assert all(ITEMS[a].kind == ITEMS[b].kind for a, b in pairs)
    assert all(ITEMS[a].content != ITEMS[b].content for a, b in pairs)
    assert len({a for a, _ in pairs}) > 40
    assert np.mean(gaps) < 8  # of 20 by chance


def test_a_clip_without_its_like_is_paired_with_itself() -> None:
    assert pair_of(ITEMS[:1], np.random.default_rng(0)) == (0, 0)


def test_an_imagined_clip_has_pictures_of_two_and_motion_and_facts_of_one() -> None:
    def see(seen: torch.Tensor) -> torch.Tensor:
        return seen.float().mean((1, 2))[:, None]

    made = imagine(ITEMS, PATCHES, MOTION, Told(), see, 100, 2, 0)
    again = imagine(ITEMS, PATCHES, MOTION, Told(), see, 100, 2, 0)
    assert len(made.items) == len(made.looks) == len(made.lessons) == 100
    assert made.lessons == again.lessons
    untaught = imagine(ITEMS, PATCHES, MOTION, None, see, 100, 2, 0)
    assert (untaught.items, untaught.lessons) == (made.items, [])
    pairs = zip(made.looks, untaught.looks, strict=True)
    assert all((one.keyframes == other.keyframes).all() for one, other in pairs)
    betweens = 0
    for item, look, lesson in zip(made.items, made.looks, made.lessons, strict=True):
        donor = int(lesson.with_facts)
        assert ITEMS[donor] is item
        assert (look.motion == donor).all()
        assert look.facts.quantizer == donor
        assert np.allclose(look.keyframes, lesson.pictures_alone, atol=0.1)
        assert look.statistics is not None
        assert look.statistics[0] == np.float32(lesson.pictures_alone)
        betweens += lesson.pictures_alone % 1 > 0.01
    assert betweens > 15


def test_facts_that_disagree_are_of_other_encodes_and_pairs_stay_those_of_the_pictures() -> None:
    items = [replace(item, source=f"s{n}") for n, item in enumerate(ITEMS)]
    made = imagine(
        items, PATCHES, MOTION, Told(), lambda seen: seen.mean((1, 2))[:, None], 400, 2, 0, 0.5
    )
    gaps = []
    for item, look in zip(made.items, made.looks, strict=True):
        pictures, stream = int(look.motion[0, 0]), int(look.facts.quantizer or 0)
        assert item == replace(items[stream], source=items[pictures].source)
        assert items[stream].kind == items[pictures].kind
        gaps.append(items[stream].label - items[pictures].label)
        assert items[pictures].kind == "rendition" or gaps[-1] == 0
    others = [gap for gap in gaps if gap]
    assert 0.15 < len(others) / len(gaps) < 0.3  # half of the encodes, which are half of all
    assert 5 < np.std(others) < 15


def test_one_clip_with_fewer_key_frames_takes_none_from_the_others() -> None:
    facts = StreamFacts("h264", 1.0, 640, 360, 25.0)
    patches = [
        Look(np.zeros((1 if n == 0 else 4, 4, 4, 3), np.float16), np.zeros((0, 1)), facts)
        for n in range(len(ITEMS))
    ]
    motion = [np.zeros((3, 2), np.float32)] * len(ITEMS)
    made = imagine(ITEMS, patches, motion, None, lambda seen: seen.mean((1, 2))[:, None], 100, 2, 0)
    counts = [len(look.keyframes) for look in made.looks]
    assert set(counts) == {1, 4}
    assert counts.count(4) > 80
