"""Every check of a ladder: its id, its threshold, what it does, and why the threshold is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vqa2cli.ladder import defect_checks as defects
from vqa2cli.ladder import detail_checks as detail
from vqa2cli.ladder import quality_checks as quality
from vqa2cli.ladder import stream_checks as streams
from vqa2cli.ladder.findings import Check, CheckResult, Measure
from vqa2cli.ladder.measured import Ladder
from vqa2cli.ladder.noticeable import CERTAIN_STEP, JUST_NOTICEABLE_STEP, NOTICEABLE_STEP
from vqa2cli.ladder.settings import Setting
from vqa2cli.levels import LEVEL_WIDTH

_STEP_SOURCE = "the noticeable step of the model"

#: In the order of reports. docs/ladder.md has the reasons at length, and a test holds the two
#: together.
CHECKS: Final = (
    Check("quality-falls", "Quality falls as the bit rate rises", CERTAIN_STEP, "points",
          "above", "fail", "the upper end of the model's noticeable step", quality.drops),
    Check("crossing", "A cheaper rung is better for part of the time", 0.25, "share of time",
          "above", "fail", "a quarter of the title", quality.crossings),
    Check("below-hull", "A rung costs more than its neighbours do for its quality",
          NOTICEABLE_STEP, "points", "above", "warn", _STEP_SOURCE, quality.hull_deficits),
    Check("step-small", "A step too small to be seen", JUST_NOTICEABLE_STEP, "points", "below",
          "warn", "what the model just tells apart", quality.gains_that_do_not_fall),
    Check("step-large", "A step so large that a switch is seen", LEVEL_WIDTH + NOTICEABLE_STEP,
          "points", "above", "warn",
          "more than a level, which is 20 points, and the noticeable step", quality.gains),
    Check("top-quality", "The best rung is not good enough", 60.0, "points", "below", "fail",
          "where the level good begins", quality.top_score),
    Check("bottom-quality", "The cheapest rung cannot be watched", 20.0, "points", "below", "fail",
          "where the level poor begins", quality.bottom_score),
    Check("worst-second", "A window far below the rest of its rung", 20.0, "points", "above",
          "fail", "a whole level", quality.worst_windows),
    Check("detail-falls", "Less detail as the bit rate rises", 0.08, "share", "above", "fail",
          "healthy ladders lost up to 0.05, blurred rungs 0.09 and more", detail.losses),
    Check("bitrate-over", "More bits than declared", 0.10, "share", "above", "fail",
          "HLS Authoring Specification for Apple devices: within 10 %", streams.excess_rates),
    Check("peak-over", "Segments over the declared peak", 0.10, "share", "above", "fail",
          "HLS Authoring Specification for Apple devices: within 10 %", streams.excess_peaks),
    Check("bitrate-under", "Far fewer bits than declared", 0.40, "share", "above", "warn",
          "capped encodes fall short on easy content", streams.missing_rates),
    Check("resolution", "Another size than declared", 0.0, "pixels", "above", "fail",
          "players choose by it", streams.sizes),
    Check("frame-rate", "Another frame rate than declared", 0.01, "share", "above", "fail",
          "30 against 29.97 is 0.1 %", streams.frame_rates),
    Check("codec", "Another codec than declared", 0.0, "", "above", "fail",
          "players choose by it", streams.codecs),
    Check("aspect", "Another aspect ratio than the top rung", 0.02, "share", "above", "fail",
          "sides rounded to even pixels differ by 1 %", streams.shapes),
    Check("duration", "Rungs of different length", 0.10, "seconds", "above", "fail",
          "the last frame of a 15 fps rung lasts 0.07 s", streams.lengths),
    Check("frame-count", "Rungs of different frame counts", 1.0, "frames", "above", "fail",
          "encoders may drop the last frame", streams.frame_counts),
    Check("key-frames", "Key frames that do not line up", 0.0, "key frames", "above", "fail",
          "players switch there", streams.key_frames),
    Check("stall", "A stall or freeze that not every rung has", 0.0, "seconds", "above", "fail",
          "it was not in what was encoded", defects.stalls),
    Check("black", "Black that at most half of the rungs have", 0.10, "seconds", "above", "fail",
          "a fade may end a few frames apart", defects.black),
)  # fmt: skip


def run_checks(ladder: Ladder, settings: Mapping[str, Setting]) -> tuple[CheckResult, ...]:
    """Return the result of every check, in the order of `CHECKS`."""
    return tuple(_run(check, ladder, settings.get(check.id, Setting())) for check in CHECKS)


def _run(check: Check, ladder: Ladder, setting: Setting) -> CheckResult:
    threshold = check.threshold if setting.threshold is None else setting.threshold
    action = setting.action or check.action
    if action == "off":
        return CheckResult(check.id, check.title, "off", threshold, check.unit)
    measures = check.look(ladder)
    if isinstance(measures, str):
        return CheckResult(check.id, check.title, "skipped", threshold, check.unit, reason=measures)
    worst_first = sorted(
        measures, key=lambda measure: measure.value, reverse=check.violates == "above"
    )
    findings = tuple(m for m in worst_first if check.violated(m.value, threshold))
    violated = "failed" if action == "fail" else "warned"
    return CheckResult(
        check.id,
        check.title,
        violated if findings else "passed",  # type: ignore[arg-type]  # both are of Status
        threshold,
        check.unit,
        _worst(worst_first),
        findings,
    )


def _worst(measures: Sequence[Measure]) -> float | None:
    return measures[0].value if measures else None
