"""Answers come from files of several shapes, and a model's are kept as they come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.train.qbench.made import asked
from train.qbench.answers import KeptAnswers, answer_key, read_answers
from vqa2cli.errors import UsageError

QUESTIONS = (asked("0"), asked("7"))


@pytest.mark.parametrize(
    "told",
    [
        {"0": "A.", "7": "B."},
        [{"id": 0, "answer": "A."}, {"question_id": "7", "answer": "B."}],
    ],
)
def test_answers_are_an_object_or_a_list(tmp_path: Path, told: object) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(told))
    found = read_answers(path, QUESTIONS)
    assert {name: answer.text for name, answer in found.items()} == {"0": "A.", "7": "B."}


def test_the_benchmarks_own_records_may_carry_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps([{"video_name": "a.mp4", "question": "How is it?", "answer": "Good."}])
    )
    assert read_answers(path, QUESTIONS[:1])["0"].text == "Good."


def test_a_question_without_an_answer_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"7": "A.", "99": "to another question"}')
    without = read_answers(path, QUESTIONS)["0"]
    assert (without.text, without.reason) == (None, "no answer in a.json")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"0": "A.",\n "7" "B."}', "line 2: malformed JSON"),
        ('[\n{"id": 0]', "line 2: malformed JSON"),
        ('{"0": 3}', "a.json, 0: the answer is 3; it is a text"),
        ('{"0": "A.", "0": "B."}', "question 0 is answered twice"),
        ('{"zero": "A."}', "none of its 1 answers is to one of the 2 questions"),
        ('[{"id": 0}]', "line 1: no `answer`"),
        ('[{"answer": "A."}]', "line 1: neither an id nor video_name and question"),
        ("3", "expected a JSON list"),
    ],
)
def test_a_bad_file_of_answers_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_answers(path, QUESTIONS)


def test_kept_answers_outlive_a_run_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "answers.jsonl"
    KeptAnswers(path).put("k", QUESTIONS[0], "It is dark – très.")
    with path.open("a") as stream:
        stream.write('{"key": "half')
    kept = KeptAnswers(path)
    assert (kept.get("k"), kept.get("half")) == ("It is dark – très.", None)
    kept.put("l", QUESTIONS[1], "B.")
    again = KeptAnswers(path)
    assert (again.get("k"), again.get("l")) == ("It is dark – très.", "B.")


def test_a_file_that_holds_no_kept_answers_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"key": "k", "answer": "A."}\nnonsense\n')
    with pytest.raises(UsageError, match="line 2: not a kept answer; remove the file"):
        KeptAnswers(path)


def test_another_clip_another_prompt_and_another_model_are_other_answers() -> None:
    base = answer_key({"model": "a"}, "Why?", ["f00"])
    assert base == answer_key({"model": "a"}, "Why?", ["f00"])
    others = {
        answer_key({"model": "b"}, "Why?", ["f00"]),
        answer_key({"model": "a"}, "How?", ["f00"]),
        answer_key({"model": "a"}, "Why?", ["f01"]),
    }
    assert len(others | {base}) == 4
