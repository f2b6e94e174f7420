"""Views put together of imagined clips."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from train.assistant.shown import ENCODED, SPANS, shown_by
from train.assistant.views import LEAST_FRAMES, Seen, Views
from vqa2cli.model.recognition import Reading

CLEAN, BAD = 1.0, 2.0


def clip(mark: float, name: str, quality: float) -> Seen:
    """Return a clip all of whose tokens and features are its mark, and its readings alike."""
    told = (Reading(name, quality),) * 4
    return Seen(np.full((4, 2, 3), mark), np.full((8, 5), mark), told, shown_by(told))


@pytest.fixture
def views() -> Views:
    clean, bad = clip(CLEAN, ENCODED, 95.0), clip(BAD, "noise", 15.0)
    return Views([clean, *[bad] * 99, clip(3.0, "blur", 15.0)], stride=8)


def test_a_fault_is_where_its_span_says(views: Views) -> None:
    rng = np.random.default_rng(0)
    spans = Counter()
    for _ in range(300):
        seen = views.draw(rng, 10.0)
        assert 1 <= len(seen.keyframes) <= 20
        assert len(seen.motion) >= 1
        assert len(seen.told) == len(seen.keyframes)
        marks = {CLEAN: ENCODED, BAD: "noise", 3.0: "blur"}
        assert [marks[each] for each in seen.keyframes[:, 0, 0]] == [one.name for one in seen.told]
        fault = seen.shown.fault
        if fault is None or fault.span == "throughout":
            assert len(np.unique(seen.keyframes)) == 1
            continue
        spans[fault.span] += 1
        marks = seen.keyframes[:, 0, 0]
        assert len(marks) >= LEAST_FRAMES
        start, end = SPANS[fault.span]
        places = np.flatnonzero(marks != CLEAN) / len(marks)
        assert places.min() >= start - 1 / len(marks)
        assert places.max() < end + 1 / len(marks)
        assert 15 < seen.shown.quality < 95
    assert set(spans) == set(SPANS) - {"throughout"}


def test_rare_faults_are_drawn_more_often_than_they_are(views: Views) -> None:
    rng = np.random.default_rng(1)
    drawn = [views.draw(rng, 10.0).shown.fault for _ in range(600)]
    names = Counter(fault.name for fault in drawn if fault is not None)
    assert 0.05 < names["blur"] / names.total() < 0.25  # one of a hundred clips


def test_a_short_window_has_short_views(views: Views) -> None:
    rng = np.random.default_rng(2)
    assert max(len(views.draw(rng, 5.0).keyframes) for _ in range(200)) == 10
