"""Ladders made by hand, and the ways to spoil one rung of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vqa2cli.assessment import Assessment, Failure, Score, Segment
from vqa2cli.ladder.measured import Ladder, measured
from vqa2cli.ladder.titles import Rung
from vqa2cli.levels import level_of, soft_levels
from vqa2cli.pooling import spread
from vqa2cli.video.detail_track import RATE, SHRUNK, SIDES, Detail
from vqa2cli.video.marks import Marks
from vqa2cli.video.media import DeclaredFacts, MediaInfo
from vqa2cli.video.sources import Rendition
from vqa2cli.video.stalling import StallEvent, Stalling

#: Height, kb/s and score of a ladder that nothing is wrong with.
HEALTHY = ((234, 145, 22.0), (360, 365, 36.0), (432, 730, 47.0), (540, 2000, 60.0),
           (720, 3000, 70.0), (1080, 6000, 80.0))  # fmt: skip


def rung(height: int, kbps: float, score: float, **changes: Any) -> tuple[Rung, Assessment]:
    """Return one rung of six seconds in three windows; `changes` replace parts of its row."""
    width = round(height * 16 / 9 / 2) * 2
    name = f"{height}p"
    media = MediaInfo(
        width, height, "30/1", 6.0, round(kbps * 1000), "h264", "yuv420p", "bt709", 0, 180, 26.0
    )
    declared = DeclaredFacts(
        round(kbps * 1500), round(kbps * 1000), width, height, 30.0, "avc1.640028"
    )
    windows = changes.pop("windows", (score, score, score))
    parts = tuple(
        Segment(2.0 * index, 2.0 * index + 2, value, level_of(value))
        for index, value in enumerate(windows)
    )
    row = Assessment(
        file=f"t/{name}.mp4",
        media=replace(media, **changes.pop("media", {})),
        score=Score(score, level_of(score), soft_levels(score), 0.99, None),
        segments=parts,
        pooled=spread(list(windows), [2.0] * len(windows)),
        stalling=stalling(*changes.pop("stalls", ())),
        marks=Marks(
            (0.0, 2.0, 4.0),
            tuple(changes.pop("black", ())),
            detail(height, changes.pop("soft_s", (0.0, 0.0))),
        ),
    )
    declared = replace(declared, **changes.pop("declared", {}))
    peak = round(changes.pop("peak_kbps", 1.4 * kbps) * 1000)
    clip = Rendition(Path(row.file), "", (), declared, peak_bit_rate=peak)
    return Rung(clip, name, declared), replace(row, declared=declared, **changes)


def detail(height: int, soft_s: tuple[float, float]) -> tuple[Detail, ...]:
    """Return the same fine detail all along, half of it from one second to another."""
    codes = tuple(2.0 if soft_s[0] <= k / RATE < soft_s[1] else 4.0 for k in range(6 * RATE))
    return tuple(Detail(side, codes) for side in SIDES if side <= SHRUNK * height)


def failed_rung(height: int) -> tuple[Rung, Assessment]:
    """Return a rung that could not be scored."""
    file = f"t/{height}p.mp4"
    row = Assessment(file=file, error=Failure("corrupt", "no frame could be decoded"))
    return Rung(Path(file), f"{height}p"), row


def stalling(*spans: tuple[float, float]) -> Stalling:
    """Return stalls of these [start, end) seconds of a clip of six."""
    events = tuple(
        StallEvent(start, end, "freeze", start, False, ("other_rungs_move",), 0.9)
        for start, end in spans
    )
    total = sum(event.duration for event in events)
    return Stalling(events, len(events), total, total / 6, 0.0, None, "stalls")


def ladder(rungs: Sequence[tuple[Rung, Assessment]] | None = None) -> Ladder:
    """Return a ladder of `rungs`, by default the healthy one."""
    made = [rung(*told) for told in HEALTHY] if rungs is None else rungs
    return measured("title", "names", (1920, 1080), made)


def with_rung(index: int, **changes: Any) -> Ladder:
    """Return the healthy ladder with one rung changed; `score` and `kbps` may be among them."""
    rungs = [rung(*told) for told in HEALTHY]
    height, kbps, score = HEALTHY[index]
    kbps, score = changes.pop("kbps", kbps), changes.pop("score", score)
    rungs[index] = rung(height, kbps, score, **changes)
    return ladder(rungs)
