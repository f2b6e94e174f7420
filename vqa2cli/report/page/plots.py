"""Plots of a report as inline SVG, in colours that the page's style sheet decides.

Matplotlib takes colours, not style-sheet variables, so each colour is drawn as a stand-in and
replaced in the text. Text stays text, and is escaped by the backend.
"""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from typing import TYPE_CHECKING, Any, Final

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from vqa2cli.report.plain_text import one_line
from vqa2cli.report.rows import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Stand-in for each colour of the style sheet.
_COLOURS: Final = {
    "#010101": "var(--ink)", "#020202": "var(--faint)", "#030303": "var(--line)",
    "#040404": "var(--bad)", "#050505": "var(--warn)",
    "#0a0a01": "var(--high)", "#0a0a02": "var(--good)", "#0a0a03": "var(--fair)",
    "#0a0a04": "var(--poor)", "#0a0a05": "var(--low)",
}  # fmt: skip
_INK, _FAINT, _LINE, _BAD, _WARN = list(_COLOURS)[:5]
_LEVELS: Final = dict(zip(("high", "good", "fair", "poor", "low"), list(_COLOURS)[5:], strict=True))

#: Longest name written beside a row, characters.
_NAME = 24

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none", "svg.hashsalt": "vqa2", "font.family": "sans-serif", "font.size": 11,
    "text.color": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
    "axes.edgecolor": _FAINT, "axes.facecolor": "none", "figure.facecolor": "none",
    "text.parse_math": False, "axes.spines.top": False, "axes.spines.right": False,
}  # fmt: skip


def curve_plot(ladder: Record) -> str:
    """Return the rate-quality curve of a ladder, rungs named, those below the hull hollow."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 3.6))
        axes = figure.subplots()
        rungs = ladder["rungs"]
        below = {name for check in ladder["checks"] if check["id"] == "below-hull"
                 for finding in check["findings"] for name in finding["rungs"]}  # fmt: skip
        rates = [rung["bit_rate"] / 1000 for rung in rungs]
        scores = [rung["score"] for rung in rungs]
        axes.plot(rates, scores, color=_LINE, linewidth=2, zorder=1)
        for rung, rate, score in zip(rungs, rates, scores, strict=True):
            hollow = rung["name"] in below
            axes.scatter(
                [rate], [score], s=40, zorder=2, edgecolors=_LINE,
                color="none" if hollow else _LINE,
            )  # fmt: skip
            axes.annotate(
                _short(rung["name"]), (rate, score), textcoords="offset points", xytext=(0, 8),
                ha="center", fontsize=10,
            )  # fmt: skip
        if rates:
            axes.set_xscale("log")
            axes.set_xticks(rates, [f"{rate:.0f}" for rate in rates])
            axes.minorticks_off()
        axes.margins(x=0.1)
        axes.set_ylim(0, 110)
        axes.set_xlabel("kb/s of video")
        axes.set_ylabel("score")
        return _svg(figure, f"Score over bit rate of {ladder['title']}")


def timeline_plot(label: str, rows: list[Record], findings: list[Record]) -> str:
    """Return a row for each file: its windows by level, its stalls, and findings beneath."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 0.8 + 0.42 * len(rows)))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            _row(axes, place, row, findings)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [_short(row.get("name") or row["file"]) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds")
        return _svg(figure, label)


def _row(axes: Axes, place: int, row: Record, findings: list[Record]) -> None:
    for segment in row["segments"]:
        span = [(segment["start"], segment["end"] - segment["start"])]
        axes.broken_barh(span, (place - 0.25, 0.5), facecolors=_LEVELS[segment["level"]])
    events = row["stalling"]["events"] if row["stalling"] else []
    for event in events:
        still = event["kind"] in ("static", "ambiguous")
        span = [(event["start"], event["duration"])]
        axes.broken_barh(
            span, (place - 0.38, 0.76), facecolors="none", linewidth=1.5,
            edgecolors=_FAINT if still else _BAD, hatch=None if still else "////",
        )  # fmt: skip
    for finding in findings:
        if row.get("name") in finding["rungs"]:
            axes.plot(
                [finding["start"], finding["end"]], [place + 0.38] * 2, color=_WARN, linewidth=3
            )


def _svg(figure: Figure, label: str) -> str:
    """Return the figure as an SVG element with a label, its colours those of the page."""
    out = io.StringIO()
    with warnings.catch_warnings():
        # Names may use letters that the font for measuring lacks; the reader's browser has others.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.tight_layout()
        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(out, metadata=_NO_METADATA)  # type: ignore[no-untyped-call]
    text = out.getvalue()
    svg = text[text.index("<svg") :].strip()
    for stand_in, colour in _COLOURS.items():
        svg = svg.replace(stand_in, colour)
    # The page scales the picture; matplotlib's own style sheet would reach beyond it.
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.S)
    safe = escape(one_line(label))
    return svg.replace("<svg ", f'<svg role="img" aria-label="{safe}" ', 1)


#: Keeps date and creator out, so that two runs give the same page.
_NO_METADATA: Final[dict[str, Any]] = {"Date": None, "Creator": None, "Format": None, "Type": None}


def _short(name: str) -> str:
    line = one_line(name)
    return line if len(line) <= _NAME else f"…{line[1 - _NAME :]}"
