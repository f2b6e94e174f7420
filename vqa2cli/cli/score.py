"""`vqa2 score`: quality of clips and folders of clips."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from vqa2cli.cli import options
from vqa2cli.cli.exit_codes import OK, exit_code
from vqa2cli.cli.gating import rules_of
from vqa2cli.cli.inputs import arriving_clips, find_clips, show_clips
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import Outputs, check_installed, open_frames, write_rows
from vqa2cli.cli.worst_frames import WorstFrames
from vqa2cli.config import RunConfig, StallText
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment
    from vqa2cli.batch import Clip
    from vqa2cli.cli.reports import MakeWriter
    from vqa2cli.gates.rules import Rule
    from vqa2cli.model import QualityModel
    from vqa2cli.report.rows import Record

FORMATS: Final = ("table", "json", "ndjson", "csv", "junit", "prometheus", "github", "html")


@click.command()
@options.inputs
@click.option(
    "--streaming", is_flag=True, help="Find stalls in the pixels, report them and score with them."
)
@options.output
@options.report_format(FORMATS)
@options.more_reports
@options.frames
@options.running
@click.option(
    "--display",
    type=options.DisplaySize(),
    default="native",
    help="Score every clip as shown at this size; needed to compare rungs of a ladder.",
)
@options.stream_facts
@click.option(
    "--diagnostics/--no-diagnostics",
    default=RunConfig.diagnostics,
    help="Measure the signal and report what is wrong with it, how badly and when.",
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
@options.resume
@options.keep_going
@click.option(
    "--watch",
    is_flag=True,
    help="INPUTS are folders: score what is there and what appears, once it is complete.",
)
@click.option(
    "--until-idle",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="With --watch: end when no file came for so long.",
)
@click.option("--dry-run", is_flag=True, help="List the clips that would be scored, and stop.")
@options.loudness
def score(
    inputs: tuple[str, ...],
    output: Path | None,
    chosen_format: str | None,
    frames: Path | None,
    gates: tuple[str, ...],
    policy: Path | None,
    reports: tuple[Path, ...],
    watch: bool,
    until_idle: float | None,
    dry_run: bool,
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
    _check_watch(watch, until_idle, dry_run, config.same_content)
    messenger = Messenger(verbose, quiet)
    out = Outputs.of(chosen_format, output, reports, FORMATS)
    check_installed(out.formats, against=False)
    written = (output, *reports, frames, config.resume)
    if watch:
        batches, total = arriving_clips(inputs, written, until_idle), None
    else:
        clips = find_clips(inputs, written, messenger)
        if dry_run:
            show_clips(clips)
            return OK
        batches, total = iter([clips]), len(clips)
    return exit_code(
        **_score(batches, total, config, rules, messenger, out, frames),
        keep_going=config.keep_going,
    )


def _check_watch(watch: bool, until_idle: float | None, dry_run: bool, same_content: bool) -> None:
    """Refuse what does not go with --watch, or only with it.

    Raises:
        UsageError: something does not.
    """
    if until_idle is not None and not watch:
        raise UsageError("--until-idle ends a --watch, so it needs one")
    if watch and dry_run:
        raise UsageError("--dry-run lists what is there; leave --watch out")
    if watch and same_content:
        raise UsageError("--same-content compares all clips of a run, and --watch never has all")


def _score(
    batches: Iterable[list[Clip]],
    total: int | None,
    config: RunConfig,
    rules: Sequence[Rule],
    messenger: Messenger,
    out: Outputs,
    frames: Path | None,
) -> dict[str, bool]:
    """Score each batch into the reports; return what decides the exit code."""
    from vqa2cli.gates.judging import judged_all
    from vqa2cli.pipeline import configured_model
    from vqa2cli.report.rows import record_of
    from vqa2cli.report.writers import ManyWriter

    with out.open() as streams, open_frames(frames) as per_frame:
        model = configured_model(config)
        messenger.detail(f"model {model.info.name} on {model.info.device}: {model.info}")
        frames_of = WorstFrames()
        makers = _writers(frames_of)
        # Closing the writers ends the reports, also of a run that is stopped, so that they parse.
        with (
            closing(ManyWriter([makers[name](stream) for name, stream in streams])) as writer,
            closing(_rows(_noted(batches, frames_of), model, config)) as rows,
        ):
            judged = judged_all(rows, rules)
            told = messenger.following(judged, total, on_terminal=out.grows_on_terminal)
            return write_rows(told, record_of, writer, per_frame)


def _rows(
    batches: Iterable[list[Clip]], model: QualityModel, config: RunConfig
) -> Generator[Assessment, None, None]:
    from vqa2cli.pipeline import score_files

    for clips in batches:
        with closing(score_files(clips, model, config)) as rows:
            yield from rows


def _noted(batches: Iterable[list[Clip]], frames_of: WorstFrames) -> Iterator[list[Clip]]:
    """Yield the batches, and tell `frames_of` of their clips."""
    for clips in batches:
        frames_of.know(clips)
        yield clips


def _writers(frames_of: WorstFrames) -> dict[str, MakeWriter[Record]]:
    from vqa2cli.report.console import TableWriter
    from vqa2cli.report.whole import WholeWriter
    from vqa2cli.report.writers import CsvWriter, JsonWriter, NdjsonWriter

    return {
        "table": TableWriter,
        "json": JsonWriter,
        "ndjson": NdjsonWriter,
        "csv": CsvWriter,
        **{
            name: partial(WholeWriter, render=render)
            for name, render in frames_of.formats().items()
        },
    }
