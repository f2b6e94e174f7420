"""Points of questions, added up by type and by concern as the paper's Tables 4 and 5 have them.

A number is points over questions, in percent: 1 or 0 for a choice, the judge's mean over its
best for an open answer. Overall is over all questions, so types weigh by their counts; it is no
mean of columns (PEERS.md §6.4). A question with several concerns counts in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from train.qbench.letters import Protocol
from train.qbench.questions import TYPES, Concern, Question, QuestionType

OVERALL: Final = "overall"

#: Which concerns each column takes. What the paper's "Other" holds is inferred: all that is left.
CONCERNS: Final[dict[Protocol, dict[str, tuple[Concern, ...]]]] = {
    "paper": {
        "technical": ("technical",),
        "temporal": ("temporal",),
        "other": ("aesthetic", "aigc", "other"),
    },
    "official": {
        "technical": ("technical",),
        "aesthetic": ("aesthetic",),
        "temporal": ("temporal",),
        "aigc": ("aigc",),
    },
}


@dataclass(frozen=True)
class Scored:
    """One question with what came of it; `points` are 0 to 1, None for the reason given."""

    question: Question
    answer: str | None = None
    letter: str | None = None
    judge_scores: tuple[int, ...] = ()
    points: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Column:
    """One number of the table: `value` in percent over the `scored` of `questions`."""

    value: float | None
    questions: int
    scored: int
    points: float
    reason: str | None = None


def column_names(protocol: Protocol) -> tuple[str, ...]:
    """Return the columns in the order of the table."""
    return (*TYPES, *CONCERNS[protocol], OVERALL)


def columns(
    scored: Sequence[Scored], protocol: Protocol, types: Sequence[QuestionType] = TYPES
) -> dict[str, Column]:
    """Return every column; `types` are those that were asked for, without which none is overall."""
    made: dict[str, Column] = {}
    left_out = [kind for kind in TYPES if kind not in types]
    for kind in TYPES:
        why = "left out by --type" if kind in left_out else "no question of this type"
        made[kind] = _column((one for one in scored if one.question.type == kind), why)
    partial = f"without {', '.join(left_out)}: no figure over all types" if left_out else None
    told = any(one.question.concerns for one in scored)
    why = "no question of this concern" if told else "the questions tell no quality_concern"
    for name, taken in CONCERNS[protocol].items():
        about = (one for one in scored if set(taken) & set(one.question.concerns))
        made[name] = _column(about, why, partial)
    made[OVERALL] = _column(scored, "no question", partial)
    return made


def _column(found: Iterable[Scored], empty: str, withheld: str | None = None) -> Column:
    """Return the number of some questions, null where there is none or it is withheld."""
    asked = list(found)
    points = [one.points for one in asked if one.points is not None]
    total = fsum(points)
    value = 100 * total / len(points) if points and withheld is None else None
    reason = None
    if value is None:
        reason = empty if not asked else withheld or f"none of {len(asked)} questions was scored"
    return Column(value, len(asked), len(points), total, reason)
