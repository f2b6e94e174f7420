"""Assessments made by hand, every field filled."""

from __future__ import annotations

from vqa2cli.assessment import (
    Assessment,
    Distortion,
    Failure,
    FrameStalls,
    Gate,
    ModelInfo,
    Score,
    Segment,
    SessionVerdict,
    Timing,
)
from vqa2cli.levels import soft_levels
from vqa2cli.pooling import spread
from vqa2cli.report.diagnostics import diagnose
from vqa2cli.video.media import DeclaredFacts, MediaInfo
from vqa2cli.video.stalling import LogReport, StallDifference, StallEvent, Stalling

EVENT = StallEvent(1.0, 2.5, "freeze", 1.0, False, ("motion_drop",), 0.9)
MISSED = StallDifference("not_in_pixels", 3.0, 0.5, "line 3")
LOG = LogReport("play.csv", "csv", True, 1, (MISSED,), ("entries sorted by their start",))
STALLING = Stalling((EVENT,), 1, 1.5, 0.375, 0.0, 1.5, "1 stall, lasting 1.50 s.", "log", LOG)
SESSION = SessionVerdict(50.0, 62.5, (12.5,), "session")
SEGMENTS = (
    Segment(0.0, 2.0, 70.0, "good", Distortion("none", 0.9, 93.0)),
    Segment(2.0, 4.0, 30.0, "poor"),
)


def scored(file: str = "r/720p.mp4") -> Assessment:
    """Return a row of a clip that was scored, with a stall and two warnings."""
    score = Score(50.0, "fair", soft_levels(50.0), 0.98, 0.6)
    warnings = ("one", "two")
    return Assessment(
        file=file,
        warnings=warnings,
        media=MediaInfo(1280, 720, "30/1", 4.0, 900_000, "h264", "yuv420p", "bt709", 0, 120, 24.5),
        declared=DeclaredFacts(900_000, 850_000, 1280, 720, 30.0, "avc1.640028"),
        model=ModelInfo("vqa2-mini", "1", "ab" * 32, "mini-1", "cpu", "pytorch", "fp32"),
        score=score,
        segments=SEGMENTS,
        pooled=spread([70.0, 30.0], [2.0, 2.0]),
        stalling=STALLING,
        session=SESSION,
        diagnostics=diagnose(score, SEGMENTS, STALLING, warnings, SESSION),
        gates=(Gate("score>=40", 50.0, True),),
        timing=Timing(0.1, 0.2, 0.3, 0.4, 1.0),
        frames=FrameStalls((0.0, 0.5), (0, 1)),
    )


def failed(file: str = "r/broken.mp4") -> Assessment:
    """Return a row of a clip that could not be scored."""
    return Assessment(file=file, error=Failure("corrupt", "no frame could be decoded"))
