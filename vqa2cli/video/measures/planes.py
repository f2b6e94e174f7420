"""Parts of a decoded picture at little cost: small patches of luma, and sparse colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stalls import planar_luma_bits

Floats = NDArray[np.float32]
Codes = NDArray[np.int16]
Reals = NDArray[np.float64]

#: Side of a patch, px; a multiple of 8, so that patches lie on the grid of coded blocks.
SIDE = 48
#: Smallest side we measure detail on, px.
LEAST_SIDE = 16
#: Patches down and across a landscape picture.
GRID = (5, 7)
#: Lines a picture is seen at: taller ones are averaged down to about this before their
#: sharpness and noise are taken, as a screen of that size would do; ours.
VIEWED_LINES = 480

#: Bits of a sample that are looked at, and steps of a code that averages are rounded to. The second
#: difference both ways, up to 16 times the range, must fit into 16 bits.
_MOST_BITS, _VIEWED_UNIT = 10, 8

#: JPEG (full) range of luma, ITU-T H.273 VideoFullRangeFlag as FFmpeg numbers it.
_FULL = 2


@dataclass(frozen=True)
class Patches:
    """Luma patches of pictures of one size, side by side.

    `codes` int16 [s, n, p, s] (row, picture, patch, column): neighbours in all of them are
    compared in a few long loops so. They are whole steps of one `unit`-th of an 8-bit code.
    """

    codes: Codes
    unit: int

    @cached_property
    def across(self) -> Codes:
        """Differences from each pixel to the next of its row [s, n, p, s]; see `apart_across`."""
        return apart_across(self.codes, 0, 1)

    @cached_property
    def down(self) -> Codes:
        """Differences from each pixel to the next of its column [s - 1, n, p, s]."""
        steps: Codes = np.abs(self.signed_down)
        return steps

    @cached_property
    def signed_down(self) -> Codes:
        """Steps from each pixel to the next of its column [s - 1, n, p, s]."""
        return self.codes[1:] - self.codes[:-1]


def apart_across(codes: Codes, start: int, stop: int) -> Codes:
    """Return the difference of the pixels `start` and `stop` after each of its row: [r, ..., s].

    Where `stop` lies in another patch, in the last columns, it means nothing.
    """
    flat, apart = codes.reshape(-1), np.zeros_like(codes, order="C")
    steps = apart.reshape(-1)[:-stop]
    np.subtract(flat[stop:], flat[start : start - stop], out=steps)
    np.abs(steps, out=steps)
    return apart


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


@dataclass(frozen=True)
class Cut:
    """Patches cut out of one picture: int16 [s, p, s] (row, patch, column) each.

    `native` are pixels as coded, in steps of one `unit`-th of an 8-bit code, their corners on
    multiples of 8; `viewed` the same places averaged to `VIEWED_LINES`, in steps of
    `_VIEWED_UNIT`, or None where that takes no averaging.
    """

    native: Codes
    unit: int
    viewed: Codes | None

    @property
    def kind(self) -> tuple[object, ...]:
        """What cuts have in common that stand beside each other in `Patches`."""
        return self.native.shape, self.unit, self.viewed is None


def side_by_side(cuts: Sequence[Cut]) -> tuple[Patches, Patches]:
    """Return the patches of pictures of one `Cut.kind`: as coded, and as viewed."""
    native = Patches(np.stack([cut.native for cut in cuts], 1), cuts[0].unit)
    viewed = [cut.viewed for cut in cuts if cut.viewed is not None]
    return native, Patches(np.stack(viewed, 1), _VIEWED_UNIT) if viewed else native


def cut_of(frame: av.VideoFrame) -> Cut | None:
    """Return patches spread over the whole of `frame`; None where it is too small for any."""
    plane, depth = luma_plane(frame)
    height, width = plane.shape
    factor = max(1, round(min(height, width) / VIEWED_LINES))
    side = min(SIDE, min(height, width) // factor // 8 * 8)
    if side < LEAST_SIDE:
        return None
    reach = side * factor
    places = _places(height, width, reach)
    wide = np.empty((reach, len(places), reach), plane.dtype)
    for index, (top, left) in enumerate(places):
        wide[:, index] = plane[top : top + reach, left : left + reach]
    finer = max(depth - _MOST_BITS, 0)
    if finer:
        wide >>= np.uint16(finer)
    unit = 1 << (depth - finer - 8)
    native = wide[:side, :, :side].astype(np.int16)
    return Cut(native, unit, _averaged(wide, factor, unit) if factor > 1 else None)


def _averaged(wide: NDArray[Any], factor: int, unit: int) -> Codes:
    """Return means over `factor` x `factor` pixels of [s * factor, p, s * factor]: [s, p, s]."""
    # Adding strided slices takes a fifth of the time of summing over short axes.
    most = 255 * unit * factor * factor
    across: NDArray[Any] = wide[:, :, ::factor].astype(np.uint16 if most < 1 << 16 else np.uint32)
    for column in range(1, factor):
        across += wide[:, :, column::factor]
    total = across[::factor].copy()
    for row in range(1, factor):
        total += across[row::factor]
    means = total.astype(np.float32) * np.float32(_VIEWED_UNIT / (unit * factor * factor))
    rounded: Codes = np.rint(means).astype(np.int16)
    return rounded


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
    rows, columns = map(_spread, (plane.height, plane.width), _COLOUR_POINTS)
    picked = values[rows].take(columns, axis=1).astype(np.float32).ravel()
    centred: Floats = picked / np.float32(1 << (depth - 8)) - np.float32(128)
    return centred


@lru_cache(maxsize=16)
def _spread(length: int, count: int) -> NDArray[np.intp]:
    """Return `count` positions in `length` pixels, from the first to the last."""
    return np.linspace(0, length - 1, count).astype(np.intp)
