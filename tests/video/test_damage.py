"""Clips that are damaged or break off: what is decoded, told, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.video.events import closed, decoded, keys, motion
from tests.video.media import FPS, clip, remux, scene, spoiled
from vqa2cli.errors import VideoError
from vqa2cli.video import frames
from vqa2cli.video.synthesis import write_clip


def test_damage_is_counted_and_the_same_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spoiled(clip(tmp_path / "v.mp4", 60, gop=20), tmp_path / "bad.mp4")
    seen = []
    for threads in (1, 4, 4, 2):
        monkeypatch.setattr(frames, "MAX_THREADS", threads)
        monkeypatch.setattr(frames.os, "cpu_count", lambda: 8)
        events = decoded(path)
        seen.append((closed(events).warnings, keys(events).tobytes(), motion(events).tobytes()))
    assert seen[0][0]
    assert seen.count(seen[0]) == 4


def test_an_undamaged_clip_has_no_warning(tmp_path: Path) -> None:
    assert closed(decoded(clip(tmp_path / "v.mp4", 30))).warnings == ()


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_a_clip_that_breaks_off_is_scored_with_a_warning(tmp_path: Path, suffix: str) -> None:
    whole = clip(tmp_path / f"v{suffix}", 100)
    half = tmp_path / f"half{suffix}"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = closed(decoded(half))
    assert 10 < found.media.nb_frames_decoded < 90
    assert suffix == ".ts" or found.warnings  # a transport stream declares no length


def test_an_mp4_whose_data_breaks_off_is_scored_with_a_warning(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "v.mp4", scene(100), FPS)
    front = remux(whole, tmp_path / "front.mp4", options={"movflags": "faststart"})
    front.write_bytes(front.read_bytes()[: front.stat().st_size * 6 // 10])
    warnings = " ".join(closed(decoded(front)).warnings)
    assert "s of the 4.00 s the file declares could be decoded" in warnings


def test_a_truncated_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    whole = clip(tmp_path / "v.mp4", 50)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(VideoError) as caught:
        decoded(cut)
    assert caught.value.kind == "not_video"


def test_a_clip_without_one_decodable_frame_is_corrupt(tmp_path: Path) -> None:
    path = spoiled(clip(tmp_path / "v.mp4", 10), tmp_path / "bad.mp4", every=1, keep=0)
    with pytest.raises(VideoError) as caught:
        decoded(path)
    assert caught.value.kind == "corrupt"
