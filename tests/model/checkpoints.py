"""Miniature checkpoints in the published layout, with a tokenizer trained on the spot."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from tests.model.networks import EMBEDDED, PUBLISHED, build
from vqa2cli.levels import LEVELS
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.weights import published_key, save_network

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


@cache
def tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer that knows the prompts and the level words."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = [f"is {word}" for word in LEVELS] * 50
    made.train_from_iterator([*words, *(each.user for each in PROTOCOLS.values())], trainer)
    return made


def published_config() -> NetworkConfig:
    """Return tiny dimensions as a published checkpoint may have them: heads by their width."""
    rows = tokenizer().get_vocab_size() + 4  # more rows than words, as published
    vision = replace(PUBLISHED.vision, hidden_size=32, num_attention_heads=2)
    return replace(PUBLISHED, vision=vision, language=replace(PUBLISHED.language, vocab_size=rows))


def published_state(network: Vqa2Network) -> dict[str, Tensor]:
    """Return a network's tensors under the published keys."""
    return {published_key(key): value.clone() for key, value in network.state_dict().items()}


def published_json(config: NetworkConfig) -> dict[str, Any]:
    """Return what the authors' `config.json` says: no vision sizes, wrong vocabulary."""
    size = config.vision.image_size
    return {
        "model_type": "llava_qwen",
        "hidden_size": config.language.hidden_size,
        "num_attention_heads": config.language.num_attention_heads,
        "num_key_value_heads": config.language.num_key_value_heads,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
        "vocab_size": 152064,
        "image_crop_resolution": size,
        "mm_vision_tower": f"google/siglip-so400m-patch14-{size}",
        "tie_word_embeddings": False,
    }


def write_published(directory: Path, state: dict[str, Tensor] | None = None) -> Vqa2Network:
    """Write a published-style directory and return the network it holds."""
    config = published_config()
    network = build(config)
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(directory / "tokenizer.json"))
    (directory / "config.json").write_text(json.dumps(published_json(config)))
    save_file(state or published_state(network), directory / "model.safetensors")
    return network


def write_shards(directory: Path, state: dict[str, Tensor]) -> None:
    """Replace a directory's weights by two pickled shards and their index."""
    (directory / "model.safetensors").unlink()
    keys = sorted(state)
    halves = {"pytorch_model-1.bin": keys[::2], "pytorch_model-2.bin": keys[1::2]}
    for name, chosen in halves.items():
        torch.save({key: state[key] for key in chosen}, directory / name)
    weight_map = {key: name for name, chosen in halves.items() for key in chosen}
    index = {"metadata": {}, "weight_map": weight_map}
    (directory / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def write_embedded(directory: Path) -> Vqa2Network:
    """Write a directory in the embedded model's form and return the network it holds."""
    rows = tokenizer().get_vocab_size()
    network = build(replace(EMBEDDED, language=replace(EMBEDDED.language, vocab_size=rows)))
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(directory / "tokenizer.json"))
    save_network(network, directory, directory)
    return network
