"""Depictions are read with their mistakes named, made from degradations, and written back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from train.data.attributes import attributes, unlike
from train.data.classes import CLASSES, read_classes
from train.data.depictions import (
    Depiction,
    Finding,
    depiction_schema,
    read_depictions,
    unique_media,
    write_depictions,
)
from train.data.made_depictions import findings_of
from train.degrade.engine import made
from train.degrade.records import KINDS, Degradation
from vqa2cli.errors import UsageError


def lines(folder: Path, *texts: str) -> Path:
    path = folder / "depictions.jsonl"
    path.write_text("".join(text + "\n" for text in texts))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = [
        Depiction(
            "a.mp4",
            (Finding("noise", "severe", 1.0, 2.5, "the sky"),),
            scene="a beach at noon",
            score=25.0,
            split="train",
        ),
        Depiction("b.png", level="high"),
    ]
    assert write_depictions(tmp_path / "d.jsonl", found) == 2
    assert read_depictions(tmp_path / "d.jsonl") == found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: no depiction"),
        ('{"findings": []}', "line 2: no depiction .*media"),
        ('{"media": "a.mp4", "findings": [{"attribute": "noise"}]}', "findings.0.degree"),
        ('{"media": "a.mp4", "findings": [{"attribute": "noise", "degree": "bad"}]}', "degree"),
        (
            '{"media": "a.mp4", "findings": [{"attribute": "noise", "degree": "slight", '
            '"start_s": 2, "end_s": 1}]}',
            "has no length",
        ),
        ('{"media": "a.mp4", "score": 120}', "score"),
        ('{"media": "a.mp4", "score": 90, "level": "poor"}', "score 90 is high, but level says"),
        ('{"media": "a.mp4", "mood": "sad"}', "mood"),
        ('{"media": "a.mp4", "score": NaN}', "score"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_depictions(lines(tmp_path, '{"media": "good.mp4"}', line))


def test_two_depictions_of_one_medium_are_refused() -> None:
    with pytest.raises(UsageError, match=r"a.mp4: depicted twice"):
        unique_media([Depiction("a.mp4"), Depiction("a.mp4")])


def test_the_schema_names_every_field() -> None:
    schema = json.dumps(depiction_schema())
    for name in ("media", "findings", "attribute", "degree", "start_s", "where", "scene", "level"):
        assert f'"{name}"' in schema


def test_the_strongest_finding_comes_first_and_equals_by_weight() -> None:
    depiction = Depiction(
        "a.mp4",
        (
            Finding("oversaturation", "slight"),
            Finding("spatial blur", "slight"),
            Finding("noise", "extreme"),
        ),
    )
    names = [one.attribute for one in depiction.ranked]
    assert names == ["noise", "spatial blur", "oversaturation"]


def test_every_class_and_every_kind_can_be_spoken_of() -> None:
    assert set(CLASSES) <= attributes().keys()
    classes = read_classes()
    for kind in KINDS:
        for severity in (1, 4, 5) if kind not in {"mean-shift", "contrast-change"} else (1, 4):
            for one in findings_of([Degradation(kind, severity, 0.0, None, "made")], classes):
                assert one.attribute in attributes(), kind


def test_names_of_like_attributes_exist() -> None:
    for attribute in attributes().values():
        assert set(attribute.like) <= attributes().keys(), attribute.name


def test_what_nobody_sees_is_no_finding() -> None:
    classes = read_classes()
    found = findings_of([made("gaussian-blur", 1), made("flicker", 5, 1.0, 2.0)], classes)
    assert found == (Finding("flicker (camera shake)", "extreme", 1.0, 2.0),)


def test_wrong_answers_look_like_nothing_that_is_there() -> None:
    others = unlike(frozenset({"spatial blur"}), moving=False)
    assert "noise" in others
    assert not {"spatial blur", "motion blur", "compression artifact", "stuttering"} & set(others)
    assert "stuttering" in unlike(frozenset({"noise"}), moving=True)
