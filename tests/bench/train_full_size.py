"""Seconds and peak memory of real steps of a stage at full size, with random weights.

    python -m tests.bench.train_full_size [--recipe stage2-ugc] [--shape 7b] [--steps 3]

One conversation about a clip of 10 s at 30 frames a second; forward, backward and AdamW, with
the recipe's arithmetic and recomputation. Weights, gradients and moments are float32, so 7B
takes 129 GB before activations; `--weights bf16` halves all of it to see a smaller device.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Sequence

import torch

from train.instruct.recipe import read_instruct, size_of
from train.instruct.run import prepare_task
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.tokens import IMAGE_SLOT

#: Tokens of text before, between and after the two blocks, and of the answer.
TEXT, ANSWER = 20, 12


def conversation(config: NetworkConfig, seconds: int, device: str) -> dict[str, list[torch.Tensor]]:
    """Return one random batch as `collate` makes them."""
    keyframes, motion = seconds, 30 * seconds // 4 * 4
    side = config.vision.image_size
    words = torch.randint(0, config.language.vocab_size, (3 * TEXT + ANSWER,)).tolist()
    ids = [*words[:TEXT], IMAGE_SLOT, *words[TEXT : 2 * TEXT], IMAGE_SLOT, *words[2 * TEXT :]]
    length = len(words) + keyframes * config.tokens_per_keyframe + 1 + motion
    small = config.motion_size
    batch = {
        "keyframes": torch.randint(0, 256, (keyframes, side, side, 3), dtype=torch.uint8),
        "motion": torch.randint(0, 256, (motion, small, small, 3), dtype=torch.uint8),
        "ids": torch.tensor(ids),
        "columns": torch.arange(length - ANSWER - 1, length - 1),
        "tokens": torch.tensor(words[-ANSWER:]),
    }
    return {name: [value.to(device)] for name, value in batch.items()}


def main(args: Sequence[str] | None = None) -> None:
    """Print seconds a step, loss and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="stage2-ugc")
    parser.add_argument("--shape", default="7b", help="7b, or a model's name or directory")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--weights", choices=["fp32", "bf16"], default="fp32")
    asked = parser.parse_args(args)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = NetworkConfig() if asked.shape == "7b" else shape_named(asked.shape)
    recipe = read_instruct(asked.recipe, size_of(config))
    with torch.device(device):
        network = Vqa2Network(config)
    if asked.weights == "bf16":
        network.to(torch.bfloat16)
    task = prepare_task(network, recipe).train()
    trained = [each for each in task.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6, fused=device == "cuda")
    batch = conversation(config, asked.seconds, device)
    half = recipe.fit.precision == "bf16" and asked.weights == "fp32"
    arithmetic = torch.autocast(device, torch.bfloat16) if half else contextlib.nullcontext()
    for step in range(asked.steps):
        started = time.perf_counter()
        optimizer.zero_grad()
        with arithmetic:
            loss = task(**batch)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, recipe.fit.clip)
        optimizer.step()
        told = loss.detach().item()  # waits for the device
        print(f"step {step}: {time.perf_counter() - started:.2f} s, loss {told:.3f}", flush=True)
    if device == "cuda":
        print(f"peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


def shape_named(name: str) -> NetworkConfig:
    """Return the sizes of a model."""
    from train.instruct.memory import config_of
    from vqa2cli.model.catalogue import find_model

    return config_of(find_model(name).path)


if __name__ == "__main__":
    main()
