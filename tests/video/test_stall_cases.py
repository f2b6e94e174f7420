"""The grid of cases: some of it always, all of it with `-m slow`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.video.real_stalls import made_to_stall
from tests.video.stall_cases import (
    CONTENT,
    ENCODES,
    STALLS,
    START,
    Shown,
    grid,
    matched,
    stalls_of,
)
from tests.video.stall_media import scene, spinning
from vqa2cli.video.synthesis import with_freeze

#: Content that no other test of stalls shows.
CALM = (
    "a talking head",
    "a cinemagraph",
    "a static camera at night",
    "scrolling text",
    "a paused game menu",
    "times that jitter",
    "a variable frame rate",
    "things that come and go",
    "a camera that stops and goes on",
)

#: Stalls that coarse coding blurs: what is shown, and how it is encoded.
HARD = (
    ("freeze of 0.4 s", "x264 gop 60 crf 38"),
    ("freeze of 0.6 s", "x264 gop 48 crf 38"),
    ("two freezes", "x264 gop 30 crf 38"),
    ("back to back", "x264 gop 60 crf 38"),
    ("spinner of 8 px", "x264 gop 60 crf 38"),
    ("freeze of 2.5 s", "av1 gop 60 crf 35"),
    ("freeze at the end", "x264 gop 250 crf 38"),
    ("freeze at the end", "vp9 gop 60 crf 34"),
    ("two freezes", "vp9 gop 60 crf 34"),
    ("noise 2 before", "x264 gop 250 crf 38"),
)


@pytest.mark.parametrize("name", CALM)
def test_calm_content_has_no_stall(tmp_path: Path, name: str) -> None:
    found = stalls_of(CONTENT[name], ENCODES["x264 gop 60 crf 23"], tmp_path)
    assert not [event for event in found.events if event.counted]


@pytest.mark.parametrize(("name", "encode"), HARD)
def test_a_stall_is_found_to_two_frames_however_coarse_its_coding(
    tmp_path: Path, name: str, encode: str
) -> None:
    shown = STALLS[name]
    found = matched(shown, stalls_of(shown, ENCODES[encode], tmp_path))
    assert (found.missed, found.false) == (0, 0)
    assert max(*found.onset_frames, *found.end_frames) <= 2.1


@pytest.mark.parametrize("name", ["things that come and go", "a camera that stops and goes on"])
@pytest.mark.parametrize("encode", ["x264 gop 60 crf 38", "vp9 gop 60 crf 34"])
def test_what_leaves_or_stops_by_itself_is_content_however_coarse_its_coding(
    tmp_path: Path, name: str, encode: str
) -> None:
    found = stalls_of(CONTENT[name], ENCODES[encode], tmp_path)
    assert not [event for event in found.events if event.counted]


@pytest.mark.parametrize("encode", ["x264 gop 60 crf 23", "vp9 gop 60 crf 34"])
def test_a_spinner_is_found_that_turns_for_less_than_half_a_second(
    tmp_path: Path, encode: str
) -> None:
    frames = spinning(with_freeze(scene(5.0, 0, 4.0), START, 12), START, 12, 24)
    shown = Shown(lambda: frames, ((START, START + 12),))
    stalling = stalls_of(shown, ENCODES[encode], tmp_path)
    found = matched(shown, stalling)
    assert (found.missed, found.false) == (0, 0)
    assert [event.kind for event in stalling.events if event.counted] == ["rebuffer"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_real_clips_that_are_made_to_stall_are_found_out(shared_dir: Path) -> None:
    """Clips whose stalls the detector was not tuned on."""
    with (shared_dir / "clips" / "manifest.csv").open(newline="") as table:
        names = [row["file"] for row in csv.DictReader(table) if row["split"] == "test"]
    cases = [case for name in names for case in made_to_stall(shared_dir / "clips" / name)]
    found = [case.found for case in cases if case.found is not None]
    right = sum(len(one.onset_frames) for one in found)
    assert right / (right + sum(one.missed for one in found)) >= 0.88
    assert right / (right + sum(one.false for one in found)) >= 0.95


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_precision_and_recall_over_the_grid(tmp_path: Path) -> None:
    found = [matched(shown, stalls_of(shown, how, tmp_path)) for _, _, shown, how in grid()]
    true = sum(len(shown.truth) for _, _, shown, _ in grid())
    hit = true - sum(one.missed for one in found)
    assert hit / true >= 0.98
    assert hit / (hit + sum(one.false for one in found)) >= 0.98
