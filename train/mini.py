"""Making the embedded model: corpus, tokenizer, looks, fit, and the directory that ships."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from train.corpus import CorpusPlan, Item, build_corpus, read_items
from train.dataset import LookDataset
from train.features import LookCache, load_look
from train.fit import Scorer, fit_scorer
from train.recipe import Recipe
from train.vocabulary import train_tokenizer
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS, ScoringProtocol
from vqa2cli.model.weights import export_motion, save_network
from vqa2cli.video.media import Sampling


@dataclass(frozen=True)
class Workplace:
    """Where a run reads its material and keeps what it makes."""

    clips: Path
    stills: Path | None
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
        """The finished model directory."""
        return self.out / "model"


def corpus_plan(recipe: Recipe, place: Workplace) -> CorpusPlan:
    """Return the corpus a recipe asks for."""
    return CorpusPlan(
        clips=place.clips,
        stills=place.stills,
        out=place.corpus,
        seed=recipe.seed,
        renditions=recipe.renditions,
        distortions=recipe.distortions,
    )


def make_data(recipe: Recipe, place: Workplace, jobs: int = 2) -> list[Item]:
    """Build the corpus and the looks of its training split; goes on where it stopped."""
    items = build_corpus(corpus_plan(recipe, place), jobs)
    training_looks(recipe, place).fill(train_split(items), jobs)
    return items


def training_looks(recipe: Recipe, place: Workplace) -> LookCache:
    """Return the cache of looks under the sampling of the recipe's protocol."""
    protocol = PROTOCOLS[recipe.network.protocol]
    return LookCache(place.looks, place.corpus, sampling_of(recipe.network, protocol))


def sampling_of(network: NetworkConfig, protocol: ScoringProtocol) -> Sampling:
    """Return the same sampling that scoring uses, for looks at one display size each."""
    return Sampling(
        window_s=protocol.window_s,
        keyframes_per_second=protocol.keyframes_per_second,
        keyframe_size=network.vision.image_size,
        fragments=network.fragments,
        motion_multiple=protocol.motion_multiple,
        motion_size=network.motion_size,
        resize=network.resize,
    )


def train_split(items: list[Item]) -> list[Item]:
    """Return what may be trained on."""
    return [item for item in items if item.split == "train"]


def fit_mini(recipe: Recipe, place: Workplace, *, jobs: int = 2, resume: bool = False) -> Path:
    """Train on a built corpus and return the finished model directory.

    First the motion branch with the language model, on motion alone; then, the branch frozen
    and its features computed once, the tower and the language model.

    Raises:
        FileNotFoundError: the corpus is not built yet.
    """
    torch.manual_seed(recipe.seed)
    network, prompter = new_network(recipe, place.model)
    items = train_split(read_items(place.corpus))
    looks = training_looks(recipe, place).fill(items, jobs)

    network.slowfast.freeze_norms(False)
    scorer = Scorer(network, prompter, recipe.motion)
    dataset = LookDataset(items, looks, recipe.motion)
    log = {"motion": fit_scorer(scorer, dataset, place.out / "motion", recipe.seed, resume)}

    network.slowfast.freeze_norms(True)
    network.slowfast.requires_grad_(False)
    network.slowfast.position_embedding.requires_grad_(True)
    scorer = Scorer(network, prompter, recipe.fit)
    dataset = LookDataset(items, looks, recipe.fit, motion_features(network, looks))
    log["all"] = fit_scorer(scorer, dataset, place.out / "all", recipe.seed, resume)

    network.eval()
    save_network(network, place.model, place.model)
    export_motion(place.model)
    record = {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "items": len(items),
        "contents": len({item.content for item in items}),
        "motion": asdict(recipe.motion),
        "fit": asdict(recipe.fit),
        "log": log,
    }
    (place.out / "fit.json").write_text(json.dumps(record, indent=1) + "\n")
    return place.model


def new_network(recipe: Recipe, folder: Path) -> tuple[Vqa2Network, Prompter]:
    """Train the tokenizer into `folder` and return a fresh network that fits it."""
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(folder, recipe.vocabulary)
    rows = read_tokenizer(folder).get_vocab_size()
    language = replace(recipe.network.language, vocab_size=rows)
    network = Vqa2Network(replace(recipe.network, language=language))
    return network, Prompter.from_directory(folder, PROTOCOLS[recipe.network.protocol])


def motion_features(network: Vqa2Network, looks: Sequence[Path]) -> list[NDArray[np.float32]]:
    """Return the features [T, C] of every look's motion frames, in order."""
    network.eval()
    features = []
    with torch.inference_mode(), torch.autocast(network.device.type, torch.bfloat16):
        for look in tqdm(looks, desc="motion", unit="clip"):
            frames = torch.from_numpy(load_look(look).motion).to(network.device)
            features.append(network.motion_features(frames).float().cpu().numpy())
    return features
