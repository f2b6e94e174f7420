"""The grid of cases: some of it always, all of it with `-m slow`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.video.stall_cases import CONTENT, ENCODES, STALLS, grid, matched, stalls_of

#: Content that no other test of stalls shows.
CALM = (
    "a talking head",
    "a cinemagraph",
    "a static camera at night",
    "scrolling text",
    "a paused game menu",
    "times that jitter",
    "a variable frame rate",
)

#: Stalls that coarse coding blurs: what is shown, and how it is encoded.
HARD = (
    ("freeze of 0.4 s", "x264 gop 60 crf 38"),
    ("freeze of 0.6 s", "x264 gop 48 crf 38"),
    ("two freezes", "x264 gop 30 crf 38"),
    ("back to back", "x264 gop 60 crf 38"),
    ("spinner of 8 px", "x264 gop 60 crf 38"),
    ("freeze of 2.5 s", "av1 gop 60 crf 35"),
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


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_precision_and_recall_over_the_grid(tmp_path: Path) -> None:
    found = [matched(shown, stalls_of(shown, how, tmp_path)) for _, _, shown, how in grid()]
    true = sum(len(shown.truth) for _, _, shown, _ in grid())
    hit = true - sum(one.missed for one in found)
    assert hit / true >= 0.98
    assert hit / (hit + sum(one.false for one in found)) >= 0.98
