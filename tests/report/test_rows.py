"""The record of a file and its flat form: strict, whole, and as documented."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.report.assessments import failed, scored
from vqa2cli.report.rows import COLUMNS, compact_json, flat, record_of, stall_record

KEYS = [
    "schema_version", "file", "status", "error", "warnings", "media", "declared", "model", "score",
    "segments", "pooled_metrics", "stalling", "session", "diagnostics", "gates", "timing",
]  # fmt: skip


def strict(text: str) -> Any:
    """Parse JSON, refusing what RFC 8259 does not allow."""

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    parsed = json.loads(text, parse_constant=refuse)
    text.encode("utf-8")
    json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # fails on lone surrogates
    return parsed


@pytest.mark.parametrize("row", [scored(), failed()], ids=["scored", "failed"])
def test_every_record_has_exactly_the_keys_of_the_schema(row: Any) -> None:
    assert list(record_of(row)) == KEYS


def test_a_scored_file_has_no_error_and_a_failed_one_no_score() -> None:
    assert record_of(scored())["error"] is None
    record = record_of(failed())
    assert record["score"] is None
    assert record["error"] == {"kind": "corrupt", "message": "no frame could be decoded"}


def test_a_stall_event_tells_its_duration() -> None:
    (event,) = record_of(scored())["stalling"]["events"]
    assert event["duration"] == pytest.approx(event["end"] - event["start"])
    assert list(event)[:3] == ["start", "end", "duration"]
    assert {"media_start", "kind", "open_ended", "evidence", "confidence"} <= event.keys()


def test_a_weighed_stall_tells_its_cost_and_one_found_alone_does_not() -> None:
    record = record_of(scored())
    assert [event["cost"] for event in record["stalling"]["events"]] == [12.5]
    assert record["session"] == {
        "with_stalls": 50.0, "without_stalls": 62.5, "stall_cost": 12.5, "weighed_by": "session",
    }  # fmt: skip
    (found,) = stall_record(scored())["stalling"]["events"]
    assert found["cost"] is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_is_null_with_a_reason(value: float) -> None:
    row = scored()
    assert row.media is not None
    record = record_of(replace(row, media=replace(row.media, duration=value)))
    assert record["media"]["duration"] is None
    assert any("media.duration" in warning for warning in record["warnings"])
    strict(compact_json(record))


def test_numpy_scalars_become_plain_numbers() -> None:
    row = scored()
    assert row.score is not None
    record = record_of(replace(row, score=replace(row.score, value=np.float64(12.5))))
    assert strict(compact_json(record))["score"]["value"] == 12.5
    assert type(record["score"]["value"]) is float


def test_a_name_that_is_not_utf8_is_stored_with_its_bytes_spelled_out() -> None:
    name = b"bad\xff\xfe.mp4".decode("utf-8", "surrogateescape")
    for record in (record_of(replace(scored(), file=name)), stall_record(failed(name))):
        assert strict(compact_json(record))["file"] == r"bad\xff\xfe.mp4"


def test_the_flat_form_holds_every_value_of_the_record() -> None:
    record = record_of(scored())
    row = flat(record)
    assert list(row) == list(COLUMNS)
    assert row["score"] == record["score"]["value"]
    assert row["prob_good"] == record["score"]["probs"]["good"]
    assert row["vqa2_perc5"] == record["pooled_metrics"]["vqa2"]["perc5"]
    assert json.loads(row["segments"]) == record["segments"]
    assert row["warnings"] == "one; two"
    assert all(cell is not None for name, cell in row.items() if not name.startswith("error_"))


def test_every_leaf_of_the_record_has_a_column() -> None:
    def leaves(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        if not isinstance(value, dict):
            return [path]
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]

    record = record_of(scored()) | {"error": record_of(failed())["error"]}
    assert sorted(leaves(record, ())) == sorted(COLUMNS.values())


def test_a_failed_file_has_empty_cells_instead_of_numbers() -> None:
    row = flat(record_of(failed()))
    assert row["score"] is None
    assert row["vqa2_mean"] is None
    assert row["error_kind"] == "corrupt"


def test_every_key_and_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    missing = [name for name in [*KEYS, *COLUMNS] if f"`{name}`" not in page]
    assert missing == []
