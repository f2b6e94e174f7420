"""Adapters: what learns, what a checkpoint keeps, and what is merged at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from train.checkpoints import last_checkpoint
from train.instruct.parts import drop_head
from train.instruct.publish import read_state
from train.instruct.recipe import Lora
from train.instruct.run import prepare_task, train_stage
from vqa2cli.errors import MissingError
from vqa2cli.model.weights import load_network


def with_lora(recipe):
    return replace(recipe, lora=Lora(rank=2, alpha=4))


def test_adapters_are_merged_into_the_finished_model_and_kept_apart_in_checkpoints(
    recipe, job, start
):
    pytest.importorskip("peft")
    used = with_lora(recipe(steps=2, save_every=2, learning_rate=1e-2))
    out = train_stage(used, job())
    before = load_network(start).network.state_dict()
    after = load_network(out).network.state_dict()
    kept = read_state(last_checkpoint(out.parent))
    adapted = "llm.model.layers.0.self_attn.q_proj"
    assert torch.equal(kept[f"{adapted}.weight"], before[f"{adapted}.weight"])
    up, down = (kept[f"{adapted}.lora_{side}.default.weight"] for side in "BA")
    expected = before[f"{adapted}.weight"] + up @ down * (4 / 2)
    torch.testing.assert_close(after[f"{adapted}.weight"], expected)
    assert not torch.equal(after[f"{adapted}.weight"], before[f"{adapted}.weight"])
    assert torch.equal(after["llm.lm_head.weight"], before["llm.lm_head.weight"])
    assert not torch.equal(after["mm_projector.0.weight"], before["mm_projector.0.weight"])


def test_a_run_with_adapters_resumes_to_the_same_bits(recipe, job, tmp_path):
    pytest.importorskip("peft")
    whole = train_stage(with_lora(recipe(steps=4)), job(out=tmp_path / "whole"))
    train_stage(with_lora(recipe(steps=4, save_every=2, keep=2)), job())
    (job().out / "checkpoint-4" / "trainer_state.json").unlink()
    resumed = train_stage(with_lora(recipe(steps=4)), job(resume=True))
    first, second = (load_network(folder).network.state_dict() for folder in (whole, resumed))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_adapters_without_peft_name_the_extra(recipe, start, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingError, match=r"vqa2\[lora\]"):
        prepare_task(drop_head(load_network(start).network), with_lora(recipe()))
