"""`vqa2 score`: quality of clips and folders of clips."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from vqa2cli.cli import options
from vqa2cli.cli.exit_codes import exit_code
from vqa2cli.cli.gating import rules_of
from vqa2cli.cli.inputs import find_clips
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import format_of, open_frames, open_output, write_rows
from vqa2cli.config import RunConfig, StallText
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from vqa2cli.batch import Clip
    from vqa2cli.cli.reports import MakeWriter
    from vqa2cli.gates.rules import Rule
    from vqa2cli.report.rows import Record

FORMATS: Final = ("table", "json", "ndjson", "csv")


@click.command()
@options.inputs
@click.option(
    "--streaming", is_flag=True, help="Find stalls in the pixels, report them and score with them."
)
@options.output
@click.option(
    "--format",
    "chosen_format",
    type=click.Choice(FORMATS),
    help="Format of the report [by -o's suffix, else table].",
)
@options.frames
@options.running
@click.option(
    "--display",
    type=options.DisplaySize(),
    default="native",
    help="Score every clip as shown at this size; needed to compare rungs of a ladder.",
)
@click.option(
    "--stream-facts/--no-stream-facts",
    default=RunConfig.stream_facts,
    help="Tell the model codec, bits per pixel, size and frame rate of the stream.",
)
@click.option(
    "--stall-text",
    type=click.Choice(get_args(StallText)),
    default=RunConfig.stall_text,
    help="How a model that judges stalls itself is told of them: a summary, or 0 and 1 a frame.",
)
@options.stalling
@options.gating
@options.reading
@options.keep_going
@options.loudness
def score(
    inputs: tuple[str, ...],
    output: Path | None,
    chosen_format: str | None,
    frames: Path | None,
    gates: tuple[str, ...],
    policy: Path | None,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> int:
    """Score the quality of videos from 0 to 100, without a reference.

    INPUTS are videos, local HLS or DASH playlists, folders of videos, patterns, @LIST with a
    path a line, or - for such a list on stdin.
    The exit code is 0 if every file was scored and passed every gate, 1 if a gate failed, 3 if
    some file could not be scored.
    """
    config = RunConfig(**settings)
    rules = rules_of(policy, gates, config)
    if frames is not None and not config.streaming:
        raise UsageError("--frames tells of stalls, so it needs --streaming")
    if config.stalls is not None and not config.streaming:
        raise UsageError("--stalls tells of a session's stalls, so it needs --streaming")
    messenger = Messenger(verbose, quiet)
    chosen = format_of(chosen_format, output, FORMATS, "table")
    clips = find_clips(inputs, (output, frames), messenger)
    return exit_code(
        **_score(clips, config, rules, messenger, chosen, output, frames),
        keep_going=config.keep_going,
    )


def _score(
    clips: list[Clip],
    config: RunConfig,
    rules: Sequence[Rule],
    messenger: Messenger,
    chosen: str,
    output: Path | None,
    frames: Path | None,
) -> dict[str, bool]:
    """Score `clips` into the report; return what decides the exit code."""
    from vqa2cli.gates.judging import judged_all
    from vqa2cli.pipeline import configured_model, score_files
    from vqa2cli.report.rows import record_of

    on_terminal = chosen != "table" and output is None and sys.stdout.isatty()
    with open_output(output) as stream, open_frames(frames) as per_frame:
        model = configured_model(config)
        messenger.detail(f"model {model.info.name} on {model.info.device}: {model.info}")
        # Closing the writer ends the report, also of a run that is stopped, so that it parses.
        with (
            closing(_writers()[chosen](stream)) as writer,
            closing(score_files(clips, model, config)) as rows,
        ):
            judged = judged_all(rows, rules)
            told = messenger.following(judged, len(clips), on_terminal=on_terminal)
            return write_rows(told, record_of, writer, per_frame)


def _writers() -> dict[str, MakeWriter[Record]]:
    from vqa2cli.report.console import TableWriter
    from vqa2cli.report.writers import CsvWriter, JsonWriter, NdjsonWriter

    return {"table": TableWriter, "json": JsonWriter, "ndjson": NdjsonWriter, "csv": CsvWriter}
