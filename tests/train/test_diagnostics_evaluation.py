"""Counting right and wrong findings against labels."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from train.degrade.clips import JOURNAL, DegradedClip
from train.degrade.engine import made
from train.diagnostics_data import Labelled, labelled_clips
from train.diagnostics_evaluation import evaluate, iou, table
from vqa2cli.assessment import Finding


def label(
    kind: str | None,
    attribute: str | None,
    degree: int,
    start: float = 0.0,
    end: float | None = None,
) -> Labelled:
    return Labelled(Path("x"), "x", kind, attribute, degree, start, end)


def finding(
    attribute: str, degree: str, start: float | None = None, end: float | None = None
) -> Finding:
    return Finding(attribute, degree, start, end, "measurement", 1.0, None)


def test_a_right_finding_counts_for_recall_and_precision() -> None:
    clip = (label("lens-blur", "blur", 3), [finding("blur", "noticeable")], 4.0)
    blur = evaluate([clip])["blur"]
    assert (blur.wanted, blur.found, blur.claimed, blur.right, blur.wrong) == (1, 1, 1, 1, 0)
    assert (blur.near, blur.overlap) == ([True], [1.0])


def test_a_missed_one_and_one_of_another_attribute_count_against() -> None:
    tallies = evaluate([(label("lens-blur", "blur", 3), [finding("noise", "severe")], 4.0)])
    assert (tallies["blur"].wanted, tallies["blur"].found) == (1, 0)
    assert tallies["noise"].wrong == 1


def test_one_outside_the_degraded_span_is_wrong() -> None:
    clip = (label("lens-blur", "blur", 3, 0.0, 1.0), [finding("blur", "severe", 2.0, 3.0)], 4.0)
    blur = evaluate([clip])["blur"]
    assert (blur.found, blur.right, blur.wrong) == (0, 0, 1)


def test_what_a_kind_brings_with_it_is_neither_right_nor_wrong() -> None:
    tallies = evaluate([(label("jpeg", "blocking", 3), [finding("banding", "severe")], 4.0)])
    assert (tallies["banding"].right, tallies["banding"].wrong) == (0, 0)


def test_the_name_that_a_model_gives_a_kind_is_as_right_as_that_of_the_measures() -> None:
    clip = label("motion-blur", "blur", 3)
    told = Finding("motion_blur", "severe", None, None, "model", 90.0, "%")
    blur = evaluate([(clip, [told], 4.0)])["blur"]
    assert (blur.claimed, blur.right, blur.near) == (1, 1, [True])
    shift = evaluate([(label("color-shift", None, 2), [finding("color_shift", "severe")], 4.0)])
    assert shift["color_shift"].right == 1


def test_slight_findings_are_no_claims() -> None:
    tallies = evaluate([(label("lens-blur", "blur", 2), [finding("blur", "slight")], 4.0)])
    assert (tallies["blur"].found, tallies["blur"].claimed, tallies["blur"].right) == (1, 0, 0)


def test_what_changes_next_to_nothing_is_no_fault(tmp_path: Path) -> None:
    one = made("stutter", 4, 0.5, 1.5)
    clip = DegradedClip(
        "a", "a.mp4", "a.mp4", "a", "val", 0, 3.0, 25.0, 64, 64, 3.0, (one,), changed=4.0
    )
    clips = [clip, replace(clip, name="b", changed=0.3), replace(clip, name="c", changed=None)]
    lines = (json.dumps(asdict(each)) + "\n" for each in clips)
    (tmp_path / JOURNAL).write_text("".join(lines))
    assert [each.degree for each in labelled_clips(tmp_path, "val")] == [3, 0, 3]


def test_overlap_of_spans() -> None:
    assert iou(finding("blur", "severe", 1.0, 3.0), 2.0, 4.0, 9.0) == pytest.approx(1 / 3)
    assert iou(finding("blur", "severe"), 0.0, 9.0, 9.0) == 1.0
    assert iou(finding("blur", "severe", 1.0, 2.0), 3.0, 4.0, 9.0) == 0.0


def test_the_table_has_a_row_for_all() -> None:
    clip = (label("lens-blur", "blur", 3), [finding("blur", "severe")], 4.0)
    rows = table(evaluate([clip, clip]))
    assert rows[2].startswith("| blur | 2 | 1.00 (2/2) | 1.00 (2/2) | 1.00 (2/2) | 1.00 | 1.00 |")
    assert rows[-1].startswith("| **all** | 2 |")
