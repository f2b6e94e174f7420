"""The parts of a network that a recipe may train, and which parameters each of them holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Literal, get_args

from torch import nn

from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network

Part = Literal["vision_tower", "mm_projector", "slowfast", "slowfast_projector", "language"]

PARTS: tuple[Part, ...] = get_args(Part)

#: First component of a parameter's name to its part. The position table belongs to the motion
#: branch, the newline to the language model, as in the authors' `mm_tunable_parts`.
_PART_OF: dict[str, Part] = {
    "vision_tower": "vision_tower",
    "mm_projector": "mm_projector",
    "slowfast": "slowfast",
    "slowfast_projector": "slowfast_projector",
    "image_newline": "language",
    "llm": "language",
}

#: What wrappers put into names (FSDP's first version, DDP, torch.compile).
_WRAPPERS = ("_fsdp_wrapped_module.", "module.", "_orig_mod.", "_checkpoint_wrapped_module.")


def part_of(name: str) -> Part:
    """Return the part of the parameter called `name`, in a network or a task around it.

    Raises:
        KeyError: it belongs to none.
    """
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return _PART_OF[name.removeprefix("network.").partition(".")[0]]


def set_trainable(network: Vqa2Network, parts: Collection[Part]) -> None:
    """Let gradients reach the parameters of `parts` and no others."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(part_of(name) in parts)


def let_language_learn(network: Vqa2Network) -> None:
    """Let gradients reach the language model, and how motion becomes tokens.

    The tower, its projector, its head and the motion branch stay; only the branch's positions
    go on learning.
    """
    network.requires_grad_(True)
    eyes = (network.vision_tower, network.mm_projector, network.slowfast, network.distortion_head)
    for part in eyes:
        if part is not None:
            part.requires_grad_(False)
    network.slowfast.position_embedding.requires_grad_(True)
    network.slowfast.freeze_norms(True)


def without_head(config: NetworkConfig) -> NetworkConfig:
    """Return the sizes of a network less the head over its visual tokens.

    The head was taught with the tower it reads (`train.fit`), and that is about to change.
    """
    return replace(config, distortions=())


def drop_head(network: Vqa2Network) -> Vqa2Network:
    """Take the head over its visual tokens from a network, and return the network."""
    network.distortion_head, network.config = None, without_head(network.config)
    return network


def learns(module: nn.Module) -> bool:
    """Return whether any parameter of `module` is trained."""
    return any(parameter.requires_grad for parameter in module.parameters())


def counts(network: nn.Module) -> Iterator[tuple[Part, int, int]]:
    """Yield each part, its number of parameters and how many of them are trained."""
    total, trained = dict.fromkeys(PARTS, 0), dict.fromkeys(PARTS, 0)
    for name, parameter in network.named_parameters():
        part = part_of(name)
        total[part] += parameter.numel()
        trained[part] += parameter.numel() if parameter.requires_grad else 0
    for part in PARTS:
        yield part, total[part], trained[part]
