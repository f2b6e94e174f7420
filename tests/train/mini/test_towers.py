"""Towers that have not seen a content, and one that has, in one language."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.mini.toy import toy
from train.corpus import Item
from train.dataset import LookDataset
from train.features import Look
from train.fit import READ, FixedHeads, TowerTask
from train.mini import between, content_folds, fit_folds, new_network, unseen_features
from train.recipe import read_recipe
from vqa2cli.video.media import StreamFacts


def test_folds_share_no_content_and_leave_nothing_out(items: list[Item]) -> None:
    many = [replace(items[0], content=f"c{index // 3}") for index in range(30)]
    folds = content_folds(many, 3, seed=0)
    assert sorted(index for fold in folds for index in fold) == list(range(30))
    assert len(folds) == 3
    contents = [{many[index].content for index in fold} for fold in folds]
    assert sum(map(len, contents)) == len(set.union(*contents))
    assert all(len(found) in (3, 4) for found in contents)


def test_the_language_model_sees_each_content_through_a_tower_that_never_did(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[set[str]] = []

    def teach(task: object, dataset: LookDataset, *_: object, **__: object) -> None:
        taught.append({item.content for item in dataset.items})

    monkeypatch.setattr("train.mini.fit_task", teach)
    recipe = toy(read_recipe("mini"))
    network, prompter = new_network(recipe, tmp_path)
    stages = [stage for stage in recipe.stages if stage.part == "tower"]
    folds = stages[0].folds
    learners = [copy.deepcopy(network) for _ in range(folds)]
    looks = [tmp_path / str(index) for index in range(len(items))]
    for stage in stages:
        fit_folds(learners, prompter, stage, items, looks, tmp_path / "tower", 0)
    assert len(taught) == folds * len(stages) > 2

    monkeypatch.setattr(
        "train.mini.features_of",
        lambda learner, looks: [(learners.index(learner), look) for look in looks],
    )
    found = unseen_features(learners, items, looks, 0)
    assert [look for _, look in found] == looks
    for item, (fold, _) in zip(items, found, strict=True):
        assert all(item.content not in contents for contents in taught[fold::folds])


def test_towers_speak_one_language_in_the_dimensions_they_may_use(tmp_path: Path) -> None:
    recipe = toy(read_recipe("mini"))
    network, _ = new_network(recipe, tmp_path)
    task = TowerTask(network, recipe.stages[1].fit)
    last = network.mm_projector[2]
    before = last.weight.detach().clone()
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.1, weight_decay=0.0)
    told = torch.cat(task.read(torch.randint(0, 256, (3, 1, 224, 224, 3))), -1)
    told.square().sum().backward()
    optimizer.step()
    assert (last.weight[:READ] - before[:READ]).abs().min(1).values.max() > 0
    assert not last.weight[READ:].any()
    assert last.bias[READ:].tolist() == [1.0] + [0.0] * (len(last.bias) - READ - 1)


def test_the_heads_over_two_towers_are_the_same(tmp_path: Path) -> None:
    recipe = toy(read_recipe("mini"))
    turns = [FixedHeads(new_network(recipe, tmp_path)[0]).turn for _ in range(2)]
    assert torch.equal(*turns)
    assert torch.allclose(turns[0] @ turns[0].T, 9 * torch.eye(2 * READ), atol=1e-4)


def test_tokens_between_those_of_two_towers_lie_as_far_as_asked() -> None:
    facts = StreamFacts("h264", 1.0, 640, 360, 25.0)
    looks = [
        [Look(np.full((2, 2, 4), value, np.float32), np.full((3, 4), motion), facts)]
        for value, motion in ((0.0, 7.0), (10.0, 9.0))
    ]
    (look,) = between(*looks, 0.25)
    assert (look.keyframes == 2.5).all()
    assert (look.motion == 7.0).all()
