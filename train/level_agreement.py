"""How often the level that is reported is the level of the label, or the one beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vqa2cli.levels import LEVELS, level_of


@dataclass(frozen=True)
class LevelAgreement:
    """Shares of `n` clips whose level is right, and right or the next one.

    `by_level` has, for each level that is reported, how many labels were of each level, best
    first.
    """

    n: int
    exact: float
    within_one: float
    by_level: dict[str, tuple[int, ...]]


def level_agreement(scores: Sequence[float], labels: Sequence[float]) -> LevelAgreement | None:
    """Return how levels of scores agree with levels of labels, both 0-100; None of no clips."""
    words = list(LEVELS)
    pairs = [
        (words.index(level_of(score)), words.index(level_of(label)))
        for score, label in zip(scores, labels, strict=True)
    ]
    if not pairs:
        return None
    return LevelAgreement(
        n=len(pairs),
        exact=sum(told == true for told, true in pairs) / len(pairs),
        within_one=sum(abs(told - true) <= 1 for told, true in pairs) / len(pairs),
        by_level={
            word: tuple(pairs.count((told, true)) for true in range(len(words)))
            for told, word in enumerate(words)
        },
    )
