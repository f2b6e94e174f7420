"""The 25 distortions of KADID-10k at five levels, on frames and on clips.

Each follows its namesake's definition and parameter (`train.kadid`); four are approximations,
chosen because a clip has hundreds of frames: "denoise" smooths a noisy frame with a local
Wiener filter instead of a network, "jitter" draws the sum of its five displacements at once,
"high sharpen" sharpens luma instead of Lab lightness, and "quantization" spaces its values evenly.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import fft, interpolate, ndimage

from train import colour
from train.kadid import KADID_TYPES, human_mean, parameter

__all__ = ["KADID_TYPES", "distort", "distort_clip", "human_mean"]

Frame = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Smallest frame side, px: patches and blocks must find room.
MIN_SIDE = 64

#: Types whose random draw is a place, a direction or a colour rather than noise.
FIXED_PATTERN = frozenset({3, 5, 19, 20, 23})

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def distort(rgb: Frame, kind: int, level: int, rng: np.random.Generator) -> Frame:
    """Return `rgb` (uint8 [H, W, 3]) under a KADID-10k distortion; the input stays as it is.

    Args:
        kind: type, 1-25, as in `KADID_TYPES`.
        level: 1 (mildest) to 5; types 18 and 25 run from one side to the other.
        rng: where noise, places, directions and colours are drawn from.

    Raises:
        ValueError: an unknown type or level, or a frame that is not uint8 RGB of 64 px or more.
    """
    amount = parameter(kind, level)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < MIN_SIDE:
        raise ValueError(
            f"a frame of {rgb.dtype} {rgb.shape}; distortions need uint8 [H, W, 3], "
            f"both sides at least {MIN_SIDE}"
        )
    return _DISTORTIONS[kind](rgb, amount, rng)


def distort_clip(frames: Iterable[Frame], kind: int, level: int, seed: int) -> Iterator[Frame]:
    """Yield each frame distorted alike.

    Patches, blocks, displacements, directions and shifts stay where they are for the whole clip;
    noise is fresh in every frame. The same seed gives the same clip.
    """
    noise = np.random.default_rng(seed)
    for rgb in frames:
        rng = np.random.default_rng(seed) if kind in FIXED_PATTERN else noise
        yield distort(rgb, kind, level, rng)


# ---- blur -----------------------------------------------------------------------------------


def _gaussian_blur(rgb: Frame, sigma: float, rng: np.random.Generator) -> Frame:
    radius = ceil(2 * sigma)
    taps = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (taps / sigma) ** 2)
    deviation = float(np.sqrt((weights * taps**2).sum() / weights.sum()))
    blurred = Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(deviation))
    return np.asarray(blurred)


def _lens_blur(rgb: Frame, radius: float, rng: np.random.Generator) -> Frame:
    return _to_uint8(_convolve(rgb, _disk(radius)))


def _motion_blur(rgb: Frame, length: float, rng: np.random.Generator) -> Frame:
    return _to_uint8(_convolve(rgb, _line(length, float(rng.uniform(0, np.pi)))))


@lru_cache(maxsize=8)
def _disk(radius: float) -> Floats:
    """Return a disk that sums to 1, its rim weighted by the share of each pixel inside."""
    size, fine = 2 * ceil(radius) + 1, 8
    axis = (np.arange(size * fine) + 0.5) / fine - size / 2
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2 <= radius**2).astype(np.float32)
    kernel = inside.reshape(size, fine, size, fine).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


@lru_cache(maxsize=8)
def _line(length: float, angle_rad: float) -> Floats:
    """Return a line of `length` px through the centre that sums to 1; length 1 is one pixel."""
    reach = ceil(length / 2)
    kernel = np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
    along = np.linspace(-(length - 1) / 2, (length - 1) / 2, 16 * ceil(length))
    rows, cols = reach + 1 - along * np.sin(angle_rad), reach + 1 + along * np.cos(angle_rad)
    r0, c0 = np.floor(rows).astype(int), np.floor(cols).astype(int)
    fr, fc = rows - r0, cols - c0
    for dr, dc, weight in (
        (0, 0, (1 - fr) * (1 - fc)),
        (0, 1, (1 - fr) * fc),
        (1, 0, fr * (1 - fc)),
        (1, 1, fr * fc),
    ):
        np.add.at(kernel, (r0 + dr, c0 + dc), weight.astype(np.float32))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _convolve(picture: NDArray, kernel: Floats) -> Floats:
    """Return `picture` [H, W, C] convolved with an odd `kernel`, mirrored at its border."""
    if kernel.max() > 1 - 1e-6:
        return picture.astype(np.float32)
    height, width = picture.shape[:2]
    ry, rx = kernel.shape[0] // 2, kernel.shape[1] // 2
    planes = np.moveaxis(picture, 2, 0).astype(np.float32)
    planes = np.pad(planes, ((0, 0), (ry, ry), (rx, rx)), mode="symmetric")
    size = (fft.next_fast_len(height + 2 * ry, True), fft.next_fast_len(width + 2 * rx, True))
    spectrum = fft.rfft2(planes, size) * fft.rfft2(kernel, size)
    full = fft.irfft2(spectrum, size)[:, 2 * ry : 2 * ry + height, 2 * rx : 2 * rx + width]
    return np.moveaxis(full, 0, 2)


# ---- colour ---------------------------------------------------------------------------------


def _color_diffusion(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    height, width = rgb.shape[:2]
    half = (max(width // 2, 1), max(height // 2, 1))  # enough for blurred chroma, and quicker
    lab = colour.lab_from_rgb(np.asarray(Image.fromarray(rgb).resize(half, Image.Resampling.BOX)))
    sigma = (1.5 * amount + 2) / 2
    a, b = (
        ndimage.gaussian_filter(lab[..., k], sigma, mode="reflect", truncate=2.0) * amount
        for k in (1, 2)
    )
    a, b = (
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in (a, b)
    )
    return colour.rgb_from_lab(colour.lightness(rgb), a, b)


def _color_shift(rgb: Frame, shift_px: float, rng: np.random.Generator) -> Frame:
    angle = rng.uniform(0, 2 * np.pi)
    dy, dx = round(shift_px * np.sin(angle)), round(shift_px * np.cos(angle))
    height, width = rgb.shape[:2]
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    cols = np.clip(np.arange(width) - dx, 0, width - 1)
    green = rgb[..., 1].astype(np.float32)
    shifted = rgb[..., 1][rows][:, cols]
    out = rgb.copy()
    out[..., 1] = _to_uint8(green + (shifted - green) * _edge_weight(rgb))
    return out


def _edge_weight(rgb: Frame) -> Floats:
    """Return weights [H, W] in 0-1: high around edges, cut at the 1st and 99th percentile."""
    luma = rgb @ _LUMA
    edges = np.zeros_like(luma)
    edges[1:-1, 1:-1] = np.hypot(luma[1:-1, 2:] - luma[1:-1, :-2], luma[2:, 1:-1] - luma[:-2, 1:-1])
    edges *= 255 / max(float(edges.max()), 1.0)
    blurred = Image.fromarray(edges.astype(np.uint8)).filter(ImageFilter.GaussianBlur(4 * 0.88))
    weight = np.asarray(blurred).astype(np.float32)
    weight -= weight.min()
    weight /= max(float(weight.max()), 1.0)
    low, high = np.percentile(weight[::4, ::4], (1, 99))
    return np.clip(weight, low, high)


def _color_quantization(rgb: Frame, colours: float, rng: np.random.Generator) -> Frame:
    picture = Image.fromarray(rgb)
    sample = picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.NEAREST)
    palette = sample.quantize(int(colours), method=Image.Quantize.MEDIANCUT)
    dithered = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(dithered.convert("RGB"))


def _saturation_hsv(rgb: Frame, factor: float, rng: np.random.Generator) -> Frame:
    value = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    value = value[..., None].astype(np.float32)
    return _to_uint8(value + (rgb - value) * np.float32(factor))


def _saturation_lab(rgb: Frame, factor: float, rng: np.random.Generator) -> Frame:
    lab = colour.lab_from_rgb(rgb)
    lab[..., 1:] *= np.float32(factor)
    return colour.rgb_from_lab(lab[..., 0], lab[..., 1], lab[..., 2])


# ---- tone -----------------------------------------------------------------------------------


def _brighten(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    """Two parts of a curve on RGB and one part of the same curve on Lab lightness."""
    lab = colour.lab_from_rgb(rgb)
    light = 100 * _bend(lab[..., 0] / 100, amount)
    lit = colour.rgb_from_lab(light, lab[..., 1], lab[..., 2])
    codes = (510 * _bend(_CODES, amount)).astype(np.float32)
    return _to_uint8((codes[rgb] + lit) / np.float32(3))


def _bend(x: NDArray, amount: float) -> NDArray:
    """Return the parabola through (0, 0), (0.5, 0.5 + amount / 2) and (1, 1), cut to 0-1."""
    return np.asarray(np.clip(x + np.float32(2 * amount) * x * (1 - x), 0, 1))


def _darken(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, _bend(_CODES, -amount))


def _mean_shift(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, _CODES + np.float32(amount))


def _quantization(rgb: Frame, values: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, np.minimum(np.floor(_CODES * values), values - 1) / (values - 1))


def _contrast_change(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    knots = (0.0, 0.25 - amount / 4, 0.5, 0.75 + amount / 4, 1.0)
    return _curve(rgb, interpolate.CubicSpline((0.0, 0.3, 0.5, 0.7, 1.0), knots)(_CODES))


_CODES = (np.arange(256) / 255).astype(np.float32)


def _curve(rgb: Frame, curve: NDArray) -> Frame:
    """Return `rgb` with every code replaced by `curve` [256], values in 0-1."""
    return _to_uint8(255 * curve)[rgb]


# ---- compression ----------------------------------------------------------------------------


def _jpeg2000(rgb: Frame, ratio: float, rng: np.random.Generator) -> Frame:
    return _recoded(rgb, "JPEG2000", quality_mode="rates", quality_layers=[ratio])


def _jpeg(rgb: Frame, quality: float, rng: np.random.Generator) -> Frame:
    return _recoded(rgb, "JPEG", quality=int(quality))


def _recoded(rgb: Frame, format: str, **options: object) -> Frame:
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, format, **options)
    with Image.open(packed) as picture:
        return np.asarray(picture.convert("RGB"))


# ---- noise ----------------------------------------------------------------------------------


def _normal(shape: tuple[int, ...], deviation: float, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise *= np.float32(deviation)
    return noise


def _white_noise(rgb: Frame, variance: float, rng: np.random.Generator) -> Frame:
    return _to_uint8(rgb + _normal(rgb.shape, 255 * variance**0.5, rng))


#: Full-range YCbCr to RGB (ITU-R BT.601), one column a component.
_FROM_YCBCR = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def _white_noise_ycbcr(rgb: Frame, variance: float, rng: np.random.Generator) -> Frame:
    return _to_uint8(rgb + _normal(rgb.shape, 255 * variance**0.5, rng) @ _FROM_YCBCR.T)


def _impulse_noise(rgb: Frame, density: float, rng: np.random.Generator) -> Frame:
    out = rgb.copy()
    hit = rng.integers(rgb.size, size=round(density * rgb.size))
    out.reshape(-1)[hit] = np.where(np.arange(len(hit)) % 2 == 0, 255, 0)
    return out


def _multiplicative_noise(rgb: Frame, variance: float, rng: np.random.Generator) -> Frame:
    factor = _normal(rgb.shape, variance**0.5, rng)
    factor += 1
    return _to_uint8(factor * rgb)


def _denoise(rgb: Frame, deviation: float, rng: np.random.Generator) -> Frame:
    """Add noise, then keep of each pixel's distance from its local mean what exceeds the noise.

    Twice the noise's variance is taken off, so that texture goes with it, as denoisers do; the
    window grows with the noise, from 5 to 13 px.
    """
    radius = round(60 * deviation)
    noisy = np.clip(rgb + _normal(rgb.shape, 255 * deviation, rng), 0, 255)
    mean = np.asarray(Image.fromarray(_to_uint8(noisy)).filter(ImageFilter.BoxBlur(radius)))
    luma = noisy @ _LUMA
    local = ndimage.uniform_filter(luma, 2 * radius + 1)
    variance = ndimage.uniform_filter(luma * luma, 2 * radius + 1) - local * local
    keep = np.maximum(1 - 2 * (255 * deviation) ** 2 / np.maximum(variance, 1e-3), 0)
    return _to_uint8(mean + (noisy - mean) * keep[..., None].astype(np.float32))


# ---- place ----------------------------------------------------------------------------------


def _jitter(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    height, width = rgb.shape[:2]
    deviation = amount * 5**0.5  # five independent displacements add up to one of this size
    moved = _normal((2, height, width), deviation, rng)
    moved[0] += np.arange(height, dtype=np.float32)[:, None]
    moved[1] += np.arange(width, dtype=np.float32)
    rows, cols = np.clip(moved[0], 0, height - 1.001), np.clip(moved[1], 0, width - 1.001)
    r0, c0 = rows.astype(np.int32), cols.astype(np.int32)
    fr, fc = (rows - r0)[..., None], (cols - c0)[..., None]
    corner = r0 * width + c0
    pixels = rgb.reshape(-1, 3).astype(np.float32)
    top = pixels[corner] * (1 - fc) + pixels[corner + 1] * fc
    bottom = pixels[corner + width] * (1 - fc) + pixels[corner + width + 1] * fc
    return _to_uint8(top + (bottom - top) * fr)


def _moved_patches(rgb: Frame, count: float, rng: np.random.Generator) -> Frame:
    side, reach = 16, 8
    out = rgb.copy()
    height, width = rgb.shape[:2]
    for _ in range(int(count)):
        top = int(rng.integers(side, height - 2 * side + 1))
        left = int(rng.integers(side, width - 2 * side + 1))
        dy, dx = (int(v) for v in rng.integers(-reach, reach + 1, size=2))
        patch = out[top : top + side, left : left + side].copy()
        out[top + dy : top + dy + side, left + dx : left + dx + side] = patch
    return out


def _pixelate(rgb: Frame, strength: float, rng: np.random.Generator) -> Frame:
    scale = 0.95 - strength**0.6
    height, width = rgb.shape[:2]
    small = Image.fromarray(rgb).resize(
        (int(width * scale), int(height * scale)), Image.Resampling.NEAREST
    )
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def _color_blocks(rgb: Frame, count: float, rng: np.random.Generator) -> Frame:
    side = 32
    out = rgb.copy()
    height, width = rgb.shape[:2]
    for _ in range(int(count)):
        top = int(rng.integers(0, height - side + 1))
        left = int(rng.integers(0, width - side + 1))
        out[top : top + side, left : left + side] = rng.integers(0, 256, size=3)
    return out


def _high_sharpen(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    luma = rgb @ _LUMA
    detail = luma - ndimage.gaussian_filter(luma, 3.0, mode="nearest", truncate=2.0)
    return _to_uint8(rgb + np.float32(amount) * detail[..., None])


def _to_uint8(values: NDArray) -> Frame:
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


_DISTORTIONS: dict[int, Callable[[Frame, float, np.random.Generator], Frame]] = {
    1: _gaussian_blur,
    2: _lens_blur,
    3: _motion_blur,
    4: _color_diffusion,
    5: _color_shift,
    6: _color_quantization,
    7: _saturation_hsv,
    8: _saturation_lab,
    9: _jpeg2000,
    10: _jpeg,
    11: _white_noise,
    12: _white_noise_ycbcr,
    13: _impulse_noise,
    14: _multiplicative_noise,
    15: _denoise,
    16: _brighten,
    17: _darken,
    18: _mean_shift,
    19: _jitter,
    20: _moved_patches,
    21: _pixelate,
    22: _quantization,
    23: _color_blocks,
    24: _high_sharpen,
    25: _contrast_change,
}
