"""What is held of published results on Q-Bench-Video, and what does not follow in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from train.qbench.letters import Protocol
from train.qbench.questions import TYPES, Question, QuestionType


@dataclass(frozen=True)
class PublishedRow:
    """One row of a table. Of its numbers, percent, those that are held; `note` where one is odd."""

    method: str
    split: str
    columns: Mapping[str, float]
    source: str
    note: str | None = None


#: Questions of each type in the splits of the paper: inferred, since they reproduce the overall
#: of all 14 rows of Table 4 within 0.01 and of 12 of 14 rows of Table 5 within 0.03 (PEERS.md
#: §6.4). Both splits hold 907 questions: 2,378 less the 564 about pairs.
COUNTS: Final[dict[str, dict[QuestionType, int]]] = {
    "test": {"binary": 298, "multi": 291, "open": 318},
    "dev": {"binary": 301, "multi": 332, "open": 274},
}

#: Published rows by protocol. The other numbers of these tables are not held here.
ROWS: Final[dict[Protocol, tuple[PublishedRow, ...]]] = {
    "paper": (
        PublishedRow("VQA² assistant", "test", {"temporal": 57.41}, "paper, Table 4"),
        PublishedRow(
            "VQA² assistant",
            "dev",
            {"overall": 56.50},
            "paper, Table 5",
            "its own columns add up to 57.28, not to the 56.50 printed",
        ),
        PublishedRow("VILA1.5", "test", {"overall": 46.69}, "paper, Table 4"),
        PublishedRow(
            "VILA1.5",
            "dev",
            {"overall": 46.69},
            "paper, Table 5",
            "the whole row is that of Table 4; over the dev questions it adds up to 47.12",
        ),
    ),
    "official": (
        PublishedRow(
            "GPT-4o",
            "dev",
            {"open": 37.10, "overall": 52.10},
            "a user's run, told in the benchmark's repository",
        ),
    ),
}


def type_counts(questions: Iterable[Question]) -> dict[QuestionType, int]:
    """Return how many questions there are of each type."""
    kinds = [question.type for question in questions]
    return {kind: kinds.count(kind) for kind in TYPES}


def split_note(questions: Iterable[Question]) -> str:
    """Return in a sentence whether the questions are as many as those of the paper."""
    counts = type_counts(questions)
    here = "/".join(str(count) for count in counts.values())
    for split, expected in COUNTS.items():
        if counts == expected:
            return f"{here} binary/multi/open questions, as many as in the paper's {split} split."
    splits = ", ".join(
        f"{split} {'/'.join(str(count) for count in each.values())}"
        for split, each in COUNTS.items()
    )
    return (
        f"{here} binary/multi/open questions; the paper's splits fit {splits}, so its rows are of "
        "other questions."
    )


def weighted(percent: Mapping[QuestionType, float], counts: Mapping[QuestionType, int]) -> float:
    """Return the overall that a row's columns add up to over so many questions of each type."""
    points = sum(percent[kind] * counts[kind] for kind in TYPES)
    return points / sum(counts[kind] for kind in TYPES)
