"""Watches decoded frames for stalls: spans in which the picture stood and should not have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_kinds import judge
from vqa2cli.video.stall_pictures import SAMPLES, Luma
from vqa2cli.video.stall_text import sequence_text, summary_text
from vqa2cli.video.stall_track import SPARSE_KEYS, FrameLog, Row, RunFinder
from vqa2cli.video.stalling import Stalling

#: Frames that are looked at together.
_TOGETHER = 64

__all__ = ["StallTrack", "luma_of", "planar_luma_bits", "sequence_text", "summary_text"]


def luma_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the luma of `frame` at 160 x 90 points: uint8 [90, 160].

    Points and not means: they cost a twentieth, and fine texture that moves still shows.
    Any size gives the same shape, so a change of resolution inside a clip needs no care.
    """
    plane = frame.planes[0]
    points = _points(frame.format.name, plane.width, plane.height, plane.line_size)
    if points is None:
        gray = frame.reformat(width=SAMPLES[1], height=SAMPLES[0], format="gray", threads=1)
        plane = gray.planes[0]
        points = _points("gray", plane.width, plane.height, plane.line_size)
        assert points is not None
    codes = np.frombuffer(memoryview(plane), points.kind)
    picked = codes.take(points.at, mode="clip")
    return picked if points.shift == 0 else (picked >> points.shift).astype(np.uint8)


@dataclass(frozen=True)
class _Points:
    """Where in a plane of codes of one `kind` the samples lie, [90, 160]; 8 bits by a `shift`."""

    at: NDArray[np.intp]
    kind: str
    shift: np.uint16


@lru_cache(maxsize=16)  # asked of every frame, while decoding fills the processor's caches
def _points(form: str, width: int, height: int, line_size: int) -> _Points | None:
    """Return the points of a first plane of luma alone, at the centres of cells; else None."""
    depth = planar_luma_bits(av.VideoFormat(form, width, height))
    if depth is None or line_size <= 0:
        return None
    wide = depth > 8
    rows, columns = (
        ((np.arange(count) + 0.5) * length / count).astype(np.intp)
        for count, length in zip(SAMPLES, (height, width), strict=True)
    )
    at = rows[:, None] * (line_size // (1 + wide)) + columns
    return _Points(at, "<u2" if wide else "u1", np.uint16(depth - 8))


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
        first, recodes = len(self._log.pts_s), []
        for index, key_frame in enumerate(keys, first):
            recodes.append(key_frame and index - self._last_key >= SPARSE_KEYS)
            if key_frame:
                self._last_key = index
        row = Row(first, lumas, recodes, self._previous)
        for finder in (self._whole, self._outside):
            finder.add(row)
        self._log.add(times, row)
        self._previous = lumas[-1]
        self._waiting.clear()

    def close(self, end_s: float) -> tuple[Stalling, NDArray[np.uint8]]:
        """Return the stalls of a clip that ends at `end_s`, and 0 or 1 for every frame.

        `end_s` is the time the last frame leaves the screen, on the clock of the timestamps.
        """
        self._look()
        return judge(self._log, self._whole.runs, self._outside.runs, self._min_stall_s, end_s)
