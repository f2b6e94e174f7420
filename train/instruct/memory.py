"""What a run would hold in memory, counted on shapes alone: nothing is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from train.instruct.lora import add_adapters
from train.instruct.parts import Part, counts, set_trainable, without_head
from train.instruct.recipe import InstructRecipe
from vqa2cli.model.checkpoint import open_checkpoint, read_json
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.weights import CONFIG_FILE, our_key, read_config

#: Bytes an element takes.
_FLOAT, _HALF = 4, 2

#: AdamW keeps two float32 moments of each trained parameter.
_MOMENTS = 2 * _FLOAT

GIB = 2.0**30


@dataclass(frozen=True)
class PartCount:
    """Parameters of one part, and how many of them learn."""

    part: Part
    parameters: int
    trained: int


@dataclass(frozen=True)
class Memory:
    """Bytes on each of `gpus` devices under one way of sharding; activations are not in it.

    `gathered` is the largest piece of weights put together at a time.
    """

    sharding: str
    gpus: int
    weights: float
    gradients: float
    optimizer: float
    gathered: float

    @property
    def total(self) -> float:
        """Sum of all four."""
        return self.weights + self.gradients + self.optimizer + self.gathered


@dataclass(frozen=True)
class Plan:
    """What a recipe would do to a network: counts by part, and memory by sharding."""

    recipe: InstructRecipe
    parts: tuple[PartCount, ...]
    memory: tuple[Memory, ...]
    activations: float
    tokens: int


def plan_run(recipe: InstructRecipe, config: NetworkConfig, gpus: int) -> Plan:
    """Return the plan of a recipe on a network of these sizes, on `gpus` devices."""
    network = shape_of(recipe, config)
    parts = tuple(PartCount(*each) for each in counts(network))
    total = sum(each.parameters for each in parts)
    trained = sum(each.trained for each in parts)
    gathered = _largest_piece(network)
    return Plan(
        recipe,
        parts,
        tuple(_shardings(total, trained, gathered, gpus)),
        _activations(recipe, config),
        recipe.look.max_tokens,
    )


def shape_of(recipe: InstructRecipe, config: NetworkConfig) -> Vqa2Network:
    """Return the network on the meta device, with what a recipe trains marked."""
    with torch.device("meta"):
        network = Vqa2Network(without_head(config))
        set_trainable(network, recipe.parts)
        if recipe.lora.rank and "language" in recipe.parts:
            add_adapters(network, recipe.lora)
    return network


def config_of(directory: Path) -> NetworkConfig:
    """Return the sizes of a model directory without reading its weights.

    Raises:
        ModelError: there are no weights, or of another layout.
    """
    shapes: Mapping[str, tuple[int, ...]] = open_checkpoint(directory).shapes
    ours = {our_key(key): shape for key, shape in shapes.items()}
    return read_config(directory, read_json(directory / CONFIG_FILE), ours)


def _shardings(total: int, trained: int, gathered: int, gpus: int) -> Iterator[Memory]:
    """Yield memory by sharding.

    Without DeepSpeed, weights and gradients are float32 and autocast rounds as it goes; under
    FSDP each layer is put together in half precision. DeepSpeed keeps half-precision weights and
    gradients, and float32 masters of what learns beside the moments (ZeRO, Rajbhandari et al.,
    2020, section 3).
    """
    masters = trained * (_FLOAT + _MOMENTS)
    yield Memory("none", gpus, total * _FLOAT, trained * _FLOAT, trained * _MOMENTS, 0)
    yield Memory(
        "fsdp",
        gpus,
        total * _FLOAT / gpus,
        trained * _FLOAT / gpus,
        trained * _MOMENTS / gpus,
        gathered * _HALF,
    )
    yield Memory("zero2", gpus, total * _HALF, trained * _HALF / gpus, masters / gpus, 0)
    yield Memory(
        "zero3",
        gpus,
        total * _HALF / gpus,
        trained * _HALF / gpus,
        masters / gpus,
        gathered * _HALF,
    )


def _largest_piece(network: Vqa2Network) -> int:
    """Return the parameters of the largest piece: one layer, or all that is in none."""
    layers = [*network.llm.model.layers, *network.vision_tower.encoder.layers]
    sizes = [_numel(layer) for layer in layers]
    return max(*sizes, _numel(network) - sum(sizes))


def _numel(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def _activations(recipe: InstructRecipe, config: NetworkConfig) -> float:
    """Return a rough size of what one conversation of the longest length keeps, in bytes.

    The inputs of every decoder layer where layers are computed again, else about 16 times
    their width and 3 times that of the feed-forward part; attention scores are never kept.
    Vision and motion are left out.
    """
    language = config.language
    width = language.hidden_size
    if not recipe.fit.checkpointing:
        width = 16 * language.hidden_size + 3 * language.intermediate_size
    size = _HALF if recipe.fit.precision == "bf16" else _FLOAT
    kept = recipe.look.max_tokens * width * size * language.num_hidden_layers
    return float(kept * recipe.fit.batch)


def plan_text(plan: Plan) -> str:
    """Return a plan as two tables: parameters by part, and GiB a device by sharding."""
    lines = [f"{plan.recipe.name}: parameters", f"{'part':<20}{'all':>16}{'trained':>16}"]
    for each in plan.parts:
        state = "" if each.trained else "  frozen"
        lines.append(f"{each.part:<20}{each.parameters:>16,}{each.trained:>16,}{state}")
    total, trained = (sum(column) for column in zip(*_numbers(plan), strict=True))
    lines.append(f"{'together':<20}{total:>16,}{trained:>16,}")
    gpus = plan.memory[0].gpus
    lines += ["", f"memory on each of {gpus} devices, GiB"]
    columns = ("weights", "gradients", "optimizer", "gathered", "together")
    lines.append(f"{'sharding':<12}" + "".join(f"{name:>11}" for name in columns))
    for memory in plan.memory:
        values = (memory.weights, memory.gradients, memory.optimizer, memory.gathered, memory.total)
        lines.append(f"{memory.sharding:<12}" + "".join(f"{one / GIB:>11.2f}" for one in values))
    rough = plan.activations / GIB
    lines.append(f"and about {rough:.2f} of the decoder's activations at {plan.tokens} tokens")
    return "\n".join(lines)


def _numbers(plan: Plan) -> list[tuple[int, int]]:
    return [(each.parameters, each.trained) for each in plan.parts]
