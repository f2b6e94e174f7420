"""What was done to a clip: kind, severity, when, and where that is known from."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

from train.kadid import KADID_TYPES

#: Seconds of an original that are degraded, at most.
SECONDS = 8.0

#: Severities, mild to strong; a KADID level is a severity.
SEVERITIES = (1, 2, 3, 4, 5)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


#: Spatial kinds and their number in KADID-10k: "gaussian-blur" is 1, "contrast-change" is 25.
KADID_KINDS: dict[str, int] = {_slug(name): number for number, name in KADID_TYPES.items()}

#: Kinds that only time shows.
TEMPORAL_KINDS = ("camera-shake", "stutter", "flicker", "exposure-drift")

#: Kinds of a streaming session: an encode at some rung, and its stalls, which are named as
#: `vqa2cli.video.stalling` names them.
SESSION_KINDS = ("compression", "rebuffer", "freeze", "initial_buffering")

#: Every kind a record may have.
KINDS: tuple[str, ...] = (*KADID_KINDS, *TEMPORAL_KINDS, *SESSION_KINDS)


@dataclass(frozen=True)
class Degradation:
    """One degradation of one clip.

    `start_s` and `end_s` are seconds of presentation since the first frame, the end left out;
    `end_s` None means up to the end of the clip. `provenance` says how the label is known,
    such as "made: KADID-10k type 1, level 3, sigma 1 px" or the table and column it was read
    from.

    Raises:
        ValueError: an unknown kind, a severity outside 1-5, a span that ends before it starts,
            or no provenance.
    """

    kind: str
    severity: int
    start_s: float
    end_s: float | None
    provenance: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no kind of degradation {self.kind!r}; choose of {', '.join(KINDS)}")
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity {self.severity!r}; choose 1 (mildest) to 5")
        if not (math.isfinite(self.start_s) and self.start_s >= 0):
            raise ValueError(f"a degradation from {self.start_s} s; it starts at 0 or later")
        if self.end_s is not None and not (math.isfinite(self.end_s) and self.end_s > self.start_s):
            raise ValueError(f"a degradation from {self.start_s} to {self.end_s} s has no length")
        if not self.provenance:
            raise ValueError(f"{self.kind}: a label without provenance; say how it is known")

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Degradation:
        """Return the record that `to_json` wrote.

        Raises:
            ValueError: a value out of range, or a key missing or too many.
        """
        try:
            return cls(**record)
        except TypeError as error:
            raise ValueError(f"not a degradation: {error}") from error
