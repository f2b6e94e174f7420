"""Parts of a decoded picture at little cost: small patches of luma, and sparse colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stalls import planar_luma_bits

Floats = NDArray[np.float32]

#: Side of a patch, px; a multiple of 8, so that patches lie on the grid of coded blocks.
SIDE = 48
#: Smallest side we measure detail on, px.
LEAST_SIDE = 16
#: Patches down and across a landscape picture.
GRID = (5, 7)
#: Lines a picture is seen at: taller ones are averaged down to about this before their
#: sharpness and noise are taken, as a screen of that size would do; ours.
VIEWED_LINES = 480

#: JPEG (full) range of luma, ITU-T H.273 VideoFullRangeFlag as FFmpeg numbers it.
_FULL = 2


@dataclass(frozen=True)
class Patches:
    """Luma patches of one picture, in 8-bit codes.

    `native` [p, s, s] are pixels as coded, their corners on multiples of 8; `viewed` the same
    places averaged to `VIEWED_LINES`.
    """

    native: Floats
    viewed: Floats


def luma_range(frame: av.VideoFrame) -> tuple[float, float]:
    """Return the 8-bit code of black and the number of codes up to white."""
    name = frame.format.name
    studio = name.startswith(("yuv", "nv12", "nv16")) and not name.startswith("yuvj")
    return (16.0, 219.0) if studio and frame.color_range != _FULL else (0.0, 255.0)


def luma_plane(frame: av.VideoFrame) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], int]:
    """Return the luma [H, W] of `frame` without copying it where that can be, and its bits."""
    depth = planar_luma_bits(frame.format)
    plane = frame.planes[0]
    if depth is None or plane.line_size <= 0:
        frame, depth = frame.reformat(format="gray", threads=1), 8
        plane = frame.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    if depth == 8:
        return lines[:, : plane.width], 8
    return lines.view("<u2")[:, : plane.width], depth


def patches_of(frame: av.VideoFrame) -> Patches | None:
    """Return patches spread over the whole of `frame`; None where it is too small for any."""
    plane, depth = luma_plane(frame)
    height, width = plane.shape
    factor = max(1, round(min(height, width) / VIEWED_LINES))
    side = min(SIDE, min(height, width) // factor // 8 * 8)
    if side < LEAST_SIDE:
        return None
    reach = side * factor
    places = _places(height, width, reach)
    wide = np.stack([plane[top : top + reach, left : left + reach] for top, left in places])
    scale = np.float32(1 / (1 << (depth - 8)))
    native = wide[:, :side, :side].astype(np.float32) * scale
    if factor == 1:
        return Patches(native, native)
    return Patches(native, _averaged(wide, factor) * scale)


def _averaged(wide: NDArray[Any], factor: int) -> Floats:
    """Return [p, s, s] means over `factor` x `factor` pixels of [p, s * factor, s * factor]."""
    # Adding strided slices takes a fifth of the time of summing over short axes.
    across = wide[:, :, ::factor].astype(np.uint32)
    for column in range(1, factor):
        across += wide[:, :, column::factor]
    total = across[:, ::factor].copy()
    for row in range(1, factor):
        total += across[:, row::factor]
    return total.astype(np.float32) / np.float32(factor * factor)


@lru_cache(maxsize=16)
def _places(height: int, width: int, reach: int) -> list[tuple[int, int]]:
    """Return corners (top, left) on multiples of 8, evenly spread."""
    down, across = GRID if width >= height else GRID[::-1]
    return [
        (top, left)
        for top in _starts(height, reach, down)
        for left in _starts(width, reach, across)
    ]


def _starts(length: int, reach: int, count: int) -> list[int]:
    count = max(1, min(count, length // reach))
    step = (length - reach) / count
    return [int((index + 0.5) * step) // 8 * 8 for index in range(count)]


#: Colour is sampled at this many points, rows and columns.
_COLOUR_POINTS = (45, 80)


def chroma_of(frame: av.VideoFrame) -> Floats | None:
    """Return sparse colour differences [2, 45 * 80] in 8-bit codes around 0; None for grey."""
    components = frame.format.components
    if len(components) < 3:
        return None
    planar = frame.format.name.startswith("yuv") and not frame.format.name.endswith("be")
    if not planar or len(frame.planes) < 3 or frame.planes[1].line_size <= 0:
        frame = frame.reformat(
            width=_COLOUR_POINTS[1] * 2,
            height=_COLOUR_POINTS[0] * 2,
            format="yuv444p",
            threads=1,
        )
    depth = frame.format.components[1].bits
    return np.stack([_sparse(frame.planes[index], depth) for index in (1, 2)])


def _sparse(plane: av.video.plane.VideoPlane, depth: int) -> Floats:
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    values = lines if depth == 8 else lines.view("<u2")
    rows = np.linspace(0, plane.height - 1, _COLOUR_POINTS[0]).astype(np.intp)
    columns = np.linspace(0, plane.width - 1, _COLOUR_POINTS[1]).astype(np.intp)
    picked = values[rows].take(columns, axis=1).astype(np.float32).ravel()
    centred: Floats = picked / np.float32(1 << (depth - 8)) - np.float32(128)
    return centred
