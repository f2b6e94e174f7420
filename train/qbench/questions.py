"""The questions of a Q-Bench-Video file: what is asked about which clips, and what is right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from train.data.json_lists import json_records
from vqa2cli.errors import UsageError

QuestionType = Literal["binary", "multi", "open"]
TYPES: Final[tuple[QuestionType, ...]] = get_args(QuestionType)

Concern = Literal["technical", "temporal", "aesthetic", "aigc", "other"]

#: What a `question_type` contains, `-` standing for any of `- _ /` and a space.
_TYPE_MARKS: Final[dict[str, QuestionType]] = {
    "yes-or-no": "binary",
    "what-how": "multi",
    "open-ended": "open",
}

#: What the words of a `quality_concern` begin with.
_CONCERN_MARKS: Final[dict[str, Concern]] = {
    "tech": "technical",
    "temp": "temporal",
    "aes": "aesthetic",
    "aigc": "aigc",
    "other": "other",
}

#: What a `context` contains where a question is about two clips.
_PAIR_MARKS: Final = ("compare", "joint")

_LETTER: Final = re.compile(r"([A-Z])\.?")


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        id: the record's `id` or `question_id`, else its place in the file, from 0.
        line: where its record begins.
        video: `video_name` as it stands.
        videos: the one clip, or the two, that it is about.
        options: answers to choose from; none where it is open.
        correct: letter of the right option; None where it is open.
        reference: the right answer of an open question; None elsewhere.
        concerns: what it is about, several at times; empty where the file does not say.
    """

    id: str
    line: int
    video: str
    videos: tuple[str, ...]
    text: str
    type: QuestionType
    options: tuple[str, ...] = ()
    correct: str | None = None
    reference: str | None = None
    concerns: tuple[Concern, ...] = ()

    @property
    def letters(self) -> str:
        """Letters of the options."""
        return "".join(chr(65 + index) for index in range(len(self.options)))


def read_questions(path: Path) -> tuple[Question, ...]:
    """Return the questions of a JSON list, or of a .jsonl.

    Raises:
        UsageError: the file cannot be read, is malformed or empty, or a record lacks something;
            the line is named.
    """
    found: dict[str, Question] = {}
    for place, (line, record) in enumerate(json_records(path)):
        try:
            question = _question(record, line, place)
            if question.id in found:
                raise ValueError(f"id {question.id} is that of line {found[question.id].line} too")
        except ValueError as error:
            raise UsageError(f"{path}, line {line}: {error}") from error
        found[question.id] = question
    if not found:
        raise UsageError(f"{path}: no question in it; give the benchmark's list of questions")
    return tuple(found.values())


def record_id(record: Mapping[str, Any]) -> str | None:
    """Return the id that a record states, None where it states none."""
    for key in ("id", "question_id"):
        if record.get(key) is not None:
            return str(record[key])
    return None


def _question(record: Any, line: int, place: int) -> Question:
    if not isinstance(record, dict):
        raise ValueError(f"expected a record in braces, found {type(record).__name__}")
    kind = _type(_text(record, "question_type"))
    video, text = _text(record, "video_name"), _text(record, "question")
    answers = _answers(record)
    told: dict[str, Any] = {"concerns": _concerns(record.get("quality_concern"))}
    if kind == "open":
        told["reference"] = _reference(record, answers)
    else:
        told |= {"options": answers, "correct": _correct(record, answers)}
    named = record_id(record)
    return Question(
        id=str(place) if named is None else named,
        line=line,
        video=video,
        videos=_videos(video, str(record.get("context") or "")),
        text=text,
        type=kind,
        **told,
    )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"no {key} (found {value!r}); it is a text")
    return value.strip()


def _type(told: str) -> QuestionType:
    plain = re.sub(r"[-_/\s]+", "-", told.casefold())
    for mark, kind in _TYPE_MARKS.items():
        if mark in plain:
            return kind
    raise ValueError(
        f"unknown question_type {told!r}; it is one of yes-or-no, what/how and open_ended"
    )


def _answers(record: Mapping[str, Any]) -> tuple[str, ...]:
    told = record.get("answers") or []
    answers = [told] if isinstance(told, str) else told
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        raise ValueError(f"answers is {told!r}; it is a list of texts")
    return tuple(one.strip() for one in answers)


def _correct(record: Mapping[str, Any], options: tuple[str, ...]) -> str:
    if not 2 <= len(options) <= 26:
        raise ValueError(f"{len(options)} answers to choose from; there are 2 to 26")
    told = record.get("correct_choice")
    found = _LETTER.fullmatch(str(told).strip().upper())
    if found is None or ord(found[1]) - 65 >= len(options):
        last = chr(64 + len(options))
        raise ValueError(f"correct_choice is {told!r}; it is a letter from A to {last}")
    return found[1]


def _reference(record: Mapping[str, Any], answers: tuple[str, ...]) -> str:
    told = record.get("correct_choice")
    found = _LETTER.fullmatch(told.strip().upper()) if isinstance(told, str) else None
    if found is not None and ord(found[1]) - 65 < len(answers):
        return answers[ord(found[1]) - 65]
    reference = "; ".join(one for one in answers if one)
    if not reference:
        raise ValueError("an open question without answers; a judge needs the right one")
    return reference


def _videos(video: str, context: str) -> tuple[str, ...]:
    """Return the clips of a `video_name`; two are `A.mp4_cat_B.mp4.mp4` (REFERENCE.md §4.3)."""
    if not any(mark in context.casefold() for mark in _PAIR_MARKS):
        return (video,)
    first, cat, second = video.partition("_cat_")
    if not cat or not first or not second[:-4]:
        raise ValueError(f"context {context!r} means two clips, but {video!r} has no _cat_")
    return first, second[:-4]


def _concerns(told: Any) -> tuple[Concern, ...]:
    if told is None or told == "" or told == []:
        return ()
    words = told if isinstance(told, list) else re.split(r"[,;/&|+]| and ", str(told))
    return tuple(dict.fromkeys(_concern(str(word)) for word in words if str(word).strip()))


def _concern(word: str) -> Concern:
    plain = word.strip().casefold()
    for mark, concern in _CONCERN_MARKS.items():
        if plain.startswith(mark):
            return concern
    known = ", ".join(dict.fromkeys(_CONCERN_MARKS.values()))
    raise ValueError(f"unknown quality_concern {word.strip()!r}; known are {known}")
