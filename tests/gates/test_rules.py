"""Gate rules: what they mean, what they refuse, and what they make of missing data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.assessments import failed, scored
from vqa2cli.errors import UsageError
from vqa2cli.gates.names import nearest
from vqa2cli.gates.rules import Rule
from vqa2cli.report.rows import record_of
from vqa2cli.report.schema import record_keys

RECORD = record_of(scored())


@pytest.mark.parametrize(
    ("rule", "value", "passed"),
    [
        ("score.value>=50", 50.0, True),
        ("score.value > 50", 50.0, False),
        ("50 <= score.value", 50.0, True),
        ("pooled_metrics.vqa2.perc5>=45", 32.0, False),
        ("stalling.stall_ratio<=0.02", 0.375, False),
        ("score.level == 'fair'", "fair", True),
        ('score.level != "fair"', "fair", False),
        ("media.codec_name in ('h264', 'hevc')", "h264", True),
        ("media.height in (480, 1080)", 720, False),
        ("media.bit_rate <= 1.1 * declared.bandwidth", 900_000, True),
        ("media.bit_rate / 1000 - 100 == 800", 800.0, True),
        ("-score.value < 0", -50.0, True),
        ("2 + 3 * 4 == score.value - 36", 14.0, True),
        ("count(warnings) == 0", 2, False),
        ("count(stalling.events) <= 1", 1, True),
        ("stalling.log.recorded == 1", 1, True),
        ("not score.value < 40", 50.0, True),
        ("score.value >= 60 or score.level == 'fair'", "fair", True),
        ("score.value >= 40 and pooled_metrics.vqa2.min >= 40", 30.0, False),
        ("(score.value >= 60 or score.value < 55) and media.height == 720", 50.0, True),
        ("score.value >= 90 or score.value >= 40 and media.height == 720", 50.0, True),
        ("1e2 > score.value", 50.0, True),
    ],
)
def test_a_rule_says_whether_it_holds_and_what_decided(rule: str, value: Any, passed: bool) -> None:
    gate = Rule.of(f"  {rule} ").judge(RECORD)
    assert gate.rule == rule
    if rule.startswith("2 + 3"):
        assert gate.value == 14.0
    else:
        assert gate.value == pytest.approx(value) if isinstance(value, float) else value
    assert (gate.passed, gate.reason) == (passed, None)


def test_the_value_of_a_rule_of_several_parts_is_the_one_that_decided() -> None:
    rule = Rule.of("score.value >= 40 and pooled_metrics.vqa2.min >= 40")
    assert rule.judge(RECORD).value == 30.0


@pytest.mark.parametrize(
    "rule",
    [
        "stalling.stall_ratio <= 0.02",
        "not stalling.stall_ratio > 0.02",
        "stalling.stall_ratio > 0.02 or stalling.stall_ratio <= 0.02",
        "stalling.stall_ratio + 1 > 0",
        "-stalling.stall_ratio <= 0",
        "count(stalling.events) == 0",
        "stalling.source in ('pixels', 'log')",
        "score.value >= 0 and stalling.stall_ratio <= 1",
    ],
)
def test_missing_data_is_never_a_pass(rule: str) -> None:
    gate = Rule.of(rule).judge(record_of(replace(scored(), stalling=None)))
    assert (gate.passed, gate.value) == (False, None)
    assert gate.reason is not None
    assert gate.reason.startswith("stalling.")


def test_what_is_known_can_decide_beside_what_is_not() -> None:
    record = record_of(replace(scored(), stalling=None))
    assert Rule.of("stalling.stall_ratio <= 0.02 or score.value >= 50").judge(record).passed
    both = Rule.of("stalling.stall_ratio <= 0.02 and score.value >= 60").judge(record)
    assert (both.passed, both.value) == (False, 50.0)


def test_a_file_that_could_not_be_scored_passes_no_gate() -> None:
    gate = Rule.of("count(warnings) == 0").judge(record_of(failed()))
    assert (gate.passed, gate.value, gate.reason) == (False, None, "the file could not be scored")


@pytest.mark.parametrize("rule", ["score.value / 0 > 1", "score.value * 1e308 * 1e308 > 1"])
def test_arithmetic_without_a_result_is_no_pass(rule: str) -> None:
    gate = Rule.of(rule).judge(RECORD)
    assert (gate.passed, gate.value) == (False, None)
    assert "arithmetic" in str(gate.reason)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("score.valeu >= 60", "did you mean score.value?"),
        ("vqa2.perc5 >= 60", "did you mean pooled_metrics.vqa2.perc5?"),
        ("stall_ratio <= 1", "did you mean stalling.stall_ratio?"),
        ("zzz >= 60", "no key zzz"),
        ("score >= 60", "no key score"),
        ("score.value", "its end"),
        ("score.value >=", "its end"),
        ("", "its end"),
        ("60 >= 50", "reads no key"),
        ("score.value => 60", "character 13"),
        ("score.level >= 60", "text with a number"),
        ("score.level >= 'fair'", "no order"),
        ("score.level + 1 == 2", "calculated"),
        ("warnings == 0", "count(warnings)"),
        ("count(score.value) == 0", "only a list"),
        ("media.height in (720, 'x')", "text with a number"),
        ("__import__('os').system('x')", "not understood"),
        ("score.value >= 60; file", "not understood"),
        ("score.value" + " + 1" * 400 + " > 1", "longer than"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_in_one_line(rule: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Rule.of(rule)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_every_key_of_the_record_can_be_read_by_some_rule() -> None:
    shapes = {"number": "{} >= 0", "flag": "{} == 1", "text": "{} == 'x'", "list": "count({}) == 0"}
    for key, kind in record_keys().items():
        gate = Rule.of(shapes[kind].format(key)).judge(RECORD)
        # A score of good quality has no error; all other keys have values.
        assert (gate.value is None) == key.startswith("error."), key


@settings(deadline=None)  # the grammar is built by the first call
@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(UsageError):
        Rule.of(text)


def test_the_nearest_name_is_offered_only_where_it_is_near() -> None:
    assert nearest("gate", ["gates", "ladder"]) == " (did you mean gates?)"
    assert nearest("qqqq", ["gates", "ladder"]) == ""
