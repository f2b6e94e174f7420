"""How stage 2 turns ratings into pairs: what an option may say, and what holds without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from train.data.choice import Choice

#: How stalls are told: one digit a frame (format 1), or the five facts (format 2).
StallFormat = Literal["sequence", "summary"]

STALL_FORMATS: Final[tuple[StallFormat, ...]] = ("sequence", "summary")

#: Where the ends of 0-100 come from: a set's own extremes (the paper), or its scale's.
Ends = Literal["data", "scale"]

ENDS: Final[tuple[Ends, ...]] = ("data", "scale")


@dataclass(frozen=True)
class Stage2Settings:
    """How pairs are made.

    Attributes:
        choice: what to train on.
        protocol: how the question is put; None takes the task's.
        formats: how stalls are told; a session gives one pair for each.
        ends: what 0 and 100 stand for.
        val_share: share of contents kept for validation, by a hash of their names.
        seed: of that hash.
        keep_missing: make pairs of media that are not there, too.
        probe: open every clip, which names broken ones and tells the frame rate.
    """

    choice: Choice
    protocol: str | None = None
    formats: tuple[StallFormat, ...] = STALL_FORMATS
    ends: Ends = "data"
    val_share: float = 0.0
    seed: int = 0
    keep_missing: bool = False
    probe: bool = True
