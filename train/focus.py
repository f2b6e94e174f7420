"""Shallow focus: one thing of a picture is sharp, and all before and behind it out of focus.

Portraits and close-ups are filmed like that, and most of such a picture is as blurred as the worst
lens blur of KADID-10k. What an encode must keep is that picture, not a sharp one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from train.colour import Floats, Frame, to_uint8
from train.optics import as_disks

#: A disk of this many pixels' radius is convolved with; wider ones on a picture made smaller.
FINEST_RADIUS = 4

#: Radius of what is half as far out of focus as can be, over that of the farthest.
HALF_WAY = 0.4


@dataclass(frozen=True)
class ShallowFocus:
    """What is in focus, and how far out of it the rest is.

    `centre` is (across, down) and `reach` (across, down) of what is sharp, shares of width and
    height; an infinite reach is all across, as of a ground plane. `fall` is how far beyond it, in
    reaches, all is as blurred as can be, and `radius` that of the disk that a point becomes there,
    a share of the height.
    """

    centre: tuple[float, float]
    reach: tuple[float, float]
    fall: float
    radius: float


def draw_focus(rng: np.random.Generator) -> ShallowFocus:
    """Draw a subject before its background, or one time in four a strip of a ground plane."""
    down = float(rng.uniform(0.12, 0.35))
    strip = rng.random() < 0.25
    return ShallowFocus(
        centre=(float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.3, 0.7))),
        reach=(np.inf if strip else float(rng.uniform(0.12, 0.4)), down),
        fall=float(np.exp(rng.uniform(np.log(0.15), np.log(1.5)))),
        radius=float(np.exp(rng.uniform(np.log(0.004), np.log(0.04)))),
    )


def in_shallow_focus(rgb: Frame, focus: ShallowFocus) -> Frame:
    """Return a picture (uint8 [H, W, 3]) as a lens with a wide aperture shows it."""
    out = out_of_focus(rgb.shape[:2], focus)[..., None]
    widest = focus.radius * rgb.shape[0]
    half, full = (_disks(rgb, radius) for radius in (HALF_WAY * widest, widest))
    near = np.minimum(2 * out, 1)
    far = np.maximum(2 * out - 1, 0)
    return to_uint8((1 - far) * ((1 - near) * rgb + near * half) + far * full)


@lru_cache(maxsize=1)  # all pictures of a clip ask for the same
def out_of_focus(shape: tuple[int, ...], focus: ShallowFocus) -> Floats:
    """Return how far out of focus each place of a picture [H, W] is, 0-1."""
    down, across = (
        ((np.arange(side) + 0.5) / side - centre) / reach
        for side, centre, reach in zip(shape, focus.centre[::-1], focus.reach[::-1], strict=True)
    )
    away = np.hypot(down[:, None], across[None])
    return np.asarray(np.clip((away - 1) / focus.fall, 0, 1), np.float32)


def _disks(rgb: Frame, radius: float) -> Floats:
    """Return a picture (uint8 [H, W, 3]) each point of which has become a disk."""
    height, width = rgb.shape[:2]
    smaller = max(int(radius / FINEST_RADIUS), 1)
    reduced = np.asarray(Image.fromarray(rgb).reduce(smaller))
    spread = as_disks(reduced, radius / smaller)
    shown = Image.fromarray(spread).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(shown, np.float32)
