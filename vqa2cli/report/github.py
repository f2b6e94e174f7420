"""A report as annotations of GitHub Actions: workflow commands, a line each."""

from __future__ import annotations

from collections.abc import Iterator

from vqa2cli.report.plain_text import met, one_line
from vqa2cli.report.rows import Record


def github_annotations(report: Record) -> str:
    """Return a command for each file without a score, failed gate, and finding of a check."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Record) -> Iterator[str]:
    for row in report["results"]:
        if row["error"] is not None:
            yield _command("error", row["file"], "not scored", row["error"]["message"])
            continue
        for gate in row["gates"]:
            if not gate["passed"]:
                found = met(gate["value"], gate["reason"])
                yield _command("error", row["file"], "gate failed", f"{gate['rule']}: {found}")
    for ladder in report.get("ladders", ()):
        for check in ladder["checks"]:
            level = "error" if check["status"] == "failed" else "warning"
            for finding in check["findings"]:
                message = f"{check['title']}: {finding['message']}"
                yield _command(level, None, f"{ladder['title']}: {check['id']}", message)


def _command(level: str, file: str | None, title: str, message: str) -> str:
    """Return one command, escaped as @actions/core does."""
    where = f"file={_property(file)}," if file else ""
    return f"::{level} {where}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
