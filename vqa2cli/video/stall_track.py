"""What is measured on every frame, and the still runs it forms.

A frame is sampled at 160 x 90 points and compared in 32 x 18 tiles, with the frame before
it (how much moves) and with the first frame of the current still run (does it still stand).
Comparing with a held frame tells slow motion from none: motion adds up, noise does not.
A key frame inside a hold steps in every tile at once, evenly; its flag and that evenness
tell it from motion.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Luma samples [rows, columns] of every frame, whatever its size, and the tiles over them.
SAMPLES = (90, 160)
TILES = (18, 32)

Luma = NDArray[np.uint8]
TileMap = NDArray[np.float32]  # [18, 32], luma levels of 255

#: A tile moved when it differs by more than `_STEP` levels beyond twice the picture's median
#: tile: what x264, x265 and VP9 leave on a held picture stays below, a moving edge does not.
_STEP = 2.0
_NOISE_GAIN = 2.0
#: Median tile difference above which it is motion, not noise: sigma 2 on a held frame is 2.3.
_MOST_NOISE = 2.6
#: Median change of a tile's mean above which brightness moves: x265 blending measures 0.4.
_MOST_DRIFT = 0.7
#: Growth of the median since the held frame that is still noise: gain, and levels beyond it.
_GROWTH = (1.5, 0.75)
#: Tiles that may move while the picture stands (of 576, and of those outside the middle).
_STILL_TILES = 2
#: A key frame codes the held picture anew: medians (levels) of tile differences and of their
#: means, and 90th percentile of means. x264 at crf 38 measures 2.4, 1.3 and 3.6; a cut 30, 25, 60.
_RECODED = (5.0, 2.5, 6.0)
#: Frames between key frames from which on one may be recoding: an intra-only codec heals nothing.
SPARSE_KEYS = 8
#: Luma of blackdetect's default `pixel_black_th` 0.10 on the studio range, and its ratio.
_BLACK_LEVEL = 38
_BLACK_SHARE = 0.98
#: Standard deviation of tile means below which a picture shows nothing, levels.
_FLAT_SPREAD = 2.0


def _central() -> NDArray[np.bool_]:
    """Return the tiles [18, 32] where players put a spinner: 8 x 12 in the middle."""
    inside = np.zeros(TILES, bool)
    rows, columns = TILES[0] // 2, TILES[1] // 2
    inside[rows - 4 : rows + 4, columns - 6 : columns + 6] = True
    return inside


OUTSIDE = ~_central()


@dataclass(frozen=True, eq=False)
class Picture:
    """A sampled frame: luma [90, 160] and the mean [18, 32] of each tile."""

    luma: Luma
    means: TileMap

    @property
    def blank(self) -> bool:
        """Whether it shows nothing: black by blackdetect's rule, or one flat colour."""
        black = float((self.means <= _BLACK_LEVEL).mean()) >= _BLACK_SHARE
        return black or float(self.means.std()) < _FLAT_SPREAD


@dataclass(frozen=True)
class Pictures:
    """Sampled frames in a row: luma [n, 90, 160], and the mean [n, 18, 32] of each tile.

    What is done for all of them at once takes a third of what it takes one by one.
    """

    luma: Luma
    means: TileMap

    @classmethod
    def of(cls, lumas: Sequence[Luma]) -> Pictures:
        """Return frames of these samples [90, 160]."""
        luma = np.stack(lumas)
        return cls(luma, tile_means(luma))

    def __getitem__(self, which: slice) -> Pictures:
        """Return some of the frames."""
        return Pictures(self.luma[which], self.means[which])

    def apart(self) -> list[Picture]:
        """Return the frames one by one."""
        return [Picture(*each) for each in zip(self.luma, self.means, strict=True)]


def tile_means(samples: Luma, tiles: tuple[int, int] = TILES) -> TileMap:
    """Return the mean [..., *tiles] of each tile of `samples` [..., rows, columns]."""
    *lead, high, wide = samples.shape
    tall, broad = high // tiles[0], wide // tiles[1]
    rows = samples.reshape(*lead, tiles[0], tall, wide).sum(-2, dtype=np.uint16)
    parts = rows.reshape(*lead, *tiles, broad)
    sums = parts[..., 0].copy()  # adding columns takes half the time of summing five by five
    for column in range(1, broad):
        sums += parts[..., column]
    means: TileMap = sums.astype(np.float32) / (tall * broad)
    return means


@dataclass(frozen=True)
class Change:
    """Difference of two pictures, tile by tile, in luma levels.

    `tiles` holds mean absolute differences, `noise` their median, `drift` the median and
    `shift` the 90th percentile of how far tile means went; `moved` marks tiles beyond noise,
    `count` is how many did, `outside` how many of those outside the middle of the picture.
    """

    tiles: TileMap
    moved: NDArray[np.bool_]
    noise: float
    drift: float
    shift: float
    count: int
    outside: int

    def still(self, *, outside_only: bool) -> bool:
        """Whether nothing moved: anywhere, or outside the middle of the picture."""
        even = self.noise <= _MOST_NOISE and self.drift <= _MOST_DRIFT
        return even and (self.outside if outside_only else self.count) <= _STILL_TILES

    @property
    def recoded(self) -> bool:
        """Whether it may be the same picture, coded anew."""
        noise, drift, shift = _RECODED
        return self.noise <= noise and self.drift <= drift and self.shift <= shift


@lru_cache(maxsize=1)  # runs with and without the middle often ask for the same
def change(a: Picture, b: Picture, noise: float | None = None) -> Change:
    """Return the difference of two pictures; `noise` stands in for their own where given."""
    one, other = (Pictures(each.luma[None], each.means[None]) for each in (a, b))
    (found,) = changes(one, other, noise)
    return found


def changes(pictures: Pictures, others: Pictures, noise: float | None = None) -> list[Change]:
    """Return the difference of each picture from the other at its place; see `change`."""
    above, below = (each(pictures.luma, others.luma) for each in (np.maximum, np.minimum))
    flat = (len(pictures.luma), math.prod(TILES))
    tiles = tile_means(above - below)
    shifts = np.sort(np.abs(pictures.means - others.means).reshape(flat), axis=1)
    middle, high = flat[1] // 2, flat[1] * 9 // 10
    medians = np.sort(tiles.reshape(flat), axis=1)[:, middle]
    noises = medians if noise is None else np.full(flat[0], noise)
    floors = _NOISE_GAIN * np.minimum(noises.astype(np.float64), _MOST_NOISE) + _STEP
    moved = tiles > floors[:, None, None].astype(np.float32)
    counts = [each.reshape(flat).sum(1).tolist() for each in (moved, moved & OUTSIDE)]
    drift, shift = shifts[:, middle].tolist(), shifts[:, high].tolist()
    return [
        Change(*each)
        for each in zip(tiles, moved, medians.tolist(), drift, shift, *counts, strict=True)
    ]


@dataclass(slots=True)
class Run:
    """Frames `first` to `last`, both included, that show what frame `first - 1` shows.

    `crept` says that the run before it ended without a visible step, by slow change adding
    up; `jump` is how far (`Change.shift`) its held frame is from that run's last; `heat`
    counts, per tile, the frames that moved there, `active` the frames with any such tile.
    """

    first: int
    last: int
    crept: bool
    jump: float
    blank: bool
    heat: NDArray[np.uint32] | None = None  # None: nothing moved; hours of repeats stay small
    active: int = 0


@dataclass
class FrameLog:
    """Per-frame scalars of a clip, in order; a few bytes each, so hours of video fit.

    `moving` is 1 where the frame differs from the one before it beyond noise and recoding;
    `level` is the mean tile difference, `activity` what moved beyond noise, its mean over all
    tiles: area times amplitude; `shift` and `noise` are those of `Change`.
    """

    pts_s: array[float] = field(default_factory=lambda: array("d"))
    key: bytearray = field(default_factory=bytearray)
    moving: bytearray = field(default_factory=bytearray)
    level: array[float] = field(default_factory=lambda: array("f"))
    activity: array[float] = field(default_factory=lambda: array("f"))
    shift: array[float] = field(default_factory=lambda: array("f"))
    noise: array[float] = field(default_factory=lambda: array("f"))

    def add(self, pts_s: Sequence[float], key: Sequence[bool], moved: Sequence[Change]) -> None:
        """Take frames in a row; the first of a clip has no change from one before it."""
        first = [0.0] * (len(pts_s) - len(moved))
        self.pts_s.extend(pts_s)
        self.key.extend(key)
        self.moving.extend([0] * len(first))
        self.moving.extend(not each.still(outside_only=False) for each in moved)
        for column in (self.level, self.activity, self.shift, self.noise):
            column.extend(first)
        if moved:
            tiles = np.stack([each.tiles for each in moved])
            active = np.where(np.stack([each.moved for each in moved]), tiles, np.float32(0))
            self.level.extend(tiles.mean((1, 2)).tolist())
            self.activity.extend(active.mean((1, 2)).tolist())
        self.shift.extend(each.shift for each in moved)
        self.noise.extend(each.noise for each in moved)


class RunFinder:
    """Cuts a stream of pictures into still runs; `outside_only` overlooks the middle."""

    def __init__(self, *, outside_only: bool) -> None:
        self.runs: list[Run] = []
        self._outside_only = outside_only
        self._held: Picture | None = None
        self._open: Run | None = None
        self._noise = 0.0
        self._crept = False
        self._last: Picture | None = None  # last picture of the latest run

    def add(self, index: int, picture: Picture, moved: Change | None, recodes: bool) -> None:
        """Take frame `index`.

        Args:
            moved: its difference from the frame before it; None for the first frame.
            recodes: it is a key frame that may code the held picture anew.
        """
        if self._held is None or moved is None:
            self._held = picture
            return
        still = moved.still(outside_only=self._outside_only)
        healed = recodes and moved.recoded and self._open is not None
        if not still and not healed:
            self._restart(picture, crept=False)
            return
        if self._open is not None and not recodes and self._left(picture, moved):
            self._restart(picture, crept=True)
            return
        self._extend(index, picture, moved, healed)

    def _left(self, picture: Picture, moved: Change) -> bool:
        """Whether slow change has added up since the held frame."""
        assert self._held is not None
        self._noise = max(self._noise, moved.noise)
        since = change(picture, self._held, self._noise)
        gain, levels = _GROWTH
        grown = since.noise > gain * self._noise + levels
        return grown or not since.still(outside_only=self._outside_only)

    def _restart(self, picture: Picture, *, crept: bool) -> None:
        """Hold `picture` from now on; forget a run of one frame, a cadence is full of them."""
        if self._open is not None and self._open.first == self._open.last and not self._open.crept:
            self.runs.pop()
        self._open, self._held, self._noise, self._crept = None, picture, 0.0, crept

    def _extend(self, index: int, picture: Picture, moved: Change, healed: bool) -> None:
        """Lengthen the open run by frame `index`, or open one."""
        assert self._held is not None
        if self._open is None:
            jump = change(self._held, self._last).shift if self._last is not None else 0.0
            self._open = Run(index, index, self._crept, jump, self._held.blank)
            self.runs.append(self._open)
        self._open.last = index
        self._last = picture
        if healed:
            self._held = picture
        elif moved.count:  # what recoding changes is no spinner
            heat = self._open.heat
            self._open.heat = moved.moved.astype(np.uint32) if heat is None else heat + moved.moved
            self._open.active += 1
