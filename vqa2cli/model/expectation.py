"""How good streams usually look by their facts alone: what a model is told beside the facts."""

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


class StreamExpectation(nn.Module):
    """Small layers over a stream's facts, fitted on encodes of known quality, pictures unseen.

    Pictures may be better or worse than what is expected: of a bad encode encoded again at a high
    rate the facts promise too much.
    """

    def __init__(self, hidden: Sequence[int]) -> None:
        super().__init__()
        self.hidden = tuple(hidden)
        sizes = pairwise((FEATURES, *self.hidden, 1))
        self.layers = nn.ModuleList(_Layer(before, after) for before, after in sizes)

    def forward(self, rows: Tensor) -> Tensor:
        """Return qualities in 0-1: [N, FEATURES] -> [N]."""
        seen = rows.float()
        for number, layer in enumerate(self.layers):
            seen = layer(functional.relu(seen) if number else seen)
        return seen.squeeze(-1).clamp(0.0, 1.0)

    def of(self, facts: StreamFacts, display: tuple[int, int] | None) -> float | None:
        """Return the quality, 0-100, of streams like this one; None where too little is known."""
        row = features_of(facts, display)
        if row is None:
            return None
        device = next(self.buffers()).device
        with torch.inference_mode():
            expected = float(self(torch.tensor([row], device=device)))
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
