"""Fitting thresholds: what separates, under a limit on clean clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.degrade.records import KADID_KINDS, TEMPORAL_KINDS
from train.diagnostics_calibration import FITTED, Gauge, fit, thresholds, value_of
from train.diagnostics_data import (
    ATTRIBUTE_OF,
    KIN,
    Labelled,
    at_fault,
    attribute_of,
    degree_of_kind,
)
from vqa2cli.video.measures.records import NAMES, SignalMeasures


def clip(
    values: list[float], kind: str | None, degree: int, **span: float
) -> tuple[Labelled, SignalMeasures]:
    table = np.full((len(NAMES), len(values)), np.nan, np.float32)
    table[NAMES.index("blur")] = values
    attribute = None if kind is None else "blur"
    label = Labelled(Path("x"), "x", kind, attribute, degree, **span)
    return label, SignalMeasures(table, len(values) / 2)


def stuttering(value: float, kind: str | None, degree: int) -> tuple[Labelled, SignalMeasures]:
    label, found = clip([value] * 2, kind, degree)
    found.values[NAMES.index("stutter")] = value
    return replace(label, attribute=None if kind is None else "stutter"), found


def thresholds_of(
    attribute: str, clips: list[tuple[Labelled, SignalMeasures]]
) -> dict[str, Any] | None:
    return thresholds(attribute, FITTED[attribute][0], clips)


def test_a_threshold_lies_between_what_it_parts() -> None:
    assert fit(np.array([3.0, 4, 5]), np.array([1.0]), [np.array([0.0, 2.0])], 0.0) == 2.5


def test_clean_clips_over_the_limit_push_it_up() -> None:
    clean = np.array([0.0] * 9 + [3.5])
    assert fit(np.array([3.0, 4, 5]), np.array([]), [clean], 0.10) == 1.5
    assert fit(np.array([3.0, 4, 5]), np.array([]), [clean], 0.05) == 3.75


def test_the_limit_holds_for_each_kind_of_clean_clips() -> None:
    few, many = np.array([3.5, 0.0]), np.zeros(98)
    assert fit(np.array([3.0, 4, 5]), np.array([]), [few, many], 0.05) == 3.75
    assert fit(np.array([3.0, 4, 5]), np.array([]), [np.concatenate([few, many])], 0.05) == 1.5


def test_a_degree_is_told_from_milder_ones_however_many_clean_clips_there_are() -> None:
    milder, severe = np.array([3.0, 3, 3, 3]), np.array([2.0, 5, 5, 5])
    assert fit(severe, milder, [np.zeros(1000)], 0.02) == 4.0


def test_what_cannot_be_told_apart_has_no_threshold() -> None:
    assert fit(np.array([1.0, 1]), np.array([]), [np.array([1.0, 2.0])], 0.0) is None


def test_only_the_degraded_part_of_a_clip_counts() -> None:
    label, found = clip([0.1, 0.9, 0.9, 0.1], "gaussian-blur", 3, start_s=0.5, end_s=1.5)
    assert value_of(label, found, "blur", above=True) == np.float32(0.9)


def test_the_worst_two_seconds_speak_for_a_clean_clip() -> None:
    values = [0.1] * 20 + [0.5] * 4 + [0.1] * 20
    label, found = clip(values, None, 0)
    assert value_of(label, found, "blur", above=True) == np.float32(0.5)
    assert value_of(label, found, "blur", above=False) == np.float32(0.1)


def test_a_row_rises_with_the_degree_and_says_what_it_rests_on() -> None:
    clips = [clip([0.1 + k / 100] * 2, None, 0) for k in range(10)]
    for degree, level in ((1, 0.3), (2, 0.5), (3, 0.7)):
        clips += [clip([level + k / 100] * 2, "lens-blur", degree) for k in range(5)]
    row = thresholds_of("blur", clips)
    assert row is not None
    assert 0.19 < row["slight"] < 0.31 < row["noticeable"] < 0.51 < row["severe"] < 0.71
    assert (row["clips"], row["clean_clips"], row["basis"]) == (15, 10, "fitted")


def test_clips_with_another_fault_count_as_clean_of_this_one_unless_it_comes_along() -> None:
    clips = [clip([0.1 + k / 100] * 2, None, 0) for k in range(10)]
    clips += [clip([0.5 + k / 100] * 2, "lens-blur", 3) for k in range(5)]
    label, found = clip([0.9] * 2, "darken", 2)
    dark = (replace(label, attribute="underexposure"), found)
    assert thresholds_of("blur", [*clips, *[dark] * 5]) is None
    coarse = (replace(label, kind="jpeg", attribute="blocking"), found)
    assert thresholds_of("blur", [*clips, *[coarse] * 5]) == thresholds_of("blur", clips)


def test_an_attribute_without_clips_gets_no_row() -> None:
    assert thresholds_of("noise", [clip([0.1], None, 0)]) is None


def test_degrees_follow_what_people_thought_of_a_level() -> None:
    assert [degree_of_kind("gaussian-blur", s) for s in (1, 2, 3, 4, 5)] == [0, 1, 2, 3, 3]
    assert [degree_of_kind("stutter", s) for s in (1, 3, 5)] == [1, 2, 3]


def test_every_kind_and_attribute_of_the_tables_exists() -> None:
    kinds = {*KADID_KINDS, *TEMPORAL_KINDS}
    assert set(ATTRIBUTE_OF) <= kinds
    assert set(KIN) <= kinds
    assert {*ATTRIBUTE_OF.values(), "low_contrast"} == set(FITTED)
    assert attribute_of("mean-shift", -0.1) == "underexposure"
    assert attribute_of("contrast-change", 0.3) is None


def test_clips_as_they_came_count_as_clean_only_for_what_needs_length() -> None:
    clips = [clip([0.1 + k / 100] * 2, None, 0) for k in range(10)]
    clips += [clip([0.6 + k / 100] * 2, "lens-blur", 3) for k in range(5)]
    label, soft = clip([0.9] * 8, None, 0)
    with_soft = thresholds_of("blur", [*clips, (replace(label, undegraded=True), soft)])
    assert with_soft == thresholds_of("blur", clips)


def test_a_clip_judged_to_stutter_as_it_came_is_not_clean_of_stutter() -> None:
    judged = next(content for content, attribute in at_fault() if attribute == "stutter")

    def undegraded(value: float, name: str) -> tuple[Labelled, SignalMeasures]:
        label, found = stuttering(value, None, 0)
        return replace(label, content=name, undegraded=True), found

    clips = [stuttering(5.0 + k, "stutter", 3) for k in range(5)]
    clips += [undegraded(0.1, "steady")] * 5
    assert thresholds_of("stutter", [*clips, undegraded(9.5, judged)]) == thresholds_of(
        "stutter", clips
    )
    assert thresholds_of("stutter", [*clips, undegraded(9.5, "other")]) is None


def test_what_was_made_of_a_clip_judged_to_be_soft_as_it_came_is_not_clean_of_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clips = [clip([9.0 + k / 10] * 2, "lens-blur", 3) for k in range(5)]
    clips += [clip([1.0] * 2, None, 0)] * 5
    label, soft = clip([9.9] * 2, "white-noise", 3)
    made_of_soft = replace(label, content="soft", attribute="noise"), soft
    assert thresholds_of("blur", [*clips, made_of_soft]) is None
    monkeypatch.setattr(
        "train.diagnostics_calibration.at_fault", lambda: frozenset({("soft", "blur")})
    )
    assert thresholds_of("blur", [*clips, made_of_soft]) == thresholds_of("blur", clips)


def test_short_clean_clips_do_not_outnumber_those_of_full_length() -> None:
    clips = [stuttering(5.0 + k, "stutter", 3) for k in range(5)]
    for _ in range(3):
        label, found = stuttering(6.5, None, 0)
        clips.append((replace(label, undegraded=True), found))
    clips += [stuttering(0.1, None, 0)] * 400
    row = thresholds_of("stutter", clips)
    assert row is not None
    assert row["clean_clips"] == 6
    assert row["slight"] > 6.5


def test_what_nobody_sees_is_not_told_however_well_it_parts() -> None:
    clips = [stuttering(0.5 + k, "stutter", 3) for k in range(5)]
    label, still = stuttering(0.0, None, 0)
    clips += [(replace(label, undegraded=True), still)] * 5
    row = thresholds("stutter", Gauge("stutter", above=True), clips)
    assert row is not None
    assert row["slight"] < 0.5
    told = thresholds("stutter", Gauge("stutter", above=True, least=1.0), clips)
    assert told is not None
    assert told["slight"] == 1.0


def test_what_tells_a_part_from_its_shot_is_fitted_to_clips_at_fault_over_a_part() -> None:
    gauge = next(each for each in FITTED["blur"] if each.in_shot)

    def beside(value: float, kind: str | None, **more: Any) -> tuple[Labelled, SignalMeasures]:
        label, found = clip([100.0, 100, 100, 100], kind, 3 if kind else 0)
        found.values[NAMES.index("blur_in_shot")] = [100.0, value, value, 100.0]
        return replace(label, **more), found

    part = [beside(150.0 + k, "lens-blur", start_s=0.5, end_s=1.5) for k in range(5)]
    whole = [beside(100.0, "lens-blur")] * 5
    clean = [beside(110.0, None, undegraded=True)] * 5
    row = thresholds("blur", gauge, [*part, *whole, *clean])
    assert row is not None
    assert (row["clips"], row["clean_clips"]) == (5, 5)
    assert 110 < row["slight"] < 150
    noisy = [beside(130.0, "white-noise", attribute="noise")] * 5  # all along
    row = thresholds("blur", gauge, [*part, *whole, *clean, *noisy])
    assert row is not None
    assert row["slight"] > 130
