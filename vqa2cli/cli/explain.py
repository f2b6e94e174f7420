"""`vqa2 explain`: what is wrong with a clip, when, why, and what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vqa2cli.cli import options
from vqa2cli.cli.inputs import find_clip
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import format_of, open_output
from vqa2cli.config import ASSISTANT_MODEL, RunConfig
from vqa2cli.errors import UsageError, VideoError

if TYPE_CHECKING:
    from vqa2cli.asking import Looked
    from vqa2cli.assessment import Assessment
    from vqa2cli.model import QualityModel
    from vqa2cli.report.explain.explanation import Depiction, Explanation
    from vqa2cli.report.output import TextSink
    from vqa2cli.video.sources import Source

FORMATS: Final = ("console", "json", "md", "html")

#: Stands for no model in `--ask-model`.
NO_MODEL: Final = "none"


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
@click.option(
    "--ask-model", metavar="NAME|DIR|HUB_ID|none", default=ASSISTANT_MODEL,
    help="Model that describes the clip in words of its own; none leaves them out.",
)  # fmt: skip
@options.running
@options.reading
@options.loudness
def explain(
    clip: str,
    output: Path | None,
    chosen_format: str | None,
    save_frames: Path | None,
    ask_model: str,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> None:
    """Explain what is wrong with CLIP: findings, probable causes, what to do, worst moments.

    Stalls are looked for too. The text is written from what was measured and scored; below it
    stand the words of a model that answers, which sees the pictures alone (--ask-model, for which
    the clip is read a second time). They may differ.
    """
    from vqa2cli.report.explain.explanation import explain as explanation_of
    from vqa2cli.report.explain.explanation import with_frames

    messenger = Messenger(verbose, quiet)
    chosen = format_of(chosen_format, output, FORMATS, "console")
    source = find_clip(clip, output, messenger)
    config = RunConfig(streaming=True, **settings)
    told = explanation_of(*_assessed(source, config, ask_model))
    if save_frames is not None:
        told = with_frames(told, _saved(source, told, save_frames, settings["max_seconds"]))
    with open_output(output) as stream:
        _write(told, chosen, stream)


def _assessed(
    source: Source, config: RunConfig, ask_model: str
) -> tuple[Assessment, Depiction | None]:
    """Return the clip assessed, and what a model that answers wrote of it."""
    from vqa2cli.asking import answering_model, look, own_protocol
    from vqa2cli.model.protocols import find_protocol

    protocol = config.protocol or own_protocol(config.model)
    if protocol and find_protocol(protocol).answers:
        model = answering_model(config)
        looked = look(source, model, config)
        return looked.row, _depicted(looked, model)
    from vqa2cli.pipeline import configured_model, score_files

    scorer = configured_model(config)
    seen = replace(config, model=ask_model, protocol=None, streaming=False, diagnostics=False)
    assistant = None if ask_model == NO_MODEL else answering_model(seen)
    (row,) = score_files([source], scorer, config)
    if row.error is not None:
        raise VideoError(row.error.kind, f"{source}: {row.error.message}")
    if assistant is None:
        return row, None
    return row, _depicted(look(source, assistant, seen), assistant)


def _depicted(looked: Looked, model: QualityModel) -> Depiction:
    """Return a clip in the words of a model that answers."""
    from vqa2cli.asking import DEPICT, answers, views_of
    from vqa2cli.report.explain.explanation import Said, depiction_of

    views = views_of([looked])
    texts = answers(views, model, DEPICT)
    parts = [Said(v[0].start_s, v[0].end_s, text) for v, text in zip(views, texts, strict=True)]
    return depiction_of(model.info.name, parts)


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
