"""Odd files made here, each for one trap on the way from a path to its frames."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from vqa2cli.video.synthesis import Frame, moving_scene, write_clip

FPS = 25
SIZE = (160, 120)


def scene(frames: int = 50, size: tuple[int, int] = SIZE, fps: float = FPS) -> list[Frame]:
    """Return `frames` pictures of the moving scene."""
    return list(moving_scene(frames / fps, fps, size))


def clip(path: Path, frames: int = 50, *, fps: float | Fraction = FPS, **how: object) -> Path:
    """Write a small clip and return its path."""
    size = how.pop("scene_size", SIZE)
    return write_clip(path, scene(frames, size), fps, **how)  # type: ignore[arg-type]


def flat(path: Path, yuv: Sequence[int], size: tuple[int, int], frames: int = 3) -> Path:
    """Write a lossless clip of one untagged YUV colour."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            picture = av.VideoFrame(*size, "yuv420p")
            for plane, value in zip(picture.planes, yuv, strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def remux(
    source: Path,
    target: Path,
    *,
    shift_s: float = 0.0,
    degrees: int = 0,
    title: str | None = None,
    **container: Any,
) -> Path:
    """Copy the video packets of `source`, later by `shift_s`, with a display rotation and a title.

    `container` says more of what `target` is opened as.
    """
    with av.open(str(source)) as src, av.open(str(target), "w", **container) as out:
        if title is not None:
            out.metadata["title"] = title
        stream = src.streams.video[0]
        copy = out.add_stream_from_template(stream)
        if degrees:
            copy.set_display_rotation(degrees)
        assert stream.time_base is not None
        shift = round(shift_s / stream.time_base)
        for packet in src.demux(stream):
            if packet.size:
                packet.pts, packet.dts = (
                    None if at is None else at + shift for at in (packet.pts, packet.dts)
                )
                packet.stream = copy
                out.mux(packet)
    return target


def sound(path: Path, codec: str, *, cover: bool = False) -> Path:
    """Write a second of noise, with a picture attached to it if `cover`."""
    container_format = "mp4" if path.suffix == ".m4a" else None
    with av.open(str(path), "w", format=container_format) as container:
        audio = container.add_stream(codec, rate=44100)
        picture = container.add_stream("mjpeg") if cover else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = Disposition.attached_pic
            image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(image.reformat(format="yuvj420p")))
            container.mux(picture.encode())
        noise = np.random.default_rng(0).normal(0, 0.1, (1, 1024)).astype(np.float32)
        for index in range(43):
            form, samples = (
                ("s16", (noise * 8000).astype(np.int16)) if codec == "flac" else ("fltp", noise)
            )
            frame = av.AudioFrame.from_ndarray(samples, format=form, layout="mono")
            frame.sample_rate, frame.pts = 44100, index * 1024
            container.mux(audio.encode(frame))
        container.mux(audio.encode())
    return path


def spoiled(source: Path, target: Path, *, every: int = 7, keep: int = 3) -> Path:
    """Copy `source`, overwriting the inside of every n-th packet after the first `keep`."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size and p.pos]
    for pos, size in places[keep::every]:
        data[pos + 8 : pos + size] = bytes(size - 8)
    target.write_bytes(data)
    return target
