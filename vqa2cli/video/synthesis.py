"""Clips made here: a procedural moving scene, and a writer that encodes frames with PyAV.

`vqa2 sample` and the tests share it, so that both look at real decoded media.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


def moving_scene(
    seconds: float, fps: float, size: tuple[int, int], *, seed: int = 0, speed: float = 1.0
) -> Iterator[Frame]:
    """Yield uint8 RGB frames [H, W, 3] of a textured scene under a panning camera.

    The scene has fine texture, soft shading, hard edges and two objects that move on their
    own; the same seed gives the same pixels. `size` is (width, height), `speed` scales the
    motion.
    """
    width, height = size
    canvas = _canvas(width, height, np.random.default_rng(seed))
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    reach_y, reach_x = canvas.shape[0] - height, canvas.shape[1] - width
    for index in range(round(seconds * fps)):
        t = speed * index / fps
        top = int((0.5 + 0.5 * np.sin(0.7 * t + seed)) * reach_y)
        left = int((0.5 + 0.5 * np.sin(0.5 * t + 1.3 * seed)) * reach_x)
        picture = canvas[top : top + height, left : left + width].copy()
        for k, colour in enumerate(((230, 60, 40), (40, 90, 220))):
            cx = (0.5 + 0.38 * np.sin(1.9 * t + 2 * k + seed)) * width
            cy = (0.5 + 0.33 * np.cos(1.3 * t + k)) * height
            inside = (xx - cx) ** 2 + (yy - cy) ** 2 < (0.09 * height) ** 2
            picture[inside] = colour
        yield picture


def _canvas(width: int, height: int, rng: np.random.Generator) -> Frame:
    """Return a texture a third larger than the picture: noise at every scale, and bars."""
    h, w = height + height // 3 + 1, width + width // 3 + 1
    total = np.zeros((h, w, 3), np.float32)
    cell = max(h, w)
    weight = 1.0
    while cell >= 2:
        grid = rng.normal(size=(h // cell + 2, w // cell + 2, 3)).astype(np.float32)
        rows, cols = np.arange(h) / cell, np.arange(w) / cell
        total += weight * _bilinear(grid, rows, cols)
        cell //= 2
        weight *= 0.72
    total = 128 + 46 * total / total.std()
    bars = (np.arange(w) // max(w // 24, 1)) % 4 == 0
    total[h // 2 : h // 2 + max(h // 30, 2), bars] = 235
    canvas: Frame = np.clip(total, 4, 251).astype(np.uint8)
    return canvas


def _bilinear(
    grid: NDArray[np.float32], rows: NDArray[np.float64], cols: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Sample `grid` [h, w, 3] at every (row, col) pair, linearly."""
    r0, c0 = rows.astype(int), cols.astype(int)
    fr = (rows - r0).astype(np.float32)[:, None, None]
    fc = (cols - c0).astype(np.float32)[None, :, None]
    across = grid[:, c0] * (1 - fc) + grid[:, c0 + 1] * fc
    mixed: NDArray[np.float32] = across[r0] * (1 - fr) + across[r0 + 1] * fr
    return mixed


def with_freeze(frames: Sequence[Frame], start: int, length: int) -> list[Frame]:
    """Return `frames` with frame `start - 1` held for `length` more frames: a rebuffering."""
    held = [frames[max(start - 1, 0)]] * length
    return [*frames[:start], *held, *frames[start:]]


def write_clip(
    path: Path,
    frames: Iterable[Frame],
    fps: float | Fraction,
    *,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    gop: int = 60,
    size: tuple[int, int] | None = None,
    bit_rate: int | None = None,
    pts_s: Sequence[float] | None = None,
) -> Path:
    """Encode RGB `frames` to `path` and return it; the suffix names the container.

    Encoding is reproducible where both sides are multiples of 8: one slice a frame, one thread
    (in others x264's macroblock tree reads what nobody wrote). `size` (width, height) scales
    before encoding; `pts_s` gives each frame its own time in seconds (variable frame rate).
    Without `bit_rate` or a `crf` option the encoder's own default quality holds.
    """
    rate = Fraction(fps).limit_denominator(1001)
    settings = {**_REPRODUCIBLE.get(codec, {}), **(options or {})}
    with av.open(str(path), "w") as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=rate, options=settings))
        stream.pix_fmt = pix_fmt
        stream.thread_count = 1
        stream.codec_context.gop_size = gop
        if pts_s is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        for index, rgb in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            if index == 0:
                stream.width, stream.height = size or (picture.width, picture.height)
            picture = picture.reformat(
                width=stream.width,
                height=stream.height,
                format=pix_fmt,
                interpolation="AREA",
                threads=1,
            )
            if pts_s is None:
                picture.pts, picture.time_base = index, 1 / rate
            else:
                picture.pts, picture.time_base = round(pts_s[index] * 90000), Fraction(1, 90000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


_REPRODUCIBLE: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast", "x264-params": "sliced-threads=0:slices=1:threads=1"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "10", "svtav1-params": "lp=1"},
}
