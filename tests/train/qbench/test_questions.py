"""The benchmark's file is read with every question in it, or refused with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.train.qbench.made import binary, multi, open_ended, written
from train.qbench.questions import Question, read_questions
from vqa2cli.errors import UsageError


def read(tmp_path: Path, *records: dict[str, Any]) -> tuple[Question, ...]:
    return read_questions(written(tmp_path / "dev.json", records))


def test_each_type_of_question_is_read(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, binary(), multi(), open_ended())
    assert [one.type for one in (first, second, third)] == ["binary", "multi", "open"]
    assert (first.options, first.correct, first.videos) == (("Yes", "No"), "A", ("moving.mp4",))
    assert (third.reference, third.options, third.correct) == ("It is too dark.", (), None)


def test_an_id_is_the_one_stated_or_the_place_from_zero(tmp_path: Path) -> None:
    found = read(tmp_path, binary(), binary(id=7), binary(question_id="q"))
    assert [one.id for one in found] == ["0", "7", "q"]


@pytest.mark.parametrize("told", ["what/how", "What-How", "what_how", "single what/how"])
def test_a_type_is_known_however_it_is_spelled(tmp_path: Path, told: str) -> None:
    assert read(tmp_path, multi(question_type=told))[0].type == "multi"


@pytest.mark.parametrize(
    ("told", "concerns"),
    [
        (None, ()),
        ("", ()),
        ("Technical", ("technical",)),
        ("Tech., Temp.", ("technical", "temporal")),
        (["Aesthetic", "AIGC"], ("aesthetic", "aigc")),
        ("Temporal and Temporal", ("temporal",)),
    ],
)
def test_a_question_may_have_several_concerns(
    tmp_path: Path, told: object, concerns: tuple[str, ...]
) -> None:
    assert read(tmp_path, binary(quality_concern=told))[0].concerns == concerns


def test_two_clips_are_told_apart_only_where_the_context_compares_them(tmp_path: Path) -> None:
    pair = "a.mp4_cat_b.mp4.mp4"
    compared, alone = read(
        tmp_path,
        binary(video_name=pair, context="Compare-fine"),
        binary(video_name="my_cat_at_home.mp4"),
    )
    assert compared.videos == ("a.mp4", "b.mp4")
    assert alone.videos == ("my_cat_at_home.mp4",)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (binary(question_type="riddle"), "unknown question_type 'riddle'; it is one of"),
        (binary(question_type=None), "no question_type"),
        (binary(video_name=""), "no video_name"),
        (binary(question=3), r"no question \(found 3\)"),
        (binary(answers=["Yes"]), "1 answers to choose from"),
        (binary(answers=[1, 2]), "it is a list of texts"),
        (binary(correct_choice="C"), "a letter from A to B"),
        (binary(correct_choice=None), "correct_choice is None"),
        (binary(quality_concern="Sound"), "unknown quality_concern 'Sound'; known are"),
        (binary(context="Joint"), "has no _cat_"),
        (open_ended(answers=[]), "an open question without answers"),
        (binary(id="0"), "id 0 is that of line 2 too"),
    ],
)
def test_a_bad_record_is_refused_with_its_line(
    tmp_path: Path, record: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=rf"dev.json, line 3: .*{told}"):
        read(tmp_path, binary(), record)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[\n{]", "line 2: malformed JSON"),
        ("{}", "expected a JSON list"),
        ("[]", "no question in it"),
        ("[3]", "line 1: expected a record in braces, found int"),
    ],
)
def test_a_file_that_is_no_list_of_questions_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "dev.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_questions(path)
