"""Instruction recipes: TOML over the authors' hyper-parameters, with overrides by size."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from train.data.records import Kind
from train.instruct.known import CONFIGS, instruct_recipes, recipe_path
from train.instruct.parts import PARTS, Part
from vqa2cli.errors import UsageError
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.video.media import Sampling

Size = Literal["7b", "mini"]
Arithmetic = Literal["fp32", "bf16"]
Norms = Literal["frozen", "batch"]
LossMask = Literal["answer", "authors"]

#: What all instruction recipes start from.
COMMON = CONFIGS / "instruct.toml"

#: Networks narrower than this take the overrides of size "mini".
MINI_BELOW = 1024


@dataclass(frozen=True)
class Fit:
    """How to train; `train/configs/instruct.toml` says what each figure is and whose."""

    epochs: float
    batch: int
    accumulation: int
    learning_rate: float
    vision_learning_rate: float
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float
    warmup: float
    clip: float
    precision: Arithmetic
    checkpointing: bool
    norms: Norms
    loss_mask: LossMask
    seed: int
    save_every: int
    keep: int
    workers: int
    tensorboard: bool
    save_dtype: Arithmetic
    steps: int | None = None

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            ValueError: a choice is unknown, or a count is below its least.
        """
        choices = {"precision": Arithmetic, "norms": Norms, "loss_mask": LossMask}
        for name, kind in {**choices, "save_dtype": Arithmetic}.items():
            _choose(name, getattr(self, name), get_args(kind))
        for name in ("batch", "accumulation", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give 1 or more")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps is {self.steps}; give 1 or more")


@dataclass(frozen=True)
class LookRules:
    """What is seen of a clip, and how long a conversation may get, in embedded tokens."""

    window_s: float
    keyframes_per_second: float
    motion_stride: int
    motion_multiple: int
    max_tokens: int


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters of the language model; rank 0 is none."""

    rank: int
    alpha: int


@dataclass(frozen=True)
class InstructRecipe:
    """One stage: which parts learn, from which media, after which stages, and how.

    `motion` False is the ablation that leaves motion tokens out.
    """

    name: str
    parts: tuple[Part, ...]
    media: tuple[Kind, ...]
    after: tuple[str, ...]
    fit: Fit
    look: LookRules
    lora: Lora
    motion: bool = True

    def without_motion(self) -> InstructRecipe:
        """Return the recipe with no motion tokens and its motion parts left as they are."""
        parts = tuple(part for part in self.parts if not part.startswith("slowfast"))
        if not parts:
            raise UsageError(f"{self.name} trains motion alone; it cannot do without motion")
        return replace(self, parts=parts, motion=False)


def read_instruct(name: str, size: Size) -> InstructRecipe:
    """Return the recipe called `name`, or the one in the file of that path, for a size.

    Raises:
        UsageError: there is none, or a field of it is missing, unknown or wrong.
    """
    path = recipe_path(name)
    if not path.is_file():
        known = ", ".join(instruct_recipes())
        raise UsageError(f"no recipe {name!r}: known are {known}, or name a .toml file")
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
        return _recipe(path.stem, own, tomllib.loads(COMMON.read_text(encoding="utf-8")), size)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: not an instruction recipe ({error})") from error


def size_of(config: NetworkConfig) -> Size:
    """Return whose overrides fit a network."""
    return "mini" if config.language.hidden_size < MINI_BELOW else "7b"


def sampling_of(look: LookRules, config: NetworkConfig) -> Sampling:
    """Return what decoding keeps of a clip; pictures are those the network is scored on."""
    return Sampling(
        window_s=look.window_s,
        max_window_frames=config.motion.positions * look.motion_stride,
        keyframes_per_second=look.keyframes_per_second,
        keyframe_size=config.vision.image_size,
        fragments=config.fragments,
        motion_stride=look.motion_stride,
        motion_multiple=look.motion_multiple,
        motion_size=config.motion_size,
        resize=config.resize,
    )


def _recipe(
    name: str, own: Mapping[str, Any], common: Mapping[str, Any], size: Size
) -> InstructRecipe:
    unknown = own.keys() - {"kind", "parts", "media", "after", "overrides", "fit", "look", "lora"}
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    layers = [
        layer for raw in (common, own) for layer in (raw, raw.get("overrides", {}).get(size, {}))
    ]
    tables = {
        table: {key: value for layer in layers for key, value in layer.get(table, {}).items()}
        for table in ("fit", "look", "lora")
    }
    for part in own["parts"]:
        _choose("part", part, PARTS)
    for kind in own["media"]:
        _choose("media", kind, get_args(Kind))
    fit = {**tables["fit"], "betas": tuple(tables["fit"]["betas"])}
    return InstructRecipe(
        name=name,
        parts=tuple(own["parts"]),
        media=tuple(own["media"]),
        after=tuple(own.get("after", ())),
        fit=Fit(**fit),
        look=LookRules(**tables["look"]),
        lora=Lora(**tables["lora"]),
    )


def _choose(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"no {name} {value!r}; choose {', '.join(choices)}")
