"""What an endpoint is asked to write about a depiction, and which replies are good."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from train.data.asked_pairs import Pair, letter
from train.data.depictions import Depiction, as_line, first_fault
from train.data.looks import MediaFacts
from vqa2cli.model.protocols import choice_question

#: Tasks that can be asked of an endpoint; causal analysis follows from the depiction alone.
LLM_TASKS: Final = ("binary", "choice", "open", "temporal", "in-context", "extended")

LlmTask = Literal["binary", "choice", "open", "temporal", "in-context", "extended"]

#: What each task asks for.
_WANTED: Final[dict[str, str]] = {
    "binary": "a question that yes or no answers; the answer begins with Yes or No and says why",
    "choice": "a question with `options`, two to five, one of them right; the answer repeats it",
    "open": "an open question on the quality, answered in full sentences",
    "temporal": "a question on when something shows or how the quality changes over time",
    "in-context": "a question on the quality of a part of the picture, of the scene, or of a "
    "moment, as far as the record tells",
    "extended": "a question that goes beyond what is seen: a likely cause, advice, or the effect "
    "on a viewer",
}

_SYSTEM: Final = (
    "You write training data for a model that looks at {kind}s and speaks of their visual quality. "
    "You get a record of what people saw in one {kind}: attributes, degrees, times in seconds. "
    "Write one pair of question and answer for each task asked. Use only what the record holds. "
    "Ask and answer as someone who sees the {kind}: never mention the record, an annotation or a "
    "score as a number. Reply with JSON alone: {form}"
)
_FORM: Final = (
    '{"pairs": [{"task": "...", "question": "...", "answer": "...", "options": ["..."] or null}]}'
)

#: Words that give away that the writer had a record, not a picture.
_GIVEAWAY: Final = re.compile(
    r"\b(record|annotation|annotator|depiction|metadata|json|provided information)", re.IGNORECASE
)

#: Marks of the chat layout that must not get into a text.
_MARKS: Final = re.compile(r"<image>|<video>|<\|")

_STRICT: Final = ConfigDict(extra="forbid", str_strip_whitespace=True)


class WrittenPair(BaseModel):
    """One question and its answer, as an endpoint wrote them."""

    model_config = _STRICT

    task: LlmTask
    question: Annotated[str, Field(min_length=8, max_length=600)]
    answer: Annotated[str, Field(min_length=1, max_length=2000)]
    options: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = None

    @model_validator(mode="after")
    def _check(self) -> WrittenPair:
        """Check the text, then the answer's form."""
        for text in (self.question, self.answer, *(self.options or ())):
            found = _MARKS.search(text) or _GIVEAWAY.search(text)
            if found:
                raise ValueError(f"the text of {self.task} says {found.group()!r}")
        if self.task == "binary" and not re.match(r"(yes|no)\b", self.answer, re.IGNORECASE):
            raise ValueError("the answer of binary begins with neither Yes nor No")
        if self.task == "choice":
            self._check_options()
        return self

    def _check_options(self) -> None:
        options = self.options or []
        if not 2 <= len(options) <= 5 or len({one.casefold() for one in options}) < len(options):
            raise ValueError("choice needs two to five different options")
        if self.answer.casefold() not in {one.casefold() for one in options}:
            raise ValueError("the answer of choice is none of its options")


class Reply(BaseModel):
    """Everything an endpoint wrote about one depiction."""

    model_config = _STRICT

    pairs: Annotated[list[WrittenPair], Field(min_length=1)]


def reply_schema() -> dict[str, Any]:
    """Return the JSON schema of a reply, for endpoints that hold a model to one."""
    return Reply.model_json_schema()


def messages_for(
    depiction: Depiction, facts: MediaFacts, tasks: Sequence[str]
) -> list[dict[str, str]]:
    """Return what is sent about one depiction; the medium itself and its path stay here."""
    seen = json.loads(as_line(depiction))
    told = {key: seen[key] for key in ("findings", "scene") if key in seen}
    told |= {"kind": facts.kind, "duration_s": facts.duration_s, "overall": depiction.word}
    asked = "\n".join(f"- {task}: {_WANTED[task]}" for task in tasks)
    system = _SYSTEM.replace("{kind}", facts.kind).replace("{form}", _FORM)
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"Record: {json.dumps(told)}\nTasks:\n{asked}"},
    ]


def pairs_of(text: str, tasks: Sequence[str]) -> list[tuple[str, WrittenPair]]:
    """Return the pair of each task, in their order.

    Raises:
        ValueError: the reply is not JSON of the schema, or a task is missing or there twice.
    """
    try:
        reply = Reply.model_validate_json(_unfenced(text))
    except ValidationError as error:
        raise ValueError(first_fault(error)) from error
    written = [pair.task for pair in reply.pairs]
    if sorted(written) != sorted(tasks):
        raise ValueError(f"asked for {', '.join(tasks)}, got {', '.join(written)}")
    by_task = {pair.task: pair for pair in reply.pairs}
    return [(task, by_task[task]) for task in LLM_TASKS if task in by_task]


def as_pair(written: WrittenPair, place: int) -> Pair:
    """Return a written pair as question and answer; a right choice goes to `place` or the last."""
    if written.task != "choice" or not written.options:
        return written.question, written.answer
    right = next(one for one in written.options if one.casefold() == written.answer.casefold())
    options = [one for one in written.options if one != right]
    place = min(place, len(options))
    options.insert(place, right)
    return choice_question(written.question, options), f"{letter(place)}."


def _unfenced(text: str) -> str:
    """Return `text` without the Markdown fence some models put around JSON."""
    found = re.fullmatch(r"\s*```(?:json)?\s*(.*?)\s*```\s*", text, re.DOTALL)
    return found[1] if found else text
