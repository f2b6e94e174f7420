"""Which distortion the key frames of a window show: a head over their tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqa2cli.assessment import Distortion


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
