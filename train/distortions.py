"""The 25 distortions of KADID-10k at five levels, on frames and on clips.

Each follows its namesake's definition and parameter (`train.kadid`); four are approximations,
chosen because a clip has hundreds of frames: "denoise" smooths a noisy frame with a local
Wiener filter instead of a network, "jitter" draws the sum of its five displacements at once,
"high sharpen" sharpens luma instead of Lab lightness, and "quantization" spaces its values evenly.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from train import optics
from train.colour import LUMA, Floats, Frame, to_uint8
from train.kadid import KADID_TYPES, human_mean, parameter

__all__ = ["KADID_TYPES", "distort", "distort_clip", "human_mean"]

#: Smallest frame side, px: patches and blocks must find room.
MIN_SIDE = 64

#: Types whose random draw is a place, a direction or a colour rather than noise.
FIXED_PATTERN = frozenset({3, 5, 19, 20, 23})


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
    distorted = _DISTORTIONS[kind](rgb, amount, rng)
    return distorted if distorted.flags.writeable else distorted.copy()  # Pillow lends its own


def distort_clip(frames: Iterable[Frame], kind: int, level: int, seed: int) -> Iterator[Frame]:
    """Yield each frame distorted alike.

    Patches, blocks, displacements, directions and shifts stay where they are for the whole clip;
    noise is fresh in every frame. The same seed gives the same clip.
    """
    noise = np.random.default_rng(seed)
    for rgb in frames:
        rng = np.random.default_rng(seed) if kind in FIXED_PATTERN else noise
        yield distort(rgb, kind, level, rng)


# ---- compression ----------------------------------------------------------------------------


def _jpeg2000(rgb: Frame, ratio: float, rng: np.random.Generator) -> Frame:
    return _recoded(
        rgb, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=True
    )


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
    return to_uint8(rgb + _normal(rgb.shape, 255 * variance**0.5, rng))


#: Full-range YCbCr to RGB (ITU-R BT.601), one column a component.
_FROM_YCBCR = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


def _white_noise_ycbcr(rgb: Frame, variance: float, rng: np.random.Generator) -> Frame:
    return to_uint8(rgb + _normal(rgb.shape, 255 * variance**0.5, rng) @ _FROM_YCBCR.T)


def _impulse_noise(rgb: Frame, density: float, rng: np.random.Generator) -> Frame:
    out = rgb.copy()
    hit = rng.integers(rgb.size, size=round(density * rgb.size))
    out.reshape(-1)[hit] = np.where(np.arange(len(hit)) % 2 == 0, 255, 0)
    return out


def _multiplicative_noise(rgb: Frame, variance: float, rng: np.random.Generator) -> Frame:
    factor = _normal(rgb.shape, variance**0.5, rng)
    factor += 1
    return to_uint8(factor * rgb)


def _denoise(rgb: Frame, deviation: float, rng: np.random.Generator) -> Frame:
    """Add noise, then keep of each pixel's distance from its local mean what exceeds the noise.

    Twice the noise's variance is taken off, so that texture goes with it, as denoisers do; the
    window grows with the noise, from 5 to 13 px.
    """
    radius = round(60 * deviation)
    noisy = np.clip(rgb + _normal(rgb.shape, 255 * deviation, rng), 0, 255)
    mean = np.asarray(Image.fromarray(to_uint8(noisy)).filter(ImageFilter.BoxBlur(radius)))
    luma = noisy @ LUMA
    local = ndimage.uniform_filter(luma, 2 * radius + 1)
    variance = ndimage.uniform_filter(luma * luma, 2 * radius + 1) - local * local
    keep = np.maximum(1 - 2 * (255 * deviation) ** 2 / np.maximum(variance, 1e-3), 0)
    return to_uint8(mean + (noisy - mean) * keep[..., None].astype(np.float32))


# ---- place ----------------------------------------------------------------------------------


def _jitter(rgb: Frame, amount: float, rng: np.random.Generator) -> Frame:
    height, width = rgb.shape[:2]
    deviation = amount * 5**0.5  # five independent displacements add up to one of this size
    moved = _normal((2, height, width), deviation, rng)
    moved[0] += np.arange(height, dtype=np.float32)[:, None]
    moved[1] += np.arange(width, dtype=np.float32)
    np.clip(moved[0], 0, height - 1.001, out=moved[0])
    np.clip(moved[1], 0, width - 1.001, out=moved[1])
    whole = moved.astype(np.int32)
    down, right = (moved - whole)[..., None]
    corner = whole[0] * width + whole[1]
    pixels = rgb.reshape(-1, 3).astype(np.float32)

    def across(start: NDArray) -> Floats:
        left = pixels.take(start, axis=0)
        return np.asarray(left + (pixels.take(start + 1, axis=0) - left) * right)

    top = across(corner)
    return to_uint8(top + (across(corner + width) - top) * down)


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


_DISTORTIONS: dict[int, Callable[[Frame, float, np.random.Generator], Frame]] = {
    1: optics.gaussian_blur,
    2: optics.lens_blur,
    3: optics.motion_blur,
    4: optics.color_diffusion,
    5: optics.color_shift,
    6: optics.color_quantization,
    7: optics.saturation_hsv,
    8: optics.saturation_lab,
    9: _jpeg2000,
    10: _jpeg,
    11: _white_noise,
    12: _white_noise_ycbcr,
    13: _impulse_noise,
    14: _multiplicative_noise,
    15: _denoise,
    16: optics.brighten,
    17: optics.darken,
    18: optics.mean_shift,
    19: _jitter,
    20: _moved_patches,
    21: _pixelate,
    22: optics.quantization,
    23: _color_blocks,
    24: optics.high_sharpen,
    25: optics.contrast_change,
}
