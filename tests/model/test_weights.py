"""Checkpoints on disk: every published form loads, every damage is one line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.model.checkpoints import (
    published_state,
    write_embedded,
    write_published,
    write_shards,
)
from tests.model.networks import pixels
from vqa2cli.errors import ModelError
from vqa2cli.model.weights import export_motion, load_network, our_key, published_key, save_network


@pytest.fixture
def published(tmp_path: Path) -> Path:
    write_published(tmp_path / "VQA-tiny")
    return tmp_path / "VQA-tiny"


def rewrite(directory: Path, change) -> None:
    state = load_file(directory / "model.safetensors")
    change(state)
    save_file(state, directory / "model.safetensors")


def test_a_published_directory_loads_what_was_saved(published):
    loaded = load_network(published).network
    want = write_published(published).state_dict()
    got = loaded.state_dict()
    assert got.keys() == want.keys()
    assert all(torch.equal(got[key], want[key]) for key in want)
    assert not loaded.training


def test_sizes_come_from_the_tensors(published):
    config = load_network(published).network.config
    assert config.vision.num_hidden_layers == 2
    assert (config.vision.image_size, config.vision.patch_size) == (42, 14)
    assert config.motion.outer == (8, 16, 32, 64)
    assert config.motion.positions == 64
    assert config.language.num_hidden_layers == 2
    assert config.language.vocab_size != 152064


def test_a_loaded_network_computes_what_the_saved_one_does(published):
    original = write_published(published)
    loaded = load_network(published).network
    ids = list(range(5, 60))
    with torch.inference_mode():
        want = original(original.assemble(ids, []).unsqueeze(0))
        got = loaded(loaded.assemble(ids, []).unsqueeze(0))
    torch.testing.assert_close(got, want, rtol=0, atol=1e-6)


def test_rotary_frequencies_stay_float32_in_half_precision(published):
    network = load_network(published, dtype=torch.float16).network
    assert network.dtype == torch.float16
    rotary = network.llm.model.rotary_emb.inv_freq
    assert (rotary.dtype, rotary.device.type) == (torch.float32, "cpu")
    exact = load_network(published).network.llm.model.rotary_emb.inv_freq
    assert torch.equal(rotary, exact)


def test_slow_fusion_and_unused_tensors_are_ignored(published):
    prefix = "model.slowfast.feature_extraction.0."

    def add(state):
        state[f"{prefix}multipathway_blocks.0.conv.weight"] = torch.zeros(64, 3, 1, 7, 7)
        state[f"{prefix}multipathway_fusion.conv_fast_to_slow.weight"] = torch.zeros(16, 8, 7, 1, 1)
        state["model.vision_tower.vision_tower.vision_model.post_layernorm.weight"] = torch.ones(32)

    before = load_network(published).network.state_dict()
    rewrite(published, add)
    after = load_network(published).network.state_dict()
    assert before.keys() == after.keys()


def test_counters_of_batches_may_be_missing(published):
    def drop(state):
        for key in [key for key in state if key.endswith("num_batches_tracked")]:
            del state[key]

    rewrite(published, drop)
    frames = pixels(3, 32, 32, 3)
    with torch.inference_mode():
        assert torch.isfinite(load_network(published).network.motion_features(frames)).all()


def test_any_number_of_vocabulary_rows_loads(published):
    def cut(state):
        for key in ("model.embed_tokens.weight", "lm_head.weight"):
            state[key] = state[key][:-3].contiguous()

    rows = load_network(published).network.config.language.vocab_size
    rewrite(published, cut)
    assert load_network(published).network.config.language.vocab_size == rows - 3


def test_pickled_shards_load_the_same(published):
    want = load_network(published)
    write_shards(published, published_state(want.network))
    got = load_network(published)
    assert len(got.checkpoint.files) == 2
    for key, value in want.network.state_dict().items():
        assert torch.equal(got.network.state_dict()[key], value)


def test_safetensors_shards_load_the_same(published):
    state = load_file(published / "model.safetensors")
    keys = sorted(state)
    weight_map = {}
    for name, chosen in (("one.safetensors", keys[::2]), ("two.safetensors", keys[1::2])):
        save_file({key: state[key] for key in chosen}, published / name)
        weight_map.update(dict.fromkeys(chosen, name))
    (published / "model.safetensors").unlink()
    index = published / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    assert len(load_network(published).checkpoint.sha256()) == 64
    (published / "two.safetensors").unlink()
    with pytest.raises(ModelError, match=r"1 of 2 weight files are missing \(two.safetensors\)"):
        load_network(published)


def test_the_embedded_form_survives_a_round_trip_in_half_the_bytes(tmp_path):
    network = write_embedded(tmp_path / "full")
    save_network(network, tmp_path / "full", tmp_path / "half", dtype=torch.float16)
    loaded = load_network(tmp_path / "half").network
    assert loaded.config == network.config
    assert loaded.dtype == torch.float32
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    assert (tmp_path / "half" / "tokenizer.json").is_file()


def test_tied_rows_are_stored_once_and_stay_tied(tmp_path):
    from dataclasses import replace

    from tests.model.checkpoints import tokenizer
    from tests.model.networks import EMBEDDED, build

    language = replace(EMBEDDED.language, tie_word_embeddings=True)
    network = build(replace(EMBEDDED, language=language))
    tokenizer().save(str(tmp_path / "tokenizer.json"))
    save_network(network, tmp_path, tmp_path)
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")
    loaded = load_network(tmp_path).network
    assert loaded.llm.lm_head.weight is loaded.llm.model.embed_tokens.weight


def test_saving_new_weights_removes_the_old_motion_graph(tmp_path):
    network = write_embedded(tmp_path)
    assert export_motion(tmp_path).is_file()
    save_network(network, tmp_path, tmp_path)
    assert not (tmp_path / "motion.onnx").exists()


def test_models_with_one_motion_branch_share_its_export(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    network = write_embedded(first)
    exported = export_motion(first).read_bytes()
    save_network(network, first, second)
    monkeypatch.setattr("engines.export.export_graph", lambda *_: pytest.fail("exported again"))
    assert export_motion(second).read_bytes() == exported


def test_keys_are_renamed_there_and_back():
    for key in ("lm_head.weight", "model.image_newline", "model.norm.weight", "model.slowfast.x"):
        assert published_key(our_key(key)) == key


def _remove_weights(directory: Path) -> None:
    (directory / "model.safetensors").unlink()


def _truncate(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scramble(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"\xff" * 5000)


def _empty(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"")


def _drop_a_tensor(directory: Path) -> None:
    rewrite(directory, lambda state: state.pop("model.mm_projector.2.bias"))


def _drop_the_tower(directory: Path) -> None:
    def drop(state):
        for key in [key for key in state if "vision_tower" in key]:
            del state[key]

    rewrite(directory, drop)


def _change_a_shape(directory: Path) -> None:
    def change(state):
        state["model.image_newline"] = torch.zeros(31)

    rewrite(directory, change)


def _break_the_config(directory: Path) -> None:
    (directory / "config.json").write_text("{")


def _remove_the_config(directory: Path) -> None:
    (directory / "config.json").unlink()


class Evil:
    """A pickle that would run code."""

    def __reduce__(self):
        return (print, ("run",))


def _pickle_code(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Evil()}, protocol=2))


def _cut_a_pickle(directory: Path) -> None:
    state = load_file(directory / "model.safetensors")
    write_shards(directory, state)
    path = directory / "pytorch_model-2.bin"
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove_weights, r"no weights \(found: config.json, tokenizer.json\)"),
        (_truncate, r"model\.safetensors: damaged weights"),
        (_scramble, r"model\.safetensors: damaged weights"),
        (_empty, r"model\.safetensors: damaged weights"),
        (
            _drop_a_tensor,
            r"1 of \d+ tensors are missing, the first is model\.mm_projector\.2\.bias",
        ),
        (_drop_the_tower, r"no tensor model\.vision_tower\.vision_tower\.vision_model\.embeddings"),
        (_change_a_shape, r"model\.image_newline is \(31,\), not \(32,\)"),
        (_break_the_config, r"config\.json: not readable as JSON"),
        (_remove_the_config, r"no config\.json"),
        (_pickle_code, r"pytorch_model\.bin: damaged weights"),
        (_cut_a_pickle, r"pytorch_model-2\.bin: damaged weights"),
    ],
)
def test_damage_is_one_line_that_names_the_file(published, capsys, damage, message):
    damage(published)
    with pytest.raises(ModelError, match=message) as caught:
        load_network(published)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_a_configuration_that_does_not_fit_is_named(tmp_path):
    write_embedded(tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text())
    raw["vqa2"]["pooling_"] = 1
    (tmp_path / "config.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=r"unusable config\.json"):
        load_network(tmp_path)
