"""The published JSON Schema: every report fits it, and it names every key of a report."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from tests.report.assessments import failed, scored
from vqa2cli.report.rows import COLUMNS, record_of
from vqa2cli.report.schema import record_keys, schema


def closed(node: Any) -> Any:
    """Return a schema that allows no key it does not name."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    shut = {key: closed(value) for key, value in node.items()}
    if "properties" in shut and "type" in shut:
        shut["additionalProperties"] = False
    return shut


def report(*rows: Any) -> dict[str, Any]:
    return {"schema_version": 1, "version": "0", "results": [record_of(row) for row in rows]}


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("report"))


def test_scored_and_failed_files_fit_the_schema_to_the_last_key() -> None:
    jsonschema.validate(report(scored(), failed()), closed(schema("report")))


@pytest.mark.parametrize(
    ("key", "value"),
    [("status", "fine"), ("score", {"value": 101}), ("gates", None), ("schema_version", 2)],
)
def test_a_record_that_breaks_the_contract_does_not_fit(key: str, value: Any) -> None:
    broken = copy.deepcopy(report(scored()))
    broken["results"][0][key] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema("report"))


def test_a_key_may_come_at_any_time() -> None:
    newer = report(scored())
    newer["results"][0]["brand_new"] = 1
    jsonschema.validate(json.loads(json.dumps(newer)), schema("report"))


def test_the_keys_of_the_schema_are_those_of_the_record() -> None:
    told = {key for key in record_keys() if not key.startswith("score.probs.")}
    columns = {".".join(path) for path in COLUMNS.values()}
    assert told == {key for key in columns if not key.startswith("score.probs.")}
