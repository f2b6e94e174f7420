"""The two-layer projectors that carry features into the language model's space."""

from __future__ import annotations

from torch import nn


def projector(inputs: int, outputs: int) -> nn.Sequential:
    """Return Linear, exact (erf) GELU, Linear; keys `0.*` and `2.*` as published."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs))
