"""Labels of real datasets find their class, and a user's own mapping is laid over ours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from train.data.classes import (
    CLASSES,
    CLEAN,
    DEGREES,
    SPATIAL_CLASSES,
    perceived_severity,
    read_classes,
    severity_of_rating,
)
from train.degrade.records import KADID_KINDS, KINDS, SEVERITIES
from train.kadid import KADID_TYPES
from vqa2cli.errors import UsageError


def test_there_are_eleven_spatial_and_two_motion_classes() -> None:
    assert len(SPATIAL_CLASSES) == 11
    assert len(CLASSES) == 13


def test_every_kadid_type_has_a_class_or_a_reason() -> None:
    classes = read_classes()
    for name in KADID_TYPES.values():
        for level in SEVERITIES:
            if classes.find(name, level) is None:
                assert classes.why_not(name, level) != "not a label of the mapping", name


def test_kadid_reaches_every_spatial_class() -> None:
    classes = read_classes()
    found = {classes.find(name, level) for name in KADID_TYPES.values() for level in SEVERITIES}
    assert found >= set(SPATIAL_CLASSES)


def test_every_kind_of_degradation_is_known_by_its_own_name() -> None:
    classes = read_classes()
    for kind in KINDS:
        known = classes.find(kind, 1) or classes.why_not(kind, 1)
        assert known != "not a label of the mapping", kind
    assert classes.find("camera-shake") == "flicker (camera shake)"
    assert classes.find("gaussian-blur") == classes.find("Gaussian Blur") == "spatial blur"
    assert all(classes.find(kind) != CLEAN for kind in KADID_KINDS)


def test_the_level_decides_where_a_type_runs_from_one_side_to_the_other() -> None:
    classes = read_classes()
    assert classes.find("contrast change", 1) == "high contrast"
    assert classes.find("contrast change", 5) == "low contrast"
    assert classes.find("contrast change") is None
    assert "depends on its level" in classes.why_not("contrast change")
    assert classes.find("color saturation 1", 5) is None  # colours turned over, not pale


def test_a_class_is_a_label_of_itself() -> None:
    classes = read_classes()
    assert all(classes.find(name) == name for name in CLASSES)
    assert classes.find("flicker/camera shake") == "flicker (camera shake)"


def test_severity_is_what_people_saw() -> None:
    assert perceived_severity("gaussian blur", 1) == 0  # rated 4.61: imperceptible
    assert perceived_severity("gaussian blur", 5) == 5  # rated 1.3
    assert perceived_severity("color block", 1) == 3  # rated 2.69 at its mildest
    assert perceived_severity("stutter", 4) == 4
    assert [severity_of_rating(rating) for rating in (5, 4.5, 4.49, 3.0, 1.0)] == [0, 0, 1, 3, 5]
    assert set(DEGREES) == set(SEVERITIES)


def test_a_users_mapping_is_laid_over_the_built_in_one(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[spatial]\n"noise" = ["artifacts"]\n"block effect" = ["JPEG"]\n'
        '[unmapped]\n"pixelate" = "not for us"\n'
    )
    classes = read_classes(own)
    assert classes.find("Artifacts") == "noise"
    assert classes.find("JPEG") == "block effect"
    assert classes.find("pixelate") is None
    assert classes.why_not("pixelate") == "not for us"
    assert classes.find("white noise") == "noise"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[spatial]\n"sparkle" = ["x"]\n', "no class 'sparkle'"),
        ('[spacial]\n"noise" = []\n', "no section 'spacial'"),
        ("[spatial\n", "not a mapping"),
        ('[by_level."x"]\n1 = "sparkle"\n', "no class 'sparkle'"),
    ],
)
def test_a_mapping_with_a_mistake_is_refused(tmp_path: Path, text: str, told: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_classes(own)


def test_the_labels_of_a_real_table_have_a_class_or_a_reason(shared_dir: Path) -> None:
    classes = read_classes()
    table = shared_dir / "tables" / "live_qualcomm_distortion_labels.csv"
    with table.open(newline="") as rows:
        labels = {row["distortion"] for row in csv.DictReader(rows)}
    assert classes.find("Stabilization") == "flicker (camera shake)"
    for label in labels:
        assert classes.find(label) or classes.why_not(label) != "not a label of the mapping"
