"""What is measured on every frame, and the still runs it forms.

A frame is sampled at 160 x 90 points and compared in 32 x 18 tiles, with the frame before
it (how much moves) and with the first frame of the current still run (does it still stand).
Comparing with a held frame tells slow motion from none: motion adds up, noise does not.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

#: Luma samples [rows, columns] of every frame, whatever its size, and the tiles over them.
SAMPLES = (90, 160)
TILES = (18, 32)

Luma = NDArray[np.uint8]
TileMap = NDArray[np.float32]  # [18, 32], luma levels of 255

_POINTS = (SAMPLES[0] // TILES[0]) * (SAMPLES[1] // TILES[1])

#: A tile counts as changed above `_NOISE_GAIN` times the picture's median tile plus `_STEP`.
_STEP = 0.5
_NOISE_GAIN = 2.0
#: Median tile difference above which it is motion and not noise: sigma 2 added to a held
#: frame measures 2.3.
_MOST_NOISE = 2.6
#: Median change of a tile's mean that is still no change of brightness.
_MOST_DRIFT = 0.75
#: Share of tiles that may change while the picture counts as standing still.
_STILL_SHARE = 0.01
#: Luma of blackdetect's default `pixel_black_th` 0.10 on the studio range, and its ratio.
_BLACK_LEVEL = 38
_BLACK_SHARE = 0.98
#: Standard deviation of tile means below which a picture shows nothing, levels.
_FLAT_SPREAD = 2.0


def _central() -> NDArray[np.bool_]:
    """Return the tiles [18, 32] of the middle half of each side, where players put a spinner."""
    inside = np.zeros(TILES, bool)
    inside[TILES[0] // 4 : -(TILES[0] // 4), TILES[1] // 4 : -(TILES[1] // 4)] = True
    return inside


CENTRAL = _central()
_OUTSIDE_TILES = int((~CENTRAL).sum())


def tile_means(samples: Luma) -> TileMap:
    """Return the mean [18, 32] of each tile of `samples` [90, 160]."""
    rows = samples.reshape(TILES[0], -1, SAMPLES[1]).sum(1, dtype=np.uint16)
    sums = rows.reshape(*TILES, -1).sum(2, dtype=np.uint16)
    means: TileMap = sums.astype(np.float32) / _POINTS
    return means


@dataclass(frozen=True)
class Change:
    """Difference of two pictures, tile by tile.

    `tiles` holds mean absolute differences, `noise` their median, `drift` the median change
    of the tile means and `shift` its 90th percentile; all in luma levels.
    """

    tiles: TileMap
    changed: NDArray[np.bool_]
    noise: float
    drift: float
    shift: float

    @property
    def share(self) -> float:
        """Share of all tiles that changed, 0 to 1."""
        return float(self.changed.mean())

    def still(self, *, outside_only: bool) -> bool:
        """Whether nothing moved: anywhere, or outside the middle of the picture."""
        if self.noise > _MOST_NOISE or self.drift > _MOST_DRIFT:
            return False
        if outside_only:
            return int((self.changed & ~CENTRAL).sum()) <= _STILL_SHARE * _OUTSIDE_TILES
        return self.share <= _STILL_SHARE


def change(a: Luma, a_means: TileMap, b: Luma, b_means: TileMap) -> Change:
    """Return the difference of two sampled pictures [90, 160] and their tile means."""
    tiles = tile_means(np.maximum(a, b) - np.minimum(a, b))
    ordered = np.sort(np.abs(a_means - b_means), axis=None)
    noise = float(np.median(tiles))
    return Change(
        tiles,
        tiles > _NOISE_GAIN * noise + _STEP,
        noise,
        float(ordered[len(ordered) // 2]),
        float(ordered[len(ordered) * 9 // 10]),
    )


@dataclass
class Run:
    """Frames that look like frame `held`: indices `first` to `last`, both included.

    `jump` is how far (90th percentile of tile means) the held frame is from the last frame
    of the run before it; `heat` counts, per tile, the frames in which it changed.
    """

    first: int
    last: int
    jump: float
    blank: bool
    heat: NDArray[np.uint32]
    active: int = 0

    @property
    def held(self) -> int:
        """Index of the frame that stands."""
        return self.first - 1


@dataclass
class FrameLog:
    """Per-frame scalars of a clip, in order; a few bytes each, so hours of video fit."""

    pts_s: array[float] = field(default_factory=lambda: array("d"))
    key: bytearray = field(default_factory=bytearray)
    share: array[float] = field(default_factory=lambda: array("f"))
    level: array[float] = field(default_factory=lambda: array("f"))
    shift: array[float] = field(default_factory=lambda: array("f"))
    noise: array[float] = field(default_factory=lambda: array("f"))


class RunFinder:
    """Cuts a stream of pictures into still runs; `outside_only` overlooks the middle."""

    def __init__(self, *, outside_only: bool) -> None:
        self.runs: list[Run] = []
        self._outside_only = outside_only
        self._held: tuple[Luma, TileMap] | None = None
        self._open: Run | None = None
        self._last_means: TileMap | None = None

    def add(self, index: int, luma: Luma, means: TileMap, moved: Change | None) -> None:
        """Take frame `index`; `moved` is its difference from the frame before it."""
        if self._held is None or moved is None:
            self._held = (luma, means)
            return
        if not moved.still(outside_only=self._outside_only):
            self._restart(luma, means)
            return
        if self._open is not None:
            since = change(luma, means, *self._held)
            if not since.still(outside_only=self._outside_only):
                self._restart(luma, means)
                return
        self._extend(index, means, moved)

    def _restart(self, luma: Luma, means: TileMap) -> None:
        self._open = None
        self._held = (luma, means)

    def _extend(self, index: int, means: TileMap, moved: Change) -> None:
        """Lengthen the open run by frame `index`, or open one."""
        assert self._held is not None
        if self._open is None:
            jump = 0.0
            if self._last_means is not None:
                jump = float(np.quantile(np.abs(self._held[1] - self._last_means), 0.9))
            heat = np.zeros(TILES, np.uint32)
            self._open = Run(index, index, jump, _blank(self._held[1]), heat)
            self.runs.append(self._open)
        self._open.last = index
        self._open.heat += moved.changed
        self._open.active += bool((moved.changed & CENTRAL).any())
        self._last_means = means


def _blank(means: TileMap) -> bool:
    """Whether a picture shows nothing: black by blackdetect's rule, or one flat colour."""
    black = float((means <= _BLACK_LEVEL).mean()) >= _BLACK_SHARE
    return black or float(means.std()) < _FLAT_SPREAD
