"""Rows and their gates: which rules a run can answer at all, and what each row makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from vqa2cli.assessment import Assessment
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.gates.rules import Rule
from vqa2cli.report.rows import record_of


def check_answerable(rules: Iterable[Rule], config: RunConfig) -> None:
    """Make sure that this run measures what the rules read.

    Raises:
        UsageError: a rule reads stalls, and none are looked for; the message says what to add.
    """
    for rule in rules:
        for key in rule.keys:
            if key.startswith("stalling.") and not config.streaming:
                raise UsageError(f"gate {rule.text!r}: {key} is measured with --streaming only")
            if key.startswith("stalling.log.") and config.stalls is None:
                raise UsageError(f"gate {rule.text!r}: {key} needs a log, see --stalls")


def judged(row: Assessment, rules: Sequence[Rule]) -> Assessment:
    """Return `row` with what each rule makes of it, in the order of `rules`."""
    if not rules:
        return row
    record = record_of(row)
    return replace(row, gates=tuple(rule.judge(record) for rule in rules))


def judged_all(rows: Iterable[Assessment], rules: Sequence[Rule]) -> Iterator[Assessment]:
    """Yield every row, judged."""
    for row in rows:
        yield judged(row, rules)
