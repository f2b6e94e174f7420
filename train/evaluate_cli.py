"""`vqa2 evaluate`: parse, measure, print; sessions and Q-Bench-Video have files of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from train.evaluation_options import name_left_out, with_resamples, with_seed
from train.option_types import EITHER, FILE, FOLDER, NEW_FILE
from train.qbench.cli import qbench_video
from train.session_cli import sessions
from vqa2cli.cli.exit_codes import OK, UNSCORED
from vqa2cli.config import EMBEDDED_MODEL
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from train.evaluation import CorpusResult
    from train.score_evaluation import ScoreEvaluation, Unmatched


class ClipsByDefault(click.Group):
    """Measures scores of clips unless the first word names something else to measure."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name where none stands."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_CLIPS, *args]
        return super().parse_args(ctx, args)


#: Name of the command that is meant where none is named.
_CLIPS = "clips"


@click.group(cls=ClipsByDefault, subcommand_metavar="[COMMAND] ARGS...")
def evaluate() -> None:
    """Measure a model on CORPUS or on Q-Bench-Video, scores against labels, or the session model.

    Without a command, `clips` is meant: `vqa2 evaluate CORPUS`.
    """


evaluate.add_command(sessions)
evaluate.add_command(qbench_video)


@evaluate.command(_CLIPS)
@click.argument("corpus", type=FOLDER, required=False)
@click.option("--model", default=EMBEDDED_MODEL, show_default=True, help="Name, directory, hub id.")
@click.option(
    "--split",
    type=click.Choice(["val", "test"]),
    default="val",
    show_default=True,
    help="Contents to measure on; look at test once, at the end.",
)
@click.option("--peers/--no-peers", default=True, help="Fit and measure trivial predictors too.")
@click.option("--scores", type=FILE, help="Report of `vqa2 score`: CSV, JSON or NDJSON.")
@click.option(
    "--labels",
    type=EITHER,
    help="Label file of rated videos, as `vqa2 data labels` reads it.",
)
@click.option("--set", "dataset", metavar="NAME", help="Set to take, where LABELS holds several.")
@click.option(
    "--column", default="score", show_default=True, help="Number to take, as a CSV report names it."
)
@with_resamples
@with_seed
@click.option("--plot", type=NEW_FILE, help="Draw scores against labels: .png, .svg or .pdf.")
@click.option("-o", "--output", type=NEW_FILE, help="Write everything as JSON.")
@click.pass_context
def clips(
    ctx: click.Context,
    corpus: Path | None,
    model: str,
    split: str,
    peers: bool,
    scores: Path | None,
    labels: Path | None,
    dataset: str | None,
    column: str,
    resamples: int,
    seed: int,
    plot: Path | None,
    output: Path | None,
) -> None:
    """Measure a model on CORPUS, or a report of scores against a table of labels.

    With CORPUS (made by `vqa2 train`), a model is measured on contents it was not trained on:
    agreement with VMAF over renditions, the share of same-content pairs at least 6 VMAF apart
    in the right order, trivial predictors beside, how often the level is right, the same on
    contents that a maker graded, made grainy or soft or put on paper, what bad encodes score once
    they are encoded again, the score of each made distortion over its levels, and how
    right the names are that the model gives them.

    With --scores and --labels, files are matched by name; what the paper states of the same
    set is printed beside.

    SRCC, KRCC, PLCC and RMSE come with 95 % bootstrap intervals that draw whole contents,
    PLCC and RMSE raw and after a four-parameter logistic.
    """
    from train.scatter import check_format

    if (corpus is None) == (scores is None) or (scores is None) != (labels is None):
        raise UsageError("give a CORPUS, or --scores and --labels together")
    if plot is not None:
        check_format(plot)
    if corpus is not None:
        _evaluate_corpus(corpus, model, split, peers, plot, output)
        return
    from train.score_evaluation import evaluate_scores

    assert scores is not None
    assert labels is not None
    result = evaluate_scores(
        scores, labels, dataset=dataset, column=column, resamples=resamples, seed=seed
    )
    _print_scores(result, scores.name)
    if plot is not None:
        _plot(plot, result.points, result.dataset, "label, 0-100")
    _write(output, result)
    ctx.exit(UNSCORED if result.not_scored else OK)


def _evaluate_corpus(
    corpus: Path, model: str, split: str, peers: bool, plot: Path | None, output: Path | None
) -> None:
    from train.evaluation import evaluate_corpus
    from train.evaluation_text import (
        agreement_table,
        group_table,
        level_table,
        recognition_table,
        second_table,
        trend_table,
    )
    from vqa2cli.model import load_model

    result = evaluate_corpus(load_model(model), corpus, split, with_peers=peers)
    click.echo(f"Renditions, split {split}\n\n{agreement_table(result.renditions)}\n")
    click.echo(f"By content, with stream facts\n\n{group_table('content', result.contents)}\n")
    if result.levels is not None:
        click.echo(f"Levels, with stream facts\n\n{level_table(result.levels)}\n")
    if result.treated:
        table = agreement_table(result.treated)
        click.echo(f"Contents that are graded, grainy, textured or soft\n\n{table}\n")
    if result.second_encodes:
        click.echo(f"Bad encodes encoded again\n\n{second_table(result.second_encodes)}\n")
    click.echo(f"Made distortions, split {split}\n\n{agreement_table(result.distortions)}\n")
    if result.type_means:
        table = group_table("predictor", result.type_means, "types and levels")
        click.echo(f"Their mean score by type and level\n\n{table}\n")
    click.echo(trend_table(result.trends))
    if result.recognition is not None:
        click.echo(f"\nDistortions by name\n\n{recognition_table(result.recognition)}")
    if plot is not None:
        _plot(plot, result.points, f"renditions, split {split}", "VMAF")
    _write(output, result)


def _print_scores(result: ScoreEvaluation, name: str) -> None:
    from train.evaluation_text import group_table, paper_table, reasons

    overall = result.overall
    click.echo(
        f"{result.dataset}: {overall.n} clips of {overall.contents} contents; labels "
        f"{result.label_scale}, here 0-100\n"
    )
    click.echo(group_table("scores", {name: overall}) + "\n")
    if why := reasons(overall):
        click.echo(why + "\n")
    if result.contents:
        click.echo(group_table("content", result.contents) + "\n")
    click.echo(result.paper_note)
    if result.paper:
        click.echo("\n" + paper_table(name, overall, result.paper))
    if result.matched_by_name_alone:
        count = result.matched_by_name_alone
        click.echo(f"{count} clips matched by the file's name alone: folders differ", err=True)
    _name("labelled files without a score", result.not_scored)
    _name("scored files without a label", result.scores_without_label)
    _name("labels without a scored file", result.labels_without_score)


def _name(what: str, left_out: Sequence[Unmatched]) -> None:
    name_left_out(f"{len(left_out)} {what}", [f"{one.name}: {one.reason}" for one in left_out])


def _plot(path: Path, points: Sequence[Any], title: str, label_name: str) -> None:
    from train.scatter import draw_scatter

    draw_scatter(path, points, title=title, label_name=label_name)
    click.echo(f"plot: {path}", err=True)


def _write(output: Path | None, result: CorpusResult | ScoreEvaluation) -> None:
    if output is None:
        return
    from train.data.files import write_whole

    write_whole(output, json.dumps(asdict(result), indent=1, allow_nan=False) + "\n")
