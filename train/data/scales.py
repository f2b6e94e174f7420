"""Rating scales: their names, which one a column of scores is on, and when two are mixed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scale:
    """A range scores may take; `name` is what people call it."""

    name: str
    low: float
    high: float

    def __contains__(self, mos: float) -> bool:
        """Return whether a score may stand on this scale."""
        return self.low <= mos <= self.high


UNIT: Final = Scale("0-1", 0, 1)
FOUR: Final = Scale("1-4", 1, 4)
FIVE: Final = Scale("1-5", 1, 5)
ZERO_FIVE: Final = Scale("0-5", 0, 5)
TEN: Final = Scale("0-10", 0, 10)
HUNDRED: Final = Scale("0-100", 0, 100)

#: Scores in standard deviations of each rater; five are beyond any panel's mean.
Z_SCORE: Final = Scale("z-score", -5, 5)

#: Tests of one set mapped onto each other by a line, which may lead a little out of 0-100.
REALIGNED: Final = Scale("0-100 realigned", -10, 110)

#: Difference to the reference's own score, which a copy may beat: MOS - reference + the top.
DIFFERENCE_HUNDRED: Final = Scale("0-100 difference", 0, 200)
DIFFERENCE_FIVE: Final = Scale("1-5 difference", 1, 9)

#: Ranks within each reference: nothing to compare across them, so no levels either.
RELATIVE: Final = Scale("relative", -math.inf, math.inf)

#: What a column without a name or bounds is tried as, in this order.
_GUESSES: Final = (UNIT, FIVE, ZERO_FIVE, TEN, HUNDRED, Z_SCORE)

#: Tops of the small scales, whose scores would crowd the low end of a larger one.
_SMALL_TOPS: Final = (1.0, 5.0, 10.0)

#: Columns of fewer scores than this may be mixed with fewer than five small ones.
_SHORT: Final = 16

_NAMED: Final = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)(?:\s|$)")


def named_scale(text: str) -> Scale | None:
    """Return the scale that a text such as `1-5`, `0-100 (mean …)` or `z-score` names."""
    if re.match(r"\s*z[- ]?scores?\b", text, re.IGNORECASE):
        return Z_SCORE
    found = _NAMED.match(text)
    return None if found is None else bounded_scale(float(found[1]), float(found[2]))


def bounded_scale(low: float, high: float) -> Scale | None:
    """Return the scale of these bounds, None if they are none."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    return Scale(f"{low:g}-{high:g}", low, high)


def guessed_scale(scores: Sequence[float]) -> Scale | None:
    """Return the narrowest usual scale that holds every score, None if none does."""
    return next((scale for scale in _GUESSES if all(mos in scale for mos in scores)), None)


def crowded_top(scores: Sequence[float]) -> float | None:
    """Return the top of a small scale that part of the scores seems to be on, else None.

    Scores of a 1-5 scale in a column that goes to 100 all lie under 5, and next to nothing
    between 5 and 10; a real 0-100 scale thins out evenly towards 0. So: more than three times
    as many (and four more) at or under a small scale's top as between it and its double, in a
    column that reaches beyond four times the top. In a column too short for four more, three do
    that are a quarter of it, unless one lies under 1: small scales begin there, and ruined clips
    do not. No set of the 38 checked looks like that.
    """
    short = len(scores) < _SHORT and min(scores) >= 1
    some = 2 if short else 4
    for top in _SMALL_TOPS:
        low = sum(mos <= top for mos in scores)
        next_to = sum(top < mos <= 2 * top for mos in scores)
        if max(scores) > 4 * top and low > max(3 * next_to + some, len(scores) / 4 if short else 0):
            return top
    return None
