"""Answers to questions: those a file holds, and those kept while a model is asked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data.files import read_text
from train.data.json_lists import json_records
from train.qbench.questions import Question, record_id
from vqa2cli.errors import UsageError


@dataclass(frozen=True)
class Answer:
    """What was answered; or no text, and the reason."""

    text: str | None
    reason: str | None = None


def read_answers(path: Path, questions: Iterable[Question]) -> dict[str, Answer]:
    """Return the answer of every question, without a text where the file has none.

    The file is an object of id to answer, or a list (or .jsonl) of records with `answer` and
    either an id, or `video_name` and `question` as in the benchmark.

    Raises:
        UsageError: it cannot be read or is malformed (the line is named), answers a question
            twice, or none of these questions.
    """
    asked = list(questions)
    known = {question.id for question in asked}
    by_text = {(question.video, question.text): question.id for question in asked}
    found: dict[str, str] = {}
    for where, name, answer in _told(path, by_text):
        if not isinstance(answer, str):
            raise UsageError(f"{where}: the answer is {answer!r}; it is a text")
        if name in found:
            raise UsageError(f"{where}: question {name} is answered twice; keep one answer")
        if name is not None:
            found[name] = answer
    if not known & found.keys():
        raise UsageError(
            f"{path}: none of its {len(found)} answers is to one of the {len(asked)} questions; "
            "ids are `id` of the benchmark, or places in it from 0"
        )
    without = Answer(None, f"no answer in {path.name}")
    return {name: Answer(found[name]) if name in found else without for name in known}


def _told(
    path: Path, by_text: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, str | None, Any]]:
    """Yield where each answer stands, the id of its question, and the answer."""
    text = read_text(path)
    if text.lstrip().startswith("{") and path.suffix != ".jsonl":
        yield from ((f"{path}, {name}", name, answer) for name, answer in _pairs(path, text))
        return
    for line, record in json_records(path):
        where = f"{path}, line {line}"
        if not isinstance(record, dict) or "answer" not in record:
            raise UsageError(f"{where}: no `answer`; give records of id and answer")
        name = record_id(record)
        if name is None:
            key = tuple(str(record.get(each, "")).strip() for each in ("video_name", "question"))
            if not all(key):
                raise UsageError(f"{where}: neither an id nor video_name and question; add one")
            name = by_text.get((key[0], key[1]))
        yield where, name, record["answer"]


def _pairs(path: Path, text: str) -> list[tuple[str, Any]]:
    """Return the pairs of an object of id to answer, those of one name twice included."""
    pairs: list[tuple[str, Any]] = []

    def whole(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # the outermost object comes last
        return dict(found)

    try:
        json.loads(text, object_pairs_hook=whole)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}, line {error.lineno}: malformed JSON ({error.msg})") from error
    except RecursionError as error:
        raise UsageError(f"{path}: malformed JSON (nested too deeply)") from error
    return pairs


class KeptAnswers:
    """Answers of a model on disk, one JSON line each, written as they are given."""

    def __init__(self, path: Path) -> None:
        """Take what an earlier run left; a last line that was cut off is dropped.

        Raises:
            UsageError: the file cannot be read or is none of ours.
        """
        self.path = path
        self._answers: dict[str, str] = {}
        text = read_text(path) if path.exists() else ""
        whole, _, torn = text.rpartition("\n")
        for number, line in enumerate(whole.split("\n") if whole else (), 1):
            try:
                kept = json.loads(line)
                self._answers[str(kept["key"])] = str(kept["answer"])
            except (ValueError, TypeError, KeyError) as error:
                raise UsageError(
                    f"{path}, line {number}: not a kept answer; remove the file to ask again"
                ) from error
        if torn:
            self._writing(lambda: os.truncate(path, len(f"{whole}\n".encode()) if whole else 0))

    def get(self, key: str) -> str | None:
        """Return a kept answer, None if there is none."""
        return self._answers.get(key)

    def put(self, key: str, question: Question, answer: str) -> None:
        """Keep an answer, at once and for good.

        Raises:
            UsageError: it cannot be written.
        """
        kept = {"key": key, "id": question.id, "video": question.video, "answer": answer}

        def write() -> None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(kept) + "\n")
                stream.flush()
                os.fsync(stream.fileno())

        self._writing(write)
        self._answers[key] = answer

    def _writing(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror or error}") from error


def answer_key(context: Mapping[str, Any], prompt: str, contents: Iterable[str]) -> str:
    """Return the key of an answer: by whom and how, to what, about which bytes."""
    told = json.dumps([dict(context), prompt, list(contents)], sort_keys=True)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
