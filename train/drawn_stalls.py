"""Stalls that could have been, and what they leave of a score: the session model knows."""

from __future__ import annotations

import numpy as np

from vqa2cli.session import Pause, Window, session_score
from vqa2cli.video.stall_text import summary_text


def draw_stalls(quality: float, rng: np.random.Generator) -> tuple[str, float]:
    """Return a summary of stalls that could have been, and what they leave of `quality`, 0 to 100.

    One in three tells of none. Lengths follow rated sessions: stalls of 0.3 to 8 s.
    """
    if rng.random() < 1 / 3:
        return summary_text([], 0.0, 0.0, None), quality
    durations = rng.uniform(0.3, 8.0, size=rng.integers(0, 4)).round(2).tolist()
    initial = float(rng.uniform(0.3, 8.0)) if not durations or rng.random() < 0.3 else 0.0
    media_s = float(rng.uniform(4.0, 60.0))
    starts = np.sort(rng.uniform(0.0, media_s, size=len(durations))).tolist()
    pauses = [Pause(start, length) for start, length in zip(starts, durations, strict=True)]
    if initial:
        pauses.append(Pause(0.0, initial, "initial_buffering"))
    stood_s = sum(pause.duration_s for pause in pauses)
    last_s = max(pause.start_s for pause in pauses)
    text = summary_text(durations, stood_s / (media_s + stood_s), initial, media_s - last_s)
    return text, session_score([Window(0.0, media_s, quality)], pauses).score
