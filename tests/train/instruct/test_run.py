"""A stage end to end on a tiny model: what it writes, refuses and tells."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from train.instruct.run import train_stage
from train.instruct.watch import read_log
from vqa2cli import load_model, score
from vqa2cli.errors import UsageError


def test_a_stage_writes_a_model_that_scores_and_a_log_of_every_step(recipe, job, media):
    model = train_stage(recipe(), job())
    row = score(media / "0.mp4", load_model(model))
    assert row.score is not None
    assert row.model.name == "tiny+stage2-ugc"
    assert [record["step"] for record in read_log(model.parent)] == [1, 2, 3, 4]
    record = json.loads((model / "training.json").read_text())
    assert [stage["recipe"] for stage in record["lineage"]] == ["stage2-ugc"]


def test_processes_that_read_ahead_change_no_weight(recipe, job, tmp_path):
    alone = train_stage(recipe(), job(out=tmp_path / "alone"))
    ahead = train_stage(recipe(workers=1), job())
    first, second = (load_file(folder / "model.safetensors") for folder in (alone, ahead))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_missing_media_end_the_run_before_anything_is_written(recipe, job, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="4 of 4 media files are not in"):
        train_stage(recipe(), job(media=tmp_path / "empty"))
    assert not job().out.exists()


def test_media_that_cannot_be_decoded_are_named_or_left_out(recipe, job, media, tmp_path, caplog):
    folder = shutil.copytree(media, tmp_path / "media")
    (folder / "2.mp4").write_bytes(b"no video" * 99)
    with pytest.raises(UsageError, match=r"1 media files cannot be decoded: 2\.mp4 \("):
        train_stage(recipe(), job(media=folder))
    with caplog.at_level("WARNING"):
        model = train_stage(recipe(steps=1), job(media=folder, skip_missing=True))
    assert "1 samples are left out: their media cannot be decoded: 2.mp4" in caplog.text
    assert json.loads((model / "training.json").read_text())["lineage"][0]["samples"] == 3


def test_half_precision_arithmetic_keeps_float32_weights_and_nearly_the_loss(recipe, job, tmp_path):
    exact = train_stage(recipe(), job(out=tmp_path / "exact"))
    half = train_stage(recipe(precision="bf16", save_every=2), job())
    first, second = (read_log(model.parent)[0]["loss"] for model in (exact, half))
    assert second == pytest.approx(first, rel=0.02)
    kept = load_file(half.parent / "checkpoint-4" / "model.safetensors")
    assert {value.dtype for value in kept.values()} == {torch.float32, torch.int64}


def test_bfloat16_on_a_processor_that_lacks_it_is_warned_of(recipe, job, monkeypatch, caplog):
    monkeypatch.setattr("train.instruct.run.multiplies_bfloat16", lambda device: False)
    with caplog.at_level("WARNING"):
        train_stage(recipe(steps=1, precision="bf16"), job())
    assert "--precision fp32 is many times as fast" in caplog.text
