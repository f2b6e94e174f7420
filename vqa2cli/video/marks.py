"""Where a clip can be switched into, is black, and how much detail it shows."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.detail_track import Detail, DetailTrack
from vqa2cli.video.stall_pictures import BLACK_LEVEL, BLACK_SHARE


@dataclass(frozen=True)
class Marks:
    """Seconds of every key frame, [start, end) of every run of black pictures, and their detail."""

    keyframes_s: tuple[float, ...]
    black_s: tuple[tuple[float, float], ...]
    detail: tuple[Detail, ...] = ()


class MarkTrack:
    """Takes decoded pictures one by one and notes their marks."""

    def __init__(self) -> None:
        self._keys = array("d")
        self._black: list[tuple[float, float]] = []
        self._black_since: float | None = None
        self._detail = DetailTrack()

    def add(self, picture: av.VideoFrame, samples: NDArray[np.uint8], pts_s: float) -> None:
        """Note one picture and its `luma_of`, shown from `pts_s` on."""
        self._detail.add(picture, pts_s)
        if picture.key_frame:
            self._keys.append(pts_s)
        black = float((samples <= BLACK_LEVEL).mean()) >= BLACK_SHARE
        if black and self._black_since is None:
            self._black_since = pts_s
        elif not black:
            self._end_black(pts_s)

    def close(self, end_s: float) -> Marks:
        """Return the marks of a clip that ends at `end_s`."""
        self._end_black(end_s)
        return Marks(tuple(self._keys), tuple(self._black), self._detail.close())

    def _end_black(self, at_s: float) -> None:
        if self._black_since is not None:
            self._black.append((self._black_since, at_s))
            self._black_since = None
