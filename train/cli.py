"""`vqa2 train` and `vqa2 evaluate`: parse, call one function, print."""

from __future__ import annotations

from pathlib import Path

import click

from train.evaluate_cli import evaluate
from train.instruct.base_cli import base
from train.instruct.command import stage
from train.instruct.known import first_sentence, is_instruct, recipe_names, recipe_path
from train.option_types import FOLDER, NEW_FOLDER
from vqa2cli.config import EMBEDDED_MODEL

__all__ = ["evaluate", "train"]


class ByRecipe(click.Group):
    """One command a recipe: each kind takes its own options. The recipe may stand anywhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the recipes that ship, and `base`, which trains nothing."""
        return [*recipe_names(), "base"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return the command of a recipe, whose file need not be there yet."""
        if cmd_name == "base":
            return base
        path = recipe_path(cmd_name)
        kind = stage if is_instruct(path) else corpus
        return _with_recipe(kind, cmd_name, first_sentence(path))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the recipe first; the embedded model's is meant where none is named."""
        known = recipe_names()
        places = [at for at, arg in enumerate(args) if arg in known or arg.endswith(".toml")]
        asks_help = bool({"-h", "--help"} & {*args})
        if places:
            args = [args.pop(places[0]), *args]
        elif args and args[0].startswith("-") and not asks_help:
            args = [EMBEDDED_MODEL, *args]
        return super().parse_args(ctx, args)


def _with_recipe(command: click.Command, recipe: str, about: str) -> click.Command:
    """Return a copy of a command that takes no argument RECIPE, because it is known."""
    options = [each for each in command.params if each.name != "recipe"]

    def run(**values: object) -> None:
        assert command.callback is not None
        command.callback(recipe=recipe, **values)

    return click.Command(recipe, callback=run, params=options, help=command.help, short_help=about)


@click.group(cls=ByRecipe, subcommand_metavar="RECIPE [OPTIONS]...")
def train() -> None:
    """Train a model as RECIPE says: one of those below, or a .toml file.

    `vqa2 train RECIPE --help` tells what a recipe takes. Without a name, the embedded model's
    recipe is meant.
    """


@click.command()
@click.argument("recipe", default=EMBEDDED_MODEL)
@click.option("--clips", type=FOLDER, required=True, help="Real clips with a manifest.csv.")
@click.option("--stills", type=FOLDER, help="Photographs to set in motion as further sources.")
@click.option("--photographs", type=FOLDER, help="More of them (.jpg), none of which is held out.")
@click.option("--held-out", type=FOLDER, help="Photographs (.jpg) that are test contents, all.")
@click.option("--out", type=NEW_FOLDER, required=True, help="Where everything is made and kept.")
@click.option("--jobs", default=2, show_default=True, help="Processes that make data.")
@click.option(
    "--split",
    "splits",
    type=click.Choice(["train", "val", "test"]),
    multiple=True,
    default=("train", "val"),
    show_default=True,
    help="Contents to make and label, one or more times; without train nothing is trained.",
)
@click.option("--data-only", is_flag=True, help="Stop once the labelled corpus is made.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint.")
def corpus(
    recipe: str,
    clips: Path,
    stills: Path | None,
    photographs: Path | None,
    held_out: Path | None,
    out: Path,
    jobs: int,
    splits: tuple[str, ...],
    data_only: bool,
    resume: bool,
) -> None:
    """Make the model that RECIPE describes: a name, or a .toml file.

    Clips are degraded and labelled (kept, so a second run goes on where it stopped), then the
    model is trained into OUT/model. Score with it by `--model OUT/model`.
    """
    from train.corpus import Material
    from train.mini import Workplace, fit_mini, make_data
    from train.recipe import read_recipe

    settings = read_recipe(recipe)
    place = Workplace(Material(clips, stills, photographs, held_out), out)
    items = make_data(settings, place, jobs, splits)
    click.echo(f"{len(items)} labelled clips in {place.corpus}", err=True)
    if data_only or "train" not in splits:
        return
    model = fit_mini(settings, place, jobs=jobs, resume=resume)
    click.echo(str(model))
