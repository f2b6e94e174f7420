"""Light and colour of pictures, from sparse samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Shares of the nominal range, %, up to and from which a sample counts as black and white; ours.
AT_BLACK, AT_WHITE = 1.5, 98.5
#: Half of the nominal range of colour difference, 8-bit codes (ITU-R BT.601: 224 codes in all).
_CHROMA_REACH = 112.0


def tone(luma: NDArray[np.uint8], black: float, codes: float) -> dict[str, NDArray[np.float64]]:
    """Return `luma`, `dark_share`, `bright_share` and `contrast` of pictures, all in %: [n] each.

    Luma is a share of the nominal range: 0 % is black (code 16 of studio video), 100 % white
    (235). Contrast is the distance from the 5th to the 95th percentile, so that a few extreme
    pixels do not set it.

    Args:
        luma: uint8 samples [n, rows, columns].
        black: code of black.
        codes: number of codes from black to white.
    """
    counts = np.stack([np.bincount(each.ravel(), minlength=256) for each in luma])
    levels = 100 * (np.arange(256) - black) / codes
    total = luma[0].size
    below = np.cumsum(counts, axis=1) / total
    low, high = (levels[(below < share).sum(1)] for share in (0.05, 0.95))
    return {
        "luma": np.clip(counts @ levels / total, 0, 100),
        "dark_share": 100 * counts[:, levels <= AT_BLACK].sum(1) / total,
        "bright_share": 100 * counts[:, levels >= AT_WHITE].sum(1) / total,
        "contrast": np.minimum(high - low, 100.0),
    }


def colour(chroma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of each colour-difference vector in % of half its nominal range: [n, v].

    0 % is grey, 100 % a pure component at full strength; two at once reach 142 %. Their mean is
    FFmpeg's `signalstats` SATAVG, on another scale.

    Args:
        chroma: colour differences [n, 2, v] in 8-bit codes around 0.
    """
    lengths: NDArray[np.float32] = np.sqrt(np.square(chroma).sum(1))
    lengths *= 100 / _CHROMA_REACH
    return lengths
