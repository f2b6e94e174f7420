"""Stalls that training tells of: what they leave of a score is what sessions are scored by."""

from __future__ import annotations

import re

import numpy as np
import pytest

from train.drawn_stalls import draw_stalls

DRAWN = [draw_stalls(80.0, np.random.default_rng(seed)) for seed in range(300)]


def told_seconds(text: str) -> float:
    """Return how long the stalls and the initial buffering of a summary last together."""
    lengths, initial = re.search(r"^(.*?)Stalled share.*buffering: ([\d.]+) s", text).groups()
    return sum(map(float, re.findall(r"([\d.]+) s", lengths))) + float(initial)


def test_no_stall_costs_nothing_and_says_so() -> None:
    free = [text for text, left in DRAWN if left == 80.0]
    assert len(free) == pytest.approx(100, abs=25)
    assert all(text.startswith("No stall") for text in free)


def test_stalls_leave_part_of_a_score_and_the_longer_they_last_the_less() -> None:
    stalled = [(told_seconds(text), left) for text, left in DRAWN if not text.startswith("No")]
    assert all(0 < left < 80 for _, left in stalled)
    assert np.corrcoef(*zip(*stalled, strict=True))[0, 1] < -0.7


def test_they_take_a_share_of_the_quality_there_is() -> None:
    for seed, (text, left) in enumerate(DRAWN):
        again, of_poor = draw_stalls(20.0, np.random.default_rng(seed))
        assert again == text
        assert of_poor == pytest.approx(left / 4)


def test_the_share_told_of_is_what_stood_of_the_whole_length() -> None:
    for text, _ in DRAWN:
        if not text.startswith("No"):
            share, since = map(
                float, re.search(r"length: ([\d.]+) %.* ([\d.]+) s\.$", text).groups()
            )
            stood = told_seconds(text)
            assert stood + since <= stood / ((share - 0.05) / 100) + 0.05  # as rounded as they are
