"""Explanations: causes by rule, worst moments, and forms that stay harmless."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.report.assessments import scored
from train.kadid import FOUND_AS
from vqa2cli.assessment import Assessment, Diagnostics, Finding
from vqa2cli.report.causes import cause_of, causes
from vqa2cli.report.explain.explanation import (
    MAX_TEXT,
    Said,
    depiction_of,
    explain,
    explanation_record,
    time_code,
    worst_moments,
)
from vqa2cli.report.explain.forms import FORMS
from vqa2cli.report.findings import rules
from vqa2cli.video.measures.records import NAMES, SignalMeasures

HOSTILE = '<img src=x onerror="alert(1)">"></script>[red]x[link=http://e]\x1b[31m\u202e|`*_.mp4'

BLOCKING = Finding("blocking", "severe", 1.0, 3.0, "measurement", 0.9, None)
FLICKER = Finding("flicker", "slight", None, None, "measurement", 2.0, "%")


def measures(n: int = 8, **values: object) -> SignalMeasures:
    table = np.full((len(NAMES), n), np.nan, np.float32)
    for name, row in values.items():
        table[NAMES.index(name)] = row  # type: ignore[call-overload]
    return SignalMeasures(table, n / 2)


def row(*findings: Finding, file: str = "a.mp4", **values: object) -> Assessment:
    told = Diagnostics("", findings)
    return replace(scored(file), diagnostics=told, measures=measures(**values))


def written(form: str, assessment: Assessment, answer: str | None = None) -> str:
    out = io.StringIO()
    depiction = answer and depiction_of("m", [Said(0.0, 4.0, answer)])
    FORMS[form](explain(assessment, depiction or None), out)
    return out.getvalue()


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def elements(html: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Elements()
    parser.feed(html)
    return parser.tags


def test_the_cause_depends_on_the_bits_in_the_span() -> None:
    few = measures(bits_per_pixel=[0.2, 0.2, 0.02, 0.02, 0.02, 0.02, 0.2, 0.2])
    many = measures(bits_per_pixel=0.3, quantizer=20.0)
    assert cause_of(BLOCKING, few, "h264").id == "blocking-starved"
    assert cause_of(BLOCKING, many, "h264").id == "blocking-inherited"


def test_a_rule_for_some_codecs_leaves_the_others_alone() -> None:
    high = measures(bits_per_pixel=0.3, quantizer=45.0)
    assert cause_of(BLOCKING, high, "h264").id == "blocking-quantizer"
    assert cause_of(BLOCKING, high, "vp9").id == "blocking-inherited"


def test_what_is_not_known_meets_no_condition() -> None:
    assert cause_of(BLOCKING, measures(), "h264").id == "blocking-inherited"
    assert cause_of(BLOCKING, None, "h264").id == "blocking-inherited"


def test_every_attribute_that_can_be_found_has_a_rule_without_conditions() -> None:
    always = {c.attribute for c in causes() if not (c.below or c.above or c.codecs)}
    found = {rule.attribute for rule in rules()} | {"rebuffer", "freeze", "gap", "quality"}
    found |= {name for name in FOUND_AS if name != "none"}
    assert found | {"duplicate_cadence", "initial_buffering"} <= always
    assert all(set(c.below) | set(c.above) <= set(NAMES) for c in causes())
    assert len({c.id for c in causes()}) == len(causes())


def test_the_words_come_from_the_findings() -> None:
    told = explain(row(FLICKER, BLOCKING))
    assert told.depiction is None
    assert told.text.startswith("Blocking: severe, 1.00-3.00 s (0.9).")
    assert "Probable cause of the blocking: " in told.text
    assert told.text.endswith("the model rates the quality of this video Fair (50.0 of 100).")


def test_a_clip_without_findings_is_told_to_have_none() -> None:
    assert "find nothing wrong" in explain(row()).text


def test_a_models_own_words_stand_under_its_name_and_not_without_end() -> None:
    words = (Said(0.0, 10.0, " It is blurry. " + "x" * 20_000), Said(10.0, 12.0, "It is not."))
    told = explain(row(BLOCKING), depiction_of("vqa2-mini-assistant", words))
    assert told.depiction is not None
    first, second = told.depiction.parts
    assert first.text.startswith("It is blurry.")
    assert len(first.text) == MAX_TEXT
    assert second == words[1]
    assert told.text == explain(row(BLOCKING)).text  # words never replace what was measured
    assert told.row.score == scored().score


def test_parts_of_which_a_model_says_the_same_are_one() -> None:
    said = [Said(float(n), n + 1.0, "Noise. " if n < 3 else "None.") for n in range(5)]
    parts = depiction_of("m", said).parts
    assert parts == (Said(0.0, 3.0, "Noise."), Said(3.0, 5.0, "None."))


def test_the_worst_moment_lies_in_the_middle_of_the_worst_span() -> None:
    (first, *_) = worst_moments((FLICKER, BLOCKING), measures(), 4.0)
    assert 1.5 <= first.time_s <= 2.5
    assert first.attributes == ("flicker", "blocking")


def test_moments_keep_a_distance_and_a_clean_clip_has_none() -> None:
    times = sorted(m.time_s for m in worst_moments((FLICKER,), measures(), 4.0))
    assert min(np.diff(times)) > 1.0
    assert worst_moments((), measures(), 4.0) == ()


@pytest.mark.parametrize(
    ("seconds", "code"), [(0, "0:00:00.00"), (59.999, "0:01:00.00"), (3723.5, "1:02:03.50")]
)
def test_time_codes(seconds: float, code: str) -> None:
    assert time_code(seconds) == code


def test_json_holds_findings_with_cause_and_the_series_with_null_for_the_unknown() -> None:
    record = explanation_record(explain(row(BLOCKING, luma=40.0)))
    text = json.dumps(record, allow_nan=False)
    told = json.loads(text)["explanation"]
    assert told["findings"][0]["rule"] == "blocking-inherited"
    assert told["measures"]["series"]["luma"] == [40.0] * 8
    assert told["measures"]["series"]["blur"] == [None] * 8
    assert told["worst_moments"][0]["time_code"].startswith("0:00:")


def test_html_of_a_hostile_name_has_the_elements_of_a_harmless_one() -> None:
    harmless = written("html", row(BLOCKING), "fine")
    hostile = written("html", row(BLOCKING, file=HOSTILE), HOSTILE)
    assert elements(hostile) == elements(harmless)
    assert "Content-Security-Policy" in hostile
    assert "http" not in harmless.replace("http-equiv", "")


@pytest.mark.parametrize("form", sorted(FORMS))
def test_no_form_lets_control_characters_through(form: str) -> None:
    text = written(form, row(BLOCKING, file=HOSTILE), HOSTILE)
    assert not set(text) & {"\x1b", "\u202e", "\x07"}


def test_markdown_of_a_hostile_name_is_plain_text() -> None:
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").render(written("md", row(BLOCKING, file=HOSTILE), HOSTILE))
    assert {tag for tag, _ in elements(html)} <= {"h1", "p", "ul", "li"}


def test_markup_in_a_name_is_printed_as_it_is() -> None:
    assert "[red]x[link=http://e]" in written("console", row(BLOCKING, file=HOSTILE))
