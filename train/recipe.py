"""Recipes: TOML files that say how a model is made."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from train.corpus import CorpusSize, Draw
from train.dataset import FitSettings
from train.kadid import FOUND_AS
from vqa2cli.errors import UsageError
from vqa2cli.model.catalogue import find_model
from vqa2cli.model.dimensions import LanguageDims, NetworkConfig, VisionDims
from vqa2cli.video.media import FragmentGrid

#: What a stage may train: the motion branch, the vision tower, the language model, or that of the
#: assistant, which answers questions.
Part = Literal["motion", "tower", "language", "answers"]

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Stage:
    """One step of a recipe: which part learns, and how."""

    part: Part
    fit: FitSettings


@dataclass(frozen=True)
class Recipe:
    """One recipe, read and checked.

    `start` is the directory of a model to go on from: its network, tokenizer and weights are
    taken, and of the recipe's network only the revision and what is expected of streams.
    """

    name: str
    seed: int
    start: Path | None
    corpus: CorpusSize
    vocabulary: int
    assistant_vocabulary: int
    network: NetworkConfig
    stages: tuple[Stage, ...]


def read_recipe(name: str) -> Recipe:
    """Return the recipe called `name`, or the one in the file of that path.

    Raises:
        UsageError: there is no such recipe, or a field of it is missing, unknown or wrong.
        ModelError: there is no such model as it goes on from.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.toml")))
        raise UsageError(f"no recipe {name!r}: known are {known}, or name a .toml file")
    try:
        return _recipe(path.stem, _tables(path))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: not a recipe ({error})") from error


def _tables(path: Path) -> dict[str, Any]:
    """Return the tables of a recipe, over those of the one it is `like`; stages come as a whole."""
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    if "like" not in own:
        return own
    raw = _tables(RECIPES / f"{own.pop('like')}.toml")
    for key, value in own.items():
        raw[key] = {**raw[key], **value} if isinstance(value, dict) else value
    return raw


def _recipe(name: str, raw: dict[str, Any]) -> Recipe:
    look = raw["look"]
    stages = tuple(_stage(raw, table) for table in raw["stage"])
    network = NetworkConfig(
        vision=VisionDims(**raw["vision"]),
        language=LanguageDims(
            vocab_size=raw["tokenizer"]["vocabulary"],
            max_position_embeddings=4096,
            rope_theta=1e4,
            tie_word_embeddings=False,
            **raw["network"],
        ),
        pooling="mean_std",
        fragments=FragmentGrid(look["grid"], look["fragment"]),
        motion_size=look["motion_size"],
        resize="swscale",
        expectation=tuple(raw["facts"]["expectation"]),
        traits=raw["facts"]["traits"],
        distortions=FOUND_AS if any(stage.part == "tower" for stage in stages) else (),
        name=name,
        revision=str(raw["revision"]),
        protocol="mini-1",
    )
    return Recipe(
        name=name,
        seed=raw["seed"],
        start=find_model(raw["start"]).path if raw["start"] else None,
        corpus=_corpus_size(raw["corpus"]),
        vocabulary=raw["tokenizer"]["vocabulary"],
        assistant_vocabulary=raw["tokenizer"]["assistant_vocabulary"],
        network=network,
        stages=stages,
    )


def _corpus_size(table: dict[str, Any]) -> CorpusSize:
    """Return the size of a corpus: inline tables say what is drawn of one source."""
    draws = {key: Draw(**value) for key, value in table.items() if isinstance(value, dict)}
    return CorpusSize(**{**table, **draws})


def _stage(raw: dict[str, Any], own: dict[str, Any]) -> Stage:
    """Return one stage: its own table over what `[fit]` says of all."""
    table: dict[str, Any] = {**raw["fit"], **own}
    part = table.pop("part")
    if part not in get_args(Part):
        raise ValueError(f"no part {part!r} to train; choose {', '.join(get_args(Part))}")
    for key, value in table.items():
        if isinstance(value, list):
            table[key] = tuple(value)
    fit = FitSettings(**table)
    if fit.mixed and not fit.shuffled_tile:
        raise ValueError("mixed pictures need a shuffled_tile: the side of what they exchange")
    if fit.imagined and part not in ("language", "answers"):
        raise ValueError(f"imagined is {fit.imagined} for the {part}; it is for language models")
    if part == "answers" and not fit.imagined:
        raise ValueError("answers are learned from imagined clips; say how many")
    return Stage(part, fit)
