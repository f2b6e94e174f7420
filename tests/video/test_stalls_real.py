"""No stall is found in real clips that have none."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.video.stall_media import watch

#: Short real clips at rest in places, whose people or cameras stop and start.
CALM = (
    "generative-dynamics__cat_loop.mp4",
    "sample-videos__bird.mkv",
    "sample-videos__school.mkv",
    "androidx-media__pixel-motion-photo-2-hevc-tracks.mp4",
    "LivePortrait__d19.mp4",
)


@pytest.mark.parametrize("name", CALM)
def test_a_calm_clip_has_no_stall(shared_dir: Path, name: str) -> None:
    stalling, _ = watch(shared_dir / "clips" / name)
    assert not [event for event in stalling.events if event.counted]


@pytest.mark.slow
def test_no_real_clip_has_a_stall(shared_dir: Path) -> None:
    with (shared_dir / "clips" / "manifest.csv").open(newline="") as table:
        names = [row["file"] for row in csv.DictReader(table)]
    found = {
        name: [event for event in watch(shared_dir / "clips" / name)[0].events if event.counted]
        for name in names
    }
    assert not {name: events for name, events in found.items() if events}
