"""What to do with a ladder: rungs to drop, to add and to move."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from tests.ladder.rungs import HEALTHY, ladder, rung, with_rung
from vqa2cli.ladder.checks import run_checks
from vqa2cli.ladder.curve import Advice, advise
from vqa2cli.ladder.measured import Ladder
from vqa2cli.ladder.noticeable import CERTAIN_STEP, JUST_NOTICEABLE_STEP, NOTICEABLE_STEP
from vqa2cli.ladder.settings import Setting
from vqa2cli.levels import LEVEL_WIDTH

STEP = JUST_NOTICEABLE_STEP
LARGE_STEP = LEVEL_WIDTH + NOTICEABLE_STEP


def advice(made: Ladder, **settings: Setting) -> tuple[Advice, ...]:
    told = {check.replace("_", "-"): setting for check, setting in settings.items()}
    return advise(made, run_checks(made, told))


def scored(scores: Sequence[float]) -> Ladder:
    """Return the healthy ladder's rungs with these scores."""
    return ladder([rung(h, k, score) for (h, k, _), score in zip(HEALTHY, scores, strict=True)])


def dropped(made: Ladder) -> list[str | None]:
    return [each.rung for each in advice(made) if each.action == "drop"]


def test_a_healthy_ladder_is_left_as_it_is() -> None:
    assert advice(ladder()) == ()


def test_a_rung_that_cannot_be_told_from_the_one_below_is_to_go() -> None:
    (one,) = advice(with_rung(5, score=70.0 + STEP - 0.1))
    assert (one.action, one.rung, one.bit_rate) == ("drop", "1080p", None)
    assert "720p" in one.why
    assert f"{STEP - 0.1:.1f} points" in one.why


def test_small_steps_in_a_row_are_not_all_to_go_where_together_they_are_seen() -> None:
    step = 0.6 * STEP
    assert dropped(scored([22 + step * n for n in range(6)])) == ["360p", "540p", "1080p"]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45, 0.7, 0.95])
def test_what_is_left_has_steps_that_are_seen_and_nothing_else_could_be_added(share: float) -> None:
    scores = [30 + share * STEP * n for n in range(6)]
    gone = dropped(scored(scores))
    named = zip((f"{height}p" for height, _, _ in HEALTHY), scores, strict=True)
    kept = [score for name, score in named if name not in gone]
    assert kept[0] == scores[0]
    assert all(high - low >= STEP for low, high in pairwise(kept))
    assert scores[-1] - kept[-1] < STEP


def test_a_rung_worse_than_a_cheaper_one_goes_and_the_next_is_measured_from_the_cheaper() -> None:
    made = scored([22.0, 36.0, 47.0, 60.0, 60.0 - CERTAIN_STEP - 0.1, 60.0 + STEP + 0.1])
    told = [each for each in advice(made) if each.action != "add"]
    assert [each.rung for each in told] == ["720p"]


def test_steps_that_a_policy_lets_pass_are_no_reason_to_drop_a_rung() -> None:
    made = with_rung(5, score=70.0 + STEP - 0.1)
    assert advice(made, step_small=Setting(threshold=STEP / 2, action="warn")) == ()
    assert advice(made, step_small=Setting(threshold=None, action="off")) == ()


def test_a_rung_is_missing_in_the_middle_of_a_step_that_is_too_large() -> None:
    (one,) = advice(with_rung(0, score=36.0 - LARGE_STEP - 0.1))
    assert (one.action, one.rung) == ("add", None)
    assert one.bit_rate is not None
    assert 145_000 < one.bit_rate < 365_000


def test_one_rung_too_many_and_one_too_few_are_a_move() -> None:
    made = scored([36.0 - LARGE_STEP - 0.1, 36.0, 47.0, 60.0, 70.0, 70.0 + STEP - 0.1])
    (one,) = advice(made)
    assert (one.action, one.rung) == ("move", "1080p")
