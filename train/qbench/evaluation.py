"""From answers to the table: letters compared, open answers judged, points added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from train.qbench.answers import Answer
from train.qbench.judge import JudgeSettings, Verdict, judge_all
from train.qbench.letters import Protocol, chosen_letter
from train.qbench.paper_rows import ROWS, PublishedRow, split_note
from train.qbench.questions import TYPES, Question, QuestionType
from train.qbench.tally import Column, Scored, columns
from vqa2cli.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """The questions a run is about, and how many it is not."""

    questions: tuple[Question, ...]
    protocol: Protocol
    types: tuple[QuestionType, ...]
    pairs_left_out: int
    types_left_out: int


@dataclass(frozen=True)
class Evaluation:
    """What a run found.

    Attributes:
        judge: the model that judged open answers, None where there were none to judge.
        no_letter: answers that name no option; they are wrong, and counted.
    """

    selection: Selection
    answered_by: str
    judge: str | None
    judge_calls: int
    columns: Mapping[str, Column]
    scored: tuple[Scored, ...]
    paper: tuple[PublishedRow, ...]
    split: str

    @property
    def left_out(self) -> tuple[Scored, ...]:
        """Questions without a result."""
        return tuple(one for one in self.scored if one.points is None)

    @property
    def no_letter(self) -> int:
        """Answers that name none of the options."""
        return sum(
            1 for one in self.scored if one.question.options and one.answer and not one.letter
        )


def select(
    questions: Sequence[Question], protocol: Protocol, types: Sequence[QuestionType] = ()
) -> Selection:
    """Return what a run is about: the paper has no questions on two clips (REFERENCE.md §4.3).

    Raises:
        UsageError: nothing is left.
    """
    wanted = tuple(kind for kind in TYPES if not types or kind in types)
    single = [one for one in questions if protocol == "official" or len(one.videos) == 1]
    chosen = tuple(one for one in single if one.type in wanted)
    if not chosen:
        raise UsageError(
            f"none of {len(questions)} questions is left: {len(questions) - len(single)} are on "
            f"two clips, {len(single)} of another type; see --protocol and --type"
        )
    pairs = len(questions) - len(single)
    return Selection(chosen, protocol, wanted, pairs, len(single) - len(chosen))


def open_answers(selection: Selection, answers: Mapping[str, Answer]) -> list[tuple[Question, str]]:
    """Return the open questions that have an answer, with it."""
    return [
        (question, text)
        for question in selection.questions
        if question.type == "open"
        and (text := answers.get(question.id, Answer(None)).text) is not None
    ]


def evaluate(
    selection: Selection,
    answers: Mapping[str, Answer],
    judge: JudgeSettings | None,
    answered_by: str,
) -> Evaluation:
    """Return the points of every question, and the table.

    Raises:
        MissingError: the judge does not answer; its replies so far are kept.
        UsageError: there are open answers and no judge, or its replies are no scores.
    """
    to_judge = open_answers(selection, answers)
    if to_judge and judge is None:
        raise UsageError(no_judge(len(to_judge)))
    verdicts: dict[str, Verdict] = {}
    if to_judge and judge is not None:
        ids = (question.id for question, _ in to_judge)
        verdicts = dict(zip(ids, judge_all(to_judge, judge), strict=True))
    scored = tuple(
        _scored(one, answers.get(one.id, Answer(None, "no answer")), verdicts, selection.protocol)
        for one in selection.questions
    )
    judging = judge if to_judge else None
    return Evaluation(
        selection=selection,
        answered_by=answered_by,
        judge=judging.endpoint.model if judging else None,
        judge_calls=judging.calls if judging else 0,
        columns=columns(scored, selection.protocol, selection.types),
        scored=scored,
        paper=ROWS[selection.protocol],
        split=split_note(selection.questions),
    )


def no_judge(count: int) -> str:
    """Return what to do about open questions that nobody judges."""
    return (
        f"{count} open questions need a judge and none is given; add --judge-url and "
        "--judge-model, or leave them out with --type binary --type multi"
    )


def _scored(
    question: Question, answer: Answer, verdicts: Mapping[str, Verdict], protocol: Protocol
) -> Scored:
    if answer.text is None:
        return Scored(question, reason=answer.reason)
    if question.type == "open":
        verdict = verdicts[question.id]
        return Scored(
            question,
            answer.text,
            judge_scores=verdict.scores,
            points=verdict.points,
            reason=verdict.reason,
        )
    letter = chosen_letter(question, answer.text, protocol)
    return Scored(question, answer.text, letter, points=float(letter == question.correct))


def evaluation_record(found: Evaluation) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "benchmark": "Q-Bench-Video",
        "protocol": found.selection.protocol,
        "answered_by": found.answered_by,
        "judge": found.judge,
        "judge_calls": found.judge_calls,
        "columns": {name: asdict(column) for name, column in found.columns.items()},
        "questions": len(found.scored),
        "pairs_left_out": found.selection.pairs_left_out,
        "types_left_out": found.selection.types_left_out,
        "answers_without_a_letter": found.no_letter,
        "split": found.split,
        "paper": [asdict(row) for row in found.paper],
        "results": [_result(one) for one in found.scored],
    }


def _result(one: Scored) -> dict[str, Any]:
    return {
        "id": one.question.id,
        "video": one.question.video,
        "type": one.question.type,
        "concerns": list(one.question.concerns),
        "answer": one.answer,
        "letter": one.letter,
        "correct": one.question.correct,
        "judge_scores": list(one.judge_scores),
        "points": one.points,
        "reason": one.reason,
    }
