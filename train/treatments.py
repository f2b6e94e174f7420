"""How makers want pictures to look: graded, grainy, on paper or canvas, soft.

Each resembles a distortion, and is none: what an encode must keep is the picture as it was made.
Film grain is fresh in every frame, a paper's texture stays with what is drawn on it, and neither is
as strong as the least noise of KADID-10k (a standard deviation of 8 codes) but for bold textures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from train.colour import LUMA, Floats, Frame, to_uint8

#: Patterns of grain that frames take in turn, each moved at random.
PATTERNS = 6


@dataclass(frozen=True)
class Treatment:
    """What is done to every frame alike; amounts in codes (0-255), sizes in pixels.

    `saturation` and `contrast` multiply distances from grey and from mid-grey, `gamma` is of the
    whole range, `tint` of red, green and blue. `softness` is the radius of a blur, `in_focus` the
    share of the height around `focus` that it spares. `grain` of standard deviation and
    `grain_size`; `texture` likewise, `texture_size` down and across.
    """

    saturation: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    softness: float = 0.0
    focus: float = 0.5
    in_focus: float = 0.0
    texture: float = 0.0
    texture_size: tuple[float, float] = (0.5, 0.5)
    grain: float = 0.0
    grain_size: float = 0.5


def draw_treatment(rng: np.random.Generator, *, on_paper: bool) -> Treatment:
    """Draw a treatment; none is without grain, texture, grade or softness.

    Args:
        rng: where it is drawn from.
        on_paper: whether the picture may have a texture of its own: paper, canvas, a print.
    """
    drawn = Treatment()
    if rng.random() < 0.6:
        drawn = replace(
            drawn,
            saturation=float(rng.uniform(0.6, 1.7)),
            contrast=float(rng.uniform(0.85, 1.25)),
            gamma=float(np.exp(rng.uniform(-0.25, 0.25))),
            tint=tuple(rng.uniform(0.94, 1.06, 3).tolist()),
        )
    if rng.random() < 0.35:
        drawn = replace(
            drawn,
            softness=float(rng.uniform(0.5, 1.6)),
            focus=float(rng.uniform(0.2, 0.8)),
            in_focus=float(rng.choice([0.0, rng.uniform(0.2, 0.5)])),
        )
    if on_paper and rng.random() < 0.6:
        drawn = replace(
            drawn,
            texture=float(rng.uniform(3, 16)),
            texture_size=tuple(np.exp(rng.uniform(np.log(0.3), np.log(3), 2)).tolist()),
        )
    if drawn == Treatment() or rng.random() < (0.3 if drawn.texture else 0.6):
        drawn = replace(
            drawn, grain=float(rng.uniform(1.5, 7)), grain_size=float(rng.uniform(0.3, 1.1))
        )
    return drawn


def made(rgb: Frame, treatment: Treatment, rng: np.random.Generator) -> Frame:
    """Return a picture (uint8 [H, W, 3]) graded, softened and on its paper: all but its grain."""
    values: NDArray = rgb.astype(np.float32)
    if treatment.gamma != 1:
        values = 255 * (values / 255) ** np.float32(treatment.gamma)
    values *= np.array(treatment.tint, np.float32)
    grey = (values @ LUMA)[..., None]
    values = grey + (values - grey) * np.float32(treatment.saturation)
    values = 128 + (values - 128) * np.float32(treatment.contrast)
    seen = to_uint8(values)
    if treatment.softness:
        seen = _softened(seen, treatment)
    if treatment.texture:
        seen = to_uint8(seen + treatment.texture * _pattern(seen, treatment.texture_size, rng))
    return seen


class Grain:
    """The grain of a film: as strong in every frame, and never the same."""

    def __init__(
        self, size: tuple[int, int], treatment: Treatment, rng: np.random.Generator
    ) -> None:
        """Make grain for frames of `size` (width, height)."""
        self.amount, self.rng = treatment.grain, rng
        shape = (size[1], size[0])
        sizes = (treatment.grain_size, treatment.grain_size)
        self.patterns = [_normal(shape, sizes, rng) for _ in range(PATTERNS if self.amount else 0)]

    def __call__(self, rgb: Frame) -> Frame:
        """Return the frame (uint8 [H, W, 3]) with grain, least of it where it is black or white."""
        if not self.patterns:
            return rgb
        pattern = self.patterns[int(self.rng.integers(len(self.patterns)))]
        moved = np.roll(pattern, tuple(self.rng.integers(pattern.shape)), axis=(0, 1))
        return to_uint8(rgb + (self.amount * moved * _midtones(rgb))[..., None])


def _softened(rgb: Frame, treatment: Treatment) -> Frame:
    picture = Image.fromarray(rgb)
    soft = picture.filter(ImageFilter.GaussianBlur(treatment.softness))
    if not treatment.in_focus:
        return np.asarray(soft)
    height = np.abs(np.arange(rgb.shape[0]) / rgb.shape[0] - treatment.focus)
    sharp = np.clip(2 - 2 * height / treatment.in_focus, 0, 1)[:, None, None].astype(np.float32)
    return to_uint8(np.asarray(soft) * (1 - sharp) + rgb * sharp)


def _pattern(rgb: Frame, size: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Return a texture [H, W, 1] for a picture: two of its kind, one twice as coarse."""
    fine = _normal(rgb.shape[:2], size, rng)
    coarse = _normal(rgb.shape[:2], (2 * size[0], 2 * size[1]), rng)
    shown: Floats = ((0.8 * fine + 0.6 * coarse) * _midtones(rgb))[..., None]
    return shown


def _midtones(rgb: Frame) -> Floats:
    """Return how much of a pattern shows [H, W]: 1 at mid-grey, 0.4 in black and white."""
    light = rgb @ LUMA / np.float32(255)
    return np.asarray(0.4 + 2.4 * light * (1 - light), np.float32)


def _normal(shape: tuple[int, ...], size: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Return normal noise [H, W] of unit deviation, smoothed by `size` down and across."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    smooth: Floats = ndimage.gaussian_filter(noise, size, mode="wrap")
    return smooth / max(float(smooth.std()), 1e-6)
