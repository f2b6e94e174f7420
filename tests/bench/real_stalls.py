"""Precision and recall of the stall detector on real clips that are made to stall.

python -m tests.bench.real_stalls CLIP... [--lot N] [--kind KIND] [--taken SECONDS]
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import click

from tests.bench.stalls import counted, print_totals
from tests.video.real_stalls import COVERS, KINDS, TAKEN_S, made_to_stall
from tests.video.stall_cases import Matched


@click.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--lot", "drawn", default=0, show_default=True, help="Which lot is drawn.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice((*KINDS, *COVERS)), help="Do this alone."
)
@click.option("--taken", default=TAKEN_S, show_default=True, help="Seconds taken of a clip.")
def main(clips: tuple[Path, ...], drawn: int, kinds: tuple[str, ...], taken: float) -> None:
    """Make each of CLIPS stall, look for it, and print what was right and what was not."""
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    found: list[Matched] = []
    for clip in clips:
        for case in made_to_stall(clip, kinds or KINDS, taken, drawn):
            if case.shown is None or case.found is None:
                totals[case.kind].update(left_out=1)
                continue
            found.append(case.found)
            told = f"{case.clip} | {case.kind} {case.shown.truth} at {case.shown.fps:.3g}"
            told += f" | {case.encoded_as}"
            totals[case.kind].update(counted(told, case.shown, case.found))
    for kind, counts in totals.items():
        print(kind, dict(counts))
    print_totals(sum(totals.values(), Counter()), found)


if __name__ == "__main__":
    main()
