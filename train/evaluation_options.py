"""Options and figures that the commands of `vqa2 evaluate` share."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)

#: What was left out, shown by name; the JSON has all.
SHOWN = 5

with_resamples = click.option(
    "--resamples",
    type=click.IntRange(10, 100_000),
    default=1000,
    show_default=True,
    help="Draws of the bootstrap behind each interval.",
)

with_seed = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws."
)
