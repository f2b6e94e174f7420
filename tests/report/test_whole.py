"""JUnit, Prometheus and GitHub: each read back by who will read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
import xmlschema
from prometheus_client.parser import text_string_to_metric_families
from referencing import Registry, Resource

from tests.report.reports import NAMES, hostile_ladder_report, ladder_report, score_report
from tests.report.test_schema import closed
from vqa2cli.report.github import github_annotations
from vqa2cli.report.junit import junit_xml
from vqa2cli.report.prometheus import prometheus_text
from vqa2cli.report.schema import SCHEMAS, schema

CORE = Path(__file__).with_name("junit-core.xsd")
REPORTS = {
    "score": score_report(*NAMES), "ladder": ladder_report(), "hostile": hostile_ladder_report(),
}  # fmt: skip


def validator(name: str) -> Any:
    """Return a validator that allows no key the schemas do not name."""
    shut = {f"{one}.schema.json": closed(schema(one)) for one in SCHEMAS}
    registry: Any = Registry().with_resources(
        (uri, Resource.from_contents(one)) for uri, one in shut.items()
    )
    return jsonschema.Draft202012Validator(shut[f"{name}.schema.json"], registry=registry)


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Any:
    return REPORTS[request.param]


def test_junit_fits_the_core_that_every_reader_knows(report: Any) -> None:
    xmlschema.XMLSchema(str(CORE)).validate(junit_xml(report))


def test_junit_counts_and_tells_the_value_in_the_text_of_a_failure() -> None:
    (suite,) = junitparser.JUnitXml.fromstring(junit_xml(score_report()).encode())
    assert (suite.tests, suite.failures, suite.errors) == (6, 2, 1)
    texts = {case.name: case.result[0].text for case in suite if case.result}
    assert "it is 50" in texts["score.value >= 60"]
    assert "has no value" in texts["stalling.stall_ratio <= 1"]
    assert texts["scored"] == "no frame could be decoded"


def test_junit_has_a_suite_for_each_ladder_and_a_case_for_each_check() -> None:
    suites = {
        s.name: s for s in junitparser.JUnitXml.fromstring(junit_xml(ladder_report()).encode())
    }
    assert list(suites) == ["title", "faulty", "broken"]
    assert (suites["title"].failures, suites["title"].errors) == (0, 0)
    failing = [case.name for case in suites["faulty"] if case.is_failure]
    assert failing == ["quality-falls", "resolution", "stall"]
    assert suites["broken"].errors == 1
    (falls,) = [case for case in suites["faulty"] if case.name == "quality-falls"]
    assert "720p (3000 kb/s) scores 45.0" in falls.result[0].text


def test_prometheus_reads_every_sample_and_nothing_that_was_not_measured() -> None:
    families = {
        family.name: family.samples
        for family in text_string_to_metric_families(prometheus_text(score_report()))
    }
    scores = {sample.labels["file"]: sample.value for sample in families["vqa2_score"]}
    assert scores == {"r/720p.mp4": 50.0, "r/gates.mp4": 50.0}
    scored = {sample.labels["file"]: sample.value for sample in families["vqa2_scored"]}
    assert scored["r/broken.mp4"] == 0
    passed = {(s.labels["file"], s.labels["rule"]): s.value for s in families["vqa2_gate_passed"]}
    assert passed["r/gates.mp4", "score.value >= 60"] == 0


def test_prometheus_tells_of_ladders_and_survives_hostile_names(report: Any) -> None:
    families = {f.name: f.samples for f in text_string_to_metric_families(prometheus_text(report))}
    assert len(families["vqa2_scored"]) == len(report["results"])
    if "ladders" in report:
        whole = {sample.labels["title"]: sample.value for sample in families["vqa2_ladder_passed"]}
        assert len(whole) == len(report["ladders"])
        assert whole.get("title", 1.0) == 1.0
        assert whole.get("faulty", 0.0) == 0.0


def test_github_gets_a_line_for_each_thing_that_failed() -> None:
    lines = github_annotations(score_report()).splitlines()
    assert lines == [
        "::error file=r/gates.mp4,title=gate failed::score.value >= 60: it is 50",
        "::error file=r/gates.mp4,title=gate failed::stalling.stall_ratio <= 1: "
        "stalling.stall_ratio has no value",
        "::error file=r/broken.mp4,title=not scored::no frame could be decoded",
    ]


def test_github_lines_cannot_be_forged_by_a_name() -> None:
    text = github_annotations(hostile_ladder_report())
    assert text
    for line in text.splitlines():
        assert line.startswith(("::error ", "::warning "))
    assert github_annotations({"results": [
        {"file": "a\n::error::b,c:d%", "error": {"kind": "x", "message": "m\n::error::n"},
         "gates": []},
    ]}).splitlines() == [
        "::error file=a\\x0a%3A%3Aerror%3A%3Ab%2Cc%3Ad%25,title=not scored::m\\x0a::error::n"
    ]  # fmt: skip


def test_a_check_that_warns_is_a_warning() -> None:
    lines = github_annotations(ladder_report()).splitlines()
    assert any(line.startswith("::warning title=faulty%3A below-hull::") for line in lines) or any(
        line.startswith("::warning") for line in lines
    )


def test_the_report_of_ladders_fits_its_schema_to_the_last_key(report: Any) -> None:
    name = "ladder" if "ladders" in report else "report"
    assert name in SCHEMAS
    validator(name).validate(json.loads(json.dumps(report)))


def test_a_reader_of_score_reports_reads_those_of_ladders() -> None:
    jsonschema.validate(ladder_report(), schema("report"))
