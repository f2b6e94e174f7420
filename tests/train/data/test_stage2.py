"""Scores become levels, questions and answers; nothing that is tested on is among them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clips import moving_clip
from train.data.choice import Choice, chosen, contents_of
from train.data.ratings import Rating, StallTrace
from train.data.scales import FIVE, HUNDRED, RELATIVE
from train.data.stage2 import build_stage2, to_points
from train.data.stage2_settings import Stage2Settings
from vqa2cli.errors import UsageError
from vqa2cli.model.protocols import find_protocol


def rating(media: str, mos: float, dataset: str = "mine", **changes: Any) -> Rating:
    fields = {"scale": HUNDRED, "content": f"{dataset}/{media}", "line": 2, **changes}
    return Rating(media=media, mos=mos, dataset=dataset, **fields)


def settings(**changes: Any) -> Stage2Settings:
    choice = Choice(changes.pop("task", "ugc"), changes.pop("sampling", "all"))
    return Stage2Settings(changes.pop("choice", choice), keep_missing=True, **changes)


FIVE_CLIPS = [rating(f"{n}.mp4", mos) for n, mos in enumerate((20.0, 30.0, 40.0, 60.0, 70.0))]


def test_scores_are_scaled_by_their_sets_own_extremes_and_cut_in_five() -> None:
    samples = build_stage2(FIVE_CLIPS, None, settings()).samples
    assert [sample.gt_score for sample in samples] == [0.0, 20.0, 40.0, 80.0, 100.0]
    words = [sample.turns[1].text.split()[-1] for sample in samples]
    assert words == ["low.", "poor.", "fair.", "high.", "high."]


def test_the_scale_can_give_the_ends_instead() -> None:
    samples = build_stage2(FIVE_CLIPS, None, settings(ends="scale")).samples
    assert [sample.gt_score for sample in samples] == [20.0, 30.0, 40.0, 60.0, 70.0]


def test_the_published_session_of_waterloo_gets_its_published_score() -> None:
    """`gt_score` 41.985 and "fair": Animation_1920x1080_25_500_10s_M of the authors' set."""
    assert to_points(48.609, (16.609, 92.826)) == pytest.approx(41.985, abs=1e-3)


def test_each_set_is_scaled_on_its_own() -> None:
    five = [rating("x.mp4", 1.5, "fives", scale=FIVE), rating("y.mp4", 4.5, "fives", scale=FIVE)]
    samples = build_stage2([*FIVE_CLIPS, *five], None, settings()).samples
    assert [sample.gt_score for sample in samples[-2:]] == [0.0, 100.0]


def test_a_set_of_equal_scores_has_no_ends() -> None:
    with pytest.raises(UsageError, match="every score is 50"):
        build_stage2([rating("a.mp4", 50), rating("b.mp4", 50)], None, settings())


def test_the_question_is_the_protocols_own() -> None:
    protocol = find_protocol("ugc-2024")
    first = build_stage2(FIVE_CLIPS, None, settings()).samples[0]
    assert first.turns[0].text == protocol.user
    assert first.turns[1].text == f"{protocol.prefix} low."
    assert first.provenance.content == "mine/0.mp4"
    assert (first.provenance.stage, first.provenance.task) == (2, "ugc")


def test_a_protocol_that_answers_is_refused() -> None:
    with pytest.raises(UsageError, match="assistant-chat gives no score"):
        build_stage2(FIVE_CLIPS, None, settings(protocol="assistant-chat"))


def session(name: str, mos: float, *events: tuple[float, float], **changes: Any) -> Rating:
    fields = {"stalls": StallTrace(2.0, events), "fps": 2.0, **changes}
    return rating(name, mos, "WaterlooSQoE-I", **fields)


SESSIONS = [session("a", 20.0, (0.0, 1.0), (1.0, 0.5)), session("b", 80.0)]


def test_a_session_is_told_in_both_formats() -> None:
    samples = build_stage2(SESSIONS, None, settings(task="streaming")).samples
    digits, facts, none, quiet = (sample.turns[0].text for sample in samples)
    assert "0 where it plays: 1100100." in digits
    assert facts.startswith("1 stall, lasting 0.50 s. Stalled share of the whole length: 42.9 %.")
    assert "0 where it plays: 0000." in none
    assert quiet.startswith("No stall: the picture kept moving from start to end. How would you")
    assert len({sample.id for sample in samples}) == 4
    assert {sample.provenance.task for sample in samples} == {"streaming"}


def test_one_format_can_be_chosen() -> None:
    samples = build_stage2(SESSIONS, None, settings(task="streaming", formats=("summary",))).samples
    assert len(samples) == 2


def test_what_has_no_sequence_is_counted() -> None:
    odd = [session("a", 20.0, fps=None), session("b", 80.0, fps=2000.0)]
    built = build_stage2(odd, None, settings(task="streaming"))
    assert len(built.samples) == 2
    assert sorted(built.left_out) == [
        "WaterlooSQoE-I: no frame rate for a per-frame sequence",
        "WaterlooSQoE-I: per-frame sequence over 2000 digits",
    ]


def test_streaming_needs_a_protocol_with_a_place_for_stalls() -> None:
    with pytest.raises(UsageError, match="ugc-2024 has no place for stalls"):
        build_stage2(SESSIONS, None, settings(task="streaming", protocol="ugc-2024"))


def test_test_sets_are_not_trained_on() -> None:
    ratings = [
        *FIVE_CLIPS,
        rating("k.mp4", 3.0, "KoNViD-1k", scale=FIVE),
        rating("own.mp4", 50.0, split="test"),
        rating("m.mp4", 2.0, "MSU-CVQAD", scale=RELATIVE),
        session("s", 40.0),
    ]
    found = chosen(ratings, Choice("ugc", "all"))
    assert {each.media for each in found.ratings} == {each.media for each in FIVE_CLIPS}
    assert found.left_out == {
        "KoNViD-1k: tested on": 1,
        "mine: tested on": 1,
        "MSU-CVQAD: ranked within each reference, so on no common scale": 1,
        "WaterlooSQoE-I: a set for streaming": 1,
    }


def test_a_content_of_a_test_set_is_left_out_under_every_name() -> None:
    tested = rating("copy-of-1.mp4", 50.0, content="mine/1.mp4", split="test")
    found = chosen([*FIVE_CLIPS, tested], Choice("ugc"))
    assert "1.mp4" not in {each.media for each in found.ratings}
    assert found.left_out["mine: its content is tested on"] == 1


def test_the_paper_takes_its_own_sets_and_leaves_a_users_alone() -> None:
    ratings = [*FIVE_CLIPS, rating("l.mp4", 40.0, "LSVQ-train"), rating("q.yuv", 40, "CVD2014")]
    paper = chosen(ratings, Choice("ugc", "paper"))
    assert {each.dataset for each in paper.ratings} == {"mine", "LSVQ-train"}
    assert paper.left_out == {"CVD2014: not in the paper's stage 2": 1}
    assert len(chosen(ratings, Choice("ugc", "all")).ratings) == 7


def test_a_test_set_needs_something_held_out() -> None:
    ratings = [rating(f"{n}.mp4", n * 10.0, "LSVQ-1080p") for n in range(9)]
    with pytest.raises(UsageError, match="LSVQ-1080p is tested on; name the part to keep"):
        chosen(ratings, Choice("ugc", sets=("LSVQ-1080p",)))
    kept = contents_of(ratings[:6])
    found = chosen(ratings, Choice("ugc", sets=("LSVQ-1080p",), held_out=kept))
    assert [each.media for each in found.ratings] == ["6.mp4", "7.mp4", "8.mp4"]
    assert found.left_out == {"LSVQ-1080p: its content is tested on": 6}


def test_a_set_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no set LSVQ in these labels; there are mine"):
        chosen(FIVE_CLIPS, Choice("ugc", sets=("LSVQ",)))


def test_repeated_names_are_counted_and_conflicting_ones_left_out() -> None:
    again, other = FIVE_CLIPS[0], replace(FIVE_CLIPS[1], mos=99.0, line=9)
    found = chosen([*FIVE_CLIPS, again, other], Choice("ugc"))
    assert found.left_out == {"mine: listed before": 1, "mine: one name with two scores": 2}
    assert len(found.ratings) == 4


def test_validation_contents_are_drawn_once_and_for_all() -> None:
    ratings = [rating(f"{n}.mp4", float(n), content=f"mine/{n // 4}") for n in range(80)]
    samples = build_stage2(ratings, None, settings(val_share=0.4)).samples
    by_content: dict[str | None, set[str | None]] = {}
    for sample in samples:
        where = sample.provenance
        by_content.setdefault(where.content, set()).add(where.split)
    assert all(len(splits) == 1 for splits in by_content.values())
    assert 3 <= sum(splits == {"val"} for splits in by_content.values()) <= 13


def test_media_are_looked_for_and_looked_into(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    moving_clip(tmp_path / "deep" / "0.mp4", seconds=0.2)
    (tmp_path / "1.mp4").write_text("not a video")
    (tmp_path / "2.png").write_bytes(b"")
    labels = [*FIVE_CLIPS[:2], replace(FIVE_CLIPS[2], media="2.png"), FIVE_CLIPS[3]]
    built = build_stage2(labels, tmp_path, Stage2Settings(Choice("ugc")))
    (sample,) = built.samples
    assert sample.media == "deep/0.mp4"
    assert sample.fps
    assert sample.fps > 0
    reasons = {each.media: each.reason for each in built.missing}
    assert reasons["3.mp4"] == "no such file"
    assert reasons["2.png"] == "a picture, not a clip"
    assert "1.mp4" in reasons


def test_the_sessions_at_hand_give_two_pairs_each(shared_dir: Path) -> None:
    from train.data.rating_files import read_ratings

    ratings = read_ratings(shared_dir / "tables" / "streaming_sessions.csv")
    samples = build_stage2(ratings, None, settings(task="streaming", sampling="paper")).samples
    assert len(samples) == 2 * 180
    third = next(sample for sample in samples if sample.media == "WaterlooSQoE-I/003")
    assert third.gt_score == pytest.approx(41.985, abs=1e-3)
    assert third.turns[1].text == "The quality of the video is fair."
    digits = re.search(r"plays: ([01]+)\.", third.turns[0].text)
    assert digits is not None
    # As the authors count it: 125 frames stalled, a third of the 15 s at 25 frames a second.
    assert (len(digits[1]), digits[1].count("1")) == (375, 125)
