"""What a check measures and what it makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from vqa2cli.ladder.measured import Ladder

#: What a violated check does: fail the run, be told, or not be made at all.
Action = Literal["fail", "warn", "off"]

#: How a check ended; `skipped` means that there was nothing to check, and the reason says so.
Status = Literal["passed", "failed", "warned", "skipped", "off"]


@dataclass(frozen=True)
class Measure:
    """One number of a check: of which rungs, in a sentence, and when (seconds) if not all along."""

    rungs: tuple[str, ...]
    value: float
    message: str
    start: float | None = None
    end: float | None = None


#: Measures every rung or step a check looks at; a string says why there is nothing to measure.
Look = Callable[[Ladder], Iterable[Measure] | str]


@dataclass(frozen=True)
class Check:
    """A check and its defaults: a measure beyond `threshold`, `above` or `below`, violates it."""

    id: str
    title: str
    threshold: float
    unit: str
    violates: Literal["above", "below"]
    action: Action
    why: str
    look: Look

    def violated(self, value: float, threshold: float) -> bool:
        """Return whether `value` is on the wrong side of `threshold`, rounding errors apart."""
        if math.isclose(value, threshold, rel_tol=1e-9, abs_tol=1e-9):
            return False
        return value > threshold if self.violates == "above" else value < threshold


@dataclass(frozen=True)
class CheckResult:
    """What a check found in one ladder.

    `value` is the worst number measured, None where nothing was; `findings` are the measures
    that violate the check, worst first; `reason` says why it was skipped.
    """

    id: str
    title: str
    status: Status
    threshold: float
    unit: str
    value: float | None = None
    findings: tuple[Measure, ...] = ()
    reason: str | None = None
