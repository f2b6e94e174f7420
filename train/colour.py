"""Pixels as codes, luma and CIE Lab (D65), fast enough for every frame of a clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # weights of R, G, B; ITU-R BT.601

#: Linear sRGB to XYZ over the D65 white (IEC 61966-2-1), rows X/Xn, Y/Yn, Z/Zn.
_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_TO_XYZ = (_TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)).astype(np.float32)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)

_KNEE = 6 / 29  # where Lab's cube root hands over to a line

_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)

_ROOT_STEPS = 1 << 16
_ROOT_GRID = np.arange(_ROOT_STEPS + 2) / _ROOT_STEPS
_ROOT = np.where(
    _ROOT_GRID > _KNEE**3, np.cbrt(_ROOT_GRID), _ROOT_GRID / (3 * _KNEE**2) + 4 / 29
).astype(np.float32)

_STEPS = 1 << 14  # fine enough that the steepest part of the curve misses no code
_GRID = np.arange(_STEPS + 1) / _STEPS
_ENCODED = np.round(
    255 * np.where(_GRID <= 0.0031308, 12.92 * _GRID, 1.055 * _GRID ** (1 / 2.4) - 0.055)
).astype(np.uint8)


def to_uint8(values: NDArray) -> Frame:
    """Return `values` rounded to the nearest code and cut to 0-255."""
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


def lab_from_rgb(rgb: Frame) -> Floats:
    """Return float32 Lab [..., 3] of sRGB uint8 [..., 3]: L in 0-100, a and b around ±100."""
    xyz = _LINEAR[rgb] @ _TO_XYZ.T
    xyz *= _ROOT_STEPS
    f = _ROOT[(xyz + np.float32(0.5)).astype(np.int32)]
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    lab: Floats = np.empty_like(f)
    lab[..., 0], lab[..., 1], lab[..., 2] = 116 * y - 16, 500 * (x - y), 200 * (y - z)
    return lab


def lightness(rgb: Frame) -> Floats:
    """Return float32 L [...] in 0-100 of sRGB uint8 [..., 3]; quicker than all of Lab."""
    y = _LINEAR[rgb] @ _TO_XYZ[1]
    y = _ROOT[(y * _ROOT_STEPS + np.float32(0.5)).astype(np.int32)]
    return np.asarray(116 * y - 16, np.float32)


def rgb_from_lab(light: Floats, a: Floats, b: Floats) -> Frame:
    """Return sRGB uint8 [..., 3] of Lab planes [...], clipped to the gamut channel by channel."""
    y = (light + 16) * np.float32(1 / 116)
    f = np.stack([y + a * np.float32(1 / 500), y, y - b * np.float32(1 / 200)], axis=-1)
    xyz = np.where(f > _KNEE, f * f * f, (f - np.float32(4 / 29)) * np.float32(3 * _KNEE**2))
    linear = xyz @ _FROM_XYZ.T
    np.clip(linear, 0, 1, out=linear)
    linear *= _STEPS
    return _ENCODED[(linear + np.float32(0.5)).astype(np.int32)]
