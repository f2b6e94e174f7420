"""A report as JUnit XML: the elements and attributes that every reader knows (testmoapp/junitxml).

A suite for each ladder, or one for the files; a case for each check, and for each file and
rule. The value stands in the text of a failure, because some readers drop all else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from vqa2cli.report.plain_text import met, one_line, told
from vqa2cli.report.rows import Record

#: Characters that XML 1.0 cannot hold, besides those that `one_line` spells out.
_NOT_XML = re.compile("[\ufffe\uffff]")


def junit_xml(report: Record) -> str:
    """Return the XML of a report of `vqa2 score` or `vqa2 ladder`."""
    tree = JUnitXml("vqa2")
    rows = {id(row): row for row in report["results"]}
    for ladder in report.get("ladders", ()):
        files = {rung["file"] for rung in [*ladder["rungs"], *ladder["unscored"]]}
        own = [row for row in rows.values() if row["file"] in files]
        for row in own:
            rows.pop(id(row))
        tree.add_testsuite(_suite(ladder["title"], [*_checks(ladder), *_files(own)]))
    if rows or not report.get("ladders"):
        tree.add_testsuite(_suite("vqa2 score", list(_files(list(rows.values())))))
    text: str = tree.tostring().decode("utf-8")  # type: ignore[no-untyped-call]
    return text if text.endswith("\n") else f"{text}\n"


def _suite(name: str, cases: list[TestCase]) -> TestSuite:
    suite = TestSuite(_text(name))
    suite.add_testcases(cases)
    suite.update_statistics()  # type: ignore[no-untyped-call]
    return suite


def _files(rows: list[Record]) -> Iterator[TestCase]:
    """Yield a case for each file, that it was scored, and for each of its rules."""
    for row in rows:
        case = _case(row["file"], "scored", (row["timing"] or {}).get("total_s"))
        if row["error"] is not None:
            case.result = [_result(Error, row["error"]["message"], row["error"]["kind"])]
        yield case
        for gate in row["gates"] if row["error"] is None else ():
            case = _case(row["file"], gate["rule"])
            if not gate["passed"]:
                found = met(gate["value"], gate["reason"])
                message = f"{row['file']}: {gate['rule']}: {found}"
                case.result = [_result(Failure, message, "gate")]
            yield case


def _checks(ladder: Record) -> Iterator[TestCase]:
    """Yield a case for each check of a ladder; what a check merely warns of is its output."""
    for check in ladder["checks"]:
        case = _case(ladder["title"], check["id"])
        lines = "\n".join(finding["message"] for finding in check["findings"])
        if check["status"] == "failed":
            limit = f"(threshold {told(check['threshold'])} {check['unit']})".replace(" )", ")")
            case.result = [_result(Failure, f"{check['title']} {limit}\n{lines}", check["id"])]
        elif check["status"] in ("skipped", "off"):
            case.result = [Skipped(_text(check["reason"] or "switched off"))]
        elif lines:
            case.system_out = _lines(lines)
        yield case


def _case(classname: str, name: str, seconds: float | None = None) -> TestCase:
    case = TestCase(_text(name), _text(classname))
    case.time = seconds or 0.0
    return case


def _result(kind: type[Any], message: str, of: str) -> Any:
    first, *_ = message.splitlines()
    result = kind(_text(first), _text(of))
    result.text = _lines(message)
    return result


def _lines(text: str) -> str:
    return "\n".join(_text(line) for line in text.splitlines())


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", one_line(text))
