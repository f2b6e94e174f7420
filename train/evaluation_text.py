"""Evaluation results as the tables of the model card."""

from __future__ import annotations

from collections.abc import Iterable

from train.correlation import Estimate
from train.evaluation import Row, TypeTrend


def agreement_table(rows: Iterable[Row]) -> str:
    """Return a Markdown table, a predictor a line, intervals at 95 %."""
    lines = [
        "| predictor | clips | SRCC | PLCC | pairs in order |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        found = row.agreement
        lines.append(
            f"| {row.name} | {found.n} | {_interval(found.srcc)} | {_interval(found.plcc)} "
            f"| {row.ordering.share:.3f} of {row.ordering.pairs} |"
        )
    return "\n".join(lines)


def trend_table(trends: Iterable[TypeTrend]) -> str:
    """Return a Markdown table, a distortion type a line: model and people at levels 1 to 5."""
    lines = ["| type | model, levels 1-5 | people, levels 1-5 | trend |", "|---|---|---|---|"]
    for trend in trends:
        model = " ".join(f"{value:.0f}" for value in trend.scores)
        people = " ".join(f"{value:.0f}" for value in trend.human)
        lines.append(f"| {trend.name} | {model} | {people} | {trend.trend:+.2f} |")
    return "\n".join(lines)


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return f"– ({estimate.reason})"
    if estimate.low is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
