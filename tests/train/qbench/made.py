"""Questions made for tests, as records of the benchmark's file and as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from train.qbench.questions import Concern, Question, QuestionType


def binary(**more: Any) -> dict[str, Any]:
    return {
        "video_name": "moving.mp4",
        "question": "Is the video sharp?",
        "answers": ["Yes", "No"],
        "question_type": "yes-or-no",
        "context": "Global",
        "correct_choice": "A",
    } | more


def multi(**more: Any) -> dict[str, Any]:
    told = {"question": "What is wrong with the video?", "answers": ["Noise", "Blur", "Nothing"]}
    return binary(**told, question_type="what/how", correct_choice="B") | more


def open_ended(**more: Any) -> dict[str, Any]:
    told = {"question": "How is the light?", "answers": ["It is too dark."]}
    record = binary(**told, question_type="open_ended") | more
    del record["correct_choice"]
    return record


def written(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write a list with a record a line, from line 2 on."""
    path.write_text("[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]\n")
    return path


def asked(
    name: str,
    kind: QuestionType = "binary",
    concerns: tuple[Concern, ...] = (),
    options: tuple[str, ...] = ("Yes", "No"),
) -> Question:
    """Return a question as it is read."""
    told: dict[str, Any] = {"reference": "It is too dark."}
    if kind != "open":
        told = {"options": options, "correct": "A"}
    return Question(name, 1, "a.mp4", ("a.mp4",), "How is it?", kind, concerns=concerns, **told)
