"""`vqa2 ask`: questions to a clip, answered by a model that can."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from vqa2cli.cli import options
from vqa2cli.cli.inputs import find_clip
from vqa2cli.cli.messages import Messenger
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.report.plain_text import one_line

if TYPE_CHECKING:
    from vqa2cli.asking import Looked, OnText
    from vqa2cli.model import QualityModel

_LETTER: Final = re.compile(r"^\s*([A-Z])\s*[.)]\s*")


@click.command()
@click.argument("clip", metavar="CLIP")
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
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
@options.running
@options.reading
@options.loudness
def ask(
    clip: str,
    questions: tuple[str, ...],
    choices: str | None,
    binary: bool,
    interactive: bool,
    max_tokens: int | None,
    chosen_format: str,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> None:
    """Answer questions about CLIP, which is looked at once for all of them.

    Needs a model trained to answer, such as q-future/VQA-Assistant-llava_qwen. A clip longer than
    the protocol's window is asked about window by window.
    """
    from vqa2cli.asking import answering_model, clean_question, look

    offered = _offered(choices, binary)
    if not questions and not interactive:
        raise UsageError("no question; write one behind the clip, or add --interactive")
    if interactive and chosen_format == "json":
        raise UsageError("--interactive speaks in text; leave out --format json")
    wanted = [clean_question(question) for question in questions]
    config = RunConfig(diagnostics=False, **settings)
    source = find_clip(clip, None, Messenger(verbose, quiet))
    model = answering_model(config)
    asker = _Asker(model, look(source, model, config), offered, max_tokens)
    if chosen_format == "json":
        from vqa2cli.report.rows import strict_record

        records = [asker.record(question) for question in wanted]
        report = {"file": str(source), "model": model.info.name, "answers": records}
        click.echo(json.dumps(strict_record(report), allow_nan=False, indent=1))
        return
    for question in wanted:
        asker.tell(question)
    if interactive:
        _converse(asker)


class _Asker:
    """Puts questions to one clip that was looked at."""

    def __init__(
        self, model: QualityModel, looked: Looked, offered: list[str], max_tokens: int | None
    ) -> None:
        self._model, self._looked, self._offered = model, looked, offered
        self._max_tokens = max_tokens

    def record(self, question: str) -> dict[str, Any]:
        """Return a question with the answer for each window."""
        windows = [
            {"start": window.start_s, "end": window.end_s, "answer": text, **self._chosen(text)}
            for window, text in zip(self._looked.windows, self._answers(question), strict=True)
        ]
        return {"question": question, "windows": windows}

    def tell(self, question: str) -> None:
        """Write the answers as they are generated."""
        many = len(self._looked.windows) > 1
        pending = iter(self._answers(question, _echo))
        for window in self._looked.windows:
            if many:
                click.echo(f"{window.start_s:.2f}-{window.end_s:.2f} s: ", nl=False)
            text = next(pending)
            choice = self._chosen(text).get("choice")
            click.echo(f" [{one_line(choice)}]" if choice else "")

    def _answers(self, question: str, on_text: OnText | None = None) -> Iterable[str]:
        from vqa2cli.asking import answers
        from vqa2cli.model.protocols import choice_question

        asked = choice_question(question, self._offered) if self._offered else question
        return answers(self._looked, self._model, asked, self._max_tokens, on_text)

    def _chosen(self, text: str) -> dict[str, str | None]:
        """Return letter and choice of an answer; None where it names none."""
        if not self._offered:
            return {}
        letter = text.strip()[:1]
        index = ord(letter) - ord("A") if letter else -1
        if 0 <= index < len(self._offered) and not text.strip()[1:2].isalpha():
            return {"letter": letter, "choice": self._offered[index]}
        named = [each for each in self._offered if each.lower() in text.lower()]
        if len(named) != 1:
            return {"letter": None, "choice": None}
        return {"letter": chr(65 + self._offered.index(named[0])), "choice": named[0]}


def _offered(choices: str | None, binary: bool) -> list[str]:
    """Return the answers to choose of, without letters of their own.

    Raises:
        UsageError: there are fewer than two, or more than the alphabet holds.
    """
    if binary and choices is not None:
        raise UsageError("--binary and --choices exclude each other")
    if binary:
        return ["Yes", "No"]
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
