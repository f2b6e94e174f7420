"""A LLaVA and a SlowFast become the model that stage 1 starts from."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests.cli.conftest import vqa2  # noqa: F401 - a fixture
from tests.model.checkpoints import published_config, published_json, tokenizer
from tests.model.networks import build
from train.instruct.authors_code import unused_tensors
from train.instruct.base import make_base
from train.instruct.run import train_stage
from vqa2cli.errors import ModelError, UsageError
from vqa2cli.model.dimensions import MotionDims, NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.weights import load_network, published_key

SHAPE: NetworkConfig = replace(published_config(), motion=MotionDims(), motion_size=384)
EXTRACTION = "slowfast.feature_extraction."


@pytest.fixture(scope="module")
def network() -> Vqa2Network:
    return build(SHAPE)


@pytest.fixture(scope="module")
def llava(network: Vqa2Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as LLaVA-OneVision is published: no motion, weights in two shards."""
    folder = tmp_path_factory.mktemp("llava")
    tensors = {
        published_key(key): value.half()
        for key, value in network.state_dict().items()
        if not key.startswith("slowfast")
    }
    keys = sorted(tensors)
    for number, half in enumerate((keys[::2], keys[1::2]), start=1):
        save_file({key: tensors[key] for key in half}, folder / f"model-{number}.safetensors")
    places = {key: f"model-{1 + index % 2}.safetensors" for index, key in enumerate(keys)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    (folder / "config.json").write_text(json.dumps(published_json(SHAPE)))
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def table(network: Vqa2Network) -> dict[str, Tensor]:
    """The tensors of a SlowFast under pytorchvideo's names, both pathways and a head."""
    fast = {
        key.removeprefix(EXTRACTION): value
        for key, value in network.state_dict().items()
        if key.startswith(EXTRACTION)
    }
    slow = {
        key.removeprefix(f"model.{EXTRACTION}"): value + 0.5
        for key, value in unused_tensors(SHAPE).items()
        if EXTRACTION in key and value.is_floating_point()
    }
    named = {f"blocks.{key}": value for key, value in {**fast, **slow}.items()}
    return {**named, "blocks.6.proj.weight": torch.zeros(400, 2304)}


@pytest.fixture
def slowfast(table: dict[str, Tensor], tmp_path: Path) -> Path:
    path = tmp_path / "SLOWFAST_8x8_R50.pyth"
    torch.save({"model_state": table}, path)
    return path


def test_every_tensor_comes_from_where_it_should(llava, slowfast, table, network, tmp_path):
    out = make_base(llava, slowfast, tmp_path / "base")
    made = load_network(out).network.state_dict()
    for key, value in network.state_dict().items():
        if not key.startswith("slowfast"):
            assert torch.equal(made[key], value.half().float())
    for key, value in table.items():
        ours = EXTRACTION + key.removeprefix("blocks.")
        if ".multipathway_blocks.1." in key:
            assert torch.equal(made[ours], value.to(made[ours].dtype))
    held = load_file(out / "motion.safetensors")
    slow = "0.multipathway_blocks.0.conv.weight"
    assert torch.equal(held[f"model.{EXTRACTION}{slow}"], table[f"blocks.{slow}"])
    assert not any("blocks.6" in key or ".6." in key for key in held)
    assert made["slowfast.position_embedding.weight"].std() == pytest.approx(0.02, rel=0.05)
    assert made["slowfast_projector.2.weight"].std() == pytest.approx(0.02, rel=0.05)
    assert not made["slowfast_projector.0.bias"].any()


def test_the_seed_decides_what_begins_anew(llava, slowfast, tmp_path):
    first, same, other = (
        load_file(make_base(llava, slowfast, tmp_path / name, seed) / "motion.safetensors")
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    key = "model.slowfast.position_embedding.weight"
    assert torch.equal(first[key], same[key])
    assert not torch.equal(first[key], other[key])


def test_stage_one_starts_from_it(recipe, job, llava, slowfast, pictures_set, tmp_path):
    made = make_base(llava, slowfast, tmp_path / "base")
    used = recipe("stage1-image", steps=1, batch=1)
    model = train_stage(used, job(model=str(made), data=(pictures_set,)))
    trained = load_file(model / "model.safetensors")
    assert trained.keys() >= load_file(made / "motion.safetensors").keys()


def test_the_files_of_the_llava_are_left_as_they_are(llava, slowfast, tmp_path):
    before = {path.name: path.read_bytes() for path in llava.iterdir()}
    make_base(llava, slowfast, tmp_path / "base")
    assert {path.name: path.read_bytes() for path in llava.iterdir()} == before


def test_a_pickled_module_is_not_run(llava, tmp_path):
    path = tmp_path / "slowfast.pth"
    torch.save(nn.Sequential(nn.Linear(1, 1)), path)
    with pytest.raises(ModelError, match="holds a program, not a table of tensors, and is not run"):
        make_base(llava, path, tmp_path / "base")
    path.write_bytes(pickle.dumps({"a": 1})[:5])
    with pytest.raises(ModelError, match=r"slowfast\.pth"):
        make_base(llava, path, tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_another_network_is_refused(llava, table, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({key: value for key, value in table.items() if "res_blocks.2" not in key}, path)
    with pytest.raises(ModelError, match=r"tensors of SlowFast-R50's fast pathway are missing"):
        make_base(llava, path, tmp_path / "base")
    stem = "blocks.0.multipathway_blocks.1.conv.weight"
    torch.save({**table, stem: torch.zeros(8, 3, 1, 7, 7)}, path)
    with pytest.raises(
        ModelError, match=r"conv\.weight is \(8, 3, 1, 7, 7\), not \(8, 3, 5, 7, 7\)"
    ):
        make_base(llava, path, tmp_path / "base")


def test_a_model_with_motion_and_a_folder_in_use_are_refused(llava, slowfast, tmp_path):
    base = make_base(llava, slowfast, tmp_path / "base")
    with pytest.raises(ModelError, match="has a motion branch already; train from it as it is"):
        make_base(base, slowfast, tmp_path / "again")
    with pytest.raises(UsageError, match="is not empty; choose another --out"):
        make_base(llava, slowfast, base)


def test_the_command_prints_where_the_model_lies(vqa2, llava, slowfast, tmp_path):  # noqa: F811
    out = tmp_path / "base"
    done = vqa2("train", "base", "--llava", llava, "--slowfast", slowfast, "--out", out)
    assert done.code == 0, done.err
    assert done.out == f"{out}\n"
    assert load_network(out).network.config.motion == MotionDims()
