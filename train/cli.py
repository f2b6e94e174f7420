"""`vqa2 train` and `vqa2 evaluate`: parse, call one function, print."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from vqa2cli.config import EMBEDDED_MODEL

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("recipe", default=EMBEDDED_MODEL)
@click.option("--clips", type=FOLDER, required=True, help="Real clips with a manifest.csv.")
@click.option("--stills", type=FOLDER, help="Photographs to set in motion as further sources.")
@click.option("--out", type=NEW_FOLDER, required=True, help="Where everything is made and kept.")
@click.option("--jobs", default=2, show_default=True, help="Processes that make data.")
@click.option("--data-only", is_flag=True, help="Stop once the labelled corpus is made.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint.")
def train(
    recipe: str,
    clips: Path,
    stills: Path | None,
    out: Path,
    jobs: int,
    data_only: bool,
    resume: bool,
) -> None:
    """Make the model that RECIPE describes: a name, or a .toml file.

    Clips are degraded and labelled (kept, so a second run goes on where it stopped), then the
    model is trained into OUT/model. Score with it by `--model OUT/model`.
    """
    from train.mini import Workplace, fit_mini, make_data
    from train.recipe import read_recipe

    settings = read_recipe(recipe)
    place = Workplace(clips, stills, out)
    items = make_data(settings, place, jobs)
    click.echo(f"{len(items)} labelled clips in {place.corpus}", err=True)
    if data_only:
        return
    model = fit_mini(settings, place, jobs=jobs, resume=resume)
    click.echo(str(model))


@click.command()
@click.argument("corpus", type=FOLDER)
@click.option("--model", default=EMBEDDED_MODEL, show_default=True, help="Name, directory, hub id.")
@click.option(
    "--split",
    type=click.Choice(["val", "test"]),
    default="val",
    show_default=True,
    help="Contents to measure on; look at test once, at the end.",
)
@click.option("--peers/--no-peers", default=True, help="Fit and measure trivial predictors too.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="JSON file.")
def evaluate(corpus: Path, model: str, split: str, peers: bool, output: Path | None) -> None:
    """Measure a model on contents of CORPUS (made by `vqa2 train`) it was not trained on.

    Prints Markdown tables: agreement with VMAF over renditions, the share of same-content
    pairs at least 6 VMAF apart in the right order, trivial predictors beside, and the score of
    each made distortion over its levels.
    """
    from train.evaluation import evaluate_corpus
    from train.evaluation_text import agreement_table, trend_table
    from vqa2cli.model import load_model

    result = evaluate_corpus(load_model(model), corpus, split, with_peers=peers)
    click.echo(f"Renditions, split {split}\n\n{agreement_table(result.renditions)}\n")
    click.echo(f"Made distortions, split {split}\n\n{agreement_table(result.distortions)}\n")
    click.echo(trend_table(result.trends))
    if output is not None:
        output.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
