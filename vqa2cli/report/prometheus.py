"""A report in Prometheus' text format, for the node exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from vqa2cli.report.plain_text import one_line
from vqa2cli.report.rows import Record

Read = Callable[[Record], float | None]

#: Gauges of a file: name, what it tells, and where it stands. A null has no sample.
_FILE: Final[tuple[tuple[str, str, Read], ...]] = (
    ("vqa2_scored", "1 where the file has a score, 0 where it could not be scored.",
     lambda row: float(row["status"] == "ok")),
    ("vqa2_score", "Quality from 0 to 100.",
     lambda row: row["score"]["value"] if row["score"] else None),
    ("vqa2_score_perc5", "5th percentile of the windows' scores.",
     lambda row: row["pooled_metrics"]["vqa2"]["perc5"] if row["pooled_metrics"] else None),
    ("vqa2_stall_ratio", "Stalled share of the whole length.",
     lambda row: row["stalling"]["stall_ratio"] if row["stalling"] else None),
    ("vqa2_bit_rate_bps", "Bits a second of the video stream.",
     lambda row: row["media"]["bit_rate"] if row["media"] else None),
    ("vqa2_duration_seconds", "Length of the video.",
     lambda row: row["media"]["duration"] if row["media"] else None),
)  # fmt: skip


def prometheus_text(report: Record) -> str:
    """Return the samples of a report of `vqa2 score` or `vqa2 ladder`."""
    registry = CollectorRegistry()
    for name, text, read in _FILE:
        gauge = Gauge(name, text, ["file"], registry=registry)
        for row in report["results"]:
            value = read(row)
            if value is not None:
                gauge.labels(one_line(row["file"])).set(value)
    passed = Gauge(
        "vqa2_gate_passed", "1 where the file passed the rule.", ["file", "rule"], registry=registry
    )
    for row in report["results"]:
        for gate in row["gates"]:
            passed.labels(one_line(row["file"]), gate["rule"]).set(gate["passed"])
    if "ladders" in report:
        _ladders(report, registry)
    return generate_latest(registry).decode("utf-8")


def _ladders(report: Record, registry: CollectorRegistry) -> None:
    whole = Gauge(
        "vqa2_ladder_passed", "1 where no check or gate failed and every rung was scored.",
        ["title"], registry=registry,
    )  # fmt: skip
    check_passed = Gauge(
        "vqa2_ladder_check_passed", "1 where the check found nothing, 0 where it failed or warns.",
        ["title", "check"], registry=registry,
    )  # fmt: skip
    check_value = Gauge(
        "vqa2_ladder_check_value", "The worst number that the check measured.",
        ["title", "check"], registry=registry,
    )  # fmt: skip
    for ladder in report["ladders"]:
        title = one_line(ladder["title"])
        whole.labels(title).set(ladder["status"] == "passed")
        for check in ladder["checks"]:
            if check["status"] in ("passed", "failed", "warned"):
                check_passed.labels(title, check["id"]).set(check["status"] == "passed")
            if check["value"] is not None:
                check_value.labels(title, check["id"]).set(check["value"])
