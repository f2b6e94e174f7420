"""Clips and a tiny model that several tests share: real media, real weights, all made here."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE

from vqa2cli.levels import LEVELS
from vqa2cli.model.dimensions import LanguageDims, MotionDims, NetworkConfig, VisionDims
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.weights import save_network
from vqa2cli.video.media import FragmentGrid
from vqa2cli.video.synthesis import moving_scene, with_freeze, write_clip

FPS = 15
SIZE = (96, 64)


def moving_clip(path: Path, seconds: float = 1.0) -> Path:
    """Write a small clip that never stands still."""
    return write_clip(path, moving_scene(seconds, FPS, SIZE, speed=3), FPS)


def stalled_clip(path: Path, at_s: float = 1.0, length_s: float = 1.0) -> Path:
    """Write a two-second clip whose picture is held for `length_s` more seconds."""
    scene = list(moving_scene(2.0, FPS, SIZE, speed=3))
    return write_clip(path, with_freeze(scene, round(at_s * FPS), round(length_s * FPS)), FPS)


def tiny_model(folder: Path, seed: int = 0, usual: float | None = None) -> Path:
    """Write an untrained model directory of the embedded layout: its scores mean nothing.

    `usual` is the quality, 0-100, that it expects of every stream.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = _tokenizer(folder)
    config = NetworkConfig(
        vision=VisionDims(
            image_size=32, patch_size=16, hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=16, stem="inverted",
        ),
        motion=MotionDims(positions=64).scaled(0.125),
        language=LanguageDims(
            hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=1, vocab_size=size, max_position_embeddings=1024,
        ),
        motion_size=32, pooling="mean_std", fragments=FragmentGrid(grid=2, size=16),
        distortions=("none", "noise"), name="tiny", protocol="mini-1",
        expectation=() if usual is None else (4,),
    )  # fmt: skip
    torch.manual_seed(seed)
    network = Vqa2Network(config).eval()
    if usual is not None:
        assert network.stream_expectation is not None
        network.stream_expectation.layers[-1].bias.fill_(usual / 100)
    return save_network(network, folder, folder)


def _tokenizer(folder: Path) -> int:
    """Save a byte-level tokenizer that keeps the level words whole; return its size."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f" {word}" for word in LEVELS] * 9, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    return int(tokenizer.get_vocab_size())
