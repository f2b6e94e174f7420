"""How much fine detail pictures show at several sizes: what rungs of one title are compared by.

Two encodes of one content, looked at in the same moment and at the same size, differ in little but
what encoding took away. So the dearer of two rungs is to show no less detail than the cheaper.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

#: Shorter sides that pictures are looked at in, pixels.
SIDES = (96, 144, 216, 288, 360, 480, 576, 720)

#: A picture is made this small at least: near its own size it shows what resampling left of it.
SHRUNK = 0.8

#: Lines that are looked at together: they stay in the processor's cache.
_BAND = 64

#: Moments looked at, a second.
RATE = 2


@dataclass(frozen=True)
class Detail:
    """Fine detail of pictures whose shorter side was made `side` pixels, 8-bit codes.

    `codes[k]` is of the first picture shown from (k + 0.5) / `RATE` seconds on, None where the
    next moment came before any.
    """

    side: int
    codes: tuple[float | None, ...]


class DetailTrack:
    """Takes decoded pictures one by one and looks at one of every half second."""

    def __init__(self) -> None:
        self._seen: dict[int, list[float | None]] = {}
        self._scalers: defaultdict[int, VideoReformatter] = defaultdict(VideoReformatter)
        self._moment = 0

    def add(self, picture: av.VideoFrame, pts_s: float) -> None:
        """Look at `picture`, shown from `pts_s` on, where it is the first of a moment."""
        moment = math.floor(pts_s * RATE - 0.5)
        if moment < self._moment:
            return
        for side in sides_of(picture):
            codes = self._seen.setdefault(side, [])
            codes += [None] * (moment - len(codes))
            codes.append(fine_detail(at_side(picture, side, self._scalers[side])))
        self._moment = moment + 1

    def close(self) -> tuple[Detail, ...]:
        """Return what was seen, smallest size first."""
        return tuple(Detail(side, tuple(self._seen[side])) for side in sorted(self._seen))


def sides_of(picture: av.VideoFrame) -> tuple[int, ...]:
    """Return those of `SIDES` at which `picture` is looked at."""
    most = SHRUNK * min(picture.width, picture.height)
    return tuple(side for side in SIDES if side <= most)


def at_side(picture: av.VideoFrame, side: int, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """Return the luma [H, W] of `picture` as coded, its shorter side made `side`.

    A `scaler` keeps its filters as long as pictures and sides stay as they are.
    """
    scale = side / min(picture.width, picture.height)
    small = scaler.reformat(
        picture,
        width=round(picture.width * scale),
        height=round(picture.height * scale),
        format="gray",
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    plane = small.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def fine_detail(luma: NDArray[np.uint8]) -> float:
    """Return the mean deviation of `luma` [H, W] from its binomial blur (3 x 3), codes."""
    height, width = luma.shape
    total = sum(
        _deviation(luma[top : top + _BAND + 2].astype(np.int16))
        for top in range(0, height - 2, _BAND)
    )
    return float(total / ((height - 2) * (width - 2)) / 16)


def _deviation(lines: NDArray[np.int16]) -> int:
    """Return 16 times the sum of deviations of all but the outermost pixels."""
    rows = lines[:-2] + 2 * lines[1:-1] + lines[2:]
    blurred = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    return int(np.abs(16 * lines[1:-1, 1:-1] - blurred).sum(dtype=np.int64))
