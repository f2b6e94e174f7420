"""Sentences that tell measured facts, and nothing else."""

from __future__ import annotations

from tests.report.assessments import EVENT, SEGMENTS, STALLING
from vqa2cli.assessment import Distortion, Finding, Score, Segment
from vqa2cli.levels import soft_levels
from vqa2cli.report.diagnostics import diagnose
from vqa2cli.video.stalling import StallEvent, Stalling

SCORE = Score(50.0, "fair", soft_levels(50.0), 0.98, None)
NO_STALLS = Stalling((), 0, 0.0, 0.0, 0.0, None, "No stall.")


def test_one_window_without_stall_search_is_one_sentence() -> None:
    assert diagnose(SCORE, SEGMENTS[:1], None, ()).text == "Quality is fair: 50.0 of 100."


def test_the_worst_of_several_windows_is_named_with_its_times() -> None:
    text = diagnose(SCORE, SEGMENTS, None, ()).text
    assert "The worst of 2 windows, 2.00-4.00 s, scores 30.0 (poor); the best scores 70.0." in text


def test_each_stall_is_a_sentence_and_a_finding() -> None:
    told = diagnose(SCORE, SEGMENTS, STALLING, ())
    assert "Stall (frozen picture) of 1.50 s, 1.00-2.50 s." in told.text
    finding, window = told.findings
    assert (window.attribute, window.source) == ("quality", "model")
    assert (finding.attribute, finding.degree, finding.source) == (
        "freeze",
        "noticeable",
        "measurement",
    )
    assert (finding.start, finding.end, finding.value) == (EVENT.start, EVENT.end, 1.5)


def test_a_still_picture_that_is_content_is_told_but_no_finding() -> None:
    still = StallEvent(1.0, 9.0, "static", 1.0, True, (), 0.8)
    told = diagnose(SCORE, (), Stalling((still,), 0, 0.0, 0.0, 0.0, None, "No stall."), ())
    assert "taken as content of 8.00 s" in told.text
    assert "to the end of the clip" in told.text
    assert told.findings == ()


def test_that_no_stall_was_found_is_said_only_where_stalls_were_sought() -> None:
    assert "No stall was found." in diagnose(SCORE, (), NO_STALLS, ()).text
    assert "stall" not in diagnose(SCORE, (), None, ()).text


def test_warnings_end_the_text() -> None:
    assert diagnose(SCORE, (), None, ("2 packets lost.",)).text.endswith("Warning: 2 packets lost.")


def test_what_the_signal_lacks_is_a_sentence_and_a_finding() -> None:
    blur = Finding("blur", "severe", 1.0, 2.5, "measurement", 0.712, None)
    dark = Finding("low_contrast", "slight", None, None, "measurement", 31.25, "%")
    told = diagnose(SCORE, (), None, (), None, (blur, dark))
    assert "Blur: severe, 1.00-2.50 s (0.712)." in told.text
    assert "Low contrast: slight, all along (31.2%)." in told.text
    assert told.findings == (blur, dark)


def test_what_model_and_measures_both_name_is_told_as_noticeable_by_both() -> None:
    noise = Finding("noise", "slight", 1.0, 2.0, "measurement", 4.15, "codes")
    seen = Segment(0.0, 2.0, 70.0, "good", Distortion("noise", 0.6, 80.0))
    told = diagnose(SCORE, (seen,), None, (), None, (noise,))
    assert "Noise: noticeable, 1.00-2.00 s (4.15 codes)." in told.text
    assert "The model sees noise: noticeable, all along (60% sure)." in told.text


def test_model_and_measures_that_disagree_are_both_shown() -> None:
    low = Segment(0.0, 2.0, 5.0, "low")
    assert "measures find nothing" in diagnose(SCORE, (low,), None, (), None, ()).text
    assert "measures" not in diagnose(SCORE, (low,), None, ()).text  # they were not taken
