"""Pairwise order: of two versions of one content, is the better one scored higher?"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from train.correlation import Groups, members_of, paired


@dataclass(frozen=True)
class Ordering:
    """How many pairs a score puts in the right order; a tie counts half."""

    right: float
    pairs: int

    @property
    def share(self) -> float:
        """Share of pairs in the right order, 0-1; NaN without a pair."""
        return self.right / self.pairs if self.pairs else math.nan


def ordering(scores: ArrayLike, labels: ArrayLike, groups: Groups, min_gap: float) -> Ordering:
    """Return how many same-group pairs, at least `min_gap` apart in label, `scores` orders rightly.

    With renditions grouped by title this asks what a ladder needs: is the better one scored higher?
    """
    each = ordering_by_group(scores, labels, groups, min_gap).values()
    return Ordering(sum(one.right for one in each), sum(one.pairs for one in each))


def ordering_by_group(
    scores: ArrayLike, labels: ArrayLike, groups: Groups, min_gap: float
) -> dict[Hashable, Ordering]:
    """Return the `ordering` of each group, in order of first appearance."""
    x, y = paired(scores, labels)
    if min_gap < 0:
        raise ValueError(f"min_gap is {min_gap}; choose 0 or more")
    found: dict[Hashable, Ordering] = {}
    for group, members in members_of(groups, len(x)).items():
        a, b = np.triu_indices(len(members), k=1)
        gap = y[members[b]] - y[members[a]]
        asked = (np.abs(gap) >= min_gap) & (gap != 0)
        agrees = np.sign(x[members[b]] - x[members[a]]) * np.sign(gap)
        found[group] = Ordering(float(((agrees[asked] + 1) / 2).sum()), int(asked.sum()))
    return found
