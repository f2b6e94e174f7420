"""Making the embedded model: corpus, tokenizer, looks, fit, and the directory that ships."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from train.assistant.make import PROTOCOL, new_assistant
from train.assistant.task import AnswerTask, Questions
from train.assistant.views import Views, seen_of
from train.beginning import begin, check_start
from train.corpus import CorpusPlan, Material, build_corpus
from train.dataset import FitSettings, LookDataset
from train.expectation import fit_expectation
from train.features import Look, LookCache, statistics_of
from train.fit import Scorer, Task, TowerTask, fit_task
from train.imagined import Imagined, imagine
from train.instruct.parts import let_language_learn
from train.items import Item, read_items
from train.recipe import Recipe, Stage
from train.seen import arithmetic, measure_spread, motion_of, patches_of, tokens_of
from train.teacher import Teacher, Weights
from vqa2cli.errors import UsageError
from vqa2cli.model.inverted import InvertedStem
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.sampling import sampling_for
from vqa2cli.model.weights import export_motion, save_network


@dataclass(frozen=True)
class Workplace:
    """Where a run reads its material and keeps what it makes."""

    material: Material
    out: Path

    @property
    def corpus(self) -> Path:
        """Degraded clips and their labels."""
        return self.out / "corpus"

    @property
    def looks(self) -> Path:
        """What the model sees of each clip."""
        return self.out / "looks"

    @property
    def model(self) -> Path:
        """The finished model directory of the scorer."""
        return self.out / "model"

    @property
    def assistant(self) -> Path:
        """The finished model directory of what answers."""
        return self.out / "assistant"


#: Splits that are made where nothing else is asked for.
USUAL_SPLITS = ("train", "val")


def corpus_plan(
    recipe: Recipe, place: Workplace, splits: tuple[str, ...] = USUAL_SPLITS
) -> CorpusPlan:
    """Return the corpus a recipe asks for; the test contents are made only where asked for."""
    return CorpusPlan(place.material, recipe.corpus, place.corpus, recipe.seed, splits)


def make_data(
    recipe: Recipe, place: Workplace, jobs: int = 2, splits: tuple[str, ...] = USUAL_SPLITS
) -> list[Item]:
    """Build the corpus and the looks of its training split; goes on where it stopped.

    Raises:
        UsageError: the model that the recipe goes on from does not fit it.
    """
    check_start(recipe, place.model)
    items = build_corpus(corpus_plan(recipe, place, splits), jobs)
    training_looks(recipe, place).fill(train_split(items), jobs)
    return items


def training_looks(recipe: Recipe, place: Workplace) -> LookCache:
    """Return the cache of looks under the sampling of the recipe's protocol."""
    protocol = PROTOCOLS[recipe.network.protocol]
    return LookCache(place.looks, place.corpus, sampling_for(recipe.network, protocol))


def train_split(items: list[Item]) -> list[Item]:
    """Return what may be trained on."""
    return [item for item in items if item.split == "train"]


def fit_mini(recipe: Recipe, place: Workplace, *, jobs: int = 2, resume: bool = False) -> Path:
    """Train on a built corpus and return the finished model directory.

    First what streams of given facts usually look like is fitted, where it is told. Then stage
    after stage: the motion branch with the language model, on motion alone; the tower
    and its projector, on what the trunk finds, computed once, by what a teacher says of it; the
    language model on what both see, computed once, or on clips imagined of that; at last the
    language model of the assistant, on imagined clips too, in a directory of its own. A recipe
    that goes on from a model may leave out whichever parts are to stay as they are.

    Raises:
        FileNotFoundError: the corpus is not built yet.
    """
    torch.manual_seed(recipe.seed)
    network, prompter = begin(recipe, place.model)
    items = train_split(read_items(place.corpus))
    looks = training_looks(recipe, place).fill(items, jobs)

    log = []
    seen: Sequence[Path | Look] = looks
    patches: list[Look] = []
    found: list[Look] = []
    if network.stream_expectation is not None:
        found = patches_to_learn(network, looks, recipe)
        facts, of_pictures = [look.facts for look in found], statistics_of(found)
        fit_expectation(network.stream_expectation, items, facts, of_pictures, recipe.seed)
    teacher: Teacher | None = None
    for number, stage in enumerate(recipe.stages):
        of_patches = recipe.start is not None and stage.fit.imagined > 0
        if (stage.part == "tower" or of_patches) and not patches:
            seen = patches = found
            teacher = teacher_of(network, items, patches, stage.fit, recipe.seed)
        if stage.part == "motion":
            seen = looks
        elif stage.part == "tower":
            seen = patches
        elif seen is patches:  # stages of the language model in a row see the same
            seen = features_for_language(network, looks, patches)
        told, shown, taught = items, seen, None
        folder = place.out / f"{number}-{stage.part}"
        seed = recipe.seed + sum(bool(before.fit.imagined) for before in recipe.stages[:number])
        if stage.part == "answers":
            strided = motion_of(network, looks, PROTOCOLS[PROTOCOL].motion_stride)
            made = imagine_clips(network, items, patches, strided, None, stage, seed)
            log.append(fit_assistant(network, made, stage, recipe, place.assistant, folder, resume))
            continue
        if stage.fit.imagined:
            motion = [look.motion for look in seen if isinstance(look, Look)]
            made = imagine_clips(network, items, patches, motion, teacher, stage, seed)
            told, shown, taught = made.items, made.looks, made.lessons
        task = prepare(network, prompter, stage, teacher)
        dataset = LookDataset(told, shown, stage.fit, taught, network.tell_stream)
        log.append(fit_task(task, dataset, folder, recipe.seed, resume))
        if isinstance(task, TowerTask):
            task.finish()

    publish(network, place.model)
    record = {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "items": len(items),
        "contents": len({item.content for item in items}),
        "stages": [asdict(stage) for stage in recipe.stages],
        "log": log,
    }
    (place.out / "fit.json").write_text(json.dumps(record, indent=1) + "\n")
    return place.model


def patches_to_learn(network: Vqa2Network, looks: Sequence[Path], recipe: Recipe) -> list[Look]:
    """Return what the trunk finds; a network that is new learns first how far that spreads."""
    if recipe.start is None:
        measure_spread(network, looks)
    return patches_of(network, looks)


def features_for_language(
    network: Vqa2Network, looks: Sequence[Path], patches: Sequence[Look]
) -> list[Look]:
    """Return what the language model learns from: tokens, and features of motion."""
    return [
        replace(look, keyframes=seen, motion=moved)
        for look, seen, moved in zip(
            patches, tokens_of(network, patches), motion_of(network, looks), strict=True
        )
    ]


def fit_assistant(
    network: Vqa2Network,
    made: Imagined,
    stage: Stage,
    recipe: Recipe,
    out: Path,
    checkpoints: Path,
    resume: bool,
) -> list[dict[str, float]]:
    """Train what answers, with the eyes of the scorer, into the directory `out`; return the log."""
    torch.manual_seed(recipe.seed)
    name = f"{recipe.name}-assistant"
    vocabulary = recipe.assistant_vocabulary
    assistant, of_one, of_two = new_assistant(network, out, vocabulary, name)
    views = Views([*seen_of(network, made.looks)], PROTOCOLS[PROTOCOL].motion_stride)
    let_language_learn(assistant)
    task = AnswerTask(assistant, stage.fit)
    questions = Questions(views, of_one, of_two, stage.fit)
    log = fit_task(task, questions, checkpoints, recipe.seed, resume)
    publish(assistant, out)
    return log


def publish(network: Vqa2Network, folder: Path) -> None:
    """Write a trained network into the directory of its tokenizer, half of the package's size."""
    network.eval()
    save_network(network, folder, folder, dtype=torch.float16)
    export_motion(folder)


def teacher_of(
    network: Vqa2Network,
    items: Sequence[Item],
    patches: Sequence[Look],
    fit: FitSettings,
    seed: int,
) -> Teacher:
    """Return the regressors that tower and language model learn from.

    Raises:
        UsageError: the network is not told what is usual of streams.
    """
    expectation = network.stream_expectation
    if expectation is None:
        raise UsageError("a recipe with a teacher needs an expectation among its [facts]")
    weights = Weights(fit.distortions_weight, fit.doubted_encodes, fit.doubted_distortions)
    facts = [look.facts for look in patches]
    return Teacher(items, facts, statistics_of(patches), expectation, weights, seed)


def imagine_clips(
    network: Vqa2Network,
    items: Sequence[Item],
    patches: Sequence[Look],
    motion: Sequence[NDArray[np.float32]],
    teacher: Teacher | None,
    stage: Stage,
    seed: int,
) -> Imagined:
    """Return the clips that a stage of a language model learns from; without a teacher no lessons.

    Raises:
        UsageError: no tower was taught before.
    """
    if not patches:
        raise UsageError("a recipe that imagines clips needs a tower that is taught before")
    network.eval()

    def see(pictures: Tensor) -> Tensor:
        with torch.inference_mode(), arithmetic(network):
            return network.visual_tokens(pictures.to(network.device))

    fragments = network.config.fragments
    assert fragments is not None
    fragment = fragments.size // network.config.vision.patch_size
    fit = stage.fit
    return imagine(
        items, patches, motion, teacher, see, fit.imagined, fragment, seed, fit.disagreeing
    )


def prepare(
    network: Vqa2Network, prompter: Prompter, stage: Stage, teacher: Teacher | None = None
) -> Task:
    """Return the task of a stage, with gradients and batch norms set for the part it trains.

    The tower learns through plain matrix products: on a CPU, torch's fused attention takes
    three times as long on the way back.

    Raises:
        ValueError: the tower is to be taught and nobody teaches it.
    """
    network.requires_grad_(True)
    if network.distortion_head is not None:
        network.distortion_head.requires_grad_(False)  # it gets what the tower's heads read
    stem = network.vision_tower.embeddings.patch_embedding
    if isinstance(stem, InvertedStem):
        stem.trunk.requires_grad_(False)
        stem.drop.p = stage.fit.channels_dropped
    network.slowfast.freeze_norms(stage.part != "motion")
    network.vision_tower.attend("eager" if stage.part == "tower" else "sdpa")
    if stage.part == "tower":
        if teacher is None:
            raise ValueError("the tower is to be taught, and there is no teacher")
        return TowerTask(network, stage.fit, teacher)
    if stage.part == "language":
        let_language_learn(network)
    return Scorer(network, prompter, stage.fit)
