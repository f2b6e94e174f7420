"""What training samples show and tell, and how they come in batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.train.mini.toy import toy
from train.augment import shuffled
from train.dataset import LookDataset, SourceBatches, Tell, jittered, tell_facts
from train.items import Item
from train.mini import Workplace, train_split, training_looks
from train.recipe import read_recipe
from train.teacher import Lesson
from vqa2cli.model.facts import StreamTold
from vqa2cli.video.media import StreamFacts

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_a_stage_draws_the_kinds_it_names_and_loads_no_motion_it_does_not_show(
    items: list[Item], place: Workplace
) -> None:
    recipe, training = toy(read_recipe("mini")), train_split(items)
    looks = training_looks(recipe, place).fill(training)
    fit = replace(recipe.stages[-1].fit, kinds=("rendition", "distortion"))
    dataset = LookDataset(training, looks, fit)
    assert {item.kind for item in dataset.items} == {"rendition", "distortion"}
    assert len(dataset) == len([item for item in training if item.kind != "twice"])
    sample = dataset[(0, 1, 0, 0)]
    assert sample.motion.shape[0] == 0
    assert sample.keyframes.shape == (1, 224, 224, 3)


def test_batches_hold_whole_groups_of_one_source_and_repeat_by_seed(items: list[Item]) -> None:
    fit = replace(toy(read_recipe("mini")).stages[-1].fit, groups=1, per_group=3)
    training = train_split(items)
    first, again = (list(SourceBatches(training, fit, seed=5)) for _ in range(2))
    assert first == again
    assert first != list(SourceBatches(training, fit, seed=6))
    for batch in first:
        assert len({training[index].source for index, *_ in batch}) == 1
        assert len({(keyframes, motion) for _, keyframes, motion, _ in batch}) == 1


def test_told_facts_wander_a_little_and_sometimes_lack_the_quantizer() -> None:
    fit = replace(
        read_recipe("mini").stages[-1].fit,
        quantizer_dropped=0.25,
        quantizer_jitter=1.0,
        facts_jitter_db=1.0,
    )
    facts, rng = StreamFacts("vp9", 0.1, 640, 360, 25.0, 120.0), np.random.default_rng(0)
    told = [jittered(facts, fit, rng) for _ in range(400)]
    known = [each.quantizer for each in told if each.quantizer is not None]
    assert 260 < len(known) < 340
    assert max(abs(value - 120.0) for value in known) <= 255 / 63
    assert all(0.079 < (each.bits_per_pixel or 0) < 0.126 for each in told)


def of_looks(
    items: list[Item],
    place: Workplace,
    lessons: list[Lesson] | None = None,
    tell: Tell = tell_facts,
    **dropped: float,
) -> LookDataset:
    """Return samples of all items, of the last stage's settings and `dropped`, without stalls."""
    recipe = toy(read_recipe("mini"))
    looks = training_looks(recipe, place).fill(items, 1)
    fit = replace(recipe.stages[-1].fit, stalls_told=0.0, **dropped)
    return LookDataset(items, looks, fit, lessons, tell)


def test_facts_that_lie_may_be_kept_from_more_samples_than_those_that_do_not(
    items: list[Item], place: Workplace
) -> None:
    told = of_looks(items, place, facts_dropped=0.0, lies_dropped=1.0)
    for number, item in enumerate(told.items):
        assert bool(told[number, 1, 2, number].facts) == (item.kind == "rendition")


def bluntly(facts: StreamFacts, display: tuple[int, int], seen: Tensor | None) -> StreamTold:
    assert seen is None  # nobody has looked yet
    return StreamTold(f"{facts.codec} {display}", None)


def test_streams_are_told_of_in_the_words_of_the_network(
    items: list[Item], place: Workplace
) -> None:
    told = of_looks(items, place, facts_dropped=0.0, lies_dropped=0.0, tell=bluntly)
    codecs = {"h264", "hevc", "vp9", "av1"}
    for number, item in enumerate(told.items):
        codec, _, display = told[number, 1, 2, number].facts.partition(" ")
        assert codec in codecs
        assert display == str(item.display)


def test_where_there_are_lessons_they_are_learned_in_place_of_labels(
    items: list[Item], place: Workplace
) -> None:
    lessons = [Lesson(80.0 + number, 20.0 + number) for number in range(len(items))]
    for dropped in (0.0, 1.0):
        taught = of_looks(items, place, lessons, facts_dropped=dropped, lies_dropped=dropped)
        for number in range(len(taught)):
            lesson = lessons[items.index(taught.items[number])]
            told = lesson.pictures_alone if dropped else lesson.with_facts
            assert taught[number, 1, 2, number].label == told


def test_shuffled_tiles_are_the_same_tiles_elsewhere_alike_in_every_picture() -> None:
    pictures = torch.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3)
    moved = shuffled(pictures, 4, np.random.default_rng(0))
    assert moved.shape == pictures.shape
    assert not torch.equal(moved, pictures)
    assert torch.equal(moved[0] + 8 * 8 * 3, moved[1])

    def tiles(picture: torch.Tensor) -> set[tuple[int, ...]]:
        corners = [(0, 0), (0, 4), (4, 0), (4, 4)]
        return {tuple(sorted(picture[y : y + 4, x : x + 4].flatten().tolist())) for y, x in corners}

    assert tiles(moved[0]) == tiles(pictures[0])
