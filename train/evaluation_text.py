"""Evaluation results as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from train.correlation import MEASURES, Agreement, Estimate
from train.evaluation import Row, TypeTrend
from train.level_agreement import LevelAgreement
from train.paper_results import PaperRow
from train.recognition import LEAST_LEVEL, Recognition
from train.second_encodes import CLOSE, SecondEncodes

#: How measures are headed.
_HEADS = {
    "srcc": "SRCC",
    "krcc": "KRCC",
    "plcc": "PLCC",
    "plcc_fitted": "PLCC, logistic",
    "rmse": "RMSE",
    "rmse_fitted": "RMSE, logistic",
}


def agreement_table(rows: Iterable[Row]) -> str:
    """Return a table, a predictor a line, intervals at 95 %."""
    lines = _head("predictor", "clips", *_measure_heads(), "pairs in order")
    for row in rows:
        order = f"{row.ordering.share:.3f} of {row.ordering.pairs}" if row.ordering.pairs else "–"
        lines.append(_line(row.name, row.agreement.n, *_measured(row.agreement), order))
    return "\n".join(lines)


def group_table(name: str, groups: Mapping[str, Agreement], counted: str = "clips") -> str:
    """Return a table, a group a line; `name` heads the groups, `counted` what they hold."""
    lines = _head(name, counted, *_measure_heads())
    lines += [_line(group, found.n, *_measured(found)) for group, found in groups.items()]
    return "\n".join(lines)


def paper_table(name: str, ours: Agreement, rows: Iterable[PaperRow]) -> str:
    """Return a table of raw correlations: `name` with what it reached here, then others' rows."""
    lines = _head("predictor", "SRCC", "PLCC", "source")
    lines.append(_line(name, _interval(ours.srcc), _interval(ours.plcc), "measured here"))
    lines += [_line(row.method, _stated(row.srcc), _stated(row.plcc), row.source) for row in rows]
    return "\n".join(lines)


def trend_table(trends: Iterable[TypeTrend]) -> str:
    """Return a table, a distortion type a line: model and people at levels 1 to 5."""
    lines = _head("type", "model, levels 1-5", "people, levels 1-5", "trend")
    for trend in trends:
        model = " ".join(f"{value:.0f}" for value in trend.scores)
        people = " ".join(f"{value:.0f}" for value in trend.human)
        shown = "–" if trend.trend is None else f"{trend.trend:+.2f}"
        lines.append(_line(trend.name, model, people, shown))
    return "\n".join(lines)


def level_table(found: LevelAgreement) -> str:
    """Return how often levels are right, and of which level the labels of each were."""
    lines = [
        f"The level of the label in {found.exact:.3f} of {found.n} clips, it or its neighbour in "
        f"{found.within_one:.3f}.",
        "",
        *_head("reported", *(f"label {word}" for word in found.by_level)),
    ]
    lines += [_line(word, *counts) for word, counts in found.by_level.items()]
    return "\n".join(lines)


def second_table(rows: Iterable[SecondEncodes]) -> str:
    """Return a table of bad encodes that were encoded again, beside the bad encode alone."""
    lines = _head(
        "predictor", "clips", "label", "score", "first encode: label", "score",
        f"within {CLOSE:g} points of it",
    )  # fmt: skip
    for row in rows:
        means = (row.label, row.score, row.first_label, row.first_score)
        lines.append(_line(row.name, row.n, *(f"{mean:.1f}" for mean in means), f"{row.close:.2f}"))
    return "\n".join(lines)


def recognition_table(found: Recognition) -> str:
    """Return how right the names of made distortions are, and how bad they are found."""
    lines = [
        f"Names at level {LEAST_LEVEL} and above: macro-F1 {found.macro_f1:.3f} over "
        f"{len(found.names)}. Degree within one step in {found.degree_within_one:.3f} of "
        f"{found.distorted} distorted clips. Of {found.clean} encodes on which nothing shows, "
        f"{found.called:.3f} are called distorted.",
        "",
        *_head("name", "clips", "precision", "recall", "F1"),
    ]
    lines += [
        _line(one.name, one.n, f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}")
        for one in found.names
    ]
    return "\n".join(lines)


def reasons(found: Agreement) -> str:
    """Return why measures or intervals are missing, a line each reason; empty where none is."""
    why: dict[str, list[str]] = {}
    for name in MEASURES:
        estimate: Estimate = getattr(found, name)
        if estimate.reason is not None:
            why.setdefault(estimate.reason, []).append(_HEADS[name])
    return "\n".join(f"{'; '.join(names)}: {reason}" for reason, names in why.items())


def _head(*cells: str) -> list[str]:
    return [_line(*cells), "|" + "---|" * len(cells)]


def _line(*cells: object) -> str:
    shown = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(shown)} |"


def _measure_heads() -> list[str]:
    return [_HEADS[name] for name in MEASURES]


def _measured(found: Agreement) -> list[str]:
    digits = {"rmse": 2, "rmse_fitted": 2}
    return [_interval(getattr(found, name), digits.get(name, 3)) for name in MEASURES]


def _interval(estimate: Estimate, digits: int = 3) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    low, high = f"{estimate.low:.{digits}f}", f"{estimate.high:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({low}–{high})"


def _stated(figure: float | None) -> str:
    return "not held" if figure is None else f"{figure:.3f}"
