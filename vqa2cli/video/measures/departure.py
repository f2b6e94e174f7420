"""What a picture has beside others of its shot, which needs no idea of how things should look.

How colourful and how sharp a scene is nobody can tell from its pictures alone. A shot in which that
changes and comes back was changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Ends of a shot are alike if they differ by no more than this share of all that it spans; ours.
_ALIKE = 0.25

#: Saturation, %, below which there is no colour to speak of; ours.
LEAST_COLOUR = 1.5

#: Share of a shot's pictures that may be sharper than the one that speaks for it, and least blur:
#: faults make pictures less sharp, never more; ours.
_SHARPER, _LEAST_BLUR = 0.25, 0.05
#: Noise passes for detail. A picture does not speak for its shot where its noise is more than this
#: many times that of the quieter pictures, and so many codes; ours.
_NOISIER, _NOISE_CODES = 2.0, 0.5


def usual(values: Floats, ends: int, least: float) -> float:
    """Return what is usual among the `values` [n] of a shot; NaN where there are none.

    What a shot begins and ends with alike is usual, however long it is something else between.
    Where its ends differ, or one is at `least` (it fades from black, or to it), the middle one is.

    Args:
        values: in the order of time, NaN where nothing is known.
        ends: how many values make an end.
        least: value that says no more than that there is too little.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan")
    begins, stops = known[:ends], known[-ends:]
    first, last = float(np.median(begins)), float(np.median(stops))
    too_little = min(begins.min(), stops.min()) <= least
    if not too_little and abs(first - last) <= _ALIKE * float(np.ptp(known)):
        return (first + last) / 2
    return float(np.median(known))


def saturation(values: Floats) -> Floats:
    """Return the saturation of a shot's pictures [n], %, in % of what is usual in it."""
    colour = np.log2(np.maximum(values, LEAST_COLOUR))
    beside: Floats = 100 * np.exp2(colour - usual(colour, 1, float(np.log2(LEAST_COLOUR))))
    return beside


def blur(values: Floats, noise: Floats) -> Floats:
    """Return the blur of a shot's pictures [n] in % of that of its sharper ones.

    NaN for pictures whose noise hides how sharp they are, and where all do.

    Args:
        values: `detail.blur` of each picture.
        noise: `detail.noise` of each, codes.
    """
    beside = np.full(len(values), np.nan, np.float32)
    known = np.isfinite(values) & np.isfinite(noise)
    if known.any():
        quiet = np.quantile(noise[known], _SHARPER) * _NOISIER + _NOISE_CODES
        known &= noise <= quiet
        sharp = max(float(np.quantile(values[known], _SHARPER)), _LEAST_BLUR)
        beside[known] = 100 * values[known] / sharp
    return beside
