"""Stalls from ITU-T P.1203 input documents: `I23.stalling`, pairs of media time and length."""

from __future__ import annotations

from typing import Any

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.records import LoggedStall, StallLog, checked


def p1203_log(name: str, document: dict[str, Any]) -> StallLog:
    """Return the stalls of a document that has `I23`; pairs of no length are left out.

    Raises:
        UsageError: `I23.stalling` is no list of pairs, or the stalls are refused.
    """
    block = document["I23"]
    pairs = block.get("stalling") if isinstance(block, dict) else None
    if not isinstance(pairs, list):
        raise UsageError(f"{name}: I23 holds no list `stalling` of [start, duration] pairs")
    stalls = []
    for index, pair in enumerate(pairs):
        entry = f"I23.stalling[{index}]"
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_number, pair)):
            raise UsageError(f"{name}: {entry} is no pair [start, duration] of numbers")
        stalls.append(LoggedStall(float(pair[0]), float(pair[1]), entry))
    return checked(StallLog(name, "p1203", "media", ()), stalls)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
