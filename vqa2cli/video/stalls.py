"""Watches decoded frames for stalls: spans in which the picture stood and should not have."""

from __future__ import annotations

from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_kinds import judge
from vqa2cli.video.stall_text import sequence_text, summary_text
from vqa2cli.video.stall_track import (
    SAMPLES,
    SPARSE_KEYS,
    Change,
    FrameLog,
    Luma,
    Pictures,
    RunFinder,
    changes,
)
from vqa2cli.video.stalling import Stalling

#: Frames that are looked at together.
_TOGETHER = 32

__all__ = ["StallTrack", "luma_of", "planar_luma_bits", "sequence_text", "summary_text"]


def luma_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the luma of `frame` at 160 x 90 points: uint8 [90, 160].

    Points and not means: they cost a twentieth, and fine texture that moves still shows.
    Any size gives the same shape, so a change of resolution inside a clip needs no care.
    """
    depth = planar_luma_bits(frame.format)
    plane = frame.planes[0]
    if depth is None or plane.line_size <= 0:
        gray = frame.reformat(width=SAMPLES[1], height=SAMPLES[0], format="gray", threads=1)
        return _samples(gray.planes[0], 8)
    return _samples(plane, depth)


def _samples(plane: av.video.plane.VideoPlane, depth: int) -> NDArray[np.uint8]:
    """Return 8-bit samples [90, 160] of a luma plane of `depth` bits."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    pixels = lines if depth == 8 else lines.view("<u2")
    (down, odd), (across, rest) = divmod(plane.height, SAMPLES[0]), divmod(plane.width, SAMPLES[1])
    if odd == rest == 0:  # the same points as below, in half the time
        picked = pixels[down // 2 :: down, across // 2 : plane.width : across]
    else:
        rows, columns = _points(plane.height, SAMPLES[0]), _points(plane.width, SAMPLES[1])
        picked = pixels[rows].take(columns, axis=1)
    if depth == 8:
        return np.ascontiguousarray(picked)
    return (picked >> np.uint16(depth - 8)).astype(np.uint8)


@lru_cache(maxsize=64)
def _points(length: int, count: int) -> NDArray[np.intp]:
    """Return `count` evenly spaced positions in `length` pixels, at the centres of cells."""
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def planar_luma_bits(form: av.VideoFormat) -> int | None:
    """Return the depth of a format whose first plane is luma alone, else None."""
    name = form.name
    if not name.startswith(("yuv", "gray", "nv12", "nv16")) or name.endswith("be"):
        return None
    first = form.components[0]
    alone = sum(1 for part in form.components if part.plane == 0) == 1
    return first.bits if alone and 8 <= first.bits <= 16 else None


class StallTrack:
    """Takes the frames of one clip in order, then names its stalls.

    Args:
        min_stall_s: shortest span reported, seconds.
    """

    def __init__(self, min_stall_s: float) -> None:
        self._min_stall_s = min_stall_s
        self._log = FrameLog()
        self._whole = RunFinder(outside_only=False)
        self._outside = RunFinder(outside_only=True)
        self._previous: Luma | None = None
        self._last_key = 0
        self._waiting: list[tuple[Luma, float, bool]] = []

    def add(self, luma: NDArray[np.uint8], pts_s: float, key_frame: bool) -> None:
        """Take the next frame: its `luma_of`, its time in seconds, whether it is a key frame."""
        self._waiting.append((luma, pts_s, key_frame))
        if len(self._waiting) == _TOGETHER:
            self._look()

    def _look(self) -> None:
        """Look at the frames that wait, all at once."""
        if not self._waiting:
            return
        lumas, times, keys = zip(*self._waiting, strict=True)
        before = [] if self._previous is None else [self._previous]
        row = Pictures.of([*before, *lumas])
        pictures = row.apart()[len(before) :]
        moved = changes(row[1:], row[:-1])
        none: list[Change | None] = [None] * (1 - len(before))
        index, recoding = len(self._log.pts_s), []
        for picture, one, key_frame in zip(pictures, [*none, *moved], keys, strict=True):
            recodes = key_frame and index - self._last_key >= SPARSE_KEYS
            recoding.append(recodes)
            self._whole.add(index, picture, one, recodes)
            self._outside.add(index, picture, one, recodes)
            if key_frame:
                self._last_key = index
            index += 1
        self._log.add(times, recoding, moved)
        self._previous = lumas[-1]
        self._waiting.clear()

    def close(self, end_s: float) -> tuple[Stalling, NDArray[np.uint8]]:
        """Return the stalls of a clip that ends at `end_s`, and 0 or 1 for every frame.

        `end_s` is the time the last frame leaves the screen, on the clock of the timestamps.
        """
        self._look()
        return judge(self._log, self._whole.runs, self._outside.runs, self._min_stall_s, end_s)
