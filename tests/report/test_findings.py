"""From values over time to attribute, degree and span."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vqa2cli.assessment import Distortion, Finding, Segment
from vqa2cli.levels import DEGREES
from vqa2cli.report.findings import (
    Rule,
    borne_out,
    contradictions,
    model_findings,
    rules,
    signal_findings,
)
from vqa2cli.video.measures.records import MEASURES, NAMES, SignalMeasures

BLUR = Rule("blur", "blur", True, 0.4, 0.5, 0.6, "fitted")
DARK = Rule("underexposure", "luma", False, 20.0, 10.0, None, "fitted")


def measures(n: int = 8, cadence: str | None = None, **values: object) -> SignalMeasures:
    table = np.full((len(NAMES), n), np.nan, np.float32)
    for name, row in values.items():
        table[NAMES.index(name)] = row  # type: ignore[call-overload]
    return SignalMeasures(table, n / 2, (), cadence)


def test_a_run_of_bad_half_seconds_is_one_finding_with_its_span() -> None:
    blur = [0.1, 0.1, 0.55, 0.55, 0.55, 0.55, 0.1, 0.1]
    (found,) = signal_findings(measures(blur=blur), table=[BLUR])
    assert (found.attribute, found.degree, found.source) == ("blur", "noticeable", "measurement")
    assert (found.start, found.end) == (1.0, 3.0)
    assert found.value == pytest.approx(0.55)


def test_one_that_lasts_the_whole_clip_has_no_span() -> None:
    (found,) = signal_findings(measures(blur=0.7), table=[BLUR])
    assert (found.degree, found.start, found.end) == ("severe", None, None)


def test_a_short_gap_is_closed_and_a_long_one_parts_two_findings() -> None:
    close = [0.5, 0.5, 0.1, 0.5, 0.5, 0.1, 0.1, 0.1]
    apart = [0.5, 0.5, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5]
    assert [f.end for f in signal_findings(measures(blur=close), table=[BLUR])] == [2.5]
    assert len(signal_findings(measures(blur=apart), table=[BLUR])) == 2


def test_a_single_half_second_is_chance_unless_the_clip_is_no_longer() -> None:
    assert not signal_findings(measures(blur=[0.7, *[0.1] * 7]), table=[BLUR])
    assert len(signal_findings(measures(1, blur=0.7), table=[BLUR])) == 1


def test_low_values_are_the_bad_ones_where_the_rule_says_so() -> None:
    (found,) = signal_findings(measures(luma=5.0), table=[DARK])
    assert found.degree == "noticeable"
    assert not signal_findings(measures(luma=30.0), table=[DARK])


SOFTER = Rule("blur", "blur_in_shot", True, 115.0, 130.0, 160.0, "fitted")


def test_what_is_worse_for_a_part_of_the_shot_is_told_beside_what_is_slight_all_along() -> None:
    soft = measures(blur=0.45, blur_in_shot=[100, 100, 140, 140, 140, 100, 100, 100])
    whole, part = signal_findings(soft, table=[BLUR, SOFTER])
    assert (whole.degree, whole.start) == ("slight", None)
    assert (part.degree, part.start, part.end, part.value) == ("noticeable", 1.0, 2.5, 140.0)


def test_what_two_measures_tell_alike_is_told_once() -> None:
    beside = [100, 100, 120, 120, 120, 100, 100, 100]
    (one,) = signal_findings(measures(blur=0.45, blur_in_shot=beside), table=[BLUR, SOFTER])
    assert one.value == pytest.approx(0.45)
    both = measures(blur=[0.1, 0.1, 0.45, 0.45, 0.45, 0.1, 0.1, 0.1], blur_in_shot=beside)
    (first,) = signal_findings(both, table=[BLUR, SOFTER])
    assert first.value == pytest.approx(0.45)


def test_nothing_is_said_of_what_could_not_be_measured() -> None:
    assert signal_findings(measures()) == ()


def test_black_pictures_are_black_and_not_underexposed() -> None:
    dark = measures(luma=0.0, black=100.0, contrast=0.0, saturation=0.0)
    assert {f.attribute for f in signal_findings(dark)} == {"black"}


def test_light_and_colour_of_hdr_are_not_judged() -> None:
    odd = measures(luma=1.0, contrast=1.0, saturation=140.0, blur=0.99)
    assert {f.attribute for f in signal_findings(odd, "smpte2084")} == {"blur"}
    assert {"blur", "low_contrast"} < {f.attribute for f in signal_findings(odd, "bt709")}


def test_a_cadence_is_a_finding_without_a_value() -> None:
    (found,) = signal_findings(measures(cadence="3:2"))
    assert (found.attribute, found.value, found.start) == ("duplicate_cadence", None, None)


def test_the_shipped_table_names_known_measures_and_rises_with_the_degree() -> None:
    known = {measure.name for measure in MEASURES}
    assert len(rules()) >= 12
    for rule in rules():
        assert rule.measure in known
        limits = [v for v in (rule.slight, rule.noticeable, rule.severe) if v is not None]
        assert limits == sorted(limits, reverse=not rule.above), rule.attribute


def test_windows_the_model_finds_poor_in_a_row_are_one_finding() -> None:
    segments = [
        Segment(0, 2, 70, "good"), Segment(2, 4, 35, "poor"), Segment(4, 6, 30, "poor"),
        Segment(6, 8, 10, "low"),
    ]  # fmt: skip
    poor, low = model_findings(segments)
    assert (poor.degree, poor.start, poor.end, poor.value) == ("noticeable", 2, 6, 30)
    assert (low.degree, low.source, low.unit) == ("severe", "model", "points")


def seen(start: float, name: str, prob: float, quality: float) -> Segment:
    return Segment(start, start + 2, 70, "good", Distortion(name, prob, quality))


def test_a_distortion_the_model_sees_in_windows_in_a_row_is_one_finding() -> None:
    segments = [
        seen(0, "noise", 0.9, 30), seen(2, "noise", 0.7, 40), seen(4, "blur", 0.8, 70),
        seen(6, "none", 0.9, 95),
    ]  # fmt: skip
    noise, blur = model_findings(segments)
    assert (noise.attribute, noise.degree, noise.source) == ("noise", "severe", "model")
    assert (noise.start, noise.end, noise.value, noise.unit) == (0, 4, 80.0, "%")
    assert (blur.attribute, blur.degree, blur.start) == ("blur", "slight", 4)


def test_a_distortion_the_model_sees_all_along_has_no_span() -> None:
    (found,) = model_findings([seen(0, "blur", 0.9, 50), seen(2, "blur", 0.9, 50)])
    assert (found.degree, found.start, found.end) == ("noticeable", None, None)


def test_windows_apart_in_time_are_not_one_finding() -> None:
    assert len(model_findings([seen(0, "blur", 0.9, 50), seen(4, "blur", 0.9, 50)])) == 2


def test_a_distortion_is_no_finding_where_the_model_is_unsure_or_it_does_not_show() -> None:
    assert model_findings([seen(0, "noise", 0.3, 30), seen(2, "noise", 0.9, 95)]) == ()


def test_what_measures_and_model_both_name_is_noticeable_at_least() -> None:
    measured = Finding("blur", "slight", 1.0, 3.0, "measurement", 0.5, None)
    seen_there = Finding("blur", "slight", None, None, "model", 60.0, "%")
    assert [one.degree for one in borne_out([measured], [seen_there])] == ["noticeable"]
    assert [one.degree for one in borne_out([seen_there], [measured])] == ["noticeable"]
    severe = replace(measured, degree="severe")
    assert borne_out([severe], [seen_there]) == (severe,)


def test_a_slight_finding_stays_so_where_the_other_names_another_fault_or_time() -> None:
    measured = Finding("blur", "slight", 1.0, 3.0, "measurement", 0.5, None)
    others = [
        Finding("noise", "severe", None, None, "model", 60.0, "%"),
        Finding("blur", "severe", 3.0, 5.0, "model", 60.0, "%"),
    ]
    assert borne_out([measured], others) == (measured,)


def test_praise_over_a_severe_finding_is_said_to_disagree() -> None:
    severe = Finding("blur", "severe", None, None, "measurement", 0.9, None)
    (told,) = contradictions([Segment(0, 2, 70, "good")], [severe])
    assert "severe blur" in told
    assert "good" in told


def test_a_low_window_without_any_finding_is_said_to_disagree() -> None:
    (told,) = contradictions([Segment(0, 2, 10, "low")], [])
    assert "find nothing" in told
    slight = Finding("blur", "slight", 1.0, 2.0, "measurement", 0.45, None)
    assert contradictions([Segment(0, 2, 10, "low")], [slight]) == []


def test_degrees_are_four_words() -> None:
    assert DEGREES == ("none", "slight", "noticeable", "severe")
