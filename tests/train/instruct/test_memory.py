"""Dry runs: counts and memory on shapes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from train.instruct.memory import config_of, plan_run, plan_text
from train.instruct.recipe import Lora, read_instruct
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.weights import load_network

#: A published 7B file holds 8,078,335,846 elements (REFERENCE §3), of which the slow pathway, its
#: fusion, buffers and the last norm are no parameters of ours.
PUBLISHED = 8_078_335_846


@pytest.fixture(scope="module")
def plan():
    return plan_run(read_instruct("stage2-ugc", "7b"), NetworkConfig(), gpus=8)


def test_a_7b_network_has_the_parameters_the_paper_models_have(plan):
    found = {each.part: each.parameters for each in plan.parts}
    assert found["language"] == 7_615_616_512 + 3584  # Qwen2-7B and the newline
    assert found["slowfast"] == 514_152 + 512_000  # fast pathway and positions
    assert found["mm_projector"] == (1152 + 1) * 3584 + (3584 + 1) * 3584
    assert found["slowfast_projector"] == (256 + 1) * 3584 + (3584 + 1) * 3584
    assert PUBLISHED * 0.995 < sum(found.values()) < PUBLISHED
    assert all(each.trained == each.parameters for each in plan.parts)


def test_stage_one_freezes_all_but_its_two_parts():
    plan = plan_run(read_instruct("stage1-image", "7b"), NetworkConfig(), gpus=1)
    assert {each.part for each in plan.parts if each.trained} == {"vision_tower", "mm_projector"}
    lines = plan_text(plan).splitlines()
    assert [line.split()[0] for line in lines if line.endswith("frozen")] == [
        "slowfast",
        "slowfast_projector",
        "language",
    ]


def test_sharding_divides_what_it_says(plan):
    total = sum(each.parameters for each in plan.parts)
    by_name = {each.sharding: each for each in plan.memory}
    assert by_name["none"].total == 16 * total  # float32 weights, gradients and two moments
    assert by_name["fsdp"].weights == 4 * total / 8
    assert by_name["zero2"].weights == 2 * total
    assert by_name["zero2"].optimizer == 12 * total / 8
    assert by_name["zero3"].total < by_name["zero2"].total < by_name["none"].total


def test_adapters_leave_little_to_train():
    recipe = replace(read_instruct("stage2-ugc", "7b"), lora=Lora(rank=16, alpha=32))
    plan = plan_run(recipe, NetworkConfig(), gpus=1)
    (language,) = (each for each in plan.parts if each.part == "language")
    assert 0 < language.trained < 0.01 * language.parameters


def test_sizes_of_a_directory_are_read_without_its_weights(start):
    assert config_of(start) == load_network(start).network.config


def test_the_tables_say_parameters_and_gib(plan):
    text = plan_text(plan)
    assert "language               7,615,620,096   7,615,620,096" in text
    assert [line.split()[0] for line in text.splitlines()[-5:-1]] == [
        "none",
        "fsdp",
        "zero2",
        "zero3",
    ]
