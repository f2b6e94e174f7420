"""`vqa2 stalls`: where the picture stands still, without any model."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vqa2cli.cli import options
from vqa2cli.cli.exit_codes import exit_code
from vqa2cli.cli.inputs import find_clips
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import format_of, open_frames, open_output, write_rows
from vqa2cli.config import RunConfig

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment
    from vqa2cli.cli.reports import MakeWriter

FORMATS: Final = (
    "summary", "json", "csv", "sequence", "p1203", "freezedetect", "intervals"
)  # fmt: skip


@click.command()
@options.inputs
@options.output
@click.option(
    "--format",
    "chosen_format",
    type=click.Choice(FORMATS),
    help="Summary in words, JSON, CSV of events, 0/1 per frame, P.1203 input, freezedetect's log "
    "lines, or intervals as JSON [by -o's suffix, else summary].",
)
@options.frames
@options.stalling
@options.reading
@options.loudness
def stalls(
    inputs: tuple[str, ...],
    output: Path | None,
    chosen_format: str | None,
    frames: Path | None,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> int:
    """Find stalls in the pixels and timestamps of videos; no model is loaded.

    INPUTS are videos, local HLS or DASH playlists, folders of videos, patterns, @LIST with a
    path a line, or - for such a list on stdin.
    """
    messenger = Messenger(verbose, quiet)
    chosen = format_of(chosen_format, output, FORMATS, "summary")
    clips = find_clips(inputs, (output, frames), messenger)

    from vqa2cli.pipeline import stall_files

    on_terminal = output is None and sys.stdout.isatty()
    with (
        open_output(output) as stream,
        open_frames(frames) as per_frame,
        closing(_writers()[chosen](stream)) as writer,
        closing(stall_files(clips, RunConfig(**settings))) as rows,
    ):
        told = messenger.following(rows, len(clips), on_terminal=on_terminal)
        found = write_rows(told, lambda row: row, writer, per_frame)
    return exit_code(**found)


def _writers() -> dict[str, MakeWriter[Assessment]]:
    from vqa2cli.report import stall_exports as exports
    from vqa2cli.report import stall_writers as writers

    return {
        "summary": writers.StallSummaryWriter,
        "json": writers.StallJsonWriter,
        "csv": writers.StallCsvWriter,
        "sequence": writers.StallSequenceWriter,
        "p1203": exports.P1203Writer,
        "freezedetect": exports.FreezedetectWriter,
        "intervals": exports.IntervalsWriter,
    }
