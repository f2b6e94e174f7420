"""Which tensors each recipe moves, which stay bit-equal, and what batch norms do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from train.instruct.parts import PARTS, drop_head, part_of, set_trainable
from train.instruct.run import train_stage
from vqa2cli.errors import UsageError
from vqa2cli.model.weights import load_network

EXPECTED = {
    "stage1-image": {"vision_tower", "mm_projector"},
    "stage1-video": {"slowfast", "slowfast_projector"},
    "stage2-ugc": set(PARTS),
    "stage2-streaming": set(PARTS),
    "stage3": set(PARTS),
    "mix": set(PARTS),
}

#: Parameters that a gradient never reaches: rows past the clips' length are no such case, since
#: a table is one tensor; the key bias shifts all scores of a query alike.
STILL = ("k_proj.bias",)


def state(folder: Path) -> dict[str, Tensor]:
    return drop_head(load_network(folder).network).state_dict()


def is_statistic(key: str) -> bool:
    return key.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_the_head_over_visual_tokens_is_dropped_for_it_was_taught_with_another_tower(recipe, job):
    assert load_network(Path(job().model)).network.distortion_head is not None
    made = train_stage(recipe("stage2-ugc"), job())
    assert load_network(made).network.distortion_head is None
    assert not [key for key in load_file(made / "model.safetensors") if "distortion" in key]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_moves_its_parts_and_leaves_the_others_bit_equal(
    name, recipe, job, start, clips_set, pictures_set
):
    data = {"stage1-image": (pictures_set,), "mix": (clips_set, pictures_set)}.get(
        name, (clips_set,)
    )
    used = recipe(name, learning_rate=1e-2, vision_learning_rate=1e-2)
    before, after = state(start), state(train_stage(used, job(data=data)))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    learned = {key for key in before if part_of(key) in EXPECTED[name] and not is_statistic(key)}
    assert moved <= learned
    assert {key for key in learned - moved if not key.endswith(STILL)} == set()


#: How the names of each part's parameters begin, told apart from the table that is tested.
BEGINNINGS = {
    "vision_tower": ("vision_tower.",),
    "mm_projector": ("mm_projector.",),
    "slowfast": ("slowfast.feature_extraction.", "slowfast.position_embedding."),
    "slowfast_projector": ("slowfast_projector.",),
    "language": ("llm.model.", "llm.lm_head.", "image_newline"),
}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_alone_is_all_that_may_learn(part, start):
    network = drop_head(load_network(start).network)
    set_trainable(network, [part])
    learning = {name for name, value in network.named_parameters() if value.requires_grad}
    expected = {name for name, _ in network.named_parameters() if name.startswith(BEGINNINGS[part])}
    assert learning == expected
    assert all(any(name.startswith(each) for name in expected) for each in BEGINNINGS[part])


def test_frozen_norms_keep_their_statistics_and_learn_their_scale(recipe, job, start):
    used = recipe("stage1-video", norms="frozen", learning_rate=1e-2)
    before, after = state(start), state(train_stage(used, job()))
    for key in before:
        if is_statistic(key):
            assert torch.equal(before[key], after[key])
    scale = "slowfast.feature_extraction.0.multipathway_blocks.1.norm.weight"
    assert not torch.equal(before[scale], after[scale])


def test_batch_norms_on_batch_statistics_move_their_running_ones(recipe, job, start):
    before, after = state(start), state(train_stage(recipe("stage1-video", norms="batch"), job()))
    moving = {key for key in before if is_statistic(key) and key.startswith("slowfast.")}
    counters = {key for key in moving if key.endswith("num_batches_tracked")}
    assert counters
    for key in counters:
        assert after[key] - before[key] == 8  # 4 steps of 2 clips, one clip at a time
    assert all(not torch.equal(before[key], after[key]) for key in moving)
    still = {key for key in before if is_statistic(key)} - moving  # the tower's stem
    assert still
    assert all(torch.equal(before[key], after[key]) for key in still)


def test_a_recipe_that_does_not_train_motion_keeps_its_statistics_under_any_policy(
    recipe, job, start, pictures_set
):
    used = recipe("stage1-image", norms="batch")
    before, after = state(start), state(train_stage(used, job(data=(pictures_set,))))
    assert all(torch.equal(before[key], after[key]) for key in before if is_statistic(key))


def test_without_motion_the_motion_branch_and_its_projector_stay(recipe, job, start):
    used = recipe("stage2-ugc", learning_rate=1e-2).without_motion()
    before, after = state(start), state(train_stage(used, job()))
    for key in before:
        if key.startswith("slowfast"):
            assert torch.equal(before[key], after[key])
    assert not torch.equal(before["llm.lm_head.weight"], after["llm.lm_head.weight"])


def test_a_recipe_of_motion_alone_cannot_do_without_it(recipe):
    with pytest.raises(UsageError, match="cannot do without motion"):
        recipe("stage1-video").without_motion()


def test_recomputing_layers_changes_no_weight(recipe, job, tmp_path):
    plain = state(train_stage(recipe(), job(out=tmp_path / "a")))
    again = state(train_stage(recipe(checkpointing=True), job(out=tmp_path / "b")))
    assert all(torch.equal(plain[key], again[key]) for key in plain)


def test_accumulating_batches_is_the_step_of_one_large_batch(recipe, job, tmp_path):
    rates = {"learning_rate": 2e-4, "vision_learning_rate": 5e-5}
    large = state(train_stage(recipe(batch=4, accumulation=1, **rates), job(out=tmp_path / "a")))
    small = state(train_stage(recipe(batch=1, accumulation=4, **rates), job(out=tmp_path / "b")))
    for key, value in large.items():
        torch.testing.assert_close(small[key], value, rtol=0, atol=2e-4, msg=key)


def test_the_towers_learning_rate_is_its_own(recipe, job, start):
    used = replace(recipe("stage2-ugc", learning_rate=1e-2, vision_learning_rate=0.0))
    before, after = state(start), state(train_stage(used, job()))
    for key in before:
        if key.startswith("vision_tower."):
            assert torch.equal(before[key], after[key])
    assert not torch.equal(before["mm_projector.0.weight"], after["mm_projector.0.weight"])
