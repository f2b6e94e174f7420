"""The 36 BRISQUE features of a frame and of a clip.

Source: Mittal, Moorthy, Bovik, "No-Reference Image Quality Assessment in the Spatial Domain",
IEEE TIP 2012; the sampling of frames is that of the public feature tables of KoNViD-1k, LIVE-VQC
and YouTube-UGC (Tu et al., "UGC-VQA", IEEE TIP 2021), so that a model fitted on those tables
reads the features made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from vqa2cli.errors import VideoError

Floats = NDArray[np.float64]
Luma = NDArray[np.uint8]

FEATURES = 36

#: Gaussian window, 7×7, of sigma 7/6 px; separable.
_WINDOW = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
_WINDOW /= _WINDOW.sum()

_CONTRAST_FLOOR = 1.0  # C of the paper, codes: keeps flat areas from dividing by nothing

#: Shapes tried for the generalised Gaussians, and their moment ratio E|x|² / E[x²].
_SHAPES = np.arange(200, 10001) / 1000
_RATIOS = special.gamma(2 / _SHAPES) ** 2 / (
    special.gamma(1 / _SHAPES) * special.gamma(3 / _SHAPES)
)

#: Neighbours (rows, columns) whose products are modelled: H, V and both diagonals.
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (-1, 1))

#: Cubic (a = -0.5) stretched to twice its width: the taps of an antialiased halving.
_HALVING = np.array([-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]) / 2


def _cubic(x: Floats) -> Floats:
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


_HALVING_TAPS = _cubic(_HALVING) / _cubic(_HALVING).sum()


def brisque_of_frame(luma: NDArray) -> Floats:
    """Return float64 [36] of one luma picture [H, W] in codes, 0-255.

    Per scale (full, half): shape and variance of the normalised luma, then for each of four
    neighbour products shape, mean, left and right variance. A picture of zeros, whose shapes
    are not defined, gives the first shape tried (0.2) and zeros.

    Raises:
        ValueError: not a picture of at least 16 px a side.
    """
    if luma.ndim != 2 or min(luma.shape) < 16:
        raise ValueError(f"luma of shape {luma.shape}; BRISQUE needs [H, W] of 16 px or more")
    picture = luma.astype(np.float64)
    return np.concatenate([_of_scale(picture), _of_scale(halved(picture))])


def brisque_of_clip(path: Path) -> Floats:
    """Return float64 [36]: the mean over one frame a second of the clip.

    The frames are floor(fps / 2) - 1 + k round(fps), counted from 0, and the luma is the decoded
    plane as it stands (studio range where the clip is), 8 bits.

    Raises:
        VideoError: the clip cannot be opened or decoded, or is shorter than half a second.
    """
    try:
        rows = [brisque_of_frame(luma) for luma in _sampled_luma(path)]
    except FileNotFoundError as error:
        raise VideoError("not_found", f"{path}: no such file") from error
    except av.error.FFmpegError as error:
        raise VideoError("corrupt", f"{path}: decoding failed ({error.strerror})") from error
    if not rows:
        raise VideoError("corrupt", f"{path}: no frame to sample; give it half a second or more")
    return np.asarray(np.mean(rows, axis=0), np.float64)


def sampled_frames(fps: Fraction | float) -> tuple[int, int]:
    """Return the first frame sampled and the step to the next, counted in frames."""
    return max(int(fps / 2) - 1, 0), max(int(float(fps) + 0.5), 1)


def normalised(picture: Floats) -> Floats:
    """Return the mean-subtracted, contrast-normalised coefficients [H, W] of a picture."""
    mean = _smooth(picture)
    deviation = np.sqrt(np.abs(_smooth(picture * picture) - mean * mean))
    return np.asarray((picture - mean) / (deviation + _CONTRAST_FLOOR))


def halved(picture: Floats) -> Floats:
    """Return [ceil(H / 2), ceil(W / 2)]: cubic, antialiased, mirrored at the border."""
    for axis in (0, 1):
        size = picture.shape[axis]
        reach = [(0, 0), (0, 0)]
        reach[axis] = (3, 5)
        padded = np.pad(picture, reach, mode="symmetric")
        taps = np.arange(0, size, 2)
        total = np.zeros(1)
        for k, weight in enumerate(_HALVING_TAPS):
            total = total + weight * padded.take(taps + k, axis=axis)
        picture = total
    return picture


def _smooth(picture: Floats) -> Floats:
    """Return `picture` under the Gaussian window, with zeros beyond the border."""
    rows = ndimage.correlate1d(picture, _WINDOW, axis=0, mode="constant")
    return np.asarray(ndimage.correlate1d(rows, _WINDOW, axis=1, mode="constant"))


def _of_scale(picture: Floats) -> Floats:
    coefficients = normalised(picture)
    values = [*symmetric_shape(coefficients)]
    for shift in _NEIGHBOURS:
        values += asymmetric_shape(coefficients * np.roll(coefficients, shift, axis=(0, 1)))
    return np.array(values)


def symmetric_shape(values: Floats) -> tuple[float, float]:
    """Return shape and variance of the zero-mean generalised Gaussian with these moments."""
    variance = float(np.mean(values * values))
    if variance == 0:
        return float(_SHAPES[0]), 0.0
    # Compared as the inverse ratio, as the reference code does; the grid's rounding follows it.
    inverse = variance / float(np.mean(np.abs(values))) ** 2
    return float(_SHAPES[np.argmin(np.abs(1 / _RATIOS - inverse))]), variance


def asymmetric_shape(values: Floats) -> tuple[float, float, float, float]:
    """Return shape, mean, left variance and right variance of the asymmetric model."""
    square = float(np.mean(values * values))
    if square == 0:
        return float(_SHAPES[0]), 0.0, 0.0, 0.0
    below, above = values[values < 0], values[values > 0]
    left = float(np.mean(below * below)) if below.size else 0.0
    right = float(np.mean(above * above)) if above.size else 0.0
    # (g³ + 1)(g + 1) / (g² + 1)² with g = left / right deviation, without dividing by a zero side.
    a, b = left**0.5, right**0.5
    lopsided = (a**3 + b**3) * (a + b) / (left + right) ** 2
    ratio = float(np.mean(np.abs(values))) ** 2 / square * lopsided
    shape = float(_SHAPES[np.argmin((_RATIOS - ratio) ** 2)])
    spread = float(
        special.gamma(2 / shape) / np.sqrt(special.gamma(1 / shape) * special.gamma(3 / shape))
    )
    return shape, (b - a) * spread, left, right


def _sampled_luma(path: Path) -> Iterator[Luma]:
    """Yield the 8-bit luma [H, W] of the frames `brisque_of_clip` averages."""
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise VideoError("no_video", f"{path}: no video stream")
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise VideoError("corrupt", f"{path}: no frame rate to sample by")
        first, step = sampled_frames(rate)
        for index, frame in enumerate(container.decode(stream)):
            if index >= first and (index - first) % step == 0:
                yield _luma(frame)


def _luma(frame: av.VideoFrame) -> Luma:
    """Return the frame's luma plane [H, W]; other depths and layouts become 8-bit 4:2:0 first."""
    component = frame.format.components[0]
    if component.bits != 8 or not component.is_luma or not frame.format.is_planar:
        frame = frame.reformat(format="yuv420p", threads=1)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return np.array(rows[: frame.height, : frame.width])
