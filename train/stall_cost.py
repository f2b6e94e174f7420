"""What stalling costs a viewer, in points of quality: a first linear account of rated sessions.

`python -m train.stall_cost SESSIONS.csv` fits it on the sessions of Waterloo SQoE-I.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from train.option_types import EITHER
from vqa2cli.video.stall_text import summary_text

#: Initial buffering beyond this costs no more, seconds: the ratings reach no further.
MAX_INITIAL_S = 10.0

#: Cost of more stalls than this is not extrapolated.
MAX_STALLS = 3


@dataclass(frozen=True)
class StallCost:
    """Points per stall, per whole length stalled, and per second of initial buffering."""

    per_stall: float
    per_ratio: float
    per_initial_second: float

    def points(self, stalls: int, ratio: float, initial_s: float) -> float:
        """Return what this much stalling costs; never negative."""
        return (
            self.per_stall * min(stalls, MAX_STALLS)
            + self.per_ratio * ratio
            + self.per_initial_second * min(initial_s, MAX_INITIAL_S)
        )


def draw_stalls(cost: StallCost, rng: np.random.Generator) -> tuple[str, float]:
    """Return a summary of stalls that could have been, and its cost in points.

    One in three tells of none. Lengths follow rated sessions: stalls of 0.3 to 8 s.
    """
    if rng.random() < 1 / 3:
        return summary_text([], 0.0, 0.0, None), 0.0
    durations = rng.uniform(0.3, 8.0, size=rng.integers(0, 4)).round(2)
    initial = float(rng.uniform(0.3, 8.0)) if len(durations) == 0 or rng.random() < 0.3 else 0.0
    total = float(durations.sum()) + initial
    length = total + float(rng.uniform(4.0, 60.0))
    since = float(rng.uniform(0.0, length - total))
    text = summary_text(durations.tolist(), total / length, initial, since)
    ratio = float(durations.sum()) / length
    return text, cost.points(len(durations), ratio, initial)


def fit_stall_cost(sessions: Path) -> StallCost:
    """Return the cost that fits Waterloo SQoE-I, in units of VMAF.

    MOS = a VMAF + b stalls + c ratio + d initial + e by least squares; costs are -b/a, -c/a,
    -d/a. A cost that comes out negative is held at zero.
    """
    with sessions.open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["dataset"] == "WaterlooSQoE-I"]
    facts = np.array(
        [
            (
                float(row["vmaf"]),
                float(row["n_stalls"]),
                float(row["stall_total_s"]) / float(row["media_dur_s"]),
                min(float(row["init_buffer_s"]), MAX_INITIAL_S),
                1.0,
            )
            for row in rows
        ]
    )
    mos = np.array([float(row["mos100"]) for row in rows])
    a, b, c, d, _ = np.linalg.lstsq(facts, mos, rcond=None)[0]
    costs = (max(round(float(-x / a), 1), 0.0) for x in (b, c, d))
    return StallCost(*costs)


@click.command()
@click.argument("sessions", type=EITHER)
def main(sessions: Path) -> None:
    """Print the cost of stalling fitted on SESSIONS, a table of rated sessions."""
    click.echo(fit_stall_cost(sessions))


if __name__ == "__main__":
    main()
