"""What is written: the published layout, nothing of the source lost."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.model.checkpoints import (
    published_config,
    published_state,
    write_published,
)
from tests.model.networks import build
from train.instruct.authors_code import unused_tensors
from train.instruct.publish import Publisher, read_state
from train.instruct.run import train_stage
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.weights import load_network, save_network

SLOW = "model.slowfast.feature_extraction.0.multipathway_blocks.0.conv.weight"
POST = "model.vision_tower.vision_tower.vision_model.post_layernorm.weight"


def rewritten(source: Path, out: Path, dtype: torch.dtype | None = None) -> Path:
    loaded = load_network(source)
    publisher = Publisher.of(loaded.network, loaded.checkpoint)
    return publisher.write(out, loaded.network.state_dict(), dtype)


def any_layer(key: str) -> str:
    return re.sub(r"\blayers\.\d+", "layers.N", key)


def test_the_golden_checkpoint_comes_back_with_every_key_and_bit(shared_dir, tmp_path):
    source = shared_dir / "golden" / "checkpoint"
    if not source.is_dir():
        pytest.skip("the golden checkpoint is not beside this checkout")
    out = rewritten(source, tmp_path / "out", torch.float16)
    before, after = (load_file(folder / "model.safetensors") for folder in (source, out))
    assert set(before) <= set(after)
    assert all(torch.equal(before[key], after[key]) for key in before)
    added = set(after) - set(before)
    assert added <= set(unused_tensors(load_network(source).network.config))
    lines = (shared_dir / "golden" / "checkpoint_keys.txt").read_text().splitlines()
    wanted = [line.partition("\t")[0] for line in lines if not line.startswith("#")]
    assert {any_layer(key) for key in after} == {any_layer(key) for key in wanted}
    config, written = (json.loads((each / "config.json").read_text()) for each in (source, out))
    assert {key: written[key] for key in config} == config
    assert (out / "generation_config.json").is_file()
    first, second = load_network(source).network, load_network(out).network
    assert first.config.vision == second.config.vision
    assert first.config.language == second.config.language


def test_tensors_only_the_authors_code_loads_are_carried_over(tmp_path):
    source = tmp_path / "VQA-tiny"
    network = write_published(source)
    extra = {SLOW: torch.randn(64, 3, 1, 7, 7).half(), POST: torch.randn(32).half()}
    save_file({**published_state(network), **extra}, source / "model.safetensors")
    state = load_file(rewritten(source, tmp_path / "out") / "model.safetensors")
    assert all(torch.equal(state[key], value) for key, value in extra.items())
    assert state[SLOW].dtype == torch.float16


def test_what_the_authors_code_loads_is_made_where_the_source_has_none(tmp_path):
    """318 tensors of the slow pathway, 24 of the laterals, 2 of the tower's last norm."""
    shape = replace(published_config(), motion=MotionDims())
    write_published(tmp_path / "words")
    source = save_network(build(shape), tmp_path / "words", tmp_path / "whole")
    before = load_file(source / "model.safetensors")
    out = rewritten(source, tmp_path / "out", torch.float16)
    after = load_file(out / "model.safetensors")
    made = {key: value for key, value in after.items() if key not in before}
    slow = [key for key in made if ".multipathway_blocks.0." in key]
    assert (len(slow), len(made)) == (318, 318 + 24 + 2)
    learned = [key for key in slow if key.endswith((".weight", ".bias"))]
    assert sum(made[key].numel() for key in learned) == 32_827_456
    assert made[SLOW].shape == (64, 3, 1, 7, 7)
    assert made[SLOW].dtype == torch.float16
    assert all(torch.isfinite(value).all() for value in made.values())
    again = load_file(rewritten(out, tmp_path / "again") / "model.safetensors")
    assert all(torch.equal(again[key], value) for key, value in made.items())
    written = json.loads((out / "config.json").read_text())
    assert written["mm_vision_tower"] == "google/siglip-so400m-patch14-384"
    assert written["mm_hidden_size"] == shape.vision.hidden_size


def test_a_network_the_authors_code_cannot_hold_gets_nothing_of_it(start):
    assert unused_tensors(load_network(start).network.config) == {}


def test_a_published_model_trains_into_one_of_the_same_layout(recipe, job, clips_set, tmp_path):
    source = tmp_path / "VQA-tiny"
    network = write_published(source)
    save_file({**published_state(network), POST: torch.ones(32)}, source / "model.safetensors")
    used = recipe("stage1-video", steps=1, save_dtype="bf16")
    out = train_stage(used, job(model=str(source)))
    before, after = (load_file(folder / "model.safetensors") for folder in (source, out))
    assert before.keys() == after.keys()
    assert {value.dtype for key, value in after.items() if "weight" in key and key != POST} == {
        torch.bfloat16
    }
    config = json.loads((out / "config.json").read_text())
    assert config["mm_vision_tower"] == "google/siglip-so400m-patch14-42"
    assert config["vqa2"]["protocol"] == "ugc-2024"


def test_a_state_is_read_back_as_it_was_written(start, tmp_path):
    network = load_network(start).network
    state = read_state(rewritten(start, tmp_path / "out"))
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())
