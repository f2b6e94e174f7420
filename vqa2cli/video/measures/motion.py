"""What changes from picture to picture: differences, global movement, mean luma.

Pictures come in runs, so that a numpy call serves dozens of them.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_pictures import BLACK_SHARE, tile_means

Floats = NDArray[np.float32]

#: Bands a profile is taken in, one beside the other: what moves in one of three is an object.
_BANDS = 3
#: Rows and columns that profiles are means over: some, and so many that bands divide evenly.
_EVERY_ROW = 3
_COLUMNS = slice(2, 2 + 156, 2)
#: Farthest global movement between two pictures that is looked for, samples.
_REACH = 8
#: How much better the best shift must fit than none, to count as movement; ours.
_FIT_GAIN = 0.8
#: Places [rows, columns] that differences are looked at in, and which of them, counted from the
#: liveliest, speaks for those where things move: a fiftieth of the picture may do so alone; ours.
_PLACES, _LIVELIEST = (9, 16), 3
#: Mean difference of two pictures, codes, from which on it is looked at how alike they are.
LIKENESS_CODES = 12.0


@dataclass
class MotionLog:
    """Per-frame scalars of a clip, a few bytes each, so hours of video fit.

    `mean` is the mean code of the samples, `difference` the mean absolute difference from the
    frame before, codes, `liveliest` that of the places where most moves; `dx` and `dy` the
    movement of the whole picture since then in samples of 160 x 90 a picture; `black` 1 where the
    picture is; `likeness` how well the picture correlates with the one before, looked at where they
    differ by `LIKENESS_CODES`. The first frame has zeros, and a likeness of 1 as all that is not
    looked at.
    """

    pts_s: array[float] = field(default_factory=lambda: array("d"))
    mean: array[float] = field(default_factory=lambda: array("f"))
    difference: array[float] = field(default_factory=lambda: array("f"))
    liveliest: array[float] = field(default_factory=lambda: array("f"))
    dx: array[float] = field(default_factory=lambda: array("f"))
    dy: array[float] = field(default_factory=lambda: array("f"))
    black: bytearray = field(default_factory=bytearray)
    likeness: array[float] = field(default_factory=lambda: array("f"))

    def add(
        self, pictures: NDArray[np.uint8], pts_s: list[float], first: bool, black_code: float
    ) -> None:
        """Take a run of pictures.

        Args:
            pictures: uint8 samples [n, 90, 160]; unless `first`, the frame before comes first
                and is not counted again.
            pts_s: times of the frames counted, seconds.
            black_code: code up to which a sample is black.
        """
        small = np.ascontiguousarray(pictures[:, ::2, ::2])
        steps = np.maximum(small[1:], small[:-1]) - np.minimum(small[1:], small[:-1])
        self.pts_s.extend(pts_s)
        fresh = small if first else small[1:]
        means = _means(fresh)
        black = np.count_nonzero(fresh <= black_code, axis=(1, 2)) >= BLACK_SHARE * fresh[0].size
        self.mean.extend(means.tolist())
        self.black.extend(black.astype(np.uint8).tobytes())
        start = [0.0] if first else []
        differences = _means(steps)
        self.difference.extend(start + differences.tolist())
        places = tile_means(steps, _PLACES).reshape(len(steps), math.prod(_PLACES))
        liveliest = np.partition(places, -_LIVELIEST, axis=1)[:, -_LIVELIEST]
        self.liveliest.extend(start + liveliest.tolist())
        alike = np.ones(len(fresh), np.float32)
        for at in np.flatnonzero(differences >= LIKENESS_CODES).tolist():
            alike[at + len(start)] = likeness(small[at], small[at + 1])
        self.likeness.extend(alike.tolist())
        dx, dy = shifts(pictures)
        self.dx.extend(start + dx.tolist())
        self.dy.extend(start + dy.tolist())

    def arrays(self) -> MotionArrays:
        """Return the log as arrays."""
        return MotionArrays(
            pts_s=np.array(self.pts_s, np.float64),
            mean=np.array(self.mean, np.float32),
            difference=np.array(self.difference, np.float32),
            liveliest=np.array(self.liveliest, np.float32),
            dx=np.array(self.dx, np.float32),
            dy=np.array(self.dy, np.float32),
            black=np.frombuffer(bytes(self.black), np.uint8),
            likeness=np.array(self.likeness, np.float32),
        )


@dataclass(frozen=True)
class MotionArrays:
    """A `MotionLog` as arrays [n]."""

    pts_s: NDArray[np.float64]
    mean: Floats
    difference: Floats
    liveliest: Floats
    dx: Floats
    dy: Floats
    black: NDArray[np.uint8]
    likeness: Floats

    @cached_property
    def interval_s(self) -> float:
        """The usual time between frames, seconds."""
        return float(np.median(np.diff(self.pts_s))) if len(self.pts_s) > 1 else 0.04


def _means(pictures: NDArray[np.uint8]) -> Floats:
    """Return the mean code of each of pictures [n, rows, columns]: [n]."""
    codes = pictures.reshape(len(pictures), math.prod(pictures.shape[1:]))
    means: Floats = codes.sum(1, dtype=np.uint32).astype(np.float32) / np.float32(codes.shape[1])
    return means


def likeness(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return how two pictures of one size correlate, -1 to 1; 0 where one of them is flat.

    Light, contrast and colour may change and leave it high; another scene does not.
    """
    first, second = (each.astype(np.float64).ravel() - each.mean() for each in (picture, other))
    lengths = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / lengths if lengths else 0.0


def shifts(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return how far each picture moved as a whole since the one before, in samples.

    Column and row profiles of three bands are compared at every whole shift; a parabola gives
    the part between, and the middle band's answer (the median) counts, so that one moving
    object does not.

    Args:
        pictures: uint8 [n + 1, 90, 160].

    Returns:
        Movement across and down, float32 [n] each; 0 where no shift fits clearly better.

    Source: matching of projections, as FFmpeg's `deshake` and digital image stabilisers
    before it; bands and thresholds are ours.
    """
    count, _, columns = pictures.shape
    lines = pictures[:, ::_EVERY_ROW].reshape(count, _BANDS, -1, columns)
    across = lines.sum(2, dtype=np.uint16).astype(np.float32) / np.float32(lines.shape[2])
    # A product sums short runs of columns in a quarter of the time of `mean`.
    sliced = pictures[:, :, _COLUMNS].astype(np.float32)
    bands = np.repeat(np.eye(_BANDS, dtype=np.float32), sliced.shape[2] // _BANDS, axis=0)
    down = np.moveaxis(sliced @ bands / (len(bands) // _BANDS), 2, 1)
    return _shift(across), _shift(np.ascontiguousarray(down))


def _shift(profiles: Floats) -> Floats:
    """Return the median shift of profiles [n + 1, bands, length] from one to the next: [n]."""
    centred = profiles - profiles.mean(2, keepdims=True)
    inner = profiles.shape[2] - 2 * _REACH
    new = centred[1:, :, _REACH:-_REACH]
    old = np.lib.stride_tricks.sliding_window_view(centred[:-1], inner, axis=2)[:, :, ::-1]
    # The mean squared difference at every shift, its square written out.
    squares = np.zeros((len(new), *profiles.shape[1:-1], profiles.shape[2] + 1), np.float32)
    np.cumsum(np.square(centred[:-1]), axis=2, out=squares[:, :, 1:])
    theirs = (squares[:, :, inner:] - squares[:, :, :-inner])[:, :, ::-1]
    costs = theirs - 2 * np.einsum("nbsl,nbl->nbs", old, new)
    costs += np.square(new).sum(2, keepdims=True)
    costs = np.maximum(costs, 0) / inner
    best = np.clip(costs.argmin(2), 1, 2 * _REACH - 1)[:, :, None]
    low, middle, high = (np.take_along_axis(costs, best + side, 2)[:, :, 0] for side in (-1, 0, 1))
    bend = np.maximum(low - 2 * middle + high, 1e-6)
    moved = best[:, :, 0] - _REACH + np.clip(0.5 * (low - high) / bend, -0.5, 0.5)
    clear = middle < _FIT_GAIN * costs[:, :, _REACH]
    near = np.abs(moved) <= 1.0  # around no shift at all the parabola alone decides
    found: Floats = np.median(np.where(clear | near, moved, 0.0), axis=1).astype(np.float32)
    return found
