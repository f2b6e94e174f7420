"""Two processes take the step that one takes on both their conversations."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from train.instruct.known import recipe_path
from train.instruct.run import train_stage
from train.instruct.watch import read_log
from vqa2cli.model.weights import load_network

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

#: Steps small enough that rounding stays small beside them.
_RATES = {"learning_rate": 2e-4, "vision_learning_rate": 5e-5}

_OWN = "[fit]\nkeep = 2\nsave_every = 2\n" + "\n".join(f"{k} = {v}" for k, v in _RATES.items())

_CODE = "import sys; from vqa2cli.cli import main; sys.exit(main())"


def in_two_processes(out: Path, *args: object) -> Path:
    """Train with torchrun on the CPU (gloo) and return the model."""
    script, own = out.parent / "vqa2_train.py", out.parent / "mix.toml"
    script.write_text(_CODE)
    own.write_text(recipe_path("mix").read_text() + _OWN)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", "29613", str(script), "train", str(own), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    running = subprocess.Popen(
        [*command, *map(str, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        told = running.communicate()[1]
    finally:
        if running.poll() is None:  # out of time: torchrun ends its workers, a kill would not
            running.terminate()
            running.wait()
    assert running.returncode == 0, told[-3000:]
    return out / "model"


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_processes_equal_one_within_rounding(
    sharding, recipe, job, clips_set, pictures_set, media, start, tmp_path
):
    """Clips and pictures are mixed, so some steps have motion in one process alone."""
    used = recipe("mix", steps=4, batch=2, **_RATES)
    one = train_stage(used, job(data=(clips_set, pictures_set)))
    told = [
        *("--data", clips_set, "--data", pictures_set, "--media", media, "--model", start),
        *("--steps", 4, "--batch", 1, "--device", "cpu", "--sharding", sharding),
    ]
    two = in_two_processes(tmp_path / "two", *told)
    before, first = (load_network(folder).network.state_dict() for folder in (start, one))
    moved = max((first[key] - before[key]).abs().max() for key in first if first[key].ndim)
    assert moved > 3e-4  # so the tolerance below says something
    assert_close(load_network(two).network.state_dict(), first)

    shutil.rmtree(two.parent / "checkpoint-4")
    shutil.rmtree(two)
    resumed = in_two_processes(tmp_path / "two", *told, "--resume")
    assert_close(load_network(resumed).network.state_dict(), first)
    assert [record["step"] for record in read_log(two.parent)] == [1, 2, 3, 4]


def assert_close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=2e-4, msg=key)


@pytest.mark.parametrize("norms", ["frozen", "batch"])
def test_sharded_layers_train_in_half_precision(
    norms, clips_set, pictures_set, media, start, tmp_path
):
    model = in_two_processes(
        tmp_path / "half",
        *("--data", clips_set, "--data", pictures_set, "--media", media, "--model", start),
        *("--steps", 2, "--batch", 1, "--device", "cpu", "--sharding", "fsdp"),
        *("--precision", "bf16", "--norms", norms),
    )
    state = load_network(model).network.state_dict()
    assert all(torch.isfinite(value).all() for value in state.values())
