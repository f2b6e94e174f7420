"""`vqa2 evaluate qbench-video`: parse, ask or read, judge, print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from train.evaluation_options import name_left_out
from train.option_types import FILE, FOLDER, NEW_FILE, NEW_FOLDER
from vqa2cli.cli.exit_codes import OK, UNSCORED
from vqa2cli.config import EngineName, Precision, RunConfig
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from train.data.extension import Estimate
    from train.qbench.answers import Answer
    from train.qbench.evaluation import Evaluation, Selection
    from train.qbench.judge import JudgeSettings


@dataclass(frozen=True)
class _Asked:
    """Who answers: a model about clips, or a file that holds the answers."""

    media: Path | None
    model: str | None
    answers: Path | None
    prompt: str
    max_tokens: int | None
    device: str
    precision: Precision
    engine: EngineName

    def check(self) -> None:
        """Raise UsageError unless it is one of the two, whole."""
        if (self.model is None) == (self.answers is None):
            raise UsageError("give --model to ask a model, or --answers to score answers at hand")
        if self.model is not None and self.media is None:
            raise UsageError("--model needs --media, the folder that the clips lie below")


@click.command(name="qbench-video")
@click.argument("benchmark", type=FILE)
@click.option("--media", type=FOLDER, help="Folder the clips lie below.")
@click.option("--model", metavar="NAME|DIR|HUB_ID", help="Model to ask; it must be able to answer.")
@click.option("--answers", type=FILE, help="Score these answers instead: JSON, {id: answer}.")
@click.option(
    "--protocol", type=click.Choice(["official", "paper"]), default="paper", show_default=True,
    help="Whose frames, prompts, letters and columns: the benchmark's or the paper's.",
)  # fmt: skip
@click.option(
    "--prompt", type=click.Choice(["qbench-2024", "qbench-2025"]), default="qbench-2024",
    show_default=True, help="The authors' prompt that the model was made with; paper only.",
)  # fmt: skip
@click.option(
    "--type", "types", type=click.Choice(["binary", "multi", "open"]), multiple=True,
    help="Only these questions.  [default: all]",
)  # fmt: skip
@click.option("--judge-url", help="Judge's endpoint, such as https://api.openai.com/v1.")
@click.option("--judge-model", metavar="NAME", help="Judge, as the endpoint calls it.")
@click.option(
    "--key-variable", default="OPENAI_API_KEY", show_default=True,
    help="Environment variable that holds the judge's key.",
)  # fmt: skip
@click.option(
    "--judge-calls", type=click.IntRange(1, 100), default=5, show_default=True,
    help="Scores of one open answer; their mean counts.",
)  # fmt: skip
@click.option("--per-minute", default=60.0, show_default=True, help="Most requests a minute.")
@click.option(
    "--retries", type=click.IntRange(0, 100), default=5, show_default=True,
    help="Further tries after a failure.",
)  # fmt: skip
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0, min_open=True), default=120.0,
    show_default=True, help="Longest wait for a reply, seconds.",
)  # fmt: skip
@click.option(
    "--temperature", type=click.FloatRange(0, 2), default=1.0, show_default=True,
    help="Of the judge; 0 is greedy.",
)  # fmt: skip
@click.option("--price-in", type=float, help="Price of a million tokens sent.")
@click.option("--price-out", type=float, help="Price of a million tokens written.")
@click.option("--dry-run", is_flag=True, help="Tell what judging would cost; send nothing.")
@click.option(
    "--resume", type=NEW_FOLDER,
    help="Keep answers and the judge's replies here, and take those an earlier run left.  "
    "[default: BENCHMARK.kept]",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True,
              help="Requests at a time.")  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(1, 4096), help="Longest answer of the model.")
@click.option("--device", default=RunConfig.device, metavar="auto|cpu|cuda[:N]",
              help="Where the model runs.")  # fmt: skip
@click.option(
    "--precision", type=click.Choice(get_args(Precision)), default=RunConfig.precision,
    show_default=True, help="Arithmetic of the model.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(get_args(EngineName)), default=RunConfig.engine,
    show_default=True, help="What runs the motion branch.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table",
    show_default=True, help="What goes to stdout.",
)  # fmt: skip
@click.option("-o", "--output", type=NEW_FILE, help="Write everything as JSON.")
@click.pass_context
def qbench_video(
    ctx: click.Context,
    /,
    benchmark: Path,
    protocol: Any,
    types: tuple[Any, ...],
    resume: Path | None,
    price_in: float | None,
    price_out: float | None,
    dry_run: bool,
    form: str,
    output: Path | None,
    **rest: Any,
) -> None:
    """Measure a model on Q-Bench-Video, or score answers that are there already.

    BENCHMARK is the benchmark's JSON list of questions. Choices are matched by their letter;
    open answers are scored 0, 1 or 2 by a judge behind any OpenAI-compatible endpoint. Numbers
    stand by type of question and by concern as in the paper's Tables 4 and 5, with what is held
    of those beside.

    Answers and the judge's replies are kept as they come, so a run that was stopped goes on
    where it was. The exit code is 3 if some question has no result.
    """
    from train.qbench.evaluation import evaluate, select
    from train.qbench.questions import read_questions

    judge_options = {name: rest.pop(name) for name in _JUDGE_OPTIONS}
    asked = _Asked(**rest)
    asked.check()
    selection = select(read_questions(benchmark), protocol, types)
    kept = resume or benchmark.with_name(f"{benchmark.name}.kept")
    judge = _judge(selection, kept, judge_options)
    if dry_run:
        _tell_cost(asked, selection, judge, price_in, price_out)
        return
    answers, answered_by = _answers(asked, selection, kept)
    found = evaluate(selection, answers, judge, answered_by)
    _show(found, form, output)
    ctx.exit(UNSCORED if found.left_out else OK)


#: Options that say who judges, and how.
_JUDGE_OPTIONS = (
    "judge_url", "judge_model", "judge_calls", "key_variable", "per_minute", "retries",
    "timeout_s", "temperature", "jobs",
)  # fmt: skip


def _judge(selection: Selection, kept: Path, told: dict[str, Any]) -> JudgeSettings | None:
    """Return who judges; None where nothing is to be judged.

    Raises:
        UsageError: a judge is needed and not given, or given by half.
    """
    from train.data.endpoint import EndpointSettings
    from train.qbench.evaluation import no_judge
    from train.qbench.judge import JudgeSettings

    count = sum(1 for question in selection.questions if question.type == "open")
    if not count:
        return None
    url, model = told.pop("judge_url"), told.pop("judge_model")
    if url is None and model is None:
        raise UsageError(no_judge(count))
    if url is None or model is None:
        missing = "--judge-url" if url is None else "--judge-model"
        raise UsageError(f"a judge is an endpoint and a model; add {missing}")
    calls, jobs = told.pop("judge_calls"), told.pop("jobs")
    endpoint = EndpointSettings(base_url=url, model=model, max_tokens=_SCORE_TOKENS, form="text",
                                **told)  # fmt: skip
    return JudgeSettings(endpoint, kept / "judge", calls, jobs)


#: Room for a digit and the words some models put around it.
_SCORE_TOKENS = 32


def _answers(asked: _Asked, selection: Selection, kept: Path) -> tuple[Mapping[str, Answer], str]:
    """Return every answer, and who gave them."""
    from train.qbench.answers import read_answers

    if asked.answers is not None:
        return read_answers(asked.answers, selection.questions), asked.answers.name
    from train.qbench.asking import AskSettings, ask_all, open_model

    assert asked.model is not None
    assert asked.media is not None
    config = RunConfig(
        model=asked.model,
        protocol=asked.prompt,
        device=asked.device,
        precision=asked.precision,
        engine=asked.engine,
        diagnostics=False,
    )
    model = open_model(config)
    try:
        settings = AskSettings(
            asked.media, selection.protocol, kept / "answers.jsonl", config, asked.max_tokens
        )
        return ask_all(selection.questions, model, settings), model.info.name
    finally:
        model.close()


def _tell_cost(
    asked: _Asked,
    selection: Selection,
    judge: JudgeSettings | None,
    price_in: float | None,
    price_out: float | None,
) -> None:
    """Say what judging would send; nothing is asked or sent."""
    from train.qbench.answers import read_answers
    from train.qbench.evaluation import open_answers
    from train.qbench.judge import estimate

    if judge is None:
        click.echo("no open question: nothing would be sent to a judge")
        return
    least = ""
    if asked.answers is not None:
        answered = open_answers(selection, read_answers(asked.answers, selection.questions))
    else:
        least = "at least "
        answered = [(one, "") for one in selection.questions if one.type == "open"]
    planned: Estimate = estimate(answered, judge)
    click.echo(
        f"{len(answered)} open answers, {planned.requests} requests, {planned.kept} with a reply "
        f"at hand: {least}about {planned.tokens_in} tokens in, {planned.tokens_out} out; "
        f"{planned.cost_told(price_in, price_out, least)}"
    )


def _show(found: Evaluation, form: str, output: Path | None) -> None:
    """Print the result, name what has none, write the JSON."""
    from train.qbench.evaluation import evaluation_record

    told = json.dumps(evaluation_record(found), indent=1, allow_nan=False, ensure_ascii=True)
    if form == "json":
        click.echo(told)
    else:
        from train.qbench.text import evaluation_text

        click.echo(evaluation_text(found, markdown=form == "markdown"))
    name_left_out(
        f"{len(found.left_out)} of {len(found.scored)} questions",
        [f"{one.question.id}: {one.reason}" for one in found.left_out],
    )
    if output is not None:
        from train.data.files import write_whole

        write_whole(output, told + "\n")
