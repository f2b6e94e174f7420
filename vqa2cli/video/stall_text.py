"""Stalls in words: the per-frame sequence (format 1) and the five-fact summary (format 2).

The paper names both formats and what they hold (VQA², §3); the wording is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def sequence_text(stalled: NDArray[np.uint8]) -> str:
    """Return format 1: one `0` or `1` per frame, in order, 1 where the picture stood."""
    return "".join("1" if flag else "0" for flag in stalled)


def sequence_sentence(stalled: NDArray[np.uint8]) -> str:
    """Return format 1 with what it is; the digits alone would tell nobody."""
    digits = sequence_text(stalled)
    return f"Frames of this video, 1 where it stalls and 0 where it plays: {digits}."


def summary_text(
    durations_s: Sequence[float],
    stall_ratio: float,
    initial_buffering_s: float,
    since_last_s: float | None,
) -> str:
    """Return format 2: the five facts a viewer's verdict on stalling rests on.

    Args:
        durations_s: seconds of each stall in order, initial buffering left out.
        stall_ratio: stalled share of the whole length, initial buffering included, 0 to 1.
        initial_buffering_s: seconds before the first motion.
        since_last_s: seconds from the end of the last stall to the end; None without one.
    """
    if since_last_s is None:
        return "No stall: the picture kept moving from start to end."
    return " ".join(
        (
            _stalls(durations_s),
            f"Stalled share of the whole length: {100 * stall_ratio:.1f} %.",
            f"Initial buffering: {initial_buffering_s:.2f} s.",
            f"From the end of the last stall to the end of the video: {since_last_s:.2f} s.",
        )
    )


def _stalls(durations_s: Sequence[float]) -> str:
    """Return the first two facts: how many stalls, and how long each."""
    if not durations_s:
        return "0 stalls."
    lengths = ", ".join(f"{seconds:.2f} s" for seconds in durations_s)
    return f"{len(durations_s)} stall{'s' if len(durations_s) > 1 else ''}, lasting {lengths}."
