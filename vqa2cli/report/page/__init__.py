"""A report as one self-contained HTML page: no script, no request, every text escaped."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from vqa2cli.report.page.pictures import Moment, Stills, no_stills
from vqa2cli.report.page.plots import curve_plot, timeline_plot
from vqa2cli.report.plain_text import told
from vqa2cli.report.rows import Record
from vqa2cli.report.templates import environment_of

#: Worst windows that the page lists.
WORST = 10


def page(report: Record, stills: Stills = no_stills) -> str:
    """Return the HTML of a report of `vqa2 score` or `vqa2 ladder`.

    Args:
        report: what the command writes as JSON.
        stills: finds the pictures of the worst windows.
    """
    environment = environment_of("vqa2cli.report.page")
    environment.filters["told"] = told
    text = environment.get_template("report.html").render(
        version=report["version"],
        model=next((row["model"] for row in report["results"] if row["model"]), None),
        ladders=[_ladder(ladder, report) for ladder in report.get("ladders", ())],
        rows=[] if report.get("ladders") else report["results"],
        timeline=_timeline("Timeline", report["results"]) if not report.get("ladders") else "",
        worst=_worst(report["results"], stills),
    )
    return text if text.endswith("\n") else f"{text}\n"


def _ladder(ladder: Record, report: Record) -> dict[str, Any]:
    """Return a ladder with its plots and the records of its rungs."""
    records = {row["file"]: row for row in report["results"]}
    names = {rung["file"]: rung["name"] for rung in ladder["rungs"]}
    rows = [{**records[file], "name": name} for file, name in names.items()]
    findings = [
        {**finding, "check": check["id"]}
        for check in ladder["checks"]
        for finding in check["findings"]
        if finding["start"] is not None
    ]
    return {
        **ladder,
        "rows": rows,
        "curve": Markup(curve_plot(ladder)),
        "timeline": _timeline(f"Timeline of {ladder['title']}", rows, findings),
    }


def _timeline(label: str, rows: list[Record], findings: list[Record] | None = None) -> Markup:
    shown = [row for row in rows if row["segments"]]
    return Markup(timeline_plot(label, shown, findings or [])) if shown else Markup("")


def _worst(rows: list[Record], stills: Stills) -> list[Record]:
    """Return the worst windows of all files, worst first, with what is shown in their middle."""
    windows = [{**segment, "file": row["file"]} for row in rows for segment in row["segments"]]
    worst = sorted(windows, key=lambda window: float(window["score"]))[:WORST]
    middles = [Moment(each["file"], (each["start"] + each["end"]) / 2) for each in worst]
    found = stills(middles)
    return [
        {**window, "time": middle.time_s, "picture": found.get(middle)}
        for window, middle in zip(worst, middles, strict=True)
    ]
