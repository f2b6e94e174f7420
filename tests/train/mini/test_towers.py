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
from train.features import Look, load_look
from train.fit import READ, FixedHeads, TowerTask
from train.lessons import content_folds
from train.mini import (
    Workplace,
    between,
    fit_folds,
    new_network,
    patches_of,
    prepare,
    train_split,
    training_looks,
    unseen_tokens,
)
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
    facts = StreamFacts("h264", 1.0, 640, 360, 25.0)
    patches = [
        Look(np.full((1, 14, 14, 112), index, np.float16), np.zeros((0, 1)), facts)
        for index in range(len(items))
    ]
    for stage in stages:
        fit_folds(learners, prompter, stage, items, patches, tmp_path / "tower", 0)
    assert len(taught) == folds * len(stages) == 2

    monkeypatch.setattr(
        "train.mini.tokens_of",
        lambda learner, looks: [
            (learners.index(learner), look.keyframes[0, 0, 0, 0]) for look in looks
        ],
    )
    found = unseen_tokens(learners, items, patches, 0)
    assert [look for _, look in found] == list(range(len(items)))
    for item, (fold, _) in zip(items, found, strict=True):
        assert all(item.content not in contents for contents in taught[fold::folds])


def test_the_trunk_finds_each_channel_spread_alike_and_is_not_taught(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    recipe = toy(read_recipe("mini"))
    network, _ = new_network(recipe, tmp_path)
    mine = train_split(items)
    patches = patches_of(network, training_looks(recipe, place).fill(mine))
    seen = np.concatenate([look.keyframes for look in patches]).astype(np.float32)
    assert seen.shape[1:] == (14, 14, 112)
    assert np.abs(seen.mean((0, 1, 2))).max() < 0.05
    assert np.abs(seen.std((0, 1, 2)) - 1).max() < 0.05

    task = prepare(network, None, next(s for s in recipe.stages if s.part == "tower"))
    pictures = torch.from_numpy(patches[0].keyframes[None, :1])
    torch.cat(task.read(pictures), -1).square().sum().backward()
    stem = network.vision_tower.embeddings.patch_embedding
    assert all(parameter.grad is None for parameter in stem.trunk.parameters())
    assert stem.narrow.weight.grad.abs().sum() > 0


def test_patches_found_before_make_the_tokens_that_pixels_make(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    recipe = toy(read_recipe("mini"))
    network, _ = new_network(recipe, tmp_path)
    (look,) = training_looks(recipe, place).fill(train_split(items)[:1])
    (patches,) = patches_of(network, [look])
    pixels = torch.from_numpy(load_look(look).keyframes)
    with torch.inference_mode():
        whole = network.visual_tokens(pixels)
        late = network.visual_tokens(torch.from_numpy(patches.keyframes).float())
    assert torch.allclose(whole, late, atol=0.05, rtol=0.05)


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
    far, near = ([np.full((2, 2, 4), value, np.float32)] for value in (0.0, 10.0))
    (found,) = between(far, near, 0.25)
    assert (found == 2.5).all()
