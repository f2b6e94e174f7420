"""A measured ladder to its verdict: checks, curve, advice, and how it compares with another."""

from __future__ import annotations

from collections.abc import Mapping

from vqa2cli.ladder.bd_rate import bd_rate
from vqa2cli.ladder.checks import run_checks
from vqa2cli.ladder.curve import advise, curve_of
from vqa2cli.ladder.measured import Ladder
from vqa2cli.ladder.record import Verdict
from vqa2cli.ladder.settings import Setting


def verdict_on(
    ladder: Ladder, settings: Mapping[str, Setting], anchor: Ladder | None = None
) -> Verdict:
    """Return what is to be said of `ladder`, and how it compares with `anchor` where given.

    Raises:
        MissingError: the library that compares ladders is not installed.
    """
    results = run_checks(ladder, settings)
    return Verdict(
        ladder=ladder,
        results=results,
        curve=curve_of(ladder),
        advice=advise(ladder, results),
        bd_rate=bd_rate(ladder, anchor) if anchor else None,
    )
