"""`vqa2 evaluate sessions`: parse, measure, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from train.evaluation_options import name_left_out, with_resamples, with_seed
from train.option_types import FILE, NEW_FILE
from vqa2cli.cli.exit_codes import OK, UNSCORED


@click.command()
@click.argument("table", metavar="SESSIONS.csv", type=FILE)
@click.option("--chunks", type=FILE, help="What is known of each chunk of the sessions, JSON.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What goes to stdout.",
)
@with_resamples
@with_seed
@click.option("--scores", type=NEW_FILE, help="Write each session's score and label as CSV.")
@click.option("-o", "--output", type=NEW_FILE, help="Write the JSON there.")
@click.pass_context
def sessions(
    ctx: click.Context,
    table: Path,
    chunks: Path | None,
    form: str,
    resamples: int,
    seed: int,
    scores: Path | None,
    output: Path | None,
) -> None:
    """Measure the session model on rated streaming sessions.

    SESSIONS.csv has a row a session: session, media_dur_s, mos (or mos100, 0 to 100), and
    stall_events, JSON [[media position, seconds], ...] with position 0 for the initial buffering;
    also dataset, content, scale, vmaf. CHUNKS.json holds {session: {"columns": [...], "rows":
    [...]}}; its column vmaf is the quality over time. docs/streaming.md tells what stands in where
    a table lacks one of these.

    SRCC, PLCC, KRCC and RMSE come with 95 % bootstrap intervals that draw whole contents. The
    exit code is 3 if some session could not be used.
    """
    from train.session_evaluation import evaluate_sessions, evaluation_record, write_scores

    result = evaluate_sessions(table, chunks, resamples=resamples, seed=seed)
    told = json.dumps(evaluation_record(result), indent=1, allow_nan=False)
    if form == "json":
        click.echo(told)
    else:
        from train.session_evaluation_text import evaluation_text

        click.echo(evaluation_text(result))
    left_out = [f"line {one.line}, {one.session}: {one.reason}" for one in result.left_out]
    name_left_out(f"{len(left_out)} sessions", left_out)
    if scores is not None:
        write_scores(scores, result)
    if output is not None:
        from train.data.files import write_whole

        write_whole(output, told + "\n")
    ctx.exit(UNSCORED if result.left_out else OK)
