"""A clip as a piece of HTML for the page: every text escaped, pictures inside, no request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from vqa2cli.config import VERSION
from vqa2cli.levels import in_words
from vqa2cli.report.diagnostics import value_of
from vqa2cli.report.explain.explanation import Explanation, span_of, time_code
from vqa2cli.report.page.pictures import data_uri
from vqa2cli.report.page.plots import timeline_plot
from vqa2cli.report.plain_text import short_line
from vqa2cli.report.rows import record_of
from vqa2cli.report.templates import environment_of

#: Longest side of a picture on the page, pixels.
PICTURE_SIDE = 960


def clip_fragment(told: Explanation, pictures: Sequence[Path]) -> str:
    """Return what is told of a clip: score, timeline, findings, and pictures of its worst moments.

    Args:
        pictures: one for each of `told.moments`, in their order.
    """
    uris = [data_uri(picture, PICTURE_SIDE) for picture in pictures]
    return _rendered(
        "clip.html",
        told=told,
        row=told.row,
        timeline=Markup(_timeline(told)),
        moments=list(zip(told.moments, uris, strict=True)),
        version=VERSION,
    )


def error_fragment(message: str) -> str:
    """Return an error as one line."""
    return _rendered("error.html", message=short_line(message))


def _rendered(template: str, **values: Any) -> str:
    environment = environment_of("vqa2cli.demo")
    environment.filters |= {
        "time_code": time_code, "span": span_of, "value": value_of, "words": in_words
    }  # fmt: skip
    return environment.get_template(template).render(**values).strip()


def _timeline(told: Explanation) -> str:
    """Return the windows, the stalls and the findings of the measures over time."""
    record = {**record_of(told.row), "name": "clip"}
    if not record["segments"]:
        return ""
    end_s = record["segments"][-1]["end"]
    findings = [
        {
            "start": one.finding.start or 0.0,
            "end": end_s if one.finding.end is None else one.finding.end,
            "rungs": [record["name"]],
        }
        for one in told.findings
        if one.finding.source == "measurement"
    ]
    return timeline_plot("Timeline of the clip", [record], findings)
