"""What the paper states of the sets it tests on: the rows we hold of its Tables 2 and 3.

Table 2 is of user-generated video, Table 3 of streaming sessions. Of Table 2 no figure is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PaperRow:
    """One row of a table; a figure that is not held is None."""

    method: str
    srcc: float | None
    plcc: float | None
    source: str


_TABLE_3: Final = "paper, Table 3"

#: Which table of the paper a set stands in.
TABLES: Final[dict[str, int]] = {
    "LSVQ-test": 2,
    "LSVQ-1080p": 2,
    "LIVE-VQC": 2,
    "KoNViD-1k": 2,
    "YouTube-UGC": 2,
    "WaterlooSQoE-IV": 3,
}

#: Rows held, by set.
ROWS: Final[dict[str, tuple[PaperRow, ...]]] = {
    "WaterlooSQoE-IV": (
        PaperRow("SQI", 0.672, None, _TABLE_3),
        PaperRow("BSQI", 0.707, None, _TABLE_3),
        PaperRow("DSA-QoE", 0.733, None, _TABLE_3),
        PaperRow("VQA² streaming scorer", 0.766, None, _TABLE_3),
        PaperRow("VMAF", 0.513, None, "measured on the set's published table"),
        PaperRow(
            "VMAF − 3·stall s − initial s", 0.678, None, "measured on the set's published table"
        ),
    ),
}


def paper_rows(name: str) -> tuple[PaperRow, ...]:
    """Return the rows held of a set, none where none is."""
    return ROWS.get(name, ())


def paper_note(name: str) -> str:
    """Return in a sentence what the paper has of a set and is not held, or what is."""
    table = TABLES.get(name)
    if table is None:
        return f"The paper's Tables 2 and 3 do not have {name}."
    if not paper_rows(name):
        return f"The paper's Table {table} has {name}; its figures are not held here."
    return f"The paper's Table {table} has {name}; its SRCC and PLCC are of raw scores."
