"""Ladders cut into segments, written by FFmpeg's own HLS and DASH muxers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from tests.video.media import remux
from vqa2cli.video.synthesis import Frame, moving_scene, with_freeze, write_clip

FPS = 25
SIZE = (160, 120)


def scene(seconds: float = 3.0) -> list[Frame]:
    """Return frames of the moving scene."""
    return list(moving_scene(seconds, FPS, SIZE, speed=3))


def stalled(frames: Sequence[Frame], at_s: float = 1.0, length_s: float = 1.0) -> list[Frame]:
    """Return `frames` with one of them held."""
    return with_freeze(list(frames), round(at_s * FPS), round(length_s * FPS))


def whole(path: Path, frames: Sequence[Frame], size: tuple[int, int] = SIZE) -> Path:
    """Write `frames` as one file with a key frame a second."""
    return write_clip(path, frames, Fraction(FPS), gop=FPS, size=size)


def segmented(clip: Path, playlist: Path, **options: str) -> Path:
    """Cut a file into segments of a second behind `playlist`, without encoding it again."""
    playlist.parent.mkdir(parents=True, exist_ok=True)
    form = "dash" if playlist.suffix == ".mpd" else "hls"
    settings = {"seg_duration": "1"} if form == "dash" else {"hls_time": "1", "hls_list_size": "0"}
    return remux(clip, playlist, format=form, options={**settings, **options})


def media_playlist(path: Path, *lines: str, end: bool = True) -> Path:
    """Write a media playlist of these lines."""
    head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1"]
    path.write_text("\n".join([*head, *lines, *(["#EXT-X-ENDLIST"] if end else [])]) + "\n")
    return path


def master_playlist(path: Path, *rungs: tuple[str, str]) -> Path:
    """Write a multivariant playlist: attributes and address of each rung."""
    lines = [f"#EXT-X-STREAM-INF:{attributes}\n{uri}" for attributes, uri in rungs]
    path.write_text("\n".join(["#EXTM3U", *lines]) + "\n")
    return path


def ladder(folder: Path, low: Sequence[Frame], high: Sequence[Frame]) -> Path:
    """Write a ladder of two rungs, TS and fragmented MP4, and return its playlist."""
    folder.mkdir(parents=True, exist_ok=True)
    segmented(whole(folder / "low.mp4", low, (96, 72)), folder / "72p" / "index.m3u8")
    high_clip = whole(folder / "high.mp4", high)
    segmented(high_clip, folder / "120p" / "index.m3u8", hls_segment_type="fmp4")
    return master_playlist(
        folder / "master.m3u8",
        ('BANDWIDTH=90000,RESOLUTION=96x72,CODECS="avc1.64000b,mp4a.40.2"', "72p/index.m3u8"),
        ("BANDWIDTH=200000,AVERAGE-BANDWIDTH=150000,RESOLUTION=160x120,FRAME-RATE=25.000",
         "120p/index.m3u8"),
    )  # fmt: skip
