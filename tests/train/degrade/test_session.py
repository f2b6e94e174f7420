"""Sessions are what their labels say: the stalls of a made clip are found where they were made."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from train.degrade import playback
from train.degrade.material import Material, prepare
from train.degrade.session import (
    CLEAR_S,
    MadeStall,
    Piece,
    Session,
    Stall,
    degradations_of,
    draw_session,
    made_stalls,
)
from train.rendering import frames_of
from vqa2cli.errors import VideoError
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, Sampling
from vqa2cli.video.stalling import StallEvent
from vqa2cli.video.synthesis import moving_scene, write_clip

FPS = 30
SIZE = (384, 216)

PIECES = (Piece(1.0, 20, 0, 60), Piece(0.5, 32, 60, 110), Piece(0.34, 38, 110, 150))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Return five seconds of a moving scene."""
    folder = tmp_path_factory.mktemp("material")
    clip = folder / "a.mp4"
    write_clip(clip, moving_scene(5, FPS, SIZE, seed=3), FPS, options={"crf": "12"})
    return prepare(clip, folder / "a.mkv", 8.0)


def found_stalls(path: Path) -> list[StallEvent]:
    events = decode_clip(path, Sampling(window_s=4.0, find_stalls=True))
    (closed,) = (event for event in events if isinstance(event, Closed))
    assert closed.stalling is not None
    return [event for event in closed.stalling.events if event.counted]


def assert_found_as_made(found: list[StallEvent], made: tuple[MadeStall, ...]) -> None:
    assert [event.kind for event in found] == [stall.kind for stall in made]
    for event, stall in zip(found, made, strict=True):
        assert event.start == pytest.approx(stall.start, abs=2.1 / FPS)
        assert event.end == pytest.approx(stall.end, abs=2.1 / FPS)
        assert event.media_start == pytest.approx(stall.media_start, abs=4.1 / FPS)


STALLS = {
    "a held picture": (Stall(45, 24, False, "held"),),
    "a held picture where the rung changes": (Stall(60, 45, False, "held"),),
    "a spinner": (Stall(75, 70, True, "held"),),
    "a black beginning": (Stall(0, 40, True, "black"),),
    "the first picture waiting": (Stall(0, 66, True, "first"),),
    "all of them": (
        Stall(0, 30, True, "black"),
        Stall(50, 20, False, "held"),
        Stall(110, 75, True, "held"),
    ),
}


@pytest.mark.parametrize("stalls", STALLS.values(), ids=STALLS.keys())
def test_stalls_are_found_where_they_were_made(
    tmp_path: Path, material: Material, stalls: tuple[Stall, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "libvmaf_at_hand", lambda: False)
    session = Session(PIECES, stalls)
    target = tmp_path / "session.mp4"
    assert playback.write_session(material, session, target) == (None, None, None)
    assert_found_as_made(found_stalls(target), made_stalls(session, FPS))
    frames = sum(1 for _ in frames_of(target))
    assert frames == material.count + sum(stall.frames for stall in stalls)


def test_a_session_without_stalls_has_none(
    tmp_path: Path, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "libvmaf_at_hand", lambda: False)
    playback.write_session(material, Session(PIECES, ()), tmp_path / "a.mp4")
    assert found_stalls(tmp_path / "a.mp4") == []


def test_every_piece_fills_the_display_and_lower_rungs_look_and_measure_worse(
    tmp_path: Path, material: Material
) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="an ffmpeg with libvmaf comes with vqa2[vmaf]")
    session = Session(PIECES, ())
    best, middle, worst = playback.write_session(material, session, tmp_path / "a.mp4")
    assert best is not None
    assert middle is not None
    assert worst is not None
    assert best > 85 > middle > worst
    frames = list(frames_of(tmp_path / "a.mp4"))
    assert {frame.shape for frame in frames} == {(SIZE[1], SIZE[0], 3)}

    def detail(piece: Piece) -> float:
        middle_frame = frames[(piece.first + piece.after) // 2].astype(float)
        return float(np.abs(np.diff(middle_frame, axis=1)).mean())

    sharp, softer, softest = map(detail, PIECES)
    assert sharp > softer > softest
    records = degradations_of(session, FPS, (best, middle, worst))
    assert [record.kind for record in records] == ["compression"] * 3
    assert records[0].severity == 1
    assert records[2].severity > records[1].severity
    assert "VMAF" in records[2].provenance


def test_what_was_not_measured_has_no_severity(material: Material) -> None:
    session = Session(PIECES, (Stall(60, 45, False, "held"),))
    (only,) = degradations_of(session, FPS, (None, None, None))
    assert (only.kind, only.severity, only.start_s, only.end_s) == ("freeze", 3, 2.0, 3.5)


def test_times_are_exact_on_both_clocks() -> None:
    stalls = (
        Stall(0, 15, True, "black"),
        Stall(60, 45, False, "held"),
        Stall(90, 30, True, "held"),
    )
    first, second, third = made_stalls(Session(PIECES, stalls), FPS)
    assert (first.start, first.end, first.media_start) == (0.0, 0.5, 0.0)
    assert (second.start, second.end, second.media_start) == (2.5, 4.0, 2.0)
    assert (third.start, third.end, third.media_start) == (5.0, 6.0, 3.0)
    assert [stall.kind for stall in (first, second, third)] == [
        "initial_buffering",
        "freeze",
        "rebuffer",
    ]


def test_drawn_sessions_leave_motion_around_every_stall_and_repeat_with_the_seed() -> None:
    clear = int(CLEAR_S * FPS)
    kinds = set()
    for seed in range(60):
        session = draw_session(240, FPS, seed)
        assert session == draw_session(240, FPS, seed)
        places = [0, *(stall.before for stall in session.stalls if stall.before), 240]
        assert all(b - a >= clear for a, b in pairwise(places))
        kinds |= {(stall.kind, stall.cover) for stall in session.stalls}
    assert kinds == {
        ("initial_buffering", "black"),
        ("initial_buffering", "first"),
        ("rebuffer", "held"),
        ("freeze", "held"),
    }


def test_a_short_clip_gets_a_session_without_stalls_inside() -> None:
    for seed in range(20):
        session = draw_session(30, FPS, seed)
        assert session.media_frames == 30
        assert all(stall.before == 0 for stall in session.stalls)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stall(0, 10, False, "black"), "cannot be told"),
        (lambda: Stall(0, 10, True, "held"), "cannot show"),
        (lambda: Stall(5, 10, True, "black"), "cannot show"),
        (lambda: Stall(5, 0, True, "held"), "0 frames"),
        (lambda: Session((), ()), "begin at 0"),
        (lambda: Session((Piece(1.0, 20, 0, 9), Piece(1.0, 20, 10, 20)), ()), "gap"),
        (lambda: Session(PIECES, (Stall(150, 9, True, "held"),)), "after the end"),
    ],
)
def test_a_session_that_cannot_be_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_material_is_upright_shrunk_and_at_a_constant_rate(tmp_path: Path) -> None:
    clip = tmp_path / "fast.mp4"
    write_clip(clip, moving_scene(1.5, 60, (640, 480)), 60)
    copy = prepare(clip, tmp_path / "fast.mkv", 1.0)
    assert (copy.fps, copy.width, copy.height, copy.count) == (30, 320, 240, 30)
    times = [0, 0.1, 0.2, 0.9, 1.0, *(1.1 + 0.1 * k for k in range(12))]
    uneven = tmp_path / "uneven.mp4"
    write_clip(uneven, list(moving_scene(1.7, 10, SIZE)), 10, pts_s=times)
    copy = prepare(uneven, tmp_path / "uneven.mkv", 9.0)
    held = [np.abs(a.astype(int) - b).max() < 12 for a, b in _pairs(copy)]
    per_second = round(float(copy.fps))
    assert sum(held) >= 0.5 * per_second  # the picture that stays from 0.2 to 0.9 s comes again
    assert copy.length_s == pytest.approx(2.3, abs=0.15)


def _pairs(material: Material) -> list[tuple[np.ndarray, np.ndarray]]:
    frames = list(material.frames())
    return list(pairwise(frames))


@pytest.mark.parametrize(("frames", "size"), [(4, SIZE), (30, (48, 32))])
def test_material_too_short_or_too_small_is_refused(
    tmp_path: Path, frames: int, size: tuple[int, int]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", list(moving_scene(2, FPS, size))[:frames], FPS)
    with pytest.raises(VideoError, match=r"too s|too few"):
        prepare(clip, tmp_path / "a.mkv", 8.0)
    assert not list(tmp_path.glob("*.mkv"))


def test_the_finished_clip_has_a_key_frame_every_two_seconds(
    tmp_path: Path, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "libvmaf_at_hand", lambda: False)
    session = Session(PIECES, (Stall(60, 90, True, "held"),))
    playback.write_session(material, session, tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        keys = [frame.time for frame in container.decode(video=0) if frame.key_frame]
    assert max(b - a for a, b in pairwise(keys)) <= 2.0
