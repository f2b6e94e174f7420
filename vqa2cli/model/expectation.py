"""How good streams of given facts and of such pictures usually look: what a model is told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vqa2cli.model.facts import LEAST_QUANTIZER, codec_of, quantizer_of, rate_of
from vqa2cli.video.media import StreamFacts

#: Codecs whose quantizers and rates are known to mean something, and the ends of their quantizers,
#: in the units of each codec's own rate control.
LAST_QUANTIZER = {"h264": 51.0, "hevc": 51.0, "vp9": 63.0, "av1": 63.0}

#: Numbers that a stream's facts become: rate and quantizer, each with whether it is known, the
#: share of the display, the frame rate, and one for each codec.
FEATURES = 6 + len(LAST_QUANTIZER)

#: Range of the rate, log10 of bits per pixel; what is beyond is as its end.
RATES = (-4.0, 1.0)

#: Rate and quantizer, the latter as a share of its range, in the midst of those in use: what is not
#: known is as these.
USUAL_RATE, USUAL_QUANTIZER = -1.2, 0.6


#: Spreads that a trait may be from the usual; what is beyond is as the end.
FARTHEST_TRAIT = 4.0


def statistics(patches: Tensor) -> Tensor:
    """Return mean and deviation of each channel over a picture: [..., s, s, C] -> [..., 2C]."""
    seen = patches.float().flatten(-3, -2)
    return torch.cat([seen.mean(-2), seen.std(-2, correction=0)], -1)


class StreamExpectation(nn.Module):
    """Small layers over a stream's facts and over traits of its pictures, fitted on single encodes.

    How good a picture looks at a quantizer and a rate is a matter of what it shows, and a few
    traits tell enough of that: the directions in which what the trunk finds in pictures differs
    most. They do not tell how good the picture looks, so of a bad encode encoded again at a high
    rate the facts still promise too much.
    """

    centre: Tensor
    directions: Tensor

    def __init__(self, hidden: Sequence[int], channels: int = 0, traits: int = 0) -> None:
        """Make layers of such widths.

        Args:
            channels: how many numbers `statistics` has of a picture.
            traits: how many traits are made of those; 0: facts are weighed alone.
        """
        super().__init__()
        self.hidden, self.traits = tuple(hidden), traits
        if traits:
            self.register_buffer("centre", torch.zeros(channels))
            self.register_buffer("directions", torch.zeros(traits, channels))
        sizes = pairwise((FEATURES + traits, *self.hidden, 1))
        self.layers = nn.ModuleList(_Layer(before, after) for before, after in sizes)

    @property
    def device(self) -> torch.device:
        """Where the layers lie."""
        return next(self.buffers()).device

    def traits_of(self, seen: Tensor) -> Tensor:
        """Return the traits of pictures by their `statistics`: [N, 2C] -> [N, traits]."""
        if not self.traits:
            return seen.new_zeros(len(seen), 0)
        away = seen.float() - self.centre.float()
        return (away @ self.directions.float().T).clamp(-FARTHEST_TRAIT, FARTHEST_TRAIT)

    def forward(self, rows: Tensor) -> Tensor:
        """Return qualities in 0-1, of facts and traits: [N, FEATURES + traits] -> [N]."""
        seen = rows.float()
        for number, layer in enumerate(self.layers):
            seen = layer(functional.relu(seen) if number else seen)
        return seen.squeeze(-1).clamp(0.0, 1.0)

    def of(
        self, facts: StreamFacts, display: tuple[int, int] | None, seen: Tensor | None
    ) -> float | None:
        """Return the quality, 0-100, of streams like this one; None where too little is known.

        Args:
            seen: `statistics` of its pictures, [2C]; None where facts are weighed alone.
        """
        row = features_of(facts, display)
        if row is None or (self.traits and seen is None):
            return None
        with torch.inference_mode():
            told = torch.tensor([row], device=self.device)
            if seen is not None:
                told = torch.cat([told, self.traits_of(seen.to(self.device).unsqueeze(0))], 1)
            expected = float(self(told))
        return 100.0 * expected if math.isfinite(expected) else None


class _Layer(nn.Module):
    """A linear layer in float32, whatever its weights are kept in.

    They are buffers, since no gradient reaches them: what is expected is told in words.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(after, before))
        self.register_buffer("bias", torch.zeros(after))

    def forward(self, seen: Tensor) -> Tensor:
        return functional.linear(seen, self.weight.float(), self.bias.float())


def features_of(facts: StreamFacts, display: tuple[int, int] | None) -> list[float] | None:
    """Return the facts of a stream as `FEATURES` numbers of about one.

    None where the codec is not among those known, or neither rate nor quantizer is told.

    Args:
        display: (width, height) the picture is shown at; None is its own size.
    """
    codec, rate, quantizer = codec_of(facts), rate_of(facts), quantizer_of(facts)
    if codec not in LAST_QUANTIZER or (rate is None and quantizer is None):
        return None
    low, high = RATES
    share = facts.width / display[0] if display else 1.0
    return [
        0.0 if rate is None else min(max(math.log10(rate), low), high) - USUAL_RATE,
        float(rate is None),
        0.0 if quantizer is None else _share(quantizer, LAST_QUANTIZER[codec]) - USUAL_QUANTIZER,
        float(quantizer is None),
        min(share, 1.0),
        min(facts.fps, 120.0) / 30,
        *(float(codec == each) for each in LAST_QUANTIZER),
    ]


def _share(quantizer: float, last: float) -> float:
    return min(max(quantizer, LEAST_QUANTIZER), last) / last
