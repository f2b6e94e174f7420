"""Probable causes of findings in encoding terms, and what to do, from a table of rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np

from vqa2cli.assessment import Finding
from vqa2cli.video.measures.records import STEP_S, SignalMeasures


@dataclass(frozen=True)
class Cause:
    """A rule: which findings it explains, under which conditions, why, and what to do.

    `below` and `above` bound the mean of measures over the finding's span; a measure that is
    not known meets no condition. Without `codecs` any codec will do.
    """

    id: str
    attribute: str
    cause: str
    action: str
    below: Mapping[str, float] = field(default_factory=dict)
    above: Mapping[str, float] = field(default_factory=dict)
    codecs: tuple[str, ...] = ()

    def explains(self, finding: Finding, measures: SignalMeasures | None, codec: str) -> bool:
        """Return whether this rule speaks of `finding`."""
        if self.attribute != finding.attribute or (self.codecs and codec not in self.codecs):
            return False
        low = all(mean_over(finding, measures, name) < edge for name, edge in self.below.items())
        return low and all(
            mean_over(finding, measures, name) > edge for name, edge in self.above.items()
        )


UNKNOWN: Final = Cause("unknown", "", "no rule names a cause", "look at the worst moments")


@lru_cache(maxsize=1)
def causes() -> tuple[Cause, ...]:
    """Return the rules that ship with the package, in the order they are tried."""
    table = files("vqa2cli.report") / "tables" / "causes.json"
    rows = json.loads(table.read_text(encoding="utf-8"))
    return tuple(Cause(**{**row, "codecs": tuple(row.get("codecs", ()))}) for row in rows)


def cause_of(finding: Finding, measures: SignalMeasures | None, codec: str) -> Cause:
    """Return the first rule that explains `finding`.

    Args:
        measures: the clip's, None where it was not measured.
        codec: FFmpeg's name of the clip's codec.
    """
    return next((c for c in causes() if c.explains(finding, measures, codec)), UNKNOWN)


def mean_over(finding: Finding, measures: SignalMeasures | None, name: str) -> float:
    """Return the mean of a measure over a finding's span, NaN where it is not known."""
    if measures is None:
        return float("nan")
    values = measures.of(name)
    first = 0 if finding.start is None else int(finding.start / STEP_S)
    after = len(values) if finding.end is None else int(np.ceil(finding.end / STEP_S - 1e-6))
    inside = values[first : max(after, first + 1)]
    known = inside[np.isfinite(inside)]
    return float(known.mean()) if known.size else float("nan")
