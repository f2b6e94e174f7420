"""Samples a second of instruction training: decoding, the cache, and the step of every recipe.

    python -m tests.bench.train_instruct [--model mini] [--clips 8] [--steps 4] [--size 640x360]

The first figure is by the clock, the second by processor seconds, which other programs disturb
less. What is slowest bounds a run; decoding counts once a file while the cache holds it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from train.data.records import Sample, Turn
from train.instruct.dataset import Conversations, collate
from train.instruct.known import instruct_recipes
from train.instruct.looks import LookStore
from train.instruct.recipe import InstructRecipe, read_instruct, sampling_of, size_of
from train.instruct.run import prepare_task
from vqa2cli.model import load_model
from vqa2cli.video.synthesis import moving_scene, write_clip

QUESTION = "The key frames are:\n<image>. And the motion is\n<image>. How is its quality?"


def made_clips(folder: Path, count: int, size: tuple[int, int], seconds: float) -> list[Sample]:
    """Write clips of 30 frames a second and return one question about each."""
    samples = []
    for index in range(count):
        scene = moving_scene(seconds, 30, size, seed=index)
        write_clip(folder / f"{index}.mp4", scene, 30, options={"crf": "23"})
        turns = (Turn("human", QUESTION), Turn("gpt", "The quality of the video is good."))
        samples.append(Sample(str(index), f"{index}.mp4", "video", turns, fps=30.0))
    return samples


def rates(work: Callable[[], object], samples: int) -> str:
    """Return samples a second of `work`, by the clock and by processor seconds."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    seconds, spent = time.perf_counter() - clock, time.process_time() - processor
    return f"{samples / seconds:8.2f} samples/s {samples / spent:8.2f} a processor second"


def stepper(
    dataset: Conversations, recipe: InstructRecipe, model: str, size: int
) -> Callable[[], None]:
    """Return what takes one step, forward, backward and optimizer, on a batch in memory."""
    network = load_model(model, device="cpu", engine="pytorch").network
    task = prepare_task(network, recipe).train()
    optimizer = torch.optim.AdamW([each for each in task.parameters() if each.requires_grad], 1e-6)
    batch = collate([dataset[index] for index in range(size)])

    def step() -> None:
        optimizer.zero_grad()
        task(**batch)["loss"].backward()
        optimizer.step()

    return step


def read_all(dataset: Conversations) -> None:
    """Make every example once."""
    for index in range(len(dataset)):
        dataset[index]


def main(args: Sequence[str] | None = None) -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--size", default="640x360")
    asked = parser.parse_args(args)
    width, height = (int(side) for side in asked.size.split("x"))

    model = load_model(asked.model, device="cpu", engine="pytorch")
    config = model.network.config
    recipe = read_instruct("stage2-ugc", size_of(config))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = made_clips(folder, asked.clips, (width, height), asked.seconds)
        looks = LookStore(folder / "looks", folder, sampling_of(recipe.look, config), 10**10)
        dataset = Conversations(samples, looks, model.prompter, recipe, config.tokens_per_keyframe)
        told = f"{asked.clips} clips of {asked.seconds:g} s, {width}x{height}, 30 fps"
        print(f"{told}; model {model.info.name}, {torch.get_num_threads()} threads")
        print(f"decode and keep       {rates(lambda: read_all(dataset), len(samples))}")
        looks.fill(sample.media for sample in samples)
        print(f"read from cache       {rates(lambda: read_all(dataset), len(samples))}")
        for stage in instruct_recipes():
            found = read_instruct(stage, size_of(config))
            size = min(found.fit.batch, len(samples))
            step = stepper(dataset, found, asked.model, size)
            step()  # warms up
            told = rates(lambda step=step: [step() for _ in range(asked.steps)], asked.steps * size)
            print(f"step {stage:<17}{told} (batch {size})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory           {peak:8.0f} MiB")


if __name__ == "__main__":
    main()
