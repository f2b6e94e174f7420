"""Precision and recall of the stall detector on real clips that are made to stall.

python -m tests.bench.real_stalls CLIP... [--lot N] [--kind KIND] [--taken SECONDS]
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import click

from tests.bench.stalls import CLOSE, print_totals
from tests.video.real_stalls import KINDS, TAKEN_S, made_to_stall
from tests.video.stall_cases import Matched


@click.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--lot", "drawn", default=0, show_default=True, help="Which lot is drawn.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Do this alone.")
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
            one = case.found
            found.append(one)
            off = [round(x, 1) for x in (*one.onset_frames, *one.end_frames) if x > CLOSE]
            totals[case.kind].update(
                cases=1,
                true=len(case.shown.truth),
                missed=one.missed,
                false=one.false,
                off=len(off),
            )
            if one.missed or one.false or off:
                print(
                    f"{case.clip} | {case.kind} {case.shown.truth} at {case.shown.fps:.3g} | "
                    f"{case.encoded_as}: missed {one.missed}, false {one.false}, off by {off}",
                    flush=True,
                )
    for kind, counted in totals.items():
        print(kind, dict(counted))
    print_totals(sum(totals.values(), Counter()), found)


if __name__ == "__main__":
    main()
