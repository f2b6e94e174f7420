"""What the stages of a recipe see of clips, computed once: patches, tokens, features of motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from train.features import Look, load_look
from vqa2cli.model.devices import multiplies_bfloat16
from vqa2cli.model.expectation import statistics
from vqa2cli.model.inverted import InvertedStem
from vqa2cli.model.network import Vqa2Network

T = TypeVar("T")
R = TypeVar("R")

#: Looks that the spread of a trunk is measured on, about.
SPREAD_LOOKS = 200


def patches_of(network: Vqa2Network, looks: Sequence[Path]) -> list[Look]:
    """Return looks whose key frames are what the trunk finds, float16 [K, s, s, C], in order.

    Motion is left out, and statistics are taken.
    """
    return [
        replace(
            look,
            keyframes=seen.half().cpu().numpy(),
            statistics=statistics(seen).mean(0).cpu().numpy(),
        )
        for look, seen in _found(network, "patches", looks)
    ]


def measure_spread(network: Vqa2Network, looks: Sequence[Path]) -> None:
    """Let a tower that is to learn know how far what its trunk finds spreads, on some looks."""
    stem = network.vision_tower.embeddings.patch_embedding
    assert isinstance(stem, InvertedStem)
    some = looks[:: max(len(looks) // SPREAD_LOOKS, 1)]
    stem.measure_spread(torch.cat([seen for _, seen in _found(network, "spread", some)]))


def tokens_of(network: Vqa2Network, patches: Sequence[Look]) -> list[NDArray[np.float32]]:
    """Return visual tokens [K, P, D] of patches, in order."""

    def tokens(look: Look) -> Tensor:
        return network.visual_tokens(torch.from_numpy(look.keyframes).to(network.device))

    return [seen.float().cpu().numpy() for seen in _each(network, "tokens", patches, tokens)]


def motion_of(
    network: Vqa2Network, looks: Sequence[Path], stride: int = 1
) -> list[NDArray[np.float32]]:
    """Return motion features [T, C] of looks, of every `stride`-th frame, in order."""

    def features(path: Path) -> Tensor:
        frames = torch.from_numpy(load_look(path).motion[::stride]).to(network.device)
        if len(frames) > 1:
            return network.motion_features(frames)
        # Convolved over time in bfloat16, a lone frame has come out as NaN (torch 2.13, CPU).
        with torch.autocast(network.device.type, enabled=False):
            return network.motion_features(frames)

    return [seen.float().cpu().numpy() for seen in _each(network, "motion", looks, features)]


def _found(network: Vqa2Network, name: str, looks: Sequence[Path]) -> Iterator[tuple[Look, Tensor]]:
    """Yield looks without motion, and what the trunk finds in their key frames."""

    def found(path: Path) -> tuple[Look, Tensor]:
        look = load_look(path, motion=False)
        pixels = torch.from_numpy(look.keyframes).to(network.device)
        return look, network.vision_tower.patches(pixels)

    return _each(network, name, looks, found)


def _each(
    network: Vqa2Network, name: str, things: Sequence[T], see: Callable[[T], R]
) -> Iterator[R]:
    """Yield what `see` makes of each thing, the network as in scoring, under a bar of that name."""
    network.eval()
    for thing in tqdm(things, desc=name, unit="clip"):
        with torch.inference_mode(), arithmetic(network):
            seen = see(thing)
        yield seen


def arithmetic(network: Vqa2Network) -> torch.autocast:
    """Return what a network computes in while it is trained: bfloat16 where its device has it."""
    kind = network.device.type
    return torch.autocast(kind, torch.bfloat16, enabled=multiplies_bfloat16(kind))
