"""The three arithmetics, and how far each may lie from float32."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

#: Largest difference to float32 torch that passes as rounding, relative to the largest output.
#: A float32 engine differs in the order of its sums alone; float16 keeps 11 bits and bfloat16
#: 8, through some fifty layers.
TOLERANCE = {"fp32": 1e-4, "fp16": 1e-2, "bf16": 5e-2}

#: A trained network may amplify rounding beyond that. Then an engine may lie this many times as
#: far from float32 as torch itself does in the same precision, up to a limit. The embedded model
#: in bfloat16 (5 and 40 frames of noise): torch 0.13-0.16, OpenVINO 0.12-0.13; frames shifted by
#: one, channels swapped or sides turned 0.4-0.8.
SLACK, MOST = 1.5, 0.25


def allowed(precision: str, own: float) -> float:
    """Return the largest difference that passes where torch's own in `precision` is `own`."""
    if precision == "fp32":
        return TOLERANCE[precision]
    widened = min(MOST, SLACK * own) if own == own else 0.0  # NaN widens nothing
    return max(TOLERANCE[precision], widened)


def difference(got: NDArray[np.generic], want: NDArray[np.generic]) -> float:
    """Return the largest difference, relative to the largest value wanted; NaN for NaN."""
    if got.shape != want.shape:
        raise ValueError(f"shapes {got.shape} and {want.shape} differ")
    one, other = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if not one.size:
        return 0.0
    return float(np.abs(one - other).max() / max(float(np.abs(other).max()), 1e-12))


def sound_precision(precision: str, device: str, length: int) -> str:
    """Return the precision to compute in, given the length of the free axes.

    On CPUs, the bfloat16 convolution of oneDNN (which torch 2.13 and OpenVINO 2026.4 share)
    gives garbage where five taps in time meet a single frame: those run in float32.
    """
    return "fp32" if precision == "bf16" and device == "cpu" and length == 1 else precision
