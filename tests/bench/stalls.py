"""Precision and recall of the stall detector over the whole grid of cases.

python -m tests.bench.stalls [--only WORD] [--encode WORD]
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import click
import numpy as np

from tests.video.stall_cases import Matched, Shown, grid, matched, stalls_of

#: An event counts as right where onset and end are that close, frames.
CLOSE = 2.1


@click.command()
@click.option("--only", default="", help="Take cases whose content has this word.")
@click.option("--encode", "how", default="", help="Take cases whose encode has this word.")
def main(only: str, how: str) -> None:
    """Encode every case, look for its stalls, and print what was right and what was not."""
    totals: Counter[str] = Counter()
    found: list[Matched] = []
    for shown_as, encoded_as, shown, encode in grid():
        if only not in shown_as or how not in encoded_as:
            continue
        with tempfile.TemporaryDirectory() as folder:
            one = matched(shown, stalls_of(shown, encode, Path(folder)))
        found.append(one)
        totals.update(counted(f"{shown_as} | {encoded_as}", shown, one))
    print_totals(totals, found)


def counted(case: str, shown: Shown, one: Matched) -> Counter[str]:
    """Return what there was to find in a case and what was; print what was not right."""
    off = [round(x, 1) for x in (*one.onset_frames, *one.end_frames) if x > CLOSE]
    if one.missed or one.false or off:
        told = f"missed {one.missed}, false {one.false}, off by {off}"
        print(f"{case}: {told}", flush=True)
    true = len(shown.truth)
    return Counter(cases=1, true=true, missed=one.missed, false=one.false, off=len(off))


def print_totals(totals: Counter[str], found: list[Matched]) -> None:
    """Print precision, recall and how far onsets and ends are off."""
    hit = totals["true"] - totals["missed"]
    onsets = np.array([x for one in found for x in one.onset_frames])
    ends = np.array([x for one in found for x in one.end_frames])
    print(f"cases {totals['cases']}, true events {totals['true']}")
    if hit:
        print(f"precision {hit / (hit + totals['false']):.3f}, recall {hit / totals['true']:.3f}")
        for name, errors in (("onset", onsets), ("end", ends)):
            print(
                f"{name} error: mean {errors.mean():.2f}, worst {errors.max():.2f} frames, "
                f"within 2 frames {np.mean(errors <= CLOSE):.3f}"
            )
    elif totals["true"] == 0:
        print(f"false events {totals['false']}")


if __name__ == "__main__":
    main()
