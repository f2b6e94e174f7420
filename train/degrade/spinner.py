"""The turning ring a player shows while it waits."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from train.colour import Frame

#: Side of the ring, share of the picture's shorter side.
SIDE = 0.2
DOTS = 12
TURNS_PER_S = 1.0
#: The ring is drawn this many times larger and reduced, for smooth edges.
_FINER = 4


def with_spinner(rgb: Frame, seconds: float) -> Frame:
    """Return `rgb` (uint8 [H, W, 3]) with a ring in its middle, `seconds` after it came up.

    Twelve white dots fade behind a head that makes a turn a second.
    """
    side = max(round(SIDE * min(rgb.shape[:2])), 12)
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    opacity = _ring(side, int(seconds * TURNS_PER_S * DOTS) % DOTS)
    shown = rgb.copy()
    under = shown[top : top + side, left : left + side].astype(np.float32)
    shown[top : top + side, left : left + side] = under + (255 - under) * opacity[..., None] + 0.5
    return shown


def _ring(side: int, head: int) -> np.ndarray:
    """Return the opacity [side, side] of the ring, 0-1, dot `head` the brightest."""
    large = side * _FINER
    picture = Image.new("L", (large, large))
    draw = ImageDraw.Draw(picture)
    radius = 0.09 * large
    for dot in range(DOTS):
        angle = 2 * math.pi * dot / DOTS
        x = large / 2 * (1 + 0.8 * math.sin(angle))
        y = large / 2 * (1 - 0.8 * math.cos(angle))
        fill = 255 - 18 * ((head - dot) % DOTS)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    small = picture.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255
