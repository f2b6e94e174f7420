"""An explanation for a terminal, as Markdown and as HTML; every text from outside made safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from vqa2cli.config import VERSION
from vqa2cli.report.console import show
from vqa2cli.report.diagnostics import value_of
from vqa2cli.report.explain.explanation import Explanation, span_of, time_code, time_span
from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import one_line
from vqa2cli.report.templates import environment_of

_DEGREE_COLOURS = {"severe": "red", "long": "red", "noticeable": "yellow"}

#: Everything that Markdown or inline HTML may act on.
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|&~:@$=\"'^])")


def write_console(told: Explanation, stream: TextSink) -> None:
    """Write an explanation for people at a terminal."""
    row = told.row
    lines = [row.file, told.text, *(f"Warning: {warning}" for warning in row.warnings)]
    if told.depiction is not None:
        lines += [f"In the words of {told.depiction.model}:"]
        lines += [f"  {time_span(s.start, s.end)} {s.text}" for s in told.depiction.parts]
    for line in lines:
        stream.write(f"{one_line(line)}\n")
    if told.findings:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("finding", "degree", "when", "value", "from", "probable cause", "what to do"):
            table.add_column(name)
        for one in told.findings:
            degree = one.finding.degree
            table.add_row(
                Text(one.finding.attribute),
                Text(degree, style=_DEGREE_COLOURS.get(degree, "")),
                Text(span_of(one.finding)),
                Text(value_of(one.finding)),
                Text(one.finding.source),
                Text(one.cause.cause),
                Text(one.cause.action),
            )
        show(table, stream)
    for moment in told.moments:
        frame = f" {one_line(moment.frame)}" if moment.frame else ""
        what = ", ".join(moment.attributes)
        stream.write(f"worst moment {time_code(moment.time_s)}: {what}{frame}\n")


def write_markdown(told: Explanation, stream: TextSink) -> None:
    """Write an explanation as Markdown."""
    row = told.row
    out = [f"# {_md(row.file)}", "", _md(told.text), ""]
    out += [f"- Warning: {_md(warning)}" for warning in row.warnings]
    if told.depiction is not None:
        out += ["", f"In the words of {_md(told.depiction.model)}:", ""]
        out += [f"- {_md(time_span(s.start, s.end))}: {_md(s.text)}" for s in told.depiction.parts]
    if told.findings:
        head = ("finding", "degree", "when", "value", "from", "probable cause", "what to do")
        out += ["", _cells(head), _cells(["---"] * len(head))]
        for one in told.findings:
            f = one.finding
            cells = (f.attribute, f.degree, span_of(f), value_of(f), f.source)
            out.append(_cells(_md(cell) for cell in (*cells, one.cause.cause, one.cause.action)))
    out.append("")
    for moment in told.moments:
        frame = f" — {_md(moment.frame)}" if moment.frame else ""
        what = _md(", ".join(moment.attributes))
        out.append(f"- Worst moment {_md(time_code(moment.time_s))}: {what}{frame}")
    stream.write("\n".join(out).rstrip() + "\n")


def _cells(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _md(text: str) -> str:
    """Return `text` such that Markdown shows it as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def write_html(told: Explanation, stream: TextSink) -> None:
    """Write an explanation as one HTML page: no script, no request, every text escaped."""
    environment = environment_of("vqa2cli.report.explain")
    environment.filters |= {"time_code": time_code, "span": span_of, "value": value_of}
    environment.globals["time_span"] = time_span
    template = environment.get_template("explain.html")
    stream.write(template.render(told=told, row=told.row, version=VERSION).rstrip() + "\n")


#: What writes each form that is made for people.
FORMS: Final[dict[str, Callable[[Explanation, TextSink], None]]] = {
    "console": write_console,
    "md": write_markdown,
    "html": write_html,
}
