"""Every fault of a ladder is found by its check, and a healthy ladder has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ladder.rungs import HEALTHY, failed_rung, ladder, rung, with_rung
from vqa2cli.errors import UsageError
from vqa2cli.ladder.checks import CHECKS, run_checks
from vqa2cli.ladder.findings import CheckResult
from vqa2cli.ladder.measured import Ladder
from vqa2cli.ladder.noticeable import CERTAIN_STEP, JUST_NOTICEABLE_STEP, NOTICEABLE_STEP
from vqa2cli.ladder.settings import Setting, settings_of
from vqa2cli.levels import LEVEL_WIDTH
from vqa2cli.video.marks import Marks

STEP = NOTICEABLE_STEP
LARGE_STEP = LEVEL_WIDTH + NOTICEABLE_STEP


def found(made: Ladder, **settings: Setting) -> dict[str, CheckResult]:
    """Return the checks that found something, by id."""
    told = {check.replace("_", "-"): setting for check, setting in settings.items()}
    return {result.id: result for result in run_checks(made, told) if result.findings}


def test_a_healthy_ladder_passes_every_check() -> None:
    results = run_checks(ladder(), {})
    assert [result.id for result in results] == [check.id for check in CHECKS]
    assert {result.status for result in results} == {"passed"}


#: The healthy ladder with one fault, the check that tells of it, and the rung it names.
FAULTS: list[tuple[Ladder, str, str]] = [
    (with_rung(4, score=60.0 - CERTAIN_STEP - 0.1), "quality-falls", "720p"),
    (with_rung(3, soft_s=(2.0, 4.0)), "detail-falls", "540p"),
    (with_rung(1, score=22.0 + JUST_NOTICEABLE_STEP - 0.1), "step-small", "360p"),
    (with_rung(0, score=36.0 - LARGE_STEP - 0.1), "step-large", "360p"),
    (with_rung(3, score=49.0), "below-hull", "540p"),
    (with_rung(4, windows=(40.0, 85.0, 85.0)), "crossing", "720p"),
    (ladder([rung(h, k, s * 0.7 + 3) for h, k, s in HEALTHY]), "top-quality", "1080p"),
    (with_rung(0, score=9.0), "bottom-quality", "234p"),
    (with_rung(5, windows=(90.0, 59.9, 90.1)), "worst-second", "1080p"),
    (with_rung(2, declared={"average_bandwidth": 600_000}), "bitrate-over", "432p"),
    (with_rung(2, peak_kbps=1250), "peak-over", "432p"),
    (with_rung(2, declared={"average_bandwidth": 2_000_000}), "bitrate-under", "432p"),
    (with_rung(2, declared={"width": 960, "height": 540}), "resolution", "432p"),
    (with_rung(2, declared={"frame_rate": 60.0}), "frame-rate", "432p"),
    (with_rung(2, declared={"codecs": "hvc1.1.6.L93"}), "codec", "432p"),
    (with_rung(2, media={"width": 576}), "aspect", "432p"),
    (with_rung(2, media={"duration": 5.5}), "duration", "432p"),
    (with_rung(2, media={"nb_frames_decoded": 170}), "frame-count", "432p"),
    (with_rung(2, marks=Marks((0.0, 1.7, 4.0), ())), "key-frames", "432p"),
    (with_rung(2, stalls=[(2.0, 3.0)]), "stall", "432p"),
    (with_rung(2, black=[(2.0, 3.0)]), "black", "432p"),
]


def test_what_lies_on_its_threshold_is_not_beyond_it_whatever_the_rounding() -> None:
    duration = next(check for check in CHECKS if check.id == "duration")
    assert 4.0 - 3.9 > 0.1
    assert not duration.violated(4.0 - 3.9, 0.1)
    assert duration.violated(0.1001, 0.1)
    bottom = next(check for check in CHECKS if check.id == "bottom-quality")
    assert not bottom.violated(0.3 - 0.2, 0.1)
    assert bottom.violated(0.0999, 0.1)


def test_there_is_a_fault_for_every_check() -> None:
    assert [check.id for check in CHECKS if check.id not in {fault[1] for fault in FAULTS}] == []


@pytest.mark.parametrize(("made", "check", "name"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_is_found_by_its_check_and_names_its_rung(
    made: Ladder, check: str, name: str
) -> None:
    results = found(made)
    assert check in results
    finding = results[check].findings[0]
    assert name in finding.rungs
    assert name in finding.message
    assert results[check].value == finding.value
    # A fault of the streams is no fault of the quality, and the other way round.
    quality = [c.id for c in CHECKS][:8]
    assert all((other in quality) == (check in quality) for other in results)


def test_a_step_that_is_told_apart_more_often_than_not_is_no_finding() -> None:
    assert "step-small" not in found(with_rung(1, score=22.0 + JUST_NOTICEABLE_STEP))


def test_a_fall_that_may_be_none_is_told_and_fails_nothing() -> None:
    results = found(with_rung(4, score=60.0 - (STEP + CERTAIN_STEP) / 2))
    assert results["step-small"].status == "warned"
    assert {result.status for result in results.values()} == {"warned"}


def test_a_finding_tells_when_it_happens() -> None:
    (stall,) = found(with_rung(2, stalls=[(2.0, 3.0)]))["stall"].findings
    assert (stall.start, stall.end, stall.value) == (2.0, 3.0, 1.0)


def test_black_in_most_rungs_is_content() -> None:
    rungs = [rung(*told, black=[(2.0, 3.0)] if told[0] > 234 else []) for told in HEALTHY]
    assert "black" not in found(ladder(rungs))


def test_key_frames_are_compared_with_the_rungs_that_agree_even_if_the_top_one_does_not() -> None:
    top = with_rung(5, marks=Marks((0.0, 1.0, 2.0, 3.0, 4.0), ()))
    (finding,) = found(top)["key-frames"].findings
    assert (finding.rungs, finding.value) == (("1080p",), 2.0)


def test_half_the_frame_rate_is_no_fault_where_it_is_declared() -> None:
    slow = with_rung(
        0, media={"avg_frame_rate": "15/1", "nb_frames_decoded": 90}, declared={"frame_rate": 15.0}
    )
    assert found(slow) == {}


def test_a_rotated_rung_has_the_size_it_shows() -> None:
    turned = with_rung(2, media={"width": 432, "height": 768, "rotation": 90})
    assert found(turned) == {}


@pytest.mark.parametrize("codecs", [None, "avc1.640028,mp4a.40.2"])
def test_a_declared_rate_may_hold_sound(codecs: str | None) -> None:
    declared: dict[str, Any] = {"average_bandwidth": 1_300_000, "codecs": codecs}
    assert found(with_rung(2, declared=declared)) == {}
    told = {"average_bandwidth": 1_300_000, "codecs": "avc1.640028"}
    assert "bitrate-under" in found(with_rung(2, declared=told))


def test_what_is_not_declared_is_skipped_with_the_reason() -> None:
    none = {"bandwidth": None, "average_bandwidth": None, "width": None, "height": None,
            "frame_rate": None, "codecs": None}  # fmt: skip
    results = {
        result.id: result
        for result in run_checks(ladder([rung(*told, declared=none) for told in HEALTHY]), {})
    }
    for check in ("bitrate-over", "peak-over", "bitrate-under", "resolution", "frame-rate"):
        assert results[check].status == "skipped"
        assert "declared" in str(results[check].reason)
    assert results["codec"].status == "passed"


def test_an_undeclared_codec_is_compared_with_the_top_rung() -> None:
    other = with_rung(2, media={"codec_name": "hevc"}, declared={"codecs": None})
    assert found(other)["codec"].findings[0].rungs == ("432p",)


def test_a_ladder_of_nothing_scored_checks_nothing() -> None:
    results = run_checks(ladder([failed_rung(360), failed_rung(720)]), {})
    assert {result.status for result in results} == {"skipped"}


def test_one_rung_alone_is_judged_by_what_it_can_be_judged_by() -> None:
    results = {r.id: r for r in run_checks(ladder([rung(*HEALTHY[5])]), {})}
    assert results["top-quality"].status == "passed"
    assert results["quality-falls"].status == "skipped"
    assert results["below-hull"].reason == "fewer than three rungs were scored"


def test_a_policy_moves_thresholds_and_switches_checks() -> None:
    table = {"top-quality": {"threshold": 85}, "stall": {"action": "off"},
             "key-frames": {"action": "warn", "threshold": 0}}  # fmt: skip
    settings = settings_of(table, [check.id for check in CHECKS])
    stalled = with_rung(2, stalls=[(2.0, 3.0)], marks=Marks((0.0,), ()))
    results = {result.id: result for result in run_checks(stalled, settings)}
    assert (results["top-quality"].status, results["top-quality"].threshold) == ("failed", 85.0)
    assert results["stall"].status == "off"
    assert results["key-frames"].status == "warned"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"step-smal": {}}, "did you mean step-small?"),
        ({"step-small": 3}, "must be a table"),
        ({"step-small": {"treshold": 3}}, "did you mean threshold?"),
        ({"step-small": {"threshold": "3"}}, "must be a number"),
        ({"step-small": {"threshold": True}}, "must be a number"),
        ({"step-small": {"action": "ignore"}}, "fail, warn, off"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(table: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(table, [check.id for check in CHECKS])
    assert says in str(caught.value)


def test_every_check_and_its_default_stand_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ladder.md").read_text(encoding="utf-8")
    for check in CHECKS:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{check.id}` |")]
        assert f"| {check.threshold:g} " in line, check.id
        assert f"| {check.action} |" in line, check.id
