"""What a lens, a sensor or a grade does to a frame: blur, sharpening, colour and tone.

Every distortion takes a frame, its parameter (units in `train.kadid`) and a random generator,
which most leave alone, and returns a new frame.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import fft, interpolate, ndimage

from train.colour import (
    LUMA,
    Floats,
    Frame,
    lab_from_rgb,
    lightness,
    rgb_from_lab,
    to_uint8,
)

# ---- blur -----------------------------------------------------------------------------------


def gaussian_blur(rgb: Frame, sigma: float, rng: np.random.Generator) -> Frame:
    radius = ceil(2 * sigma)
    taps = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (taps / sigma) ** 2)
    deviation = float(np.sqrt((weights * taps**2).sum() / weights.sum()))
    blurred = Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(deviation))
    return np.asarray(blurred)


def as_disks(rgb: Frame, radius: float) -> Frame:
    """Return a picture (uint8 [H, W, 3]) each point of which has become a disk of `radius` px."""
    return to_uint8(_convolve(rgb, _disk(radius)))


def lens_blur(rgb: Frame, radius: float, rng: np.random.Generator) -> Frame:
    return as_disks(rgb, radius)


def motion_blur(rgb: Frame, length: float, rng: np.random.Generator) -> Frame:
    return to_uint8(_convolve(rgb, _line(length, float(rng.uniform(0, np.pi)))))


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


def high_sharpen(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    luma = rgb @ LUMA
    detail = luma - ndimage.gaussian_filter(luma, 3.0, mode="nearest", truncate=2.0)
    return to_uint8(rgb + np.float32(amount) * detail[..., None])


# ---- colour ---------------------------------------------------------------------------------


def color_diffusion(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    height, width = rgb.shape[:2]
    half = (max(width // 2, 1), max(height // 2, 1))  # enough for blurred chroma, and quicker
    lab = lab_from_rgb(np.asarray(Image.fromarray(rgb).resize(half, Image.Resampling.BOX)))
    sigma = (1.5 * amount + 2) / 2
    a, b = (
        ndimage.gaussian_filter(lab[..., k], sigma, mode="reflect", truncate=2.0) * amount
        for k in (1, 2)
    )
    a, b = (
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in (a, b)
    )
    return rgb_from_lab(lightness(rgb), a, b)


def color_shift(rgb: Frame, shift_px: float, rng: np.random.Generator) -> Frame:
    angle = rng.uniform(0, 2 * np.pi)
    dy, dx = round(shift_px * np.sin(angle)), round(shift_px * np.cos(angle))
    height, width = rgb.shape[:2]
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    cols = np.clip(np.arange(width) - dx, 0, width - 1)
    green = rgb[..., 1].astype(np.float32)
    shifted = rgb[..., 1][rows][:, cols]
    out = rgb.copy()
    out[..., 1] = to_uint8(green + (shifted - green) * _edge_weight(rgb))
    return out


def _edge_weight(rgb: Frame) -> Floats:
    """Return weights [H, W] in 0-1: high around edges, cut at the 1st and 99th percentile."""
    luma = rgb @ LUMA
    edges = np.zeros_like(luma)
    edges[1:-1, 1:-1] = np.hypot(luma[1:-1, 2:] - luma[1:-1, :-2], luma[2:, 1:-1] - luma[:-2, 1:-1])
    edges *= 255 / max(float(edges.max()), 1.0)
    blurred = Image.fromarray(edges.astype(np.uint8)).filter(ImageFilter.GaussianBlur(4 * 0.88))
    weight = np.asarray(blurred).astype(np.float32)
    weight -= weight.min()
    weight /= max(float(weight.max()), 1.0)
    low, high = np.percentile(weight[::4, ::4], (1, 99))
    return np.clip(weight, low, high)


def color_quantization(rgb: Frame, colours: float, rng: np.random.Generator) -> Frame:
    picture = Image.fromarray(rgb)
    palette = picture.quantize(int(colours), method=Image.Quantize.FASTOCTREE)
    dithered = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    return np.asarray(dithered.convert("RGB"))


def saturation_hsv(rgb: Frame, factor: float, rng: np.random.Generator) -> Frame:
    value = np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2])
    value = value[..., None].astype(np.float32)
    return to_uint8(value + (rgb - value) * np.float32(factor))


def saturation_lab(rgb: Frame, factor: float, rng: np.random.Generator) -> Frame:
    lab = lab_from_rgb(rgb)
    lab[..., 1:] *= np.float32(factor)
    return rgb_from_lab(lab[..., 0], lab[..., 1], lab[..., 2])


# ---- tone -----------------------------------------------------------------------------------


def brighten(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    """Two parts of a curve on RGB and one part of the same curve on Lab lightness."""
    lab = lab_from_rgb(rgb)
    light = 100 * _bend(lab[..., 0] / 100, amount)
    lit = rgb_from_lab(light, lab[..., 1], lab[..., 2])
    codes = (510 * _bend(_CODES, amount)).astype(np.float32)
    return to_uint8((codes[rgb] + lit) / np.float32(3))


def _bend(x: NDArray, amount: float) -> NDArray:
    """Return the parabola through (0, 0), (0.5, 0.5 + amount / 2) and (1, 1), cut to 0-1."""
    return np.asarray(np.clip(x + np.float32(2 * amount) * x * (1 - x), 0, 1))


def darken(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, _bend(_CODES, -amount))


def mean_shift(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, _CODES + np.float32(amount))


def quantization(rgb: Frame, values: float, rng: np.random.Generator) -> Frame:
    return _curve(rgb, np.minimum(np.floor(_CODES * values), values - 1) / (values - 1))


def contrast_change(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    knots = (0.0, 0.25 - amount / 4, 0.5, 0.75 + amount / 4, 1.0)
    return _curve(rgb, interpolate.CubicSpline((0.0, 0.3, 0.5, 0.7, 1.0), knots)(_CODES))


_CODES = (np.arange(256) / 255).astype(np.float32)


def _curve(rgb: Frame, curve: NDArray) -> Frame:
    """Return `rgb` with every code replaced by `curve` [256], values in 0-1."""
    return to_uint8(255 * curve)[rgb]
