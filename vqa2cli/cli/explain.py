"""`vqa2 explain`: what is wrong with a clip, when, why, and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vqa2cli.cli import options
from vqa2cli.cli.inputs import find_clip
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import format_of, open_output
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError, VideoError

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment
    from vqa2cli.report.explain.explanation import Explanation
    from vqa2cli.report.output import TextSink
    from vqa2cli.video.sources import Source

FORMATS: Final = ("console", "json", "md", "html")

#: What a model that answers is asked for its depiction.
DEPICT: Final = (
    "Please describe the quality of this video: what degrades it, how badly and when, and rate "
    "its quality at the end."
)


@click.command()
@click.argument("clip", metavar="CLIP")
@options.output
@click.option(
    "--format", "chosen_format", type=click.Choice(FORMATS),
    help="Form of the explanation [by -o's suffix, else console].",
)  # fmt: skip
@click.option(
    "--save-frames", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Write a PNG of each of the worst moments into DIR.",
)  # fmt: skip
@options.running
@options.reading
@options.loudness
def explain(
    clip: str,
    output: Path | None,
    chosen_format: str | None,
    save_frames: Path | None,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> None:
    """Explain what is wrong with CLIP: findings, probable causes, what to do, worst moments.

    Stalls are looked for too. With a model that answers (--model, --protocol assistant-chat) the
    description is the model's own; else it is written from what was measured, and says so.
    """
    from vqa2cli.report.explain.explanation import explain as explanation_of
    from vqa2cli.report.explain.explanation import with_frames

    messenger = Messenger(verbose, quiet)
    chosen = format_of(chosen_format, output, FORMATS, "console")
    source = find_clip(clip, output, messenger)
    row, answer = _assessed(source, RunConfig(streaming=True, **settings))
    told = explanation_of(row, answer)
    if save_frames is not None:
        told = with_frames(told, _saved(source, told, save_frames, settings["max_seconds"]))
    with open_output(output) as stream:
        _write(told, chosen, stream)


def _assessed(source: Source, config: RunConfig) -> tuple[Assessment, str | None]:
    """Return the clip assessed, and what a model that answers wrote of it."""
    from vqa2cli.model.protocols import find_protocol

    named = config.protocol and find_protocol(config.protocol)
    if (named and named.answers) or _answers_by_itself(config.model, config.protocol):
        from vqa2cli.asking import answering_model, answers, look, views_of

        model = answering_model(config)
        looked = look(source, model, config)
        return looked.row, "\n".join(answers(views_of([looked]), model, DEPICT))
    from vqa2cli.pipeline import configured_model, score_files

    (row,) = score_files([source], configured_model(config), config)
    if row.error is not None:
        raise VideoError(row.error.kind, f"{source}: {row.error.message}")
    return row, None


def _answers_by_itself(model: str, protocol: str | None) -> bool:
    from vqa2cli.model.catalogue import CATALOGUE
    from vqa2cli.model.protocols import find_protocol

    entry = CATALOGUE.get(model)
    return protocol is None and entry is not None and find_protocol(entry.protocol).answers


def _saved(source: Source, told: Explanation, folder: Path, max_seconds: float) -> list[str]:
    """Write a picture of each moment; names hold the time and never that of the clip."""
    from vqa2cli.video.stills import save_stills

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error
    targets = [
        folder / f"worst-{index}-{moment.time_s:09.3f}s.png"
        for index, moment in enumerate(told.moments, start=1)
    ]
    if targets:
        save_stills(source, [moment.time_s for moment in told.moments], targets, max_seconds)
    return [str(target) for target in targets]


def _write(told: Explanation, chosen: str, stream: TextSink) -> None:
    from vqa2cli.report.explain.explanation import explanation_record
    from vqa2cli.report.explain.forms import FORMS

    if chosen == "json":
        stream.write(json.dumps(explanation_record(told), allow_nan=False, indent=1) + "\n")
    else:
        FORMS[chosen](told, stream)
