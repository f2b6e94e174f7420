"""Options and figures that the commands of `vqa2 evaluate` share."""

from __future__ import annotations

from collections.abc import Sequence

import click

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


def name_left_out(told: str, lines: Sequence[str]) -> None:
    """Say on stderr what was left out, as `told` counts it, and name the first in lines."""
    from vqa2cli.report.plain_text import short_line

    if not lines:
        return
    click.echo(f"left out: {told}", err=True)
    for line in lines[:SHOWN]:
        click.echo(f"  {short_line(line)}", err=True)
    if len(lines) > SHOWN:
        click.echo(f"  and {len(lines) - SHOWN} more; -o FILE names all", err=True)
