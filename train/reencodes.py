"""Does a second, better encode hide what the first one lost? It must not raise the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.corpus import Item

#: A second encode may score this far from the first, points.
ALLOWED_GAP = 5.0


@dataclass(frozen=True)
class ReencodeGaps:
    """How far the scores of second encodes lie above those of the bad first ones, points.

    `within` is the share that lies no more than `ALLOWED_GAP` off, either way.
    """

    clips: int
    mean_gap: float
    largest_gap: float
    within: float


def first_of(item: Item) -> str:
    """Return the name of the item whose encode `item` encodes again."""
    first = item.name.removeprefix(f"{item.source}+").split("+")[0]
    return f"{item.source}+{first}"


def reencode_gaps(
    scores: NDArray[np.float64], items: Sequence[Item], firsts: Mapping[str, float]
) -> ReencodeGaps | None:
    """Return the gaps of second encodes to their first, None where no first was scored.

    Args:
        scores: [n] of the second encodes `items`.
        firsts: score of each first encode by its item's name.
    """
    gaps = np.array(
        [
            score - firsts[first_of(item)]
            for score, item in zip(scores, items, strict=True)
            if first_of(item) in firsts
        ]
    )
    if not len(gaps):
        return None
    return ReencodeGaps(
        clips=len(gaps),
        mean_gap=float(gaps.mean()),
        largest_gap=float(gaps.max()),
        within=float((np.abs(gaps) <= ALLOWED_GAP).mean()),
    )
