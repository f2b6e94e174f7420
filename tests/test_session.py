"""The score of a session: what stalls take from the quality of its pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa2cli.session import Pause, Window, clip_session, session_model, session_score
from vqa2cli.video.stall_totals import on_media_clock, stalling_of
from vqa2cli.video.stalling import LogReport, StallEvent, Stalling, StallKind

MEDIA_S = 60.0
#: What rounding of sums may add to a score.
ROUNDING = 1e-9

seconds = st.floats(0.0, MEDIA_S)
lengths = st.floats(0.0, 60.0)
scores = st.floats(0.0, 100.0)
kinds = st.sampled_from(["rebuffer", "freeze", "gap", "initial_buffering"])
pauses = st.lists(st.builds(Pause, seconds, lengths, kinds), max_size=8)


@st.composite
def pictures(draw: st.DrawFn) -> list[Window]:
    """Draw up to eight windows that fill the media."""
    values = draw(st.lists(scores, min_size=1, max_size=8))
    span = MEDIA_S / len(values)
    return [Window(k * span, (k + 1) * span, value) for k, value in enumerate(values)]


def scored(windows: list[Window], stalls: list[Pause]) -> float:
    return session_score(windows, stalls, MEDIA_S).score


@given(pictures(), pauses, st.builds(Pause, seconds, lengths, kinds))
def test_one_more_stall_never_raises_the_score(
    windows: list[Window], stalls: list[Pause], more: Pause
) -> None:
    assert scored(windows, [*stalls, more]) <= scored(windows, stalls) + ROUNDING


@given(pictures(), pauses, st.builds(Pause, seconds, lengths, kinds), lengths)
def test_a_longer_stall_never_raises_the_score(
    windows: list[Window], stalls: list[Pause], one: Pause, longer_s: float
) -> None:
    longer = replace(one, duration_s=one.duration_s + longer_s)
    assert scored(windows, [*stalls, longer]) <= scored(windows, [*stalls, one]) + ROUNDING


@given(pictures(), pauses, seconds, seconds, lengths)
def test_a_later_stall_never_raises_the_score(
    windows: list[Window], stalls: list[Pause], one: float, other: float, length_s: float
) -> None:
    early, late = (Pause(at, length_s) for at in sorted((one, other)))
    assert scored(windows, [*stalls, late]) <= scored(windows, [*stalls, early]) + ROUNDING


@given(pictures(), pauses, seconds, lengths)
def test_a_stall_costs_no_less_than_as_long_a_wait_before_playback(
    windows: list[Window], stalls: list[Pause], at: float, length_s: float
) -> None:
    first = Pause(0.0, length_s, "initial_buffering")
    later = Pause(at, length_s)
    assert scored(windows, [*stalls, later]) <= scored(windows, [*stalls, first]) + ROUNDING


@given(pictures(), pauses, st.builds(Pause, seconds, lengths, st.just("rebuffer")))
def test_a_stall_in_two_parts_never_costs_less_than_in_one(
    windows: list[Window], stalls: list[Pause], one: Pause
) -> None:
    half = replace(one, duration_s=one.duration_s / 2)
    assert scored(windows, [*stalls, half, half]) <= scored(windows, [*stalls, one]) + ROUNDING


@given(pictures(), pauses, st.integers(0, 7), scores)
def test_a_better_window_never_lowers_the_score(
    windows: list[Window], stalls: list[Pause], which: int, score: float
) -> None:
    index = which % len(windows)
    better = list(windows)
    better[index] = replace(windows[index], score=max(score, windows[index].score))
    assert scored(better, stalls) >= scored(windows, stalls) - ROUNDING


@given(pictures(), pauses)
def test_costs_add_up_to_what_stalls_take_and_scores_stay_on_their_scale(
    windows: list[Window], stalls: list[Pause]
) -> None:
    found = session_score(windows, stalls, MEDIA_S)
    assert 0 <= found.score <= found.without_stalls <= 100
    assert sum(found.costs) == pytest.approx(found.without_stalls - found.score, abs=1e-9)
    assert all(cost >= 0 for cost in found.costs)
    assert min(w.score for w in windows) - ROUNDING <= found.without_stalls


@pytest.mark.parametrize("kind", ["static", "ambiguous"])
def test_content_that_stands_still_costs_nothing(kind: StallKind) -> None:
    windows = [Window(0, 60, 70)]
    assert session_score(windows, [Pause(10, 5, kind)]).score == pytest.approx(70)


def test_what_comes_last_weighs_more() -> None:
    worse_late = session_score([Window(0, 30, 80), Window(30, 60, 40)]).score
    worse_early = session_score([Window(0, 30, 40), Window(30, 60, 80)]).score
    assert worse_late < 60 < worse_early


@pytest.mark.parametrize(
    ("name", "value"),
    [("stall", -0.1), ("stall", float("nan")), ("late_s", 0.0), ("initial", 1.5), ("together", 50)],
)
def test_coefficients_that_would_reward_a_stall_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="session model"):
        replace(session_model(), **{name: value})


def freeze(start: float, end: float, kind: StallKind = "freeze") -> StallEvent:
    return StallEvent(start, end, kind, start, False, (), 0.9)


def stalls_of(length_s: float, *events: StallEvent) -> Stalling:
    return stalling_of(on_media_clock(events), length_s)


def test_a_recorded_stall_takes_no_part_in_the_quality() -> None:
    spans, values = [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0)], [80.0, 10.0, 80.0]
    stalling = stalls_of(12.0, freeze(4.0, 8.0))
    found = clip_session(spans, values, stalling)
    assert found.without_stalls == pytest.approx(80.0)
    assert found.score == pytest.approx(
        session_score([Window(0, 8, 80)], [Pause(4, 4, "freeze")], 8.0).score
    )
    assert found.costs == (pytest.approx(80.0 - found.score),)


def test_every_event_has_a_cost_also_one_that_does_not_count() -> None:
    stalling = stalls_of(20.0, freeze(2, 4), freeze(8, 11, "static"), freeze(14, 15))
    costs = clip_session([(0.0, 20.0)], [60.0], stalling).costs
    assert costs[1] == 0
    assert costs[0] > 0 < costs[2]


def test_stalls_that_the_clip_does_not_hold_leave_its_windows_alone() -> None:
    report = LogReport("log.json", "p1203", False, 0)
    events = (freeze(2.0, 7.0, "rebuffer"),)
    stalling = stalling_of(on_media_clock(events), 15.0, source="log", log=report)
    found = clip_session([(0.0, 5.0), (5.0, 10.0)], [40.0, 80.0], stalling)
    windows = [Window(0, 5, 40), Window(5, 10, 80)]
    expected = session_score(windows, [Pause(2.0, 5.0)], 10.0)
    assert found.score == pytest.approx(expected.score)
    assert found.without_stalls == pytest.approx(expected.without_stalls)


def test_a_clip_that_only_stood_has_the_quality_of_its_picture() -> None:
    found = clip_session([(0.0, 5.0)], [55.0], stalls_of(5.0, freeze(0.0, 5.0)))
    assert found.without_stalls == pytest.approx(55.0)
    assert 0 < found.score < 55


def test_a_model_that_was_told_of_stalls_keeps_its_answer() -> None:
    stalling = stalls_of(20.0, freeze(5, 9))
    found = clip_session([(0.0, 20.0)], [50.0], stalling, weigher="model", told_score=50.0)
    assert found.score == 50.0
    assert 50 < found.without_stalls <= 100
    assert sum(found.costs) == pytest.approx(found.without_stalls - 50.0)


def test_a_session_without_windows_has_no_score() -> None:
    with pytest.raises(ValueError, match="without windows"):
        session_score([])
