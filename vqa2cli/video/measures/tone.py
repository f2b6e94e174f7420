"""Light and colour of one picture, from sparse samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Shares of the nominal range, %, up to and from which a sample counts as black and white; ours.
AT_BLACK, AT_WHITE = 1.5, 98.5
#: Half of the nominal range of colour difference, 8-bit codes (ITU-R BT.601: 224 codes in all).
_CHROMA_REACH = 112.0


def tone(luma: NDArray[np.uint8], black: float, codes: float) -> dict[str, float]:
    """Return `luma`, `dark_share`, `bright_share` and `contrast` of one picture, all in %.

    Luma is a share of the nominal range: 0 % is black (code 16 of studio video), 100 % white
    (235). Contrast is the distance from the 5th to the 95th percentile, so that a few extreme
    pixels do not set it.

    Args:
        luma: uint8 samples of any shape.
        black: code of black.
        codes: number of codes from black to white.
    """
    counts = np.bincount(luma.ravel(), minlength=256)
    levels = 100 * (np.arange(256) - black) / codes
    total = counts.sum()
    below = np.cumsum(counts) / total
    low, high = (levels[int(np.searchsorted(below, share))] for share in (0.05, 0.95))
    return {
        "luma": float(np.clip(counts @ levels / total, 0, 100)),
        "dark_share": float(100 * counts[levels <= AT_BLACK].sum() / total),
        "bright_share": float(100 * counts[levels >= AT_WHITE].sum() / total),
        "contrast": float(min(high - low, 100.0)),
    }


def colour(chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of each colour-difference vector [n] in % of half its nominal range.

    0 % is grey, 100 % a pure component at full strength; two at once reach 142 %. Their mean is
    FFmpeg's `signalstats` SATAVG, on another scale.

    Args:
        chroma: colour differences [2, n] in 8-bit codes around 0.
    """
    lengths: NDArray[np.float32] = 100 * np.hypot(chroma[0], chroma[1]) / _CHROMA_REACH
    return lengths
