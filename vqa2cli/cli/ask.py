"""`vqa2 ask`: questions to a clip or two, answered by a model that can."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vqa2cli.cli import options
from vqa2cli.cli.clips_first import clips_and_questions
from vqa2cli.cli.inputs import find_clip
from vqa2cli.cli.messages import Messenger
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.report.plain_text import one_line

if TYPE_CHECKING:
    from vqa2cli.asking import OnText, View
    from vqa2cli.model import QualityModel
    from vqa2cli.video.sources import Source

#: Names of the spans of two clips in JSON.
_PLACES: Final = ("first", "second")
_LETTER: Final = re.compile(r"^\s*([A-Z])\s*[.)]\s*")


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="CLIP [CLIP] [QUESTION]...")
@click.option("--choices", metavar="A,B,...", help="Answers to choose of, apart by commas.")
@click.option("--binary", is_flag=True, help="Answer with yes or no.")
@click.option("--interactive", is_flag=True, help="Then ask for questions until an empty line.")
@click.option(
    "--max-tokens", type=click.IntRange(1, 4096), help="Longest answer, tokens [the protocol's]."
)
@click.option(
    "--format", "chosen_format", type=click.Choice(("text", "json")), default="text",
    help="Text as it is generated, or one JSON object at the end.",
)  # fmt: skip
@options.asking
@options.reading
@options.loudness
def ask(
    arguments: tuple[str, ...],
    choices: str | None,
    binary: bool,
    interactive: bool,
    max_tokens: int | None,
    chosen_format: str,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> None:
    """Answer questions about CLIP, or about two clips at once, each looked at once for all.

    Clips come before questions: the first argument is a clip, and so is the next if it is a file
    or ends like one (.mp4, .m3u8); a question may end like one only with a mark behind it.

    The embedded assistant knows about the quality of pictures alone: distortions, how strong, when,
    and how good it looks. Any other model must be trained to answer, such as
    q-future/VQA-Assistant-llava_qwen. A clip longer than the protocol's window is asked about
    window by window. Of two clips the windows are half as long, and those at the same place of
    each go together.
    """
    from vqa2cli.asking import MAX_CLIPS, answering_model, clean_question, look, views_of

    offered = _offered(choices, binary)
    clips, questions = clips_and_questions(arguments, MAX_CLIPS)
    if not questions and not interactive:
        raise UsageError("no question; write one behind the clip, or add --interactive")
    if interactive and chosen_format == "json":
        raise UsageError("--interactive speaks in text; leave out --format json")
    wanted = [clean_question(question) for question in questions]
    config = RunConfig(diagnostics=False, **settings)
    sources = _found(clips, Messenger(verbose, quiet))
    model = answering_model(config, len(sources))
    views = views_of([look(source, model, config) for source in sources])
    asker = _Asker(model, views, offered, max_tokens)
    if chosen_format == "json":
        from vqa2cli.report.rows import strict_record

        records = [asker.record(question) for question in wanted]
        report = {**_names(sources), "model": model.info.name, "answers": records}
        click.echo(json.dumps(strict_record(report), allow_nan=False, indent=1))
        return
    for question in wanted:
        asker.tell(question)
    if interactive:
        _converse(asker)


def _found(clips: Sequence[str], messenger: Messenger) -> list[Source]:
    """Return the clip each argument means.

    Raises:
        UsageError: one is none, or several.
        VideoError: a file is missing or cannot be read, found before a model is loaded.
    """
    from vqa2cli.video.probe import check_regular_file

    sources = [find_clip(clip, None, messenger) for clip in clips]
    for source in sources:
        if isinstance(source, Path):
            check_regular_file(source)
    return sources


def _names(sources: Sequence[Source]) -> dict[str, Any]:
    """Return how JSON names the clips: `file` of one, `files` of two."""
    if len(sources) == 1:
        return {"file": str(sources[0])}
    return {"files": [str(source) for source in sources]}


class _Asker:
    """Puts questions to clips that were looked at."""

    def __init__(
        self,
        model: QualityModel,
        views: Sequence[View],
        offered: list[str],
        max_tokens: int | None,
    ) -> None:
        self._model, self._views, self._offered = model, views, offered
        self._max_tokens = max_tokens

    def record(self, question: str) -> dict[str, Any]:
        """Return a question with the answer for each window, or for each pair of them."""
        windows = [
            {**_spans(view), "answer": text, **self._chosen(question, text)}
            for view, text in zip(self._views, self._answers(question), strict=True)
        ]
        return {"question": question, "windows": windows}

    def tell(self, question: str) -> None:
        """Write the answers as they are generated."""
        many = len(self._views) > 1
        pending = iter(self._answers(question, _echo))
        for view in self._views:
            if many:
                spans = (f"{window.start_s:.2f}-{window.end_s:.2f} s" for window in view)
                click.echo(f"{' and '.join(spans)}: ", nl=False)
            text = next(pending)
            choice = self._chosen(question, text).get("choice")
            click.echo(f" [{one_line(choice)}]" if choice else "")

    def _answers(self, question: str, on_text: OnText | None = None) -> Iterable[str]:
        from vqa2cli.asking import answers
        from vqa2cli.model.choices import to_choose

        asked = to_choose(question, self._offered, self._model.protocol)
        return answers(self._views, self._model, asked, self._max_tokens, on_text)

    def _chosen(self, question: str, text: str) -> dict[str, str | None]:
        """Return letter and choice of an answer to a question; None where it names none."""
        from vqa2cli.model.choices import chosen

        if not self._offered:
            return {}
        index = chosen(question, text, self._offered, self._model.protocol)
        if index is None:
            return {"letter": None, "choice": None}
        return {"letter": chr(ord("A") + index), "choice": self._offered[index]}


def _spans(view: View) -> dict[str, Any]:
    """Return when a view was, in seconds: of one clip, or of the first and the second."""
    spans = [{"start": window.start_s, "end": window.end_s} for window in view]
    return dict(zip(_PLACES, spans, strict=True)) if len(spans) > 1 else spans[0]


def _offered(choices: str | None, binary: bool) -> list[str]:
    """Return the answers to choose of, without letters of their own.

    Raises:
        UsageError: there are fewer than two, or more than the alphabet holds.
    """
    if binary and choices is not None:
        raise UsageError("--binary and --choices exclude each other")
    if binary:
        from vqa2cli.model.choices import YES_OR_NO

        return [*YES_OR_NO]
    if choices is None:
        return []
    found = [_LETTER.sub("", one_line(part)).strip() for part in choices.split(",")]
    found = [part for part in found if part]
    if not 2 <= len(found) <= 26 or len(set(found)) != len(found):
        raise UsageError(f"--choices {choices!r}: give 2 to 26 different answers apart by commas")
    return found


def _converse(asker: _Asker) -> None:
    """Ask for questions until an empty line or the end of input."""
    from vqa2cli.asking import clean_question

    prompting = sys.stdin.isatty()
    while True:
        if prompting:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line.strip():
            return
        try:
            asker.tell(clean_question(line))
        except UsageError as error:
            click.echo(f"vqa2: {error}", err=True)


def _echo(text: str) -> None:
    """Write a bit of an answer; what a terminal would act on is spelled out."""
    click.echo("\n".join(one_line(part) for part in text.split("\n")), nl=False)
    sys.stdout.flush()
