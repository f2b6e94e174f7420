"""Which distortion the key frames of a window show: a head over their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqa2cli.assessment import Distortion
from vqa2cli.levels import in_words


class DistortionHead(nn.Module):
    """Reads two tokens a key frame, mean and deviation over its patches, by themselves.

    It is where the tower's training ended (`train.fit.TowerTask`); the language model reads
    the same tokens beside motion and facts.
    """

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        # Drawn from no generator: the rest of a network begins alike with and without a head.
        self.weight = nn.Parameter(torch.zeros(1 + kinds, 2 * width))
        self.bias = nn.Parameter(torch.zeros(1 + kinds))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return the quality in 0-1 and the probability of each kind: [K, 2, D] -> [], [kinds]."""
        seen = tokens.float().mean(0).flatten()
        told = functional.linear(seen, self.weight.float(), self.bias.float())
        return torch.sigmoid(told[0]), functional.softmax(told[1:], -1)


#: Probability from which a reading has the likeliest name, and what it is called otherwise.
SURE, UNCLEAR = 0.6, "unclear"

#: Most readings that a language model is told of a window.
MOST_TOLD = 10


class Reading(NamedTuple):
    """What the head reads in one key frame: a name or `UNCLEAR`, and a quality, 0-100."""

    name: str
    quality: float


def readings(head: DistortionHead, names: Sequence[str], tokens: Tensor) -> list[Reading]:
    """Return what the head reads in each key frame by itself, tokens [K, 2, D]."""
    found = [recognise(head, names, each.unsqueeze(0)) for each in tokens]
    return [Reading(one.name if one.prob >= SURE else UNCLEAR, one.quality) for one in found]


def readings_text(told: Sequence[Reading]) -> str:
    """Return readings in words: the mean quality, and at most `MOST_TOLD` of them in order."""
    mean = sum(one.quality for one in told) / len(told)
    count = min(len(told), MOST_TOLD)
    shown = [told[round(k * (len(told) - 1) / max(count - 1, 1))] for k in range(count)]
    each = ", ".join(f"{in_words(one.name)} {one.quality:.0f}" for one in shown)
    return f" Quality {mean:.0f}: {each}."


def recognise(head: DistortionHead, names: Sequence[str], tokens: Tensor) -> Distortion:
    """Return the likeliest distortion of a window by the tokens [K, 2, D] of its key frames.

    Kinds of the same name count together.
    """
    quality, probs = head(tokens)
    chances: dict[str, float] = {}
    for name, prob in zip(names, probs.tolist(), strict=True):
        chances[name] = chances.get(name, 0.0) + prob
    name = max(chances, key=lambda each: chances[each])
    return Distortion(name, chances[name], 100 * float(quality))
