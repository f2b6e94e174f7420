"""What a builder of instruction data hands back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from train.data.looks import Missing
from train.data.records import Kind, Sample


@dataclass(frozen=True)
class Instructions:
    """What a builder made: samples, media that cannot be used, and what has no sample and why."""

    samples: tuple[Sample, ...]
    missing: tuple[Missing, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)

    def of_kind(self, kind: Kind) -> list[Sample]:
        """Return the samples about pictures, or about clips."""
        return [sample for sample in self.samples if sample.kind == kind]
