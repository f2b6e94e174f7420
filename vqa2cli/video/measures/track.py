"""Watches decoded frames and measures the signal, twice a second."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures import pace, tone
from vqa2cli.video.measures.looks import Looks
from vqa2cli.video.measures.motion import MotionArrays, MotionLog
from vqa2cli.video.measures.packets import PacketCells
from vqa2cli.video.measures.planes import luma_range
from vqa2cli.video.measures.records import (
    BLACK_CELL,
    NAMES,
    STEP_S,
    Series,
    SignalMeasures,
)
from vqa2cli.video.stall_pictures import SAMPLES

#: Frames taken together; one numpy call then serves them all.
RUN = 32
#: Share of the nominal range up to which a sample is black (FFmpeg's `blackdetect`).
_BLACK = 0.10
#: Cells on both sides that a value of flicker and shake is the mean over: swings need time.
_SPREAD = 1


class MeasureTrack:
    """Takes the frames of one clip in order, then gives its measures."""

    def __init__(self) -> None:
        self._motion = MotionLog()
        self._run = np.empty((RUN + 1, *SAMPLES), np.uint8)
        self._held = 0
        self._times: list[float] = []
        self._looks: Looks | None = None
        self._brightest = np.zeros(SAMPLES, np.uint8)
        self._range = (16.0, 219.0)
        self._size = (1, 1)

    def add(self, frame: av.VideoFrame, samples: NDArray[np.uint8], pts_s: float) -> None:
        """Take the next frame, its `luma_of` and its time in seconds."""
        if self._looks is None:
            self._range, self._size = luma_range(frame), (frame.width, frame.height)
            self._looks = Looks(*self._range)
        cell = int(pts_s / STEP_S + 1e-6)
        if not self._looks.cells or cell > self._looks.cells[-1]:
            self._looks.add(frame, samples, cell)
        self._run[self._held] = samples
        self._held += 1
        self._times.append(pts_s)
        if self._held == len(self._run):
            self._flush()

    def _flush(self) -> None:
        if not self._times:
            return
        first = not self._motion.pts_s
        pictures = self._run[: self._held]
        self._motion.add(pictures, self._times, first, self._code(100 * _BLACK))
        np.maximum(self._brightest, pictures.max(0), out=self._brightest)
        self._run[0] = self._run[self._held - 1]
        self._held, self._times = 1, []

    def _code(self, percent: float) -> float:
        black, codes = self._range
        return black + codes * percent / 100

    def close(self, end_s: float, packets: PacketCells, pixels: int) -> SignalMeasures:
        """Return the measures of a clip that ends at `end_s` seconds.

        Args:
            packets: bits and quantizers of its stream.
            pixels: pixels of one coded frame.
        """
        self._flush()
        motion = self._motion.arrays()
        looks = self._looks or Looks(*self._range)
        measured = looks.close()
        count = max(looks.cells[-1] + 1 if looks.cells else 0, 1)
        values = np.full((len(NAMES), count), np.nan, np.float32)
        for of, found in measured:
            for name, told in found.items():
                values[NAMES.index(name), of] = told
        cells = (motion.pts_s / STEP_S + 1e-6).astype(np.intp)
        cut = pace.cuts(motion)
        repeated = pace.repeats(motion)
        pattern = pace.cadence(repeated)
        drift = np.full(count, np.nan)
        if len(motion.pts_s) > 1:
            uneven = pace.uneven(motion, repeated) & (pattern is None)
            drift = self._paced(values, motion, cells, cut, uneven)
        self._departed(values, looks, cells, cut, drift)
        values[NAMES.index("letterbox")] = self._letterbox()
        shown = np.bincount(cells, minlength=count) * max(pixels, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            spent = np.where(shown > 0, packets.bits(count) / shown, np.nan)
        values[NAMES.index("bits_per_pixel")] = spent
        values[NAMES.index("quantizer")] = packets.mean_quantizer(count)
        return SignalMeasures(
            values=_filled(values),
            end_s=end_s,
            cuts_s=tuple(motion.pts_s[cut].tolist()),
            cadence=None if pattern is None else ":".join(map(str, pattern)),
        )

    def _paced(
        self,
        values: Series,
        motion: MotionArrays,
        cells: NDArray[np.intp],
        cut: NDArray[np.bool_],
        repeated: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Fill in the measures that time makes; `cells` are those of the frames.

        Returns:
            `pace.drift` of each cell, mean over its frames.
        """
        count = values.shape[1]
        black = self._range[0]

        def mean(of: Iterable[float] | NDArray[np.generic]) -> NDArray[np.float64]:
            frames = np.bincount(cells, minlength=count)
            total = np.bincount(cells, weights=np.asarray(of, np.float64), minlength=count)
            return np.where(frames > 0, total / np.maximum(frames, 1), np.nan)

        swing, path = pace.flicker(motion, cut, black), pace.shake(motion, cut, self._size)
        for name, off in (("flicker", swing), ("shake", path)):
            values[NAMES.index(name)] = np.sqrt(_spread(mean(np.square(off, dtype=np.float64))))
        values[NAMES.index("stutter")] = 100 * _spread(mean(repeated))
        values[NAMES.index("black")] = 100 * mean(motion.black)
        return mean(pace.drift(motion, cut, black))

    def _departed(
        self,
        values: Series,
        looks: Looks,
        cells: NDArray[np.intp],
        cut: NDArray[np.bool_],
        drift: NDArray[np.float64],
    ) -> None:
        """Fill in what pictures have beside others of their shot; black ones have none."""
        shown = np.array(looks.cells, np.intp)
        firsts = np.minimum(np.searchsorted(cells, shown), len(cells) - 1)
        dark = np.nan_to_num(values[NAMES.index("black"), shown]) >= BLACK_CELL
        scene = np.cumsum(cut)[firsts]
        # What comes after black is another shot.
        begins = np.append(False, (scene[1:] != scene[:-1]) | (dark[1:] != dark[:-1]))
        for shot in pace.shots(begins):
            if dark[shot.start]:
                continue
            of = shown[shot]
            saturation, blur, noise = (
                values[NAMES.index(name), of] for name in ("saturation", "blur", "noise")
            )
            values[NAMES.index("exposure_drift"), of] = looks.places.exposure(
                shot, drift[of].astype(np.float32)
            )
            colour = looks.places.saturation(shot, saturation)
            values[NAMES.index("saturation_in_shot"), of] = colour
            values[NAMES.index("blur_in_shot"), of] = looks.places.blur(shot, blur, noise)

    def _letterbox(self) -> float:
        """Return the share of the picture, %, in rows and columns that never leave black."""
        dark = self._brightest <= self._code(2 * tone.AT_BLACK)
        if dark.all():
            return float("nan")
        rows, columns = ~dark.all(1), ~dark.all(0)
        shown = [int(np.ptp(np.flatnonzero(seen))) + 1 for seen in (rows, columns)]
        return 100 * (1 - shown[0] * shown[1] / dark.size)


def _spread(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means over neighbouring cells, those without a frame left out."""
    padded = np.pad(cells, _SPREAD, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _SPREAD + 1)
    known = np.isfinite(windows)
    total = np.where(known, windows, 0.0).sum(1)
    spread: NDArray[np.float64] = np.where(
        np.isfinite(cells), total / np.maximum(known.sum(1), 1), np.nan
    )
    return spread


def _filled(values: Series) -> Series:
    """Return `values`, a cell without a frame showing what the one before it shows."""
    cells = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.isfinite(values).any(0), cells, 0))
    return np.ascontiguousarray(values[:, last])
