"""What a model makes of bad encodes that were encoded again at a high rate.

The second encode can only be as good as the first: its facts look good and its picture is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from train.items import Item

#: Points that a second encode may lie from the first, at most.
CLOSE = 5.0


@dataclass(frozen=True)
class SecondEncodes:
    """Means over `n` clips of label and score, of the clip and of the bad `first` encode alone.

    `close` is the share of clips that score at most `CLOSE` points from their first encode.
    """

    name: str
    n: int
    label: float
    score: float
    first_label: float
    first_score: float
    close: float


def first_of(item: Item) -> str:
    """Return the name of the item that is the first of the two encodes behind `item`."""
    return item.name.rsplit("+", 1)[0]


def second_encodes(
    name: str,
    items: Sequence[Item],
    scores: Sequence[float],
    firsts: Mapping[str, tuple[Item, float]],
) -> SecondEncodes | None:
    """Return how second encodes score beside their first; None where no first is known.

    Args:
        items: clips encoded twice, with their `scores`.
        firsts: items and scores by name.
    """
    known = [
        (item, score, *firsts[first_of(item)])
        for item, score in zip(items, scores, strict=True)
        if first_of(item) in firsts
    ]
    if not known:
        return None
    count = len(known)
    return SecondEncodes(
        name=name,
        n=count,
        label=sum(item.label for item, *_ in known) / count,
        score=sum(score for _, score, *_ in known) / count,
        first_label=sum(first.label for *_, first, _ in known) / count,
        first_score=sum(score for *_, score in known) / count,
        close=sum(abs(score - alone) <= CLOSE for _, score, _, alone in known) / count,
    )
