"""What is measured of the signal: names, units and ranges, and a clip's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Seconds of one cell: every measure has a value for each half second of the clip.
STEP_S: Final = 0.5

#: Share of a cell's frames, %, from which on it is black, and says nothing else.
BLACK_CELL: Final = 50.0

Series = NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """One measure: its unit ("" is a plain ratio), least and greatest value, and meaning."""

    name: str
    unit: str
    low: float
    high: float
    what: str


_ANY = float("inf")

#: Unit of what is told beside the rest of the shot, where 100 is as usual.
OF_SHOT: Final = "% of its shot's"

#: Every measure, in the order of the rows of `SignalMeasures.values`.
MEASURES: Final = (
    Measure("luma", "%", 0, 100, "mean luma, 0 black, 100 white of the nominal range"),
    Measure("dark_share", "%", 0, 100, "share of the picture at black (up to 1.5 % of the range)"),
    Measure("bright_share", "%", 0, 100, "share of the picture at white (from 98.5 % on)"),
    Measure("contrast", "%", 0, 100, "luma from the 5th to the 95th percentile"),
    Measure("saturation", "%", 0, 142, "mean length of the colour-difference vector"),
    Measure("saturation_in_shot", OF_SHOT, 0, _ANY, "saturation beside the usual of the shot"),
    Measure("blur", "", 0, 1, "what a strong blur leaves of the detail; 1 has none to lose"),
    Measure("blur_in_shot", OF_SHOT, 0, _ANY, "blur beside that of the shot's sharper end"),
    Measure("noise", "codes", 0, _ANY, "deviation of fine noise in the quietest parts"),
    Measure("blockiness", "", 0, _ANY, "steps between 8 px blocks over those inside, less 1"),
    Measure("banding", "%", 0, 100, "share of all luma change in lone steps between flat runs"),
    Measure("combing", "%", 0, 100, "share of detailed parts where every other line fits better"),
    Measure("flicker", "%", 0, _ANY, "fast swing of the mean luma (RMS), of itself"),
    Measure("shake", "%", 0, _ANY, "fast movement of the picture (RMS), of its shorter side"),
    Measure("stutter", "%", 0, 100, "share of the frames that repeat while things move"),
    Measure("exposure_drift", "stops", 0, _ANY, "exposure's distance from the shot's usual one"),
    Measure("black", "%", 0, 100, "share of the frames that are black"),
    Measure("letterbox", "%", 0, 100, "share of the picture in black bars all through the clip"),
    Measure("bits_per_pixel", "bit", 0, _ANY, "video bits over coded pixels"),
    Measure("quantizer", "", -48, 255, "mean quantizer: QP, or index of VP9 and AV1"),
)  # fmt: skip

NAMES: Final = tuple(measure.name for measure in MEASURES)

#: Unit of each measure.
UNITS: Final = {measure.name: measure.unit for measure in MEASURES}


@dataclass(frozen=True)
class SignalMeasures:
    """The measures of one clip.

    `values` [len(MEASURES), n] float32 holds one column for every `STEP_S` seconds from the
    first frame on; NaN where a measure means nothing or could not be taken. `end_s` is the
    clip's end, `cuts_s` the times of scene cuts. `cadence` tells of pictures that repeat in a
    steady pattern, such as "3:2" or "2", and is None without.
    """

    values: Series
    end_s: float
    cuts_s: tuple[float, ...] = ()
    cadence: str | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(MEASURES):
            raise ValueError(f"values of {self.values.shape}; expected [{len(MEASURES)}, n]")

    def of(self, name: str) -> Series:
        """Return the values [n] of one measure.

        Raises:
            ValueError: there is no measure of that name.
        """
        if name not in NAMES:
            raise ValueError(f"no measure {name!r}; there are {', '.join(NAMES)}")
        return np.asarray(self.values[NAMES.index(name)])

    def span_s(self, first: int, last: int) -> tuple[float, float]:
        """Return the seconds that cells `first` to `last`, both included, stand for."""
        return first * STEP_S, min((last + 1) * STEP_S, self.end_s)
