"""What a part of the embedded model is worth: language models that learn without it, and seeds.

    python -m train.ablations RUN OUT [--without PART]... [--seed N]... [--steps N]

RUN is what `vqa2 train mini` made. A fresh language model learns on the eyes of RUN/model, as the
recipe's first stage of imagined clips says but for fewer steps; then another without each part that
is named, and all of these from each seed. What they learn from is computed once. The models land in
OUT; `vqa2 evaluate RUN/corpus --model OUT/NAME/model` measures one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from train.corpus import Material
from train.dataset import LookDataset
from train.features import Look
from train.fit import fit_task
from train.items import Item, read_items
from train.mini import (
    Workplace,
    imagine_clips,
    prepare,
    publish,
    teacher_of,
    train_split,
    training_looks,
)
from train.option_types import FOLDER, NEW_FOLDER
from train.recipe import Recipe, Stage, read_recipe
from train.seen import motion_of, patches_of
from train.teacher import Teacher
from train.vocabulary import embed_numbers_by_size
from vqa2cli.config import EMBEDDED_MODEL
from vqa2cli.errors import UsageError
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.weights import copy_tokenizer, load_network

#: What a model may be without: motion, or stage 1, which teaches the tower and its projector.
Part = Literal["motion", "stage1"]

#: What stays of the model whose eyes they are, and which of it stage 1 taught.
_KEPT = ("vision_tower", "mm_projector", "slowfast", "distortion_head", "stream_expectation")
_TAUGHT = ("vision_tower", "mm_projector", "distortion_head")

#: What of the tower photographs taught, before stage 1.
_OF_PHOTOGRAPHS = "vision_tower.embeddings.patch_embedding."
_ITS_PARTS = ("trunk", "spread")


@dataclass(frozen=True)
class Taught:
    """What all models learn from: the training clips as the eyes see them, and their teacher."""

    items: list[Item]
    patches: list[Look]
    motion: list[NDArray[np.float32]]
    teacher: Teacher


def stage_of(recipe: Recipe, steps: int) -> Stage:
    """Return the recipe's first stage of imagined clips at `steps`, its clips in proportion.

    Raises:
        UsageError: the recipe has none.
    """
    for stage in recipe.stages:
        if stage.part == "language" and stage.fit.imagined:
            imagined = round(stage.fit.imagined * steps / stage.fit.steps)
            return replace(stage, fit=replace(stage.fit, steps=steps, imagined=imagined))
    raise UsageError(f"the recipe {recipe.name} has no language model learn from imagined clips")


def look_once(recipe: Recipe, place: Workplace, stage: Stage, jobs: int = 2) -> Taught:
    """Return what the models are to learn from.

    Raises:
        FileNotFoundError: the corpus or the model is not made yet.
    """
    network = load_network(place.model).network
    items = train_split(read_items(place.corpus))
    looks = training_looks(recipe, place).fill(items, jobs)
    patches = patches_of(network, looks)
    teacher = teacher_of(network, items, patches, stage.fit, recipe.seed)
    return Taught(items, patches, motion_of(network, looks), teacher)


def begin_anew(folder: Path, out: Path, without: Part | None, seed: int) -> Vqa2Network:
    """Return the network of `folder` with a fresh language model; its tokenizer is put in `out`.

    Without stage 1 the tower and its projector are fresh too, but for what photographs taught;
    without motion every token of motion is zero.
    """
    known = load_network(folder).network
    out.mkdir(parents=True, exist_ok=True)
    copy_tokenizer(folder, out)
    torch.manual_seed(seed)
    network = Vqa2Network(known.config)
    embed_numbers_by_size(network.llm.model.embed_tokens.weight, read_tokenizer(out).get_vocab())
    state = {key: value for key, value in known.state_dict().items() if _stays(key, without)}
    network.load_state_dict(state, strict=False)
    if without == "motion":
        last = network.slowfast_projector[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return network


def _stays(key: str, without: Part | None) -> bool:
    """Return whether the tensor called `key` is taken over."""
    part = key.partition(".")[0]
    if without == "stage1" and part in _TAUGHT:
        return key.removeprefix(_OF_PHOTOGRAPHS).partition(".")[0] in _ITS_PARTS
    return part in _KEPT


def fit_without(
    taught: Taught, recipe: Recipe, stage: Stage, folder: Path, out: Path, without: Part | None
) -> Path:
    """Train one model into `out`, from the recipe's seed, and return its directory."""
    network = begin_anew(folder, out / "model", without, recipe.seed)
    prompter = Prompter.from_directory(out / "model", PROTOCOLS[recipe.network.protocol])
    made = imagine_clips(
        network, taught.items, taught.patches, taught.motion, taught.teacher, stage, recipe.seed
    )
    task = prepare(network, prompter, stage)
    if without == "motion":
        network.slowfast_projector.requires_grad_(False)
    dataset = LookDataset(made.items, made.looks, stage.fit, made.lessons, network.tell_stream)
    fit_task(task, dataset, out / "checkpoints", recipe.seed)
    publish(network, out / "model")
    return out / "model"


def name_of(without: Part | None, seed: int) -> str:
    """Return the directory's name of a model."""
    return f"{'all' if without is None else f'without-{without}'}-seed{seed}"


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("out", type=NEW_FOLDER)
@click.option("--recipe", default=EMBEDDED_MODEL, show_default=True, help="Name or .toml file.")
@click.option(
    "--without", type=click.Choice(get_args(Part)), multiple=True, help="What to leave out."
)
@click.option("--seed", "seeds", type=int, multiple=True, default=[0], show_default=True)
@click.option("--steps", type=click.IntRange(1), default=600, show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Processes that decode.")
def main(
    run: Path,
    out: Path,
    recipe: str,
    without: Sequence[Part],
    seeds: Sequence[int],
    steps: int,
    jobs: int,
) -> None:
    """Train a language model on the eyes of RUN/model, and others without a part, into OUT."""
    settings = read_recipe(recipe)
    place = Workplace(Material(run), run)
    stage = stage_of(settings, steps)
    taught = look_once(settings, place, stage, jobs)
    for seed in seeds:
        for part in (None, *without):
            folder = out / name_of(part, seed)
            fit_without(taught, replace(settings, seed=seed), stage, place.model, folder, part)
            click.echo(str(folder / "model"))


if __name__ == "__main__":
    main()
