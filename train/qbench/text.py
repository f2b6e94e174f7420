"""What an evaluation on Q-Bench-Video found, for people: as aligned columns or as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from train.qbench.evaluation import Evaluation
from train.qbench.tally import column_names
from vqa2cli.report.plain_text import one_line

#: How columns are headed.
_HEADS: Final = {
    "binary": "Binary",
    "multi": "Multi.",
    "open": "Open",
    "technical": "Tech.",
    "temporal": "Temp.",
    "aesthetic": "Aes.",
    "aigc": "AIGC",
    "other": "Other",
    "overall": "Overall",
}


def evaluation_text(found: Evaluation, *, markdown: bool) -> str:
    """Return the table with published rows beside, and what to know of its numbers."""
    rows = list(_rows(found))
    table = _markdown(rows) if markdown else _aligned(rows)
    mark = "- " if markdown else "  "
    notes = "\n".join(f"{mark}{note}" for note in _notes(found))
    return f"{_title(found)}\n\n{table}\n\n{notes}"


def _title(found: Evaluation) -> str:
    return (
        f"Q-Bench-Video, protocol {found.selection.protocol}: points over questions, percent; "
        f"answers of {one_line(found.answered_by)}"
    )


def _rows(found: Evaluation) -> Iterator[list[str]]:
    names = column_names(found.selection.protocol)
    yield ["", *(_HEADS[name] for name in names), "source"]
    own = [found.columns[name] for name in names]
    yield [
        one_line(found.answered_by),
        *("–" if column.value is None else f"{column.value:.2f}" for column in own),
        "measured here",
    ]
    yield [
        "scored of questions",
        *(f"{column.scored}/{column.questions}" for column in own),
        "",
    ]
    for row in found.paper:
        held = (row.columns.get(name) for name in names)
        shown = ("not held" if figure is None else f"{figure:.2f}" for figure in held)
        yield [f"{row.method}, {row.split}", *shown, row.source]


def _notes(found: Evaluation) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for name, column in found.columns.items():
        if column.reason is not None:
            reasons.setdefault(column.reason, []).append(_HEADS[name])
    for reason, heads in reasons.items():
        yield f"{', '.join(heads)}: {reason}"
    yield found.split
    if found.selection.pairs_left_out:
        yield f"{found.selection.pairs_left_out} questions on two clips left out, as in the paper"
    if found.no_letter:
        yield f"{found.no_letter} answers name none of their options and count as wrong"
    if found.judge is not None:
        yield (
            f"open answers judged by {one_line(found.judge)}, {found.judge_calls} calls each; not "
            "comparable with another judge's"
        )
    for row in found.paper:
        if row.note is not None:
            yield f"{row.method}, {row.split} ({row.source}): {row.note}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(_padded(row, widths).rstrip() for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    """Return a line: names to the left, numbers to the right."""
    name, *numbers, source = row
    padded = [name.ljust(widths[0])]
    padded += [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
    return "  ".join([*padded, source])


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    head, *body = rows
    rule = "|" + "---|" * len(head)
    return "\n".join([line(head), rule, *(line(row) for row in body)])
