"""Ladders as people read them on a terminal, and as rows of CSV."""

from __future__ import annotations

import csv

from rich import box
from rich.table import Table
from rich.text import Text

from vqa2cli.report.console import show
from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import one_line, told
from vqa2cli.report.rows import COLUMNS, Record, flat
from vqa2cli.report.writers import write_cells

_STATUS = {"passed": "green", "failed": "red", "incomplete": "red"}


def write_ladders(report: Record, stream: TextSink) -> None:
    """Write each ladder: a table of its rungs, then what checks found and what to do."""
    for ladder in report["ladders"]:
        show(_table(ladder), stream)
        stream.write("".join(f"{one_line(line)}\n" for line in _lines(ladder)) + "\n")
    stream.flush()


def _table(ladder: Record) -> Table:
    size = f", shown at {ladder['display']}" if ladder["display"] else ""
    head = f"{one_line(ladder['title'])}: {ladder['status']} (by {ladder['grouped_by']}{size})"
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=Text(head, _STATUS[ladder["status"]]),
        title_justify="left",
    )  # fmt: skip
    table.add_column("rung", overflow="fold")
    for name in ("kb/s", "score", "step", "below hull"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("file", overflow="fold")
    before: float | None = None
    for rung in ladder["rungs"]:
        score = rung["score"]
        table.add_row(
            Text(one_line(rung["name"])),
            Text(f"{rung['bit_rate'] / 1000:.0f}"),
            Text(f"{score:.1f}"),
            Text("" if before is None else f"{score - before:+.1f}"),
            Text(f"{rung['below_hull']:.1f}" if rung["below_hull"] >= 0.05 else ""),
            Text(one_line(rung["file"])),
        )
        before = score
    for rung in ladder["unscored"]:
        table.add_row(Text(one_line(rung["name"])), "-", "-", "", "", Text(one_line(rung["file"])))
    return table


def _lines(ladder: Record) -> list[str]:
    lines = []
    for check in ladder["checks"]:
        mark = "FAIL" if check["status"] == "failed" else "warn"
        limit = f"threshold {told(check['threshold'])} {check['unit']}".rstrip()
        lines += [f"{mark} {check['id']}: {f['message']} ({limit})" for f in check["findings"]]
    lines += [f"NOT SCORED {rung['name']}: {rung['message']}" for rung in ladder["unscored"]]
    for advice in ladder["advice"]:
        rate = f" to {advice['bit_rate'] / 1000:.0f} kb/s" if advice["bit_rate"] else ""
        what = advice["rung"] or "a rung"
        to = rate.replace(" to ", " at ") if advice["action"] == "add" else rate
        lines.append(f"advice: {advice['action']} {what}{to}: {advice['why']}")
    compared = ladder["bd_rate"]
    if compared is not None:
        lines.append(_compared(compared))
    return lines or ["no finding"]


def _compared(compared: Record) -> str:
    """Return the sentence of a comparison with another ladder."""
    head = f"against {compared['against']}:"
    if compared["bd_rate"] is None:
        return f"{head} no BD-rate ({compared['reason']})"
    rate = f"{head} BD-rate {compared['bd_rate']:+.1f} %"
    if compared["bd_score"] is None:
        return f"{rate}, no BD-score ({compared['reason']})"
    low, high = compared["overlap"]
    return f"{rate}, {compared['bd_score']:+.1f} points, over scores {low:.1f}-{high:.1f}"


def write_rungs(report: Record, stream: TextSink) -> None:
    """Write a row of CSV for each rung: title, rung and its place, then the columns of a report."""
    rows = csv.writer(stream)
    head = ("title", "rung", "below_hull")
    write_cells(rows.writerow, (*head, *COLUMNS))
    records = {row["file"]: row for row in report["results"]}
    for ladder in report["ladders"]:
        for rung in [*ladder["rungs"], *ladder["unscored"]]:
            cells = (ladder["title"], rung["name"], rung.get("below_hull"))
            write_cells(rows.writerow, (*cells, *flat(records[rung["file"]]).values()))
    stream.flush()
