"""Sampled frames, and how they differ from each other, tile by tile.

A frame is sampled at 160 x 90 points and compared in 32 x 18 tiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Luma samples [rows, columns] of every frame, whatever its size, and the tiles over them.
SAMPLES = (90, 160)
TILES = (18, 32)
_AREA = math.prod(TILES)
#: Places of the median and of the 90th percentile among them.
_MIDDLE, _HIGH = _AREA // 2, _AREA * 9 // 10

Luma = NDArray[np.uint8]
TileMap = NDArray[np.float32]  # [18, 32], luma levels of 255
Shares = NDArray[np.float64]  # [n], 0 to 1

#: A tile moved when it differs by more than `_STEP` levels beyond twice the picture's median
#: tile: what x264, x265 and VP9 leave on a held picture stays below, a moving edge does not.
_STEP = 2.0
_NOISE_GAIN = 2.0
#: Median tile difference above which it is motion, not noise: sigma 2 on a held frame is 2.3.
_MOST_NOISE = 2.6
#: Median change of a tile's mean above which brightness moves: x265 blending measures 0.4.
_MOST_DRIFT = 0.7
#: Tiles that may move while the picture stands (of 576, and of those outside the middle).
_STILL_TILES = 2
#: A key frame codes the held picture anew: medians (levels) of tile differences and of their
#: means, and 90th percentile of means. x264 at crf 38 measures 2.4, 1.3 and 3.6; a cut 30, 25, 60.
_RECODED = (5.0, 2.5, 6.0)
#: Luma of blackdetect's default `pixel_black_th` 0.10 on the studio range, and its ratio.
BLACK_LEVEL = 38
BLACK_SHARE = 0.98
#: Standard deviation of tile means below which a picture shows nothing, levels.
_FLAT_SPREAD = 2.0
#: A picture that a player laid something over: how many tiles follow the picture below,
#: how far from it they may be (levels, and a share of their spread), and by which factor it may be
#: dimmed or lit again; and the share of the middle that may be hidden: a spinner leaves most of it
#: free, a menu does not.
_UNCOVERED = _AREA * 7 // 10
_FOLLOWS = (3.0, 0.1)
_GAINS = (0.15, 7.0)
_HIDDEN = 0.5
#: Levels that a tile comes up by, or goes down, as a title fades in on black.
_COMES_UP = 1.0
#: Correlation of tile means from which on two pictures are of one shot, and how far their
#: contrasts may be apart, as a factor.
_ONE_SHOT = 0.9
_ONE_LIGHT = 1.4


#: Tiles where players put a spinner, 8 x 12 in the middle, and the samples in them.
_SPINNER_TILES = (slice(5, 13), slice(10, 22))
_SPINNER_SAMPLES = tuple(
    slice(each.start * size, each.stop * size)
    for each, size in zip(_SPINNER_TILES, np.array(SAMPLES) // TILES, strict=True)
)
OUTSIDE = np.ones(TILES, bool)
OUTSIDE[_SPINNER_TILES] = False


def _edges() -> NDArray[np.bool_]:
    """Return the tiles [18, 32] at the edges of the picture: what leaves it leaves by them."""
    edges = np.ones(TILES, bool)
    edges[2:-2, 3:-3] = False
    return edges


EDGES = _edges()


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

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self.luma)

    def blank(self) -> NDArray[np.bool_]:
        """Return for each whether it shows nothing: black by blackdetect's rule, or one colour."""
        means = self.means.reshape(len(self), _AREA)
        black = (means <= BLACK_LEVEL).mean(1) >= BLACK_SHARE
        blank: NDArray[np.bool_] = black | (means.std(1) < _FLAT_SPREAD)
        return blank

    def dark(self) -> NDArray[np.bool_]:
        """Return for each whether it is black outside its middle."""
        dark: NDArray[np.bool_] = (self.means[:, OUTSIDE] <= BLACK_LEVEL).mean(1) >= BLACK_SHARE
        return dark

    def gain_over(self, other: Pictures) -> float | None:
        """Return by which factor one picture is another dimmed or lit, with something over a part.

        None where it is not.
        """
        over, under = self.means.reshape(_AREA), other.means.reshape(_AREA)
        kept = np.ones(_AREA, bool)
        for _ in range(3):  # what is laid over it does not follow
            ((varies, both), _) = np.cov(under[kept], over[kept])
            if varies < _FLAT_SPREAD**2:
                return None
            gain = both / varies
            apart = over - gain * under
            apart = np.abs(apart - apart[kept].mean())
            kept = apart <= np.partition(apart, _UNCOVERED)[_UNCOVERED]
        spread = float(over[kept].std())
        limit = max(_FOLLOWS[0], _FOLLOWS[1] * spread)
        hidden = (apart.reshape(TILES)[_SPINNER_TILES] > limit).mean()
        fits = apart[kept].max() <= limit and spread >= _FLAT_SPREAD and hidden <= _HIDDEN
        return float(gain) if fits and _GAINS[0] <= gain <= _GAINS[1] else None

    def comes_up_from(self, other: Pictures) -> bool:
        """Return whether a picture, half of it black, is another to which light was added."""
        change = (self.means - other.means).reshape(_AREA)
        black = np.count_nonzero(self.means <= BLACK_LEVEL) >= _AREA // 2
        lit, dimmer = (np.count_nonzero(each > _COMES_UP) for each in (change, -change))
        return bool(black and lit and dimmer <= _STILL_TILES)

    def of_one_shot(self, other: Pictures) -> bool:
        """Return whether two pictures are alike, tile by tile, and alike in contrast."""
        ours, theirs = self.means.reshape(_AREA), other.means.reshape(_AREA)
        less, more = sorted((float(ours.std()), float(theirs.std())))
        if less < _FLAT_SPREAD or more > _ONE_LIGHT * less:
            return False
        return bool(np.corrcoef(ours, theirs)[0, 1] >= _ONE_SHOT)

    def shifts(self, others: Pictures) -> TileMap:
        """Return how far tile means are from those of others, in order: [n, 576]."""
        apart = np.abs(self.means - others.means)
        return np.sort(apart.reshape(len(self), _AREA), axis=1)

    def same(self, others: Pictures) -> tuple[Shares, Shares]:
        """Return the share of samples that are those of others, in order: [n].

        The second is that of the samples outside the middle alone.
        """
        equal = self.luma == others.luma
        whole = _counts(equal)
        middle = _counts(np.ascontiguousarray(equal[:, *_SPINNER_SAMPLES]))
        samples, outside = math.prod(SAMPLES), float(OUTSIDE.mean())
        return whole / samples, (whole - middle) / (samples * outside)

    def jump(self, other: Pictures) -> float:
        """Return the 90th percentile of how far tile means of one picture are from another's."""
        return float(self.shifts(other)[0, _HIGH])


def tile_means(samples: Luma, tiles: tuple[int, int] = TILES) -> TileMap:
    """Return the mean [..., *tiles] of each tile of `samples` [..., rows, columns]."""
    *lead, high, wide = samples.shape
    tall, broad = high // tiles[0], wide // tiles[1]
    rows = samples.reshape(*lead, tiles[0], tall, wide)
    lines = _added([rows[..., row, :] for row in range(tall)])
    parts = lines.reshape(*lead, *tiles, broad)
    sums = _added([parts[..., column] for column in range(broad)])
    means: TileMap = sums.astype(np.float32) / (tall * broad)
    return means


def _counts(marked: NDArray[np.bool_]) -> Shares:
    """Return how many values of each picture are marked, [n]: faster than a sum over axes."""
    return np.array([np.count_nonzero(each) for each in marked], np.float64)


def _added(parts: Sequence[NDArray[np.unsignedinteger]]) -> NDArray[np.uint16]:
    """Return the sum of arrays: a third of the time that summing over an axis takes."""
    total = parts[0].astype(np.uint16)
    for part in parts[1:]:
        total += part
    return total


class Change(NamedTuple):
    """Difference of two pictures, in luma levels.

    `noise` is the median of the tiles' mean absolute differences, `drift` the median and
    `shift` the 90th percentile of how far tile means went; `moved` marks tiles [18, 32] beyond
    noise, `active` is whether any did. `stands`: nothing moved; `stands_around`: nothing outside
    the middle of the picture.
    """

    moved: NDArray[np.bool_]
    noise: float
    drift: float
    shift: float
    active: bool
    stands: bool
    stands_around: bool

    def still(self, *, outside_only: bool) -> bool:
        """Whether nothing moved: anywhere, or outside the middle of the picture."""
        return self.stands_around if outside_only else self.stands

    @property
    def recoded(self) -> bool:
        """Whether it may be the same picture, coded anew."""
        noise, drift, shift = _RECODED
        return self.noise <= noise and self.drift <= drift and self.shift <= shift


@dataclass(frozen=True)
class Differences:
    """Differences of pictures in a row from others: `tiles` [n, 18, 32], the rest [n].

    `tiles` holds mean absolute differences in luma levels; see `Change` for the rest.
    """

    tiles: TileMap
    noise: NDArray[np.float32]
    drift: NDArray[np.float32]
    shift: NDArray[np.float32]

    @classmethod
    def between(cls, pictures: Pictures, others: Pictures) -> Differences:
        """Return the difference of each picture from the other at its place, or from one."""
        above, below = (each(pictures.luma, others.luma) for each in (np.maximum, np.minimum))
        tiles = tile_means(above - below)
        shifts = pictures.shifts(others)
        noise = np.sort(tiles.reshape(len(tiles), _AREA), axis=1)[:, _MIDDLE]
        return cls(tiles, noise, shifts[:, _MIDDLE], shifts[:, _HIGH])

    def changes(self, noise: NDArray[np.float32] | None = None) -> list[Change]:
        """Return them one by one; `noise` [n] stands in for their own where given."""
        heard = self.noise if noise is None else noise
        floors = _NOISE_GAIN * np.minimum(heard.astype(np.float64), _MOST_NOISE) + _STEP
        moved = self.tiles > floors[:, None, None].astype(np.float32)
        flat = moved.reshape(len(moved), _AREA)
        everywhere, outside = flat.sum(1), (flat & OUTSIDE.reshape(_AREA)).sum(1)
        even = (self.noise <= _MOST_NOISE) & (self.drift <= _MOST_DRIFT)
        still = (even & (count <= _STILL_TILES) for count in (everywhere, outside))
        columns = (self.noise, self.drift, self.shift, everywhere > 0, *still)
        return list(map(Change, moved, *(column.tolist() for column in columns)))
