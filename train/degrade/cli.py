"""`vqa2 data degrade`: parse, make, tell."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from train.degrade.records import KADID_KINDS, SECONDS, TEMPORAL_KINDS
from train.option_types import FOLDER, NEW_FOLDER
from vqa2cli.cli.exit_codes import UNSCORED

#: Names that stand for several kinds.
GROUPS = {"spatial": tuple(KADID_KINDS), "temporal": TEMPORAL_KINDS}


class Kinds(click.ParamType):
    """Kinds apart by commas, `spatial`, `temporal` or `all`; gives them each once."""

    name = "KIND,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the kinds."""
        from train.degrade.making import WANTED

        groups = {**GROUPS, "all": WANTED}
        chosen: dict[str, None] = {}
        for name in str(value).split(","):
            kinds = groups.get(name.strip(), (name.strip(),))
            if unknown := [kind for kind in kinds if kind not in WANTED]:
                known = ", ".join([*groups, *WANTED])
                self.fail(f"no kind {unknown[0]!r}; choose of {known}")
            chosen.update(dict.fromkeys(kinds))
        return tuple(chosen)


@click.command()
@click.option("--clips", type=FOLDER, required=True, help="Clips to degrade, in folders or not.")
@click.option("--out", type=NEW_FOLDER, required=True, help="Where the degraded clips go.")
@click.option(
    "--kinds",
    type=Kinds(),
    default="all",
    show_default=True,
    help="KADID-10k types such as gaussian-blur, camera-shake, stutter, flicker, exposure-drift, "
    "session; or spatial, temporal, all.",
)
@click.option(
    "--versions",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Clips of each kind made of each original, severities in turn.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1.0, 600.0),
    default=SECONDS,
    show_default=True,
    help="Degrade at most this much of an original.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides all.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=2, show_default=True,
    help="Processes that make clips.",
)  # fmt: skip
@click.pass_context
def degrade(
    ctx: click.Context,
    clips: Path,
    out: Path,
    kinds: tuple[str, ...],
    versions: int,
    seconds: float,
    seed: int,
    jobs: int,
) -> None:
    """Make degraded clips, each labelled with severity, time span and how the label is known.

    Clips go to OUT/clips, labels to OUT/degraded.jsonl, a line a clip. A second run goes on
    where the first stopped. A session is a streaming session: pieces of several rungs of a
    ladder at one display size, with stalls and initial buffering; VMAF of each piece is
    measured where an ffmpeg with libvmaf is at hand (pip install 'vqa2[vmaf]').
    """
    from train.degrade.making import DegradePlan, make_degraded

    result = make_degraded(DegradePlan(clips, out, kinds, versions, seconds, seed), jobs)
    made = Counter(clip.name.rpartition("+")[2].partition("_")[0] for clip in result.clips)
    for kind, count in sorted(made.items()):
        click.echo(f"{count:6d} {kind}")
    click.echo(f"{len(result.clips):6d} clips in {out}", err=True)
    for original, why in result.failed.items():
        click.echo(f"not degraded: {original}: {why}", err=True)
    if result.failed:
        click.echo(f"{len(result.failed)} of the originals could not be degraded", err=True)
        ctx.exit(UNSCORED)


#: Commands of `vqa2 data`.
COMMANDS = [degrade]
