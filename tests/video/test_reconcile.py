"""A player's log against the picture, and renditions of one content against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa2cli.errors import UsageError
from vqa2cli.video.cross_check import cross_check
from vqa2cli.video.logs.reconcile import difference_warnings, reconcile, stalled_frames
from vqa2cli.video.logs.records import LoggedStall, StallLog, checked
from vqa2cli.video.stall_totals import on_media_clock, stalling_of
from vqa2cli.video.stalling import StallEvent, Stalling, StallKind

LENGTH_S = 20.0


def event(start: float, end: float, kind: StallKind = "freeze", *evidence: str) -> StallEvent:
    return StallEvent(start, end, kind, start, end >= LENGTH_S, evidence, 0.7)


def seen(*events: StallEvent) -> Stalling:
    """Return the stalls of a clip of 20 s."""
    return stalling_of(on_media_clock(events), LENGTH_S)


def media_log(*pairs: tuple[float, float]) -> StallLog:
    return checked(StallLog("log.json", "p1203", "media", ()), _stalls(pairs))


def clip_log(*pairs: tuple[float, float]) -> StallLog:
    return checked(StallLog("log.csv", "csv", "session", (), recorded=True), _stalls(pairs))


def _stalls(pairs: tuple[tuple[float, float], ...]) -> list[LoggedStall]:
    return [LoggedStall(*pair, f"entry {index}") for index, pair in enumerate(pairs, 1)]


def differences(stalling: Stalling) -> list[tuple[str, float, str | None]]:
    assert stalling.log is not None
    return [(found.kind, found.start, found.entry) for found in stalling.log.differences]


def test_a_log_that_agrees_with_a_recording_has_no_difference() -> None:
    both = reconcile(seen(event(4, 6), event(10, 13)), LENGTH_S, media_log((4, 2), (8, 3)))
    assert both.source == "log"
    assert both.log is not None
    assert (both.log.recorded, both.log.matched, both.log.differences) == (True, 2, ())
    assert [(e.start, e.media_start) for e in both.events] == [(4, 4), (10, 8)]
    assert (both.rebuffer_number, both.rebuffer_duration_sec) == (2, 5)
    assert both.stall_ratio == pytest.approx(5 / LENGTH_S)
    assert difference_warnings(both) == []


def test_a_logged_stall_that_is_not_seen_counts_and_is_reported() -> None:
    both = reconcile(seen(event(4, 6)), LENGTH_S, clip_log((4, 2), (12, 3)))
    assert both.rebuffer_number == 2
    assert differences(both) == [("not_in_pixels", 12, "entry 2")]
    assert "not_in_pixels" in both.events[1].evidence
    assert "not seen" in difference_warnings(both)[0]


def test_a_stall_of_the_picture_that_is_not_logged_is_reported_and_does_not_count() -> None:
    both = reconcile(seen(event(4, 6), event(15, 17)), LENGTH_S, clip_log((4, 2)))
    assert both.rebuffer_number == 1
    assert differences(both) == [("not_in_log", 15, None)]
    assert both.events[1].kind == "ambiguous"
    assert "not_in_log" in both.events[1].evidence


def test_a_log_of_no_stall_denies_those_of_the_picture() -> None:
    both = reconcile(seen(event(4, 6)), LENGTH_S, clip_log())
    assert both.rebuffer_number == 0
    assert differences(both) == [("not_in_log", 4, None)]


def test_a_stall_told_late_is_matched_and_a_wrong_length_is_reported() -> None:
    both = reconcile(seen(event(4, 8)), LENGTH_S, clip_log((5.2, 2.8)))
    assert differences(both) == [("duration", 5.2, "entry 1")]
    assert both.log is not None
    assert both.log.differences[0].seconds == pytest.approx(1.2)


def test_the_log_makes_a_stall_of_what_looked_like_content() -> None:
    both = reconcile(seen(event(4, 6, "static")), LENGTH_S, clip_log((4, 2)))
    assert [e.kind for e in both.events] == ["rebuffer"]


def test_stalls_that_the_clip_does_not_hold_lengthen_the_session() -> None:
    both = reconcile(seen(event(10, 12)), LENGTH_S, media_log((0, 1), (5, 3)))
    assert both.log is not None
    assert not both.log.recorded
    assert [(e.kind, e.start, e.end) for e in both.events] == [
        ("initial_buffering", 0, 1),
        ("rebuffer", 6, 9),
        ("ambiguous", 14, 16),
    ]
    assert both.stall_ratio == pytest.approx(4 / 24)
    assert both.initial_buffering_sec == 1
    assert both.time_since_last_stall_sec == pytest.approx(15)
    assert "lengthen" in difference_warnings(both)[0]
    assert not stalled_frames(np.arange(0, LENGTH_S, 0.1), both).any()


def test_a_clip_too_short_to_hold_the_stalls_is_the_media() -> None:
    both = reconcile(seen(event(4, 6)), LENGTH_S, media_log((4, 9), (15, 9)))
    assert both.log is not None
    assert not both.log.recorded
    assert both.rebuffer_duration_sec == 18


def test_frames_are_stalled_where_the_recording_stalls() -> None:
    both = reconcile(seen(event(4, 6)), LENGTH_S, clip_log((4, 2)))
    pts = np.arange(0, LENGTH_S, 0.5)
    assert pts[stalled_frames(pts, both) == 1].tolist() == [4, 4.5, 5, 5.5]


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (clip_log((4, 2), (99, 1)), "entry 2: lasts until 100.00 s, past the end"),
        (clip_log((4, 99)), "entry 1: lasts until 103.00 s, past the end"),
        (media_log((99, 2)), "entry 1: starts at media time 99.00 s, past the end"),
    ],
)
def test_a_stall_past_the_end_is_refused_with_its_entry(log: StallLog, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        reconcile(seen(event(4, 6)), LENGTH_S, log)


def test_a_stall_at_the_very_end_is_drawn_back_to_it() -> None:
    both = reconcile(seen(event(18, 20)), LENGTH_S, clip_log((18, 2.3)))
    assert both.events[0].end == LENGTH_S
    assert both.events[0].open_ended
    appended = reconcile(seen(), LENGTH_S, media_log((20.2, 2)))
    assert appended.events[0].media_start == LENGTH_S
    assert appended.events[0].open_ended


@given(
    st.lists(st.tuples(st.floats(0, 18), st.floats(0.3, 2)), max_size=5),
    st.lists(st.tuples(st.floats(0, 18), st.floats(0.3, 2)), max_size=5),
)
def test_every_logged_stall_counts_whatever_the_picture_shows(
    logged: list[tuple[float, float]], shown: list[tuple[float, float]]
) -> None:
    apart = [
        pair for index, pair in enumerate(sorted(logged))
        if all(abs(pair[0] - other[0]) > 0.01 for other in sorted(logged)[:index])
    ]  # fmt: skip
    events = [event(start, start + length) for start, length in sorted(shown)]
    both = reconcile(seen(*events), LENGTH_S, media_log(*apart))
    assert both.rebuffer_number + (both.initial_buffering_sec > 0) == len(apart)
    total = both.rebuffer_duration_sec + both.initial_buffering_sec
    assert total == pytest.approx(sum(length for _, length in apart), abs=0.6)
    assert 0 <= both.stall_ratio <= 1
    assert list(both.events) == sorted(both.events, key=lambda e: e.start)


def check(*rungs: Stalling) -> list[Stalling]:
    return cross_check(rungs, [LENGTH_S] * len(rungs))


def test_what_stands_in_every_rung_is_content() -> None:
    rungs = check(seen(event(4, 8)), seen(event(4.1, 8, "ambiguous")), seen(event(4, 8, "static")))
    assert [rung.rebuffer_number for rung in rungs] == [0, 0, 0]
    for rung in rungs:
        assert rung.events[0].kind == "static"
        assert "in_every_rung" in rung.events[0].evidence
    assert rungs[0].summary.startswith("No stall")


@pytest.mark.parametrize("kind", ["freeze", "ambiguous", "static"])
def test_what_stands_in_one_rung_alone_is_a_defect_of_it(kind: StallKind) -> None:
    spoiled, *fine = check(seen(event(4, 8, kind)), seen(), seen())
    assert spoiled.rebuffer_number == 1
    assert "other_rungs_move" in spoiled.events[0].evidence
    assert fine == [seen(), seen()]


def test_a_stall_that_lengthens_one_rung_does_not_hide_content_behind_it() -> None:
    longer, other = check(
        seen(event(2, 4), event(12, 15)),  # the slide, two seconds later for the stall
        seen(event(10, 13)),
    )
    assert [e.kind for e in longer.events] == ["freeze", "static"]
    assert [e.kind for e in other.events] == ["static"]
    assert longer.rebuffer_number == 1


def test_what_most_rungs_have_is_left_as_it_was() -> None:
    rungs = (seen(event(4, 8, "ambiguous")), seen(event(4, 8, "ambiguous")), seen())
    assert check(*rungs) == list(rungs)


def test_spans_that_only_touch_are_not_the_same() -> None:
    first, second = check(seen(event(4, 5)), seen(event(4.4, 9)))
    assert first.rebuffer_number == second.rebuffer_number == 1


def test_a_gap_in_every_rung_stays_a_stall() -> None:
    rungs = check(seen(event(4, 6, "gap")), seen(event(4, 6, "gap")))
    assert [rung.rebuffer_number for rung in rungs] == [1, 1]


def test_a_rung_alone_and_a_log_are_left_alone() -> None:
    assert check(seen(event(4, 8))) == [seen(event(4, 8))]
    logged = reconcile(seen(event(4, 8)), LENGTH_S, clip_log((4, 4)))
    assert check(logged, seen(event(4, 8)))[0] == logged
