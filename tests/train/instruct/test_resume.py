"""A run that stops at any point goes on as if it had not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from train.checkpoints import last_checkpoint
from train.instruct.run import RECORD_FILE, train_stage
from train.instruct.trainer import InstructTrainer
from train.instruct.watch import read_log
from vqa2cli.errors import UsageError


class Stopped(Exception):
    pass


class StopAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise Stopped


@pytest.fixture
def stop_at(monkeypatch):
    """Let every trainer made from now on stop at the end of a step, before it is saved."""
    original = InstructTrainer.__init__

    def at(step: int) -> None:
        def init(self, *args, **kwargs):
            original(self, *args, **kwargs)
            self.add_callback(StopAt(step))

        monkeypatch.setattr(InstructTrainer, "__init__", init)

    return at


def same_weights(one: Path, other: Path) -> bool:
    first, second = (load_file(folder / "model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    return all(torch.equal(first[key], second[key]) for key in first)


def without_times(records: list[dict]) -> list[dict]:
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


@pytest.mark.parametrize(("stop", "accumulation"), [(3, 1), (5, 1), (5, 2)])
def test_a_stopped_and_resumed_run_ends_with_the_same_bits(
    stop, accumulation, recipe, job, stop_at, tmp_path
):
    """4 clips in batches of 1: an epoch is 4 or 2 steps, so stops fall within and on its edge."""
    used = recipe(steps=7, batch=1, accumulation=accumulation, save_every=2, norms="batch")
    whole = train_stage(used, job(out=tmp_path / "whole"))
    stop_at(stop)
    with pytest.raises(Stopped):
        train_stage(used, job())
    stop_at(-1)
    resumed = train_stage(used, job(resume=True))
    assert same_weights(whole, resumed)
    assert without_times(read_log(resumed.parent)) == without_times(read_log(whole.parent))


def test_a_checkpoint_that_was_not_finished_is_passed_over(recipe, job, stop_at, tmp_path):
    used = recipe(steps=6, save_every=2, keep=2)
    whole = train_stage(used, job(out=tmp_path / "whole"))
    stop_at(5)
    with pytest.raises(Stopped):
        train_stage(used, job())
    out = job().out
    assert last_checkpoint(out).name == "checkpoint-4"
    state = out / "checkpoint-4" / "trainer_state.json"
    state.write_text(state.read_text()[:20])  # killed while the last file was written
    assert last_checkpoint(out).name == "checkpoint-2"
    stop_at(-1)
    assert same_weights(whole, train_stage(used, job(resume=True)))


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_that_had_ended_within_an_epoch_is_not_trained_on(finished, recipe, job, tmp_path):
    used = recipe(steps=3, batch=1, save_every=3, norms="batch")  # an epoch is 4 steps
    first = train_stage(used, job())
    whole = shutil.copytree(first, tmp_path / "whole")
    if not finished:  # killed between its last step and its model
        shutil.rmtree(first)
    again = train_stage(used, job(resume=True))
    assert same_weights(whole, again)
    record = json.loads((again / RECORD_FILE).read_text())
    assert record["lineage"][-1]["steps"] == 3


def test_a_folder_that_holds_a_run_is_not_begun_again_by_mistake(recipe, job):
    train_stage(recipe(save_every=2), job())
    with pytest.raises(UsageError, match=r"holds a run already \(checkpoint-4\).*--resume"):
        train_stage(recipe(save_every=2), job())


def test_a_run_is_not_resumed_with_other_settings_or_data(recipe, job, pictures_set):
    train_stage(recipe(save_every=2), job())
    with pytest.raises(UsageError, match="holds a run with another recipe; give the same"):
        train_stage(recipe(save_every=2, learning_rate=1.0), job(resume=True))
    with pytest.raises(UsageError, match="another recipe and data"):
        train_stage(recipe("mix"), job(resume=True, data=(pictures_set,)))


def test_a_checkpoint_scores_as_it_is(recipe, job, media):
    from vqa2cli import load_model, score

    train_stage(recipe(save_every=2), job())
    row = score(media / "0.mp4", load_model(last_checkpoint(job().out)))
    assert row.score is not None


def test_no_space_for_a_checkpoint_is_told_in_one_line_and_the_run_can_go_on(
    recipe, job, monkeypatch, tmp_path
):
    used = recipe(save_every=2)
    whole = train_stage(used, job(out=tmp_path / "whole"))
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(UsageError, match=r"no space for a checkpoint in .*go on with --resume"):
            train_stage(used, job())
    assert same_weights(whole, train_stage(used, job(resume=True)))


def test_a_disk_that_fills_while_a_checkpoint_is_written_leaves_no_half_of_it(
    recipe, job, monkeypatch
):
    from safetensors import SafetensorError

    def full(*_, **__):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("train.instruct.publish.save_file", full)
    with pytest.raises(UsageError, match=r"no space left to write .*checkpoint-2"):
        train_stage(recipe(save_every=2), job())
    assert list(job().out.glob("checkpoint-*")) == []


@pytest.mark.slow
def test_a_killed_process_resumes_to_the_same_bits(clips_set, media, start, tmp_path):
    """A real SIGKILL, at whatever step it comes after the first checkpoint."""

    def command(out: Path, *more: str) -> list[str]:
        fixed = ["--steps", "24", "--batch", "1", "--save-every", "3", "--device", "cpu"]
        paths = ["--data", clips_set, "--media", media, "--model", start, "--out", out]
        code = "import sys; from vqa2cli.cli import main; sys.exit(main())"
        return [sys.executable, "-c", code, "train", "stage2-ugc", *map(str, paths), *fixed, *more]

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command(tmp_path / "whole"), check=True, **quiet)
    killed = tmp_path / "killed"
    process = subprocess.Popen(command(killed), **quiet)
    while last_checkpoint(killed) is None:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "model").exists()
    subprocess.run(command(killed, "--resume"), check=True, **quiet)
    assert same_weights(tmp_path / "whole/model", killed / "model")
    assert json.loads((killed / "model/training.json").read_text())["lineage"][0]["steps"] == 24
